"""results/tables/leaderboard.csv: all models on all tasks on digits, by
`ima.reporting.tables.leaderboard.leaderboard`.
"""

from ima.reporting.tables.leaderboard import leaderboard
from ima.utils.io import read_csv, write_csv
from ima.workflow import script


def main(snakemake):
    given, params = snakemake.input, snakemake.params
    files = (given.retrieval, given.accuracy, given.importance, given.generation)
    rows = [read_csv(file, ["run"]).to_pylist() for file in files]
    study = read_csv(given.missing, ["run"]).to_pylist() if given.missing else []
    missing = [{**row, "latent": params.missing_latent} for row in study]
    table = leaderboard(*rows, params.labels, params.run, missing)
    write_csv(table, snakemake.output.table)
    best = [row for row in table.to_pylist() if row["task"] == table["task"][0].as_py()]
    print(f"{best[0]['task']}: {best[0]['model']} {best[0]['score']:.3f}")


if __name__ == "__main__":
    script.run(main, snakemake)
