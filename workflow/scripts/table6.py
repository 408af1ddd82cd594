"""results/tables/table6.csv: accuracy on utterances (Table 6), by
`ima.reporting.tables.emotion.table6`.
"""

from ima.reporting.tables import read_paper_values
from ima.reporting.tables.emotion import table6
from ima.utils.io import write_csv
from ima.workflow import script, summary
from ima.workflow.peers import trained


def main(snakemake):
    scores = trained(snakemake.input.scores, "scores")
    paper = read_paper_values(snakemake.input.paper)
    table = table6(scores, paper, snakemake.params.run, snakemake.params.about)
    write_csv(table, snakemake.output.table)
    print(summary.first(table, "accuracy"))


if __name__ == "__main__":
    script.run(main, snakemake)
