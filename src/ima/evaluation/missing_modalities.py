"""Training with missing modalities (Section 3): retrieval by share of incomplete pairs.

In a share of the pairs, one item of a random modality is removed; no pair loses all its items. Each
model is trained on the remaining items in one or two ways: it learns from incomplete pairs as they
are (`learn`), excludes them (`drop`), or replaces a missing item by the mean of the training items
(`impute`). When pairs are dropped, the number of epochs is raised to keep the number of steps.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from ima.evaluation.item_errors import with_interval
from ima.evaluation.metrics import retrieval_rows
from ima.evaluation.reference import JOINT, views
from ima.evaluation.represent import joint, represent
from ima.evaluation.seeds import over_seeds
from ima.models import baselines
from ima.models.baselines.absent import dropped
from ima.models.checkpoints import modalities_of
from ima.models.stages import Variant
from ima.pairing.by_label import ABSENT
from ima.training.loop import Training, pair_count
from ima.utils.arrow import to_table
from ima.utils.errors import InputError

#: K of Precision@K.
K = 10
#: Versions of the test pairs: all complete, or with the same share of them incomplete.
TESTS = ("complete", "incomplete")

Pairs = Mapping[str, Tensor]
#: Function that maps pairs to representations (N, L) by name.
Represent = Callable[[Pairs], Mapping[str, Tensor]]


@dataclass(frozen=True)
class ImaModel(Variant):
    """A variant of IMA."""

    #: The ways to handle incomplete pairs.
    ways = ("learn", "drop")

    def fit(
        self, x: Pairs, train: Pairs, held: Pairs, latent: int, absent: str, seed: int
    ) -> Represent:
        """Train the model and return a function for `weighted` and `unweighted` representations."""
        stage1 = self.stage1
        if absent == "drop":
            stage1 = _with_equal_steps(stage1, train)
            train, held = dropped(train, "training"), dropped(held, "validation")
        model = replace(self, stage1=stage1).train(x, train, held, latent, seed)

        def represent_pairs(pairs: Pairs) -> dict[str, Tensor]:
            """Return `weighted` and `unweighted` representations (N, L) of pairs."""
            parts = represent(model, x, pairs)
            u, y, present = parts["u"], parts["y"], parts["present"]
            return {"weighted": joint(u, y, present), "unweighted": joint(u, None, present)}

        return represent_pairs


@dataclass(frozen=True)
class BaselineModel:
    """A baseline: its kind (`ima.models.baselines.BASELINES`) and settings."""

    kind: str
    settings: Training
    layers: Mapping[str, Mapping]

    @property
    def ways(self) -> tuple[str, ...]:
        """Return the ways to handle incomplete pairs."""
        return ("learn", "drop") if self.kind == "mvae" else ("drop", "impute")

    def fit(
        self, x: Pairs, train: Pairs, held: Pairs, latent: int, absent: str, seed: int
    ) -> Represent:
        """Train the model and return a function giving the `joint` representation of pairs."""
        settings = self.settings
        if absent == "drop":
            settings = _with_equal_steps(settings, train)
            train, held = dropped(train, "training"), dropped(held, "validation")
        elif absent == "impute":
            settings = replace(settings, absent="impute")
        torch.manual_seed(seed)
        model = baselines.build(self.kind, modalities_of(x, self.layers), latent, settings)
        baselines.baseline(self.kind).fit(model, x, train, settings, seed, held)
        return lambda pairs: {JOINT: baselines.represent(model, x, pairs)[JOINT]}


def _with_equal_steps(settings: Training, train: Pairs) -> Training:
    """Return settings with more epochs, so that complete pairs alone give as many steps as all."""
    complete = pair_count(dropped(train, "training"))
    return replace(settings, epochs=round(settings.epochs * pair_count(train) / complete))


def withheld(items: Pairs, share: float, rng: np.random.Generator) -> dict[str, Tensor]:
    """Return pairs of which a share lacks one item, equally often of each modality.

    With the same rng, pairs that are incomplete at one share are incomplete at every larger share.

    Args:
        items: by modality, the row numbers (N,) of complete pairs.
        share: share of incomplete pairs in [0, 1]; rounded to a whole number of pairs.
        rng: source of randomness.

    Raises:
        InputError: the share is outside [0, 1], there is a single modality, or a pair is already
            incomplete.
    """
    if not 0 <= share <= 1 or len(items) < 2:
        expected = "a share of the pairs in [0, 1], of two modalities or more"
        raise InputError("missing", expected=expected, found=f"{share} of {list(items)}")
    if any((rows == ABSENT).any() for rows in items.values()):
        raise InputError("pairs", expected="complete pairs", found="pairs that lack a modality")
    count = pair_count(items)
    hit = torch.from_numpy(rng.permutation(count)[: round(share * count)])
    incomplete = {}
    for place, (name, rows) in enumerate(items.items()):
        incomplete[name] = rows.clone()
        incomplete[name][hit[place :: len(items)]] = ABSENT
    return incomplete


def study(
    x: Pairs,
    pairs: Mapping[str, Pairs],
    labels: np.ndarray,
    shares: Sequence[float],
    models: Mapping[str, ImaModel | BaselineModel],
    latent: int,
    seed: int,
) -> list[dict]:
    """Train models with items missing, and score their joint representations of the test pairs.

    Args:
        x: by modality, the matrix (n_m, D_m) of its items.
        pairs: by `train`, `validation`, `test` and modality, row numbers (N,) of complete pairs.
        labels: class of each test pair (N,).
        shares: shares of incomplete pairs.
        models: models by their name in tables.
        latent: size L of the latent space.
        seed: seed of the weights, the order of the pairs and the choice of missing items.

    Returns:
        Rows of `ima.utils.schemas.MISSING_STUDY`: for each model and way of handling incomplete
        pairs; for `raw features`, concatenated and mean-imputed; and for `chance`, the last model
        scored with shuffled labels.
    """
    rows = []
    for share in shares:
        lacking = {
            split: withheld(complete, share, np.random.default_rng([seed, number]))
            for number, (split, complete) in enumerate(pairs.items())
        }
        train, held = lacking["train"], lacking["validation"]
        tests = dict(zip(TESTS, (pairs["test"], lacking["test"]), strict=True))
        scored = []  # model, way, representation, test pairs, vectors (N, L) and classes (N,)
        for name, model in models.items():
            represent_pairs = None
            for absent in model.ways:
                if (
                    represent_pairs is None or share > 0
                ):  # if no item is missing, all ways are equivalent
                    represent_pairs = model.fit(x, train, held, latent, absent, seed)
                for test, items in tests.items():
                    for view, z in represent_pairs(items).items():
                        scored.append((name, absent, view, test, z.numpy(), labels))
        shuffled = np.random.default_rng(seed).permutation(labels)
        for test, items in tests.items():
            last = next(iter(represent_pairs(items).values())).numpy()
            scored.append(("raw features", "impute", JOINT, test, _raw(x, items, train), labels))
            scored.append(("chance", "none", JOINT, test, last, shuffled))
        names = ("model", "absent", "representation", "test")
        rows += [
            {"share": share, "seed": seed, **dict(zip(names, about, strict=True)), **row}
            for *about, z, known in scored
            for row in _scores(z, known, tests[about[-1]])
        ]
    return rows


def _raw(x: Pairs, items: Pairs, train: Pairs) -> np.ndarray:
    """Return concatenated raw features (N, D) of pairs, with the mean of training items imputed."""
    plain = [{m: values.numpy() for m, values in mapping.items()} for mapping in (x, items, train)]
    return views(*plain)[JOINT]


def _scores(z: np.ndarray, labels: np.ndarray, items: Pairs) -> Iterable[dict]:
    """Yield `neighbours`, `k`, `precision` and its error of representations (N, L)."""
    pair_types = np.full(len(labels), "clean")
    for row in retrieval_rows(
        z, labels, pair_types, [rows.numpy() for rows in items.values()], [K]
    ):
        names = ("neighbours", "k", "precision", "se_items", "df_items")
        yield {name: row[name] for name in names}


def study_table(studies: pa.Table, run: str) -> pa.Table:
    """Return each model's retrieval precision at each share, as mean and deviation over seeds.

    Args:
        studies: tables of `ima.utils.schemas.MISSING_STUDY`, from one or more seeds.
        run: name of the run, for the first column.

    Returns:
        A row per model, way, representation, share, version of the test pairs and choice of
        neighbours: `seeds`, mean and sd of `precision`, and half the width of its 95 % interval
        over items, `precision_ci_items`.
    """
    text = ("model", "absent", "representation", "test", "neighbours")
    keys = (*text, "k", "share")
    flat = [
        {key: row[key] for key in keys} | with_interval("precision", row["precision"], row)
        for row in studies.to_pylist()
    ]
    return to_table(over_seeds(flat, keys, run), text)
