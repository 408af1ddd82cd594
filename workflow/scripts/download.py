"""results/<run>/raw/<corpus>/: an open corpus, by `ima.corpora.download.fetch`."""

from pathlib import Path

from ima import job
from ima.corpora import download
from ima.corpora.manifest import write_manifest


def main(snakemake):
    root = Path(snakemake.output.tree)
    files = download.fetch(snakemake.wildcards.corpus, root)
    write_manifest(root, snakemake.output.manifest)
    print(f"{len(files)} files, checked")


if __name__ == "__main__":
    job.run(main, snakemake)
