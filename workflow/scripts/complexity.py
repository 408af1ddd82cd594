"""complexity.pdf and .png: cost by number of modalities (Table 4), by
`ima.reporting.figures.training.complexity`.
"""

from ima.reporting.figures import save
from ima.reporting.figures.training import complexity
from ima.utils.io import read_csv
from ima.workflow import script


def main(snakemake):
    rows = read_csv(snakemake.input.table, ["run"]).to_pylist()
    figure = complexity([row for row in rows if row["setting"] == "equal"])
    save(figure, snakemake.output.pdf, snakemake.output.png)
    print(f"{len(rows)} rows of Table 4 drawn")


if __name__ == "__main__":
    script.run(main, snakemake)
