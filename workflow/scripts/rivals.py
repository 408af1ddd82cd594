"""results/tables/rivals.csv and its figure (6.1), by `ima.evaluation.rivals.study.rivals_table`."""

import pyarrow as pa

from ima.evaluation.rivals.study import rivals_table
from ima.reporting.figures import save
from ima.reporting.figures.rivals import draw
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import RIVAL_STUDY
from ima.workflow import script, summary


def main(snakemake):
    out = snakemake.output
    studies = [read_parquet(path, RIVAL_STUDY, rows=True) for path in snakemake.input.studies]
    table = rivals_table(pa.concat_tables(studies), snakemake.params.run)
    write_csv(table, out.table)
    save(draw(table.to_pylist()), out.pdf, out.png)
    print(summary.first(table, "f1_noise"))


if __name__ == "__main__":
    script.run(main, snakemake)
