"""Problems of noise detection as scripts of rules read them (`ima.evaluation.noise_benchmark`)."""

from collections.abc import Iterator

import numpy as np

from ima.datasets.digit_recordings import Waves
from ima.datasets.splits import hold_out
from ima.evaluation import noise_makers
from ima.evaluation.noise_benchmark import Problem, problem
from ima.features.mfcc import Mfcc, UnitInterval
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.models.stages import Variant
from ima.utils.arrow import matrix
from ima.utils.io import read_json, read_parquet
from ima.utils.schemas import FEATURES, SEGMENTS


def problems(snakemake) -> Iterator[tuple[str, float, Problem]]:
    """Yield the type of noise, R and the problem for each of a job's `problems`.

    Args:
        snakemake: job with the inputs and params of rule `noise_study`.
    """
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
    for noise_type, R in params.problems:
        given = (noise_type, R, items, makers, params.totals, seed, params.sizes)
        yield noise_type, R, problem(*given)


def variants(snakemake) -> dict[str, Variant]:
    """Return a job's variants of IMA by name."""
    return {
        name: Variant(
            Stage1(**of["autoencoder"]),
            Stage2(**of["importance"]),
            of["rho"],
            snakemake.params.hidden,
            of["layers"],
        )
        for name, of in snakemake.params.variants.items()
    }


def _items(path: str, params) -> dict[str, np.ndarray]:
    table = read_parquet(path, FEATURES)
    split, label = np.array(table["split"].to_pylist()), table["label"].to_numpy()
    split = hold_out(split, label, params.validation_share, np.random.default_rng(0))
    return {"x": matrix(table, "x"), "split": split, "label": label}
