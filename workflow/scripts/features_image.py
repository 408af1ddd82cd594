"""results/<run>/features/image.parquet: images as vectors, by `ima.features.images.flatten`."""

from ima.datasets import mnist
from ima.features.images import flatten
from ima.utils.arrow import vector_column
from ima.utils.io import write_csv, write_parquet
from ima.utils.schemas import FEATURES
from ima.workflow import script


def main(snakemake):
    items, skipped = mnist.index(snakemake.params.root, snakemake.params.nominal)
    x = flatten(mnist.read_images(snakemake.params.root, items))
    write_csv(skipped, snakemake.output.skipped)
    write_parquet(items.append_column("x", vector_column(x)), snakemake.output.features, FEATURES)
    print(f"{len(items)} images")


if __name__ == "__main__":
    script.run(main, snakemake)
