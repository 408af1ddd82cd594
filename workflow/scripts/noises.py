"""results/tables/noises.csv: F1 on harder noise, by `ima.tables_importance.noises` (6.1)."""

import pyarrow as pa

from ima import job, told
from ima.io import read_parquet, write_csv
from ima.schema import NOISE_STUDY
from ima.tables_importance import noises


def main(snakemake):
    studies = [read_parquet(path, NOISE_STUDY, rows=True) for path in snakemake.input.studies]
    table = noises(pa.concat_tables(studies), snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(told.first(table, "f1_noise"))


if __name__ == "__main__":
    job.run(main, snakemake)
