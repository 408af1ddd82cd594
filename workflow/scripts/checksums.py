"""results/<run>/corpora/: a corpus' checksum, by `ima.corpora.manifest.write_manifest`."""

from ima import job
from ima.corpora.manifest import write_manifest
from ima.io import read_json


def main(snakemake):
    write_manifest(snakemake.params.root, snakemake.output.manifest)
    facts = read_json(snakemake.output.manifest)
    print(f"{facts['files']} files, {facts['bytes'] / 1e6:.1f} MB")


if __name__ == "__main__":
    job.run(main, snakemake)
