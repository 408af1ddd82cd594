"""results/<run>/corpora/: a corpus' checksum, by `ima.corpora.manifest.write_manifest`."""

from ima import job
from ima.corpora.manifest import write_manifest


def main(snakemake):
    write_manifest(snakemake.params.root, snakemake.output.manifest)


if __name__ == "__main__":
    job.run(main, snakemake)
