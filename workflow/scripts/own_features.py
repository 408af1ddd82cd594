"""results/<run>/own/<modality>.arrow: checked user items, by `ima.datasets.user.read_items`."""

from ima.datasets.user import read_items
from ima.utils.matrices import write_arrow
from ima.utils.schemas import OWN_ITEMS
from ima.workflow import script


def main(snakemake):
    params = snakemake.params
    items = read_items(params.path, params.columns, params.loss, params.standardize)
    write_arrow(items, snakemake.output.features, OWN_ITEMS)
    print(f"{len(items)} items with {items['x'].type.list_size} values each")


if __name__ == "__main__":
    script.run(main, snakemake)
