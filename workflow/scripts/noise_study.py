"""Noise detection on harder noise and controls, for one seed (6.1), by
`ima.evaluation.noise_benchmark.study`.
"""

import pyarrow as pa

from ima.evaluation.noise_benchmark import study
from ima.utils.io import write_parquet
from ima.utils.schemas import NOISE_STUDY
from ima.workflow import script
from ima.workflow.noise_problems import problems, variants


def main(snakemake):
    params, seed, rows = snakemake.params, int(snakemake.wildcards.seed), []
    for noise_type, R, noisy in problems(snakemake):
        found = study(noisy, params.latent, variants(snakemake), params.reference, seed)
        rows += [{"noise_type": noise_type, "R": R, **row} for row in found]
        print(
            noise_type,
            R,
            [(row["detector"], round(row["f1_noise"], 3)) for row in found],
            flush=True,
        )
    write_parquet(pa.Table.from_pylist(rows, NOISE_STUDY), snakemake.output.study)


if __name__ == "__main__":
    script.run(main, snakemake)
