"""results/<run>/crate.zip: the run as an RO-Crate, by `ima.workflow.provenance.write_crate`."""

from pathlib import Path

from ima.workflow import script
from ima.workflow.provenance import as_list, write_crate


def main(snakemake):
    results, corpora = (as_list(snakemake.input[name]) for name in ("results", "corpora"))
    write_crate(results, snakemake.config, corpora, snakemake.output.crate)
    size = Path(snakemake.output.crate).stat().st_size / 1e6
    print(f"{len(results)} results, {size:.1f} MB")


if __name__ == "__main__":
    script.run(main, snakemake)
