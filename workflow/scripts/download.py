"""results/<run>/raw/<corpus>/: an open corpus, by `ima.datasets.download.fetch`."""

from ima.datasets import download
from ima.datasets.manifest import write_manifest
from ima.utils.atomic_files import whole_folder
from ima.utils.errors import InputError
from ima.workflow import script


def main(snakemake):
    corpus = snakemake.wildcards.corpus
    with whole_folder(snakemake.output.tree) as tree:
        try:
            files = download.fetch(corpus, tree)
        except InputError as error:
            raise InputError(
                snakemake.output.tree,
                expected=error.expected,
                found=error.found,
                do=f"Download it manually, and set the config key 'roots.{corpus}' to its folder.",
            ) from error
    write_manifest(snakemake.output.tree, snakemake.output.manifest)
    print(f"{len(files)} files, checksums verified")


if __name__ == "__main__":
    script.run(main, snakemake)
