"""results/tables/missing.csv and its figure (Section 3), by
`ima.evaluation.missing_modalities.study_table`.
"""

import pyarrow as pa

from ima.evaluation.missing_modalities import study_table
from ima.reporting.figures import save
from ima.reporting.figures.missing_modalities import draw
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import MISSING_STUDY
from ima.workflow import script, summary


def main(snakemake):
    out = snakemake.output
    studies = [read_parquet(path, MISSING_STUDY, rows=True) for path in snakemake.input.studies]
    table = study_table(pa.concat_tables(studies), snakemake.params.run)
    write_csv(table, out.table)
    save(draw(table.to_pylist()), out.pdf, out.png)
    print(summary.first(table, "precision"))


if __name__ == "__main__":
    script.run(main, snakemake)
