"""results/<run>/corpora/: a corpus' checksum, by `ima.datasets.manifest.write_manifest`."""

from ima.datasets.manifest import write_manifest
from ima.utils.io import read_json
from ima.workflow import script


def main(snakemake):
    write_manifest(snakemake.params.root, snakemake.output.manifest, snakemake.params.only)
    facts = read_json(snakemake.output.manifest)
    print(f"{facts['files']} files, {facts['bytes'] / 1e6:.1f} MB")


if __name__ == "__main__":
    script.run(main, snakemake)
