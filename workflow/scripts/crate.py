"""results/<run>/crate.zip: the run as an RO-Crate, by `ima.workflow.crate.write_crate`."""

from pathlib import Path

from ima.workflow import script
from ima.workflow.crate import write_crate
from ima.workflow.provenance import as_list


def main(snakemake):
    results, corpora = (as_list(snakemake.input[name]) for name in ("results", "corpora"))
    write_crate(
        *(results, snakemake.config, corpora),
        *(snakemake.params.folder, snakemake.params.rules, snakemake.output.crate),
        snakemake.params.job_values,
    )
    size = Path(snakemake.output.crate).stat().st_size / 1e6
    print(f"{len(results)} results, {size:.1f} MB")


if __name__ == "__main__":
    script.run(main, snakemake)
