"""results/<run>/tables/importance.csv: mean importances on user data, by
`ima.reporting.tables.user.importance_table`.
"""

from ima.reporting.tables.user import importance_table
from ima.utils.io import read_parquet, write_csv
from ima.workflow import script, summary


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    tables = [read_parquet(path) for path in given.representations]
    table = importance_table(tables, params.models, params.noise, params.run)
    write_csv(table, snakemake.output.table)
    print(summary.first(table, "mean_importance"))


if __name__ == "__main__":
    script.run(main, snakemake)
