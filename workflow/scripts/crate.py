"""results/<run>/crate.zip: the run as an RO-Crate, by `ima.provenance.write_crate`."""

from ima import job
from ima.provenance import as_list, write_crate


def main(snakemake):
    results, corpora = (as_list(snakemake.input[name]) for name in ("results", "corpora"))
    write_crate(results, snakemake.config, corpora, snakemake.output.crate)


if __name__ == "__main__":
    job.run(main, snakemake)
