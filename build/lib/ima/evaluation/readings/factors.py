"""The factors of readings: what the paper leaves open, by stage, and checks of the config.

This module imports nothing but the standard library, because the workflow uses it when it builds
its jobs.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence

from ima.utils.errors import InputError

#: Factors that a baseline's training depends on; readings with the same levels form a block.
BLOCK = ("activation", "features", "epochs")
#: Factors that stage 1, stage 2 and scoring depend on.
STAGE1 = (*BLOCK, "importances")
STAGE2 = ("correlation", "rho", "z")
SCORING = ("neighbours",)

#: The level of every factor, by the factor's name.
Reading = dict[str, str]


def correlation(level: str) -> dict[str, str | float]:
    """Return `corr_scale` and `lambda_corr` for a level such as `initial-10`.

    Raises:
        InputError: the level does not have this form.
    """
    found = re.fullmatch(r"(raw|initial|batch)-(\d+(?:\.\d+)?)", level)
    if not found:
        raise _unknown("correlation", "scale-lambda, such as raw-1, initial-10 or batch-10", level)
    return {"corr_scale": found[1], "lambda_corr": float(found[2])}


def rho(level: str) -> dict[str, float]:
    """Return the prior mean importances of `image` and `speech` for a level such as `0.8/0.3`.

    Raises:
        InputError: the level does not have this form, or a number is outside (0, 1).
    """
    found = re.fullmatch(r"(\d*\.\d+)/(\d*\.\d+)", level)
    values = [float(value) for value in found.groups()] if found else []
    if not values or not all(0 < value < 1 for value in values):
        raise _unknown("rho", "image/speech in (0, 1), such as 0.8/0.3", level)
    return dict(zip(("image", "speech"), values, strict=True))


def _epochs(level: str) -> None:
    """Raise InputError unless a level of `epochs` is a positive integer."""
    if not re.fullmatch(r"[1-9]\d*", level):
        raise _unknown("epochs", "positive integers", level)


#: By factor, its levels, or a function that raises InputError for an invalid level.
FACTORS: dict[str, Sequence[str] | Callable[[str], object]] = {
    "activation": ("tanh", "relu", "gelu"),
    "features": ("sigmoid", "minmax", "binary", "binary-both"),
    "epochs": _epochs,
    "importances": ("ones", "untrained"),
    "correlation": correlation,
    "rho": rho,
    "z": ("joint", "detached", "equal", "leave_one_out"),
    "neighbours": ("all", "distinct"),
}


def _unknown(factor: str, expected: str, level: object) -> InputError:
    return InputError(
        f"config, readings.factors.{factor}",
        expected=expected,
        found=repr(level) if isinstance(level, str) else level,
        do="docs/readings.md lists the readings.",
    )


def check_factors(factors: Mapping[str, Sequence]) -> dict[str, list[str]]:
    """Return the levels of every factor as text, in the order of FACTORS.

    Args:
        factors: levels by factor, as in the config.

    Raises:
        InputError: a factor is unknown or missing, or a level is unknown, missing or repeated.
    """
    if set(factors) != set(FACTORS):
        raise InputError(
            "config, readings.factors",
            expected=f"levels for each of {[*FACTORS]}",
            found=[*factors],
            do="A factor with one level is held constant.",
        )
    levels = {factor: [str(level) for level in factors[factor]] for factor in FACTORS}
    for factor, found in levels.items():
        if not found or len(set(found)) < len(found):
            raise _unknown(factor, "one or more distinct levels", found)
        known = FACTORS[factor]
        for level in found:
            if callable(known):
                known(level)
            elif level not in known:
                raise _unknown(factor, f"levels from {known}", level)
    return levels


def check_seeds(seeds: Sequence[int]) -> None:
    """Raise InputError unless there is at least one seed to train readings with."""
    if not seeds:
        raise InputError(
            "config, readings.seeds",
            expected="one seed or more",
            found="none",
            do="Set readings.sample to 0 to skip the readings.",
        )


def count_blocks(factors: Mapping[str, Sequence], sample: int, few: int | None = None) -> int:
    """Return the number of blocks to draw, after checking that this many readings exist.

    Args:
        factors: levels by factor, as for `check_factors`.
        sample: number of readings to train.
        few: number of blocks; None for all.

    Raises:
        InputError: as in `check_factors`, or more readings or blocks are requested than exist.
    """
    sizes = {factor: len(levels) for factor, levels in check_factors(factors).items()}
    every = math.prod(sizes[factor] for factor in BLOCK)
    count = every if few is None else few
    _check_count("blocks", count, every, f"combinations of {', '.join(BLOCK)}")
    others = math.prod(sizes[factor] for factor in (*STAGE1[len(BLOCK) :], *STAGE2))
    _check_count("sample", sample, count * others, "readings in the grid")
    return count


def _check_count(key: str, found: int, most: int, what: str) -> None:
    if not 1 <= found <= most:
        raise InputError(
            f"config, readings.{key}",
            expected=f"1 to {most}, the {what}",
            found=found,
            do=f"Lower readings.{key} or add levels to readings.factors.",
        )
