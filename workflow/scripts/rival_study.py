"""Importances and other unsupervised detectors on all types of noise, for one seed (6.1), by
`ima.evaluation.rivals.study.study`.
"""

import pyarrow as pa

from ima.evaluation.rivals.study import study
from ima.utils.io import write_parquet
from ima.utils.schemas import RIVAL_STUDY
from ima.workflow import script
from ima.workflow.noise_problems import problems, variants


def main(snakemake):
    params, seed, rows = snakemake.params, int(snakemake.wildcards.seed), []
    for noise_type, R, noisy in problems(snakemake):
        found = study(noisy, params.latent, variants(snakemake), params.reference, seed)
        rows += [{"noise_type": noise_type, "R": R, **row} for row in found]
        best = max(found, key=lambda row: row["f1_noise"])
        print(noise_type, R, f"best: {best['detector']} {best['f1_noise']:.3f}", flush=True)
    write_parquet(pa.Table.from_pylist(rows, RIVAL_STUDY), snakemake.output.study)


if __name__ == "__main__":
    script.run(main, snakemake)
