"""results/<run>/own/<modality>.parquet: a user's own items, by `ima.own.read_items`."""

from ima import job
from ima.io import write_parquet
from ima.own import read_items
from ima.schema import OWN_ITEMS


def main(snakemake):
    params = snakemake.params
    items = read_items(snakemake.input.file, params.columns, params.loss)
    write_parquet(items, snakemake.output.features, OWN_ITEMS)
    print(f"{len(items)} items of {items['x'].type.list_size} values")


if __name__ == "__main__":
    job.run(main, snakemake)
