"""results/<run>/raw/mnist/: scikit-learn's digits, by `ima.corpora.demo.write_images`."""

from pathlib import Path

from ima import job
from ima.corpora import demo
from ima.corpora.manifest import write_manifest


def main(snakemake):
    root = Path(snakemake.output.tree)
    demo.write_images(root, snakemake.params.test_images, snakemake.params.seed)
    write_manifest(root, snakemake.output.manifest)
    print(f"test images: {snakemake.params.test_images:.0%} of those of scikit-learn")


if __name__ == "__main__":
    job.run(main, snakemake)
