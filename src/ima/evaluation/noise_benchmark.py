"""Harder noise: is noise detected from co-occurrence, or only because it looks unusual? (6.1)

A problem is a set of pairs in which some items are unrelated to the items they are paired with:

* `synthetic`: the paper's noise, at any noise factor R;
* `degraded`: images blurred or with permuted pixels; speech-shaped noise and babble;
* `mispaired`: real digits: the images of one class and the recordings of another are paired with
  items of all other classes, so that only co-occurrence reveals them;
* `shuffled`: the paper's noise, but with all pairs drawn at random: noise looks as unusual as
  before, but co-occurrence carries no information.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from ima.evaluation.metrics import f1, noise_scores
from ima.evaluation.noise_baselines import controls
from ima.evaluation.noise_makers import NoiseMaker
from ima.models.ima import Autoencoder
from ima.models.importance import importances
from ima.models.stages import Variant
from ima.pairing.by_label import LARGER, draw, make_pairs
from ima.utils.errors import InputError

NOISE_TYPES = ("synthetic", "degraded", "mispaired", "shuffled")


@dataclass(frozen=True)
class Problem:
    """Pairs and the noise among their items.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items and noise.
        noise: by modality, whether each row (n_m,) is noise.
        pairs: by split (`train`, `validation`, `test`) and modality, row numbers (N,).
    """

    x: Mapping[str, np.ndarray]
    noise: Mapping[str, np.ndarray]
    pairs: Mapping[str, Mapping[str, np.ndarray]]


def problem(
    noise_type: str,
    R: float,
    items: Mapping[str, Mapping[str, np.ndarray]],
    makers: Mapping[str, Mapping[str, NoiseMaker]],
    totals: Mapping[str, int],
    seed: int,
    sizes: str = LARGER,
) -> Problem:
    """Return a problem with the given type of noise.

    Args:
        noise_type: one of NOISE_TYPES.
        R: noise factor, in [0, 1]; ignored for `mispaired`.
        items: by modality, `x` (n, D), `split` (n,) and `label` (n,) of its corpus.
        makers: by `synthetic` or `degraded` and by modality, functions that generate noise.
        totals: by split, the number N of digit pairs.
        seed: seed of the choice and order of items and of the noise.
        sizes: LARGER, or the modality whose class sizes are taken (`ima.pairing.by_label`);
            ignored for `mispaired`, whose classes are of one size.

    Raises:
        InputError: the type of noise is unknown.
    """
    if noise_type not in NOISE_TYPES:
        raise InputError("noise", expected=f"one of {NOISE_TYPES}", found=noise_type)
    rng = np.random.default_rng([seed, NOISE_TYPES.index(noise_type), round(1000 * R)])
    if noise_type == "mispaired":
        return _mispaired(items, totals, rng)
    x, noise = {m: columns["x"] for m, columns in items.items()}, {}
    pairs, first = {}, {m: len(values) for m, values in x.items()}
    for split, total in totals.items():
        rows = {m: np.flatnonzero(columns["split"] == split) for m, columns in items.items()}
        labels = {m: items[m]["label"][r] for m, r in rows.items()}
        table = make_pairs(labels, rows, R, total, first, rng, sizes)
        pairs[split] = {m: table[f"item_{m}"].to_numpy().astype(np.int64) for m in items}
        first = {m: max(first[m], int(numbers.max()) + 1) for m, numbers in pairs[split].items()}
    for m, maker in makers["degraded" if noise_type == "degraded" else "synthetic"].items():
        made = maker(first[m] - len(x[m]), rng)
        noise[m] = np.arange(first[m]) >= len(x[m])
        x[m] = np.concatenate((x[m], made))
    if noise_type == "shuffled":
        # Permuting every modality but the first breaks all pairings.
        for rows in pairs.values():
            for m in list(rows)[1:]:
                rows[m] = rng.permutation(rows[m])
    return Problem(x, noise, pairs)


def _mispaired(
    items: Mapping[str, Mapping[str, np.ndarray]],
    totals: Mapping[str, int],
    rng: np.random.Generator,
) -> Problem:
    """Return pairs by label, except for one class per modality that is paired with all others."""
    classes = np.unique(next(iter(items.values()))["label"])
    odd = dict(zip(items, rng.permutation(classes), strict=False))
    shared = np.setdiff1d(classes, list(odd.values()))
    pairs: dict[str, dict[str, np.ndarray]] = {}
    for split, total in totals.items():
        size = round(total / len(classes))
        rows = {
            (m, c): np.flatnonzero((columns["split"] == split) & (columns["label"] == c))
            for m, columns in items.items()
            for c in classes
        }
        drawn: dict[str, list[np.ndarray]] = {m: [] for m in items}
        for c in shared:
            for m in items:
                drawn[m].append(draw(rows[m, c], size, rng))
        for odd_modality, odd_class in odd.items():
            for m in items:
                others = np.concatenate([rows[m, c] for c in shared])
                drawn[m].append(
                    draw(rows[m, odd_class] if m == odd_modality else others, size, rng)
                )
        order = rng.permutation(size * (len(shared) + len(odd)))
        pairs[split] = {m: np.concatenate(parts)[order] for m, parts in drawn.items()}
    x = {m: columns["x"] for m, columns in items.items()}
    return Problem(x, {m: columns["label"] == odd[m] for m, columns in items.items()}, pairs)


def study(
    data: Problem, latent: int, variants: Mapping[str, Variant], reference: str, seed: int
) -> list[dict]:
    """Train variants of IMA on a problem and score them and other detectors on its test pairs.

    Args:
        data: the problem.
        latent: size L of the latent space.
        variants: variants by name.
        reference: the variant whose latents the other detectors use.
        seed: seed of the weights and of the order of the pairs.

    Returns:
        Rows of `ima.utils.schemas.NOISE_STUDY` without `noise_type` and `R`.
    """
    x = {m: torch.tensor(values) for m, values in data.x.items()}
    train, held_out, test = (
        {m: torch.from_numpy(rows) for m, rows in data.pairs[split].items()}
        for split in ("train", "validation", "test")
    )
    rows, autoencoders = [], {}
    for name, variant in variants.items():
        model = variant.train(x, train, held_out, latent, seed)
        autoencoders[name] = model.autoencoder
        y = importances(model.importance, x, test)
        for m, items in test.items():
            scores = noise_scores(y[m][0].numpy(), data.noise[m][items])
            rows.append({"seed": seed, "modality": m, "detector": name, **_of_noise_class(scores)})
    return rows + _control_rows(data, autoencoders[reference], x, seed)


def _control_rows(
    data: Problem, autoencoder: Autoencoder, x: Mapping[str, torch.Tensor], seed: int
) -> list[dict]:
    """Return the rows of `study` for the detectors of `ima.evaluation.noise_baselines.controls`."""
    rows = []
    with torch.no_grad():
        u = {m: autoencoder.encoders[m](values).numpy() for m, values in x.items()}
    for m in x:
        split = [np.unique(data.pairs[name][m]) for name in ("train", "test")]
        noise = tuple(data.noise[m][part] for part in split)
        scored = data.noise[m][data.pairs["test"][m]]
        flagged = controls(
            tuple(data.x[m][part] for part in split),
            tuple(u[m][part] for part in split),
            noise,
            float(scored.mean()),
            seed,
        )
        back = np.searchsorted(split[1], data.pairs["test"][m])
        for name, flags in flagged.items():
            scores = f1(flags[back], scored)
            scores = {f"{key}_noise": value for key, value in scores.items()}
            rows.append({"seed": seed, "modality": m, "detector": name, **_of_noise_class(scores)})
    return rows


def _of_noise_class(scores: Mapping[str, float]) -> dict[str, float]:
    return {name: scores[name] for name in ("precision_noise", "recall_noise", "f1_noise")}
