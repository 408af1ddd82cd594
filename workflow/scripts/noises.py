"""results/tables/noises.csv: F1 on harder noise (6.1), by
`ima.reporting.tables.importance.noises`.
"""

import pyarrow as pa

from ima.reporting.tables.importance import noises
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import NOISE_STUDY
from ima.workflow import script, summary


def main(snakemake):
    studies = [read_parquet(path, NOISE_STUDY, rows=True) for path in snakemake.input.studies]
    table = noises(pa.concat_tables(studies), snakemake.params.run)
    write_csv(table, snakemake.output.table)
    print(summary.first(table, "f1_noise"))


if __name__ == "__main__":
    script.run(main, snakemake)
