"""Training and scoring of a block: all readings with the same activation, features and epochs.

One process trains the whole block, so that the data are read once and shared parts are trained
once: the baselines, and one autoencoder per choice of the importances in stage 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ima.evaluation.metrics import fused, noise_scores, precision_by_choice
from ima.evaluation.readings.factors import Reading, correlation, rho
from ima.features.mfcc import UnitInterval
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.baselines import baseline, represent
from ima.models.baselines.seeds import fit_seeds
from ima.models.checkpoints import modalities_of
from ima.models.ima import Autoencoder
from ima.models.importance import Stage2, importances, train_importance
from ima.models.stages import constant_importances
from ima.pairing.by_label import is_noise
from ima.training.loop import device
from ima.utils.schemas import READINGS

#: Threshold at or above which a pixel is 1 in binary images.
HALF = 0.5

Pairs = Mapping[str, Tensor]


@dataclass(frozen=True)
class Data:
    """Features and pairs that readings are trained and scored on.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        train, validation: by modality, the row numbers (N,) of their pairs.
        test: table of `ima.utils.schemas.pairs_schema`.
    """

    x: Mapping[str, Tensor]
    train: Pairs
    validation: Pairs
    test: pa.Table


@dataclass(frozen=True)
class Settings:
    """Settings common to all readings.

    Args:
        layers: by modality, the layers of its encoder and decoder.
        stage1: by latent size, the settings of stage 1 that readings do not vary.
        stage2: the settings of stage 2 that readings do not vary.
        hidden: width of the importance networks' hidden layers.
        baselines: by kind and latent size, its settings, including those of training.
        k: K of Precision@K.
    """

    layers: Mapping[str, Mapping]
    stage1: Mapping[int, Mapping]
    stage2: Mapping
    hidden: int
    baselines: Mapping[str, Mapping[int, Mapping]]
    k: int


def features(
    level: str, image: np.ndarray, mfcc: np.ndarray, train: np.ndarray, coefficients: int
) -> dict[str, Tensor]:
    """Return the features of both modalities at a level of the factor `features`.

    Args:
        level: a mapping of MFCC to [0, 1], or `binary-both`, which also binarises the images.
        image: image features (n, 784) in [0, 1], noise included.
        mfcc: MFCC features (n, 696), noise included.
        train: rows of `mfcc` that the mapping is fitted to.
        coefficients: number of coefficients in a frame of MFCC.
    """
    mapping = UnitInterval.fit(mfcc[train], level.removesuffix("-both"), coefficients)
    if level == "binary-both":
        image = (image >= HALF).astype(np.float32)
    return {"image": torch.from_numpy(image), "speech": torch.from_numpy(mapping(mfcc))}


def train_block(
    block: Mapping[str, object],
    readings: Sequence[Reading],
    neighbours: Sequence[str],
    data: Data,
    settings: Settings,
    seed: int,
) -> pa.Table:
    """Train the readings of a block and its baselines, and score them at every latent size.

    Args:
        block: the levels of `ima.evaluation.readings.factors.BLOCK` that define the block.
        readings: the readings of the block.
        neighbours: sets of neighbours for Precision@K: `all`, `distinct`, or both.
        data: pairs, with the block's features.
        settings: settings common to all readings.
        seed: seed of the weights and of the order of the pairs.

    Returns:
        A table of `ima.utils.schemas.READINGS`.
    """
    layers = {
        m: {**options, "activation": block["activation"]} for m, options in settings.layers.items()
    }
    epochs = {"epochs": int(block["epochs"])}
    rows = []
    for latent in settings.stage1:
        joint = {
            kind: _baseline(kind, by_latent[latent] | epochs, layers, latent, data, seed)
            for kind, by_latent in settings.baselines.items()
        }
        precision = _Precision(data.test, settings.k, neighbours)
        baselines = {kind: precision(z) for kind, z in joint.items()}
        trained: dict[tuple, Autoencoder] = {}
        for reading in readings:
            # Untrained networks start near rho; with `ones`, rho does not affect stage 1.
            key = reading["importances"], reading["rho"] * (reading["importances"] != "ones")
            stage1 = Stage1(
                **{**settings.stage1[latent], **epochs, "importances": reading["importances"]}
            )
            if key not in trained:
                trained[key] = _autoencoder(reading, stage1, layers, latent, data, settings, seed)
            scores = _score(trained[key], reading, data, settings, precision, seed)
            about = {**reading, **block, "epochs": str(block["epochs"])}
            about |= {"latent": latent, "seed": seed}
            rows += [about | _row(scores, baselines, choice) for choice in neighbours]
            print(latent, *reading.values(), scores, flush=True)
    return pa.Table.from_pylist(rows, schema=READINGS)


def _row(scores: Mapping, baselines: Mapping[str, Mapping[str, float]], neighbours: str) -> dict:
    """Return the scores of a reading and of the baselines for a choice of neighbours."""
    row = {"neighbours": neighbours, **dict.fromkeys(("jmvae", "mvae", "denoising"))}
    row |= {kind: precision[neighbours] for kind, precision in baselines.items()}
    for name, score in scores.items():
        row[name] = score[neighbours] if isinstance(score, Mapping) else score
    return row


def _baseline(
    kind: str, settings: Mapping, layers: Mapping, latent: int, data: Data, seed: int
) -> np.ndarray:
    """Return a baseline's joint representations (N, L) of the test pairs."""
    training = baseline(kind).settings(**settings)
    modalities = modalities_of(data.x, layers)
    models, _ = fit_seeds(
        kind, modalities, latent, training, data.x, data.train, data.validation, [seed]
    )
    return represent(models[seed], data.x, _items(data.test, data.x))["joint"].cpu().numpy()


def _items(test: pa.Table, names: Mapping) -> dict[str, Tensor]:
    return {m: torch.from_numpy(test[f"item_{m}"].to_numpy().astype(np.int64)) for m in names}


def _autoencoder(
    reading: Reading,
    stage1: Stage1,
    layers: Mapping,
    latent: int,
    data: Data,
    settings: Settings,
    seed: int,
) -> Autoencoder:
    """Train and return the autoencoder of a reading (stage 1)."""
    y = constant_importances(data.x, None, stage1, settings.hidden, rho(reading["rho"]), seed)
    torch.manual_seed(seed)
    model = Autoencoder(modalities_of(data.x, layers), latent).to(device())
    fit_autoencoder(model, data.x, data.train, stage1, seed, data.validation, y)
    return model


def _score(
    autoencoder: Autoencoder,
    reading: Reading,
    data: Data,
    settings: Settings,
    precision: "_Precision",
    seed: int,
) -> dict[str, float | dict[str, float]]:
    """Train the importance networks of a reading (stage 2) and return its scores."""
    options = {**settings.stage2, **correlation(reading["correlation"]), "z": reading["z"]}
    networks, _, _ = train_importance(
        autoencoder,
        data.x,
        data.train,
        rho(reading["rho"]),
        settings.hidden,
        Stage2(**options),
        seed,
        data.validation,
    )
    items, noise = _items(data.test, data.x), is_noise(data.test)
    y = {m: y_m[0].numpy() for m, y_m in importances(networks, data.x, items).items()}
    with torch.no_grad():
        u = {m: autoencoder.encoders[m](data.x[m][rows]).cpu().numpy() for m, rows in items.items()}
    views = {
        "weighted": y,
        "oracle": {m: (~noisy).astype(np.float32) for m, noisy in noise.items()},
        "unweighted": {m: np.ones_like(y_m) for m, y_m in y.items()},
    }
    scores = {f"f1_{m}": noise_scores(y[m], noise[m])["f1_noise"] for m in y}
    return scores | {name: precision(fused(u, weights)) for name, weights in views.items()}


class _Precision:
    """Mean Precision@K of representations of the test pairs, by choice of neighbours."""

    def __init__(self, test: pa.Table, k: int, neighbours: Sequence[str]):
        names = [name for name in test.column_names if name.startswith("item_")]
        self.items = [test[name].to_numpy() for name in names]
        self.labels, self.k, self.neighbours = test["label"].to_numpy(), k, neighbours

    def __call__(self, z: np.ndarray) -> dict[str, float]:
        """Return mean Precision@K of representations (N, L), by choice of neighbours."""
        found = precision_by_choice(z, self.labels, [self.k], self.items, self.neighbours)
        return {choice: float(precision[self.k].mean()) for choice, precision in found.items()}
