"""results/<run>/raw/<corpus>/: an open corpus, by `ima.datasets.download.fetch`."""

from pathlib import Path

from ima.datasets import download
from ima.datasets.manifest import write_manifest
from ima.workflow import script


def main(snakemake):
    root = Path(snakemake.output.tree)
    files = download.fetch(snakemake.wildcards.corpus, root)
    write_manifest(root, snakemake.output.manifest)
    print(f"{len(files)} files, checksums verified")


if __name__ == "__main__":
    script.run(main, snakemake)
