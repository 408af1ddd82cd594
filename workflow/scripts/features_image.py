"""results/<run>/features/image.parquet: images as vectors, by `ima.features.images.flatten`."""

from ima import job
from ima.columns import vector_column
from ima.corpora import mnist
from ima.features.images import flatten
from ima.io import write_csv, write_parquet
from ima.schema import FEATURES


def main(snakemake):
    items, skipped = mnist.index(snakemake.params.root)
    x = flatten(mnist.read_images(snakemake.params.root, items))
    write_csv(skipped, snakemake.output.skipped)
    write_parquet(items.append_column("x", vector_column(x)), snakemake.output.features, FEATURES)
    print(f"{len(items)} images")


if __name__ == "__main__":
    job.run(main, snakemake)
