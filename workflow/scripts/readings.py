"""readings.csv, readings_scores.csv and figure: claims by reading (6), by
`ima.evaluation.readings.claims.shares`.
"""

import pyarrow as pa

from ima.evaluation.readings.claims import mean_scores, shares, summary
from ima.reporting.figures import save
from ima.reporting.figures.readings import draw
from ima.utils.errors import InputError
from ima.utils.io import read_parquet, write_csv
from ima.utils.schemas import READINGS
from ima.workflow import script


def main(snakemake):
    if not snakemake.input.scores:
        raise InputError("config, readings.sample", expected="1 or more", found=0)
    scores = [read_parquet(path, READINGS, rows=True) for path in snakemake.input.scores]
    means = mean_scores(pa.concat_tables(scores), snakemake.params.run)
    write_csv(means, snakemake.output.scores)
    table = shares(means)
    write_csv(table, snakemake.output.table)
    save(draw(means, table), snakemake.output.pdf, snakemake.output.png)
    print(summary(table))


if __name__ == "__main__":
    script.run(main, snakemake)
