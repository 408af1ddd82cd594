"""results/<run>/raw/mnist/: scikit-learn's digits, by
`ima.datasets.synthetic.digits.write_images`.
"""

from ima.datasets.manifest import write_manifest
from ima.datasets.synthetic import digits
from ima.utils.atomic_files import whole_folder
from ima.workflow import script


def main(snakemake):
    with whole_folder(snakemake.output.tree) as tree:
        digits.write_images(tree, snakemake.params.test_images, snakemake.params.seed)
    write_manifest(snakemake.output.tree, snakemake.output.manifest)
    print(f"test images: {snakemake.params.test_images:.0%} of scikit-learn's images")


if __name__ == "__main__":
    script.run(main, snakemake)
