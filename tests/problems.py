"""Small tables, models and problems that tests share."""

import numpy as np
import pyarrow as pa
import torch

from ima.models.ima import IMANetwork, Modality
from ima.utils.arrow import vector_column

MODALITIES = {"a": Modality(6, 8), "b": Modality(4, 5, "sse")}
RHO = {"a": [0.8, 0.5, 0.8], "b": [0.7, 0.5, 0.7]}

#: What does not fit in the pairs or features of `small`, and what is said about it.
MISFITS = [
    (lambda x, items: items["b"].__setitem__(7, 50), "pairs of b: .* 0 to 49, or -1 .* to 50"),
    (
        lambda x, items: items["a"].__setitem__(7, -2),
        "pairs of a: .* 0 to 49, or -1 for none, found -2 to",
    ),
    (lambda x, items: items.pop("b"), r"pairs: expected modalities \['a', 'b'\], found \['a'\]"),
    (lambda x, items: items.update(c=items["a"]), r"found \['a', 'b', 'c'\]"),
    (lambda x, items: items.clear(), r"found \[\]"),
    (lambda x, items: x.pop("b"), r"features: expected features of b, found only those of \['a'\]"),
    (
        lambda x, items: items.update(a=items["a"][:59]),
        r"same number of rows for every modality, found \{'a': 59, 'b': 60\}",
    ),
    (
        lambda x, items: items.update({name: rows[:0] for name, rows in items.items()}),
        "pairs: expected at least one, found none",
    ),
]


def features(x):
    """Return a table of features x (n, D)."""
    n = len(x)
    return pa.table(
        {
            "id": [f"a/{i}" for i in range(n)],
            "split": ["train"] * n,
            "label": pa.array(range(n), pa.int64()),
            "x": vector_column(x),
        }
    )


def small(seed=0, modalities=MODALITIES, n=50):
    """Return an untrained model, features of n items a modality, and 60 pairs of them."""
    torch.manual_seed(seed)
    x = {name: torch.rand(n, modality.dimension) for name, modality in modalities.items()}
    items = {name: torch.randint(0, n, (60,)) for name in modalities}
    rho = {name: RHO.get(name, [0.6] * 3) for name in modalities}
    return IMANetwork.of(modalities, 3, 7, rho), x, items


def related(seed=0, train=200, held=100):
    """Return an untrained model, features of which b's follow from a's, and pairs in two parts."""
    torch.manual_seed(seed)
    x = {"a": torch.rand(train + held, 6)}
    x["b"] = x["a"] @ torch.randn(6, 4)
    order = torch.randperm(train + held)
    parts = [{name: part for name in x} for part in order.split((train, held))]
    return IMANetwork.of(MODALITIES, 3, 7, RHO), x, *parts


def weights(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[n], second[n]) for n in first)


def noisy_problem(seed, pairs=1200, width=44, classes=10, share=0.2, exclusive=False):
    """Return two binary modalities of 10 shared classes, and where each of them is noise.

    Items are a class' prototype with 5 % of the values flipped; a fifth of the items of either
    modality are such copies of one more prototype, which comes with every class of the other, but
    with no noise of it where they are `exclusive`.
    """
    rng = np.random.default_rng(seed)
    label, x, is_noise = np.arange(pairs) % classes, {}, {}
    drawn = rng.random(pairs) if exclusive else None
    for name in "ab":
        prototypes = rng.random((classes + 1, width)) < 0.5
        place = rng.random(pairs) if drawn is None else (drawn if name == "a" else 1 - drawn)
        is_noise[name] = place < share
        which = np.where(is_noise[name], classes, label)
        flipped = rng.random((pairs, width)) < 0.05
        x[name] = torch.from_numpy((prototypes[which] ^ flipped).astype(np.float32))
    return x, is_noise
