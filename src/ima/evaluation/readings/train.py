"""Training and scoring of a block of readings: those that share activation, features and epochs.

One process trains them all, so that data are read once and what readings share is trained once:
the baselines by block, an autoencoder for each choice of the importances in stage 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ima.evaluation.metrics import fused, noise_scores, precision_at_k
from ima.evaluation.readings.design import Reading, correlation, rho
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

#: A pixel is 1 from this value on, where images are binary.
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
    """What all readings share.

    Args:
        layers: by modality, the layers of its encoder and decoder.
        stage1: by latent size, settings of stage 1 but for those that readings choose.
        stage2: the same of stage 2.
        hidden: width of the importance networks' hidden layers.
        baselines: by kind, settings of its own and of training by latent size.
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
    """Return the features of both modalities as a level of `features` has them.

    Args:
        level: a mapping of MFCC to [0, 1], or `binary-both`, for images in black and white too.
        image: (n, 784) in [0, 1], with its noise.
        mfcc: (n, 696), with its noise.
        train: the rows of `mfcc` that the mapping is fitted to.
        coefficients: of a frame of MFCC.
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
        block: its levels of `ima.evaluation.readings.design.BLOCK`.
        readings: those of the block.
        neighbours: which of them Precision@K counts: `all`, `distinct`, or both.
        data: with the block's features.
        settings: of all readings.
        seed: of weights and order.

    Returns:
        A table of `ima.utils.schemas.READINGS`.
    """
    layers = {m: {**of, "activation": block["activation"]} for m, of in settings.layers.items()}
    own = {"epochs": int(block["epochs"])}
    rows = []
    for latent in settings.stage1:
        others = {
            kind: _baseline(kind, of[latent] | own, layers, latent, data, seed)
            for kind, of in settings.baselines.items()
        }
        precision = _Precision(data.test, settings.k, neighbours)
        others = {kind: precision(z) for kind, z in others.items()}
        trained: dict[tuple, Autoencoder] = {}
        for reading in readings:
            # Untrained networks start near rho; at `ones`, rho is of no matter to stage 1.
            key = reading["importances"], reading["rho"] * (reading["importances"] != "ones")
            stage1 = Stage1(
                **{**settings.stage1[latent], **own, "importances": reading["importances"]}
            )
            if key not in trained:
                trained[key] = _autoencoder(reading, stage1, layers, latent, data, settings, seed)
            found = _score(trained[key], reading, data, settings, precision, seed)
            rows += [
                {**reading, **block, "latent": latent, "seed": seed, "neighbours": which}
                | dict.fromkeys(("jmvae", "mvae", "denoising"))
                | {"epochs": str(block["epochs"])}
                | {kind: scores[which] for kind, scores in others.items()}
                | {name: of[which] if isinstance(of, dict) else of for name, of in found.items()}
                for which in neighbours
            ]
            print(latent, *reading.values(), found, flush=True)
    return pa.Table.from_pylist(rows, schema=READINGS)


def _baseline(
    kind: str, settings: Mapping, layers: Mapping, latent: int, data: Data, seed: int
) -> np.ndarray:
    """Return the joint representations (N, L) of the test pairs of a baseline."""
    given = baseline(kind).settings(**settings)
    modalities = modalities_of(data.x, layers)
    models, _ = fit_seeds(
        kind, modalities, latent, given, data.x, data.train, data.validation, [seed]
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
    """Return the autoencoder of a reading, trained (stage 1)."""
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
    """Train the importance networks of a reading (stage 2), and return its scores."""
    given = {**settings.stage2, **correlation(reading["correlation"]), "z": reading["z"]}
    networks, _, _ = train_importance(
        autoencoder,
        data.x,
        data.train,
        rho(reading["rho"]),
        settings.hidden,
        Stage2(**given),
        seed,
        data.validation,
    )
    items, noise = _items(data.test, data.x), is_noise(data.test)
    y = {m: of[0].numpy() for m, of in importances(networks, data.x, items).items()}
    with torch.no_grad():
        u = {m: autoencoder.encoders[m](data.x[m][rows]).cpu().numpy() for m, rows in items.items()}
    views = {
        "weighted": y,
        "oracle": {m: (~of).astype(np.float32) for m, of in noise.items()},
        "unweighted": {m: np.ones_like(of) for m, of in y.items()},
    }
    found = {f"f1_{m}": noise_scores(y[m], noise[m])["f1_noise"] for m in y}
    return found | {name: precision(fused(u, weights)) for name, weights in views.items()}


class _Precision:
    """Mean Precision@K of representations of the test pairs, by choice of neighbours."""

    def __init__(self, test: pa.Table, k: int, neighbours: Sequence[str]):
        items = [test[name].to_numpy() for name in test.column_names if name.startswith("item_")]
        shared = {"all": (), "distinct": items}
        self.labels, self.k = test["label"].to_numpy(), k
        self.shared = {which: shared[which] for which in neighbours}

    def __call__(self, z: np.ndarray) -> dict[str, float]:
        """Return it for representations (N, L)."""
        return {
            which: float(precision_at_k(z, self.labels, [self.k], shared)[self.k].mean())
            for which, shared in self.shared.items()
        }
