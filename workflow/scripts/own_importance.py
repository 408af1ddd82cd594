"""results/<run>/tables/importance.csv of own data, by `ima.own_results.importance_table`."""

from ima import job, told
from ima.io import read_parquet, write_csv
from ima.own_results import importance_table


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    tables = [read_parquet(path) for path in given.representations]
    table = importance_table(tables, params.models, params.noise, params.run)
    write_csv(table, snakemake.output.table)
    print(told.first(table, "mean_importance"))


if __name__ == "__main__":
    job.run(main, snakemake)
