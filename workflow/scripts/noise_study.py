"""Noise detection on harder noise and controls, for one seed (6.1), by
`ima.evaluation.noise_benchmark.study`.
"""

import numpy as np
import pyarrow as pa

from ima.datasets.digit_recordings import Waves
from ima.datasets.splits import hold_out
from ima.evaluation import noise_makers
from ima.evaluation.noise_benchmark import problem, study
from ima.features.mfcc import Mfcc, UnitInterval
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.models.stages import Variant
from ima.utils.arrow import matrix
from ima.utils.io import read_json, read_parquet, write_parquet
from ima.utils.schemas import FEATURES, NOISE_STUDY, SEGMENTS
from ima.workflow import script


def main(snakemake):
    params, seed = snakemake.params, int(snakemake.wildcards.seed)
    items = {name: _items(snakemake.input[name], params) for name in ("image", "speech")}
    images, mfcc = items["image"]["x"], Mfcc(**params.mfcc)
    mapping = UnitInterval.from_dict(read_json(snakemake.input.mapping))
    segments = read_parquet(snakemake.input.segments, SEGMENTS)
    voices = noise_makers.digit_waves(segments, Waves(snakemake.input.waves, mfcc.rate))
    makers = {
        "synthetic": noise_makers.synthetic(params.noise, images.shape[1], mfcc, mapping),
        "degraded": noise_makers.degraded(images, voices, mfcc, mapping),
    }
    variants = {
        name: Variant(
            Stage1(**of["autoencoder"]),
            Stage2(**of["importance"]),
            of["rho"],
            params.hidden,
            of["layers"],
        )
        for name, of in params.variants.items()
    }
    rows = []
    for noise_type, R in params.problems:
        noisy = problem(noise_type, R, items, makers, params.totals, seed)
        found = study(noisy, params.latent, variants, seed)
        rows += [{"noise_type": noise_type, "R": R, **row} for row in found]
        print(
            noise_type,
            R,
            [(row["detector"], round(row["f1_noise"], 3)) for row in found],
            flush=True,
        )
    write_parquet(pa.Table.from_pylist(rows, NOISE_STUDY), snakemake.output.study)


def _items(path, params):
    table = read_parquet(path, FEATURES)
    split, label = np.array(table["split"].to_pylist()), table["label"].to_numpy()
    split = hold_out(split, label, params.validation_share, np.random.default_rng(0))
    return {"x": matrix(table, "x"), "split": split, "label": label}


if __name__ == "__main__":
    script.run(main, snakemake)
