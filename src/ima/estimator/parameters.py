"""Check the constructor arguments of `IMA`, before anything is trained."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from ima.models.autoencoder import Stage1
from ima.models.importance import AUTO, Stage2
from ima.training.sizes import Auto
from ima.utils.errors import InputError
from ima.utils.numbers import real, whole

#: Names of the arguments that are checked here.
ARGUMENTS = (
    *("stage1", "stage2", "latent", "importance_hidden", "rho", "alternations", "held_out"),
    *("shared", "threads"),
)
#: Ways to find what modalities share.
SHARED = ("correlation", "contrastive")
#: Largest seed: torch takes 64 bits.
MAX_SEED = 2**63 - 1


class Parameters(NamedTuple):
    """Constructor arguments of `IMA` that training needs; `rho` by modality."""

    stage1: Stage1
    stage2: Stage2
    latent: int
    hidden: int
    rho: dict[str, float | Auto]
    alternations: int
    held_out: float
    threads: int | None


def check_parameters(given: Mapping[str, Any], names: Sequence[str]) -> Parameters:
    """Return the arguments as settings and numbers of Python.

    Args:
        given: constructor arguments of `IMA` by name, with defaults instead of None.
        names: the modalities.

    Raises:
        InputError: there is a single modality, or an argument is of the wrong type or out of range.
    """
    if len(names) < 2:
        raise InputError(
            "modalities",
            expected="two or more",
            found=list(names),
            do="IMA learns what modalities share: pass a matrix for each.",
        )
    for name, kind in (("stage1", Stage1), ("stage2", Stage2)):
        if not isinstance(given[name], kind):
            raise InputError(name, expected=f"{kind.__name__} or None", found=repr(given[name]))
    if given["shared"] not in SHARED:
        raise InputError("shared", expected=f"one of {SHARED}", found=given["shared"])
    return Parameters(
        given["stage1"],
        given["stage2"],
        whole("latent", given["latent"]),
        whole("importance_hidden", given["importance_hidden"]),
        _rho(given["rho"], names),
        whole("alternations", given["alternations"]),
        real("held_out", given["held_out"], 0, 1, is_open=True),
        None if given["threads"] is None else whole("threads", given["threads"]),
    )


def _rho(rho: object, names: Sequence[str]) -> dict[str, float | Auto]:
    """Return the prior mean importance of each modality."""
    by_name = dict(rho) if isinstance(rho, Mapping) else dict.fromkeys(names, rho)
    if set(by_name) != set(names):
        raise InputError("rho", expected=f"one for each of {list(names)}", found=list(by_name))
    return {name: _prior(f"rho of {name}", value) for name, value in by_name.items()}


def _prior(where: str, rho: object) -> float | Auto:
    return AUTO if isinstance(rho, str) and rho == AUTO else real(where, rho, 0, 1)


def seed_of(random_state: int | np.random.RandomState | None) -> int:
    """Return the seed: an integer itself, else a number drawn from the random state.

    Raises:
        InputError: it is negative, or too large.
        ValueError: it is no random state, as in scikit-learn.
    """
    if isinstance(random_state, int | np.integer):
        return whole("random_state", int(random_state), 0, MAX_SEED)
    return int(check_random_state(random_state).randint(2**31 - 1))
