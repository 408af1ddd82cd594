"""emotion_importance.csv: F1 over rho, by `ima.tables_emotion.emotion_importance` (6.1)."""

from ima import job, told
from ima.io import read_parquet, write_csv
from ima.schema_emotion import IMPORTANCE_EMOTION
from ima.tables import read_paper_values
from ima.tables_emotion import emotion_importance


def main(snakemake):
    sweeps = [read_parquet(path, IMPORTANCE_EMOTION, rows=True) for path in snakemake.input.sweeps]
    paper = read_paper_values(snakemake.input.paper)
    params = snakemake.params
    anchors = read_parquet(snakemake.input.anchors, IMPORTANCE_EMOTION, rows=True)
    swept = zip(params.variants, sweeps, strict=True)
    table = emotion_importance(swept, anchors, paper, params.run, params.corpus)
    write_csv(table, snakemake.output.table)
    print(told.first(table, "auc"))


if __name__ == "__main__":
    job.run(main, snakemake)
