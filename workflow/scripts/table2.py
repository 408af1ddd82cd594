"""results/tables/table2.csv: Precision@K (Table 2), by `ima.tables_emotion.table2`."""

from ima import job, told
from ima.io import read_json, write_csv
from ima.tables import read_paper_values
from ima.tables_emotion import table2


def main(snakemake):
    scores = [read_json(path) for path in snakemake.input.scores]
    paper = read_paper_values(snakemake.input.paper)
    table = table2(scores, paper, snakemake.params.run, snakemake.params.corpus)
    write_csv(table, snakemake.output.table)
    print(told.first(table, "precision"))


if __name__ == "__main__":
    job.run(main, snakemake)
