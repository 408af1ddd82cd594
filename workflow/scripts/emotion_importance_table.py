"""emotion_importance.csv: F1 over rho (6.1), by
`ima.reporting.tables.emotion.emotion_importance`.
"""

from ima.reporting.tables import read_paper_values
from ima.reporting.tables.emotion import emotion_importance
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas_emotion import IMPORTANCE_EMOTION
from ima.workflow import script, summary


def main(snakemake):
    sweeps = [read_parquet(path, IMPORTANCE_EMOTION, rows=True) for path in snakemake.input.sweeps]
    paper = read_paper_values(snakemake.input.paper)
    params = snakemake.params
    anchors = read_parquet(snakemake.input.anchors, IMPORTANCE_EMOTION, rows=True)
    swept = zip(params.variants, sweeps, strict=True)
    table = emotion_importance(swept, anchors, paper, params.run, params.about)
    write_csv(table, snakemake.output.table)
    print(summary.first(table, "auc"))


if __name__ == "__main__":
    script.run(main, snakemake)
