"""The multiverse of readings: which combinations of the choices left open are trained.

A reading fixes a level of every factor (`ima.evaluation.readings.factors`). Each factor belongs to
stage 1, stage 2 or scoring, so readings can share training: those that differ only in stage 2 use
one autoencoder, and those that differ only in scoring use one model.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from ima.evaluation.readings.factors import (
    BLOCK,
    STAGE1,
    STAGE2,
    Reading,
    check_factors,
    count_blocks,
)

#: Maximum number of passes that improve the balance of a draw.
PASSES = 20


def design(
    factors: Mapping[str, Sequence], sample: int, few: int | None = None, seed: int = 0
) -> list[Reading]:
    """Draw distinct readings to train, at random but balanced over levels.

    Blocks are drawn first (combinations of BLOCK's levels), then readings within them. In both
    draws, the counts of a factor's levels differ by at most one, and pairs of levels are balanced
    as well as a greedy choice allows. Levels of scoring are not drawn: each reading is scored at
    all of them.

    Args:
        factors: levels by factor, as for `check_factors`.
        sample: number of readings to train.
        few: number of blocks; None for all.
        seed: seed of the draw.

    Returns:
        By reading, the level of each factor of STAGE1 and STAGE2, in the order of the full grid.

    Raises:
        InputError: as in `check_factors`, or more readings or blocks are requested than exist.
    """
    count, levels = count_blocks(factors, sample, few), check_factors(factors)
    rng = np.random.default_rng(seed)
    first = _product(levels, BLOCK)
    first = [first[i] for i in balanced(_codes(first, levels), count, rng)]
    others = _product(levels, (*STAGE1[len(BLOCK) :], *STAGE2))
    grid = [one | two for one in first for two in others]
    # The combination of stage 1's levels is treated as a factor, to balance it too.
    stage1 = [tuple(row[factor] for factor in STAGE1) for row in grid]
    number = {of: i for i, of in enumerate(dict.fromkeys(stage1))}
    codes = np.column_stack(([number[of] for of in stage1], _codes(grid, levels)))
    return [grid[i] for i in balanced(codes, sample, rng)]


def _codes(rows: Sequence[Reading], levels: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Return the indices (N, F) of the levels in rows."""
    return np.array([[levels[factor].index(level) for factor, level in r.items()] for r in rows])


def _product(levels: Mapping[str, Sequence[str]], factors: Sequence[str]) -> list[Reading]:
    """Return all combinations of the levels of the given factors."""
    rows = itertools.product(*(levels[factor] for factor in factors))
    return [dict(zip(factors, row, strict=True)) for row in rows]


def balanced(codes: np.ndarray, n: int, rng: np.random.Generator) -> list[int]:
    """Draw n rows such that the levels of every column, and then pairs of levels, are balanced.

    Each step draws, from the remaining rows, one whose levels are the rarest so far; ties are
    broken by the rarest pairs of levels, then at random. Afterwards rows are returned one by one
    and redrawn by the same rule until nothing changes. To draw more than half of the rows, the
    rows to leave out are drawn instead.

    Args:
        codes: level (N, F) of each row in each column, as integers from 0.
        n: number of rows to draw.
        rng: source of randomness.

    Returns:
        Their row numbers, ascending.
    """
    total, columns = codes.shape
    if n > total // 2:
        left = set(balanced(codes, total - n, rng)) if n < total else set()
        return [i for i in range(total) if i not in left]
    together = [
        codes[:, f] * (codes[:, g].max() + 1) + codes[:, g]
        for f, g in itertools.combinations(range(columns), 2)
    ]
    both = np.stack(together, 1) if together else codes[:, :0]  # (N, pairs of columns)
    free = rng.permutation(total).tolist()
    drawn: list[int] = []

    def rarest() -> int:
        """Return the index in `free` of the row with the rarest levels, then pairs, so far."""
        costs = [_commonness(of, drawn)[free] for of in (both, codes)]
        return int(np.lexsort(costs)[0])  # lexsort's last key has priority

    for _ in range(n):
        drawn.append(free.pop(rarest()))
    for _ in range(PASSES):
        before = set(drawn)
        for _ in range(n):
            free.insert(0, drawn.pop(0))  # in front, so that it is redrawn in case of a tie
            drawn.append(free.pop(rarest()))
        if set(drawn) == before:
            break
    return sorted(drawn)


def _commonness(codes: np.ndarray, drawn: Sequence[int]) -> np.ndarray:
    """Return for every row (N,) the number of drawn rows that share a level (N, F), summed."""
    found = np.zeros(len(codes), int)
    for column in codes.T:
        found += np.bincount(column[drawn], minlength=column.max() + 1)[column]
    return found


def blocks(readings: Sequence[Reading]) -> list[Reading]:
    """Return the distinct combinations of BLOCK's levels among readings, in their order."""
    found = dict.fromkeys(tuple(reading[factor] for factor in BLOCK) for reading in readings)
    return [dict(zip(BLOCK, levels, strict=True)) for levels in found]


def of_block(readings: Sequence[Reading], block: Mapping[str, object]) -> list[Reading]:
    """Return the readings of a block, whose levels may be given as numbers."""
    return [r for r in readings if all(r[name] == str(block[name]) for name in BLOCK)]
