"""results/tables/missing.csv and its figure, by `ima.missing_study.over_seeds` (3)."""

import pyarrow as pa

from ima import job, told
from ima.figures import save
from ima.figures_missing import draw
from ima.io import read_parquet, write_csv
from ima.missing_study import over_seeds
from ima.schema import MISSING_STUDY


def main(snakemake):
    out = snakemake.output
    studies = [read_parquet(path, MISSING_STUDY, rows=True) for path in snakemake.input.studies]
    table = over_seeds(pa.concat_tables(studies), snakemake.params.run)
    write_csv(table, out.table)
    save(draw(table.to_pylist()), out.pdf, out.png)
    print(told.first(table, "precision"))


if __name__ == "__main__":
    job.run(main, snakemake)
