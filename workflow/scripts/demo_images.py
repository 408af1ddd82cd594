"""results/<run>/raw/mnist/: scikit-learn's digits, by
`ima.datasets.synthetic.digits.write_images`.
"""

from pathlib import Path

from ima.datasets.manifest import write_manifest
from ima.datasets.synthetic import digits
from ima.workflow import script


def main(snakemake):
    root = Path(snakemake.output.tree)
    digits.write_images(root, snakemake.params.test_images, snakemake.params.seed)
    write_manifest(root, snakemake.output.manifest)
    print(f"test images: {snakemake.params.test_images:.0%} of scikit-learn's images")


if __name__ == "__main__":
    script.run(main, snakemake)
