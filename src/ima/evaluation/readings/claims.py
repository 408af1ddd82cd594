"""Which of the paper's central claims hold under which readings, and which choices decide.

Scores come from `ima.evaluation.readings.train`, one row per reading, seed, latent size and choice
of neighbours. A claim holds under a reading if its margin, averaged over seeds, is positive.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ima.evaluation.multiple_tests import holm
from ima.evaluation.readings.factors import BLOCK, FACTORS, STAGE1, STAGE2
from ima.utils.arrow import to_table
from ima.utils.errors import InputError
from ima.utils.schemas import READING_SCORES as SCORES

#: F1 of the noise class from which noise counts as detected. Each modality has noise in 1 of 11
#: pairs (R = .1), so the paper's 2 % of misclassified data is an F1 of about .9.
DETECTED = 0.9
#: Number of permutations of levels that an effect is compared with.
SHUFFLES = 1000


def _noise(row: Mapping[str, float]) -> float:
    """Return by how much the lower F1 of the two modalities exceeds DETECTED."""
    return min(row["f1_image"], row["f1_speech"]) - DETECTED


def _margin_over(other: str) -> Callable[[Mapping[str, float]], float | None]:
    """Return a function for the margin of weighted IMA over another P@K, None if that is absent."""
    return lambda row: None if row[other] is None else row["weighted"] - row[other]


#: The margin of each claim, by name: positive if it holds.
CLAIMS = {
    "noise found in both modalities": _noise,
    "weighted > unweighted": _margin_over("unweighted"),
    "IMA > JMVAE-KL": _margin_over("jmvae"),
    "IMA > MVAE": _margin_over("mvae"),
    "IMA > denoising autoencoder": _margin_over("denoising"),
}


def mean_scores(scores: pa.Table, run: str) -> pa.Table:
    """Return the scores of every reading and latent size, averaged over seeds.

    Args:
        scores: `ima.utils.schemas.READINGS` of all blocks and seeds.
        run: name of the run.

    Returns:
        `run`, the factors, `latent`, `seeds`, SCORES, and the margin of each claim as
        `margin: <claim>`.

    Raises:
        InputError: there are no rows, or readings differ in their number of seeds.
    """
    keys = (*FACTORS, "latent")
    by_reading: dict[tuple, list[dict]] = {}
    for row in scores.to_pylist():
        by_reading.setdefault(tuple(row[key] for key in keys), []).append(row)
    counts = {len(rows) for rows in by_reading.values()}
    if len(counts) != 1:
        raise InputError(
            "readings", expected="the same number of seeds for each", found=sorted(counts)
        )
    table = []
    for key, rows in by_reading.items():
        values = {name: _mean([row[name] for row in rows]) for name in SCORES}
        margins = {
            f"margin: {claim}": _mean([margin(row) for row in rows])
            for claim, margin in CLAIMS.items()
        }
        head = {"run": run, **dict(zip(keys, key, strict=True)), "seeds": len(rows)}
        table.append({**head, **values, **margins})
    return to_table(table, FACTORS)


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean, or None if a value is None."""
    return None if None in values else float(np.mean(values))


def claims_of(means: pa.Table) -> dict[tuple[str, int], np.ndarray]:
    """Return the margins (readings,) of each testable claim, by claim and latent size.

    Args:
        means: table of `mean_scores`; the readings of each latent size are in the order of
            `readings_of`.
    """
    latents = means["latent"].to_numpy()
    margins = {}
    for claim in CLAIMS:
        column = means[f"margin: {claim}"]
        if column.null_count:
            continue
        for latent in np.unique(latents).tolist():
            margins[claim, latent] = column.to_numpy()[latents == latent]
    return margins


def readings_of(means: pa.Table) -> list[dict[str, str]]:
    """Return the distinct readings in a table of `mean_scores`, in order."""
    rows = means.select([*FACTORS]).to_pylist()
    return [dict(row) for row in {tuple(row.items()): row for row in rows}.values()]


def shares(means: pa.Table, seed: int = 0, shuffles: int = SHUFFLES) -> pa.Table:
    """Return the share of readings under which each claim holds, and the effect of each factor.

    Args:
        means: table of `mean_scores`.
        seed: seed of the permutations.
        shuffles: number of permutations.

    Returns:
        For each claim and latent size, a row over all readings (`factor` is `all`), then a row per
        level of each factor: `readings`, `held` (those under which the claim holds), `share`, and
        the mean `margin`. The factor's main `effect` is the highest share of a level minus the
        lowest; `p` is the share of permutations, the observed levels included, with an effect at
        least as large, and `p_adjusted` the same after Holm's correction for all factors of a claim
        at a latent size. A factor with one level has no effect: both are 1, and it does not count
        in the correction.
    """
    readings, run = readings_of(means), means["run"][0].as_py()
    rng = np.random.default_rng(seed)
    levels = {f: np.array([reading[f] for reading in readings]) for f in FACTORS}
    orders = {f: _shuffled(readings, f, shuffles, rng) for f in FACTORS}
    rows = []
    for (claim, latent), margin in claims_of(means).items():
        holds = margin > 0
        head = {"run": run, "claim": claim, "latent": latent}
        rows.append({**head, "factor": "all", "level": "", **_counted(holds, margin)})
        by_factor, p = [], {}
        for factor, values in levels.items():
            known = list(dict.fromkeys(values.tolist()))
            numbers = np.array([known.index(level) for level in values])
            effect = effect_of(holds, numbers)
            by_chance = effect_of(holds, numbers[orders[factor]])  # (shuffles,)
            as_great = int((by_chance >= effect - 1e-9).sum())
            decided = {"effect": float(effect), "p": (1 + as_great) / (1 + shuffles)}
            for number, level in enumerate(known):
                some = numbers == number
                counted = _counted(holds[some], margin[some])
                by_factor.append({**head, "factor": factor, "level": level, **counted, **decided})
            if len(known) > 1:
                p[factor] = decided["p"]
        adjusted = dict(zip(p, holm([*p.values()]), strict=True))
        rows += [{**row, "p_adjusted": adjusted.get(row["factor"], 1.0)} for row in by_factor]
    return to_table(rows, ("claim", "factor", "level"), ("latent", "readings", "held"))


def _counted(holds: np.ndarray, margin: np.ndarray) -> dict[str, float]:
    return {
        "readings": len(holds),
        "held": int(holds.sum()),
        "share": float(holds.mean()),
        "margin": float(margin.mean()),
    }


def effect_of(holds: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the main effect of a factor: the highest share of a level minus the lowest.

    Args:
        holds: whether the claim holds (n,).
        numbers: index (..., n) of each reading's level; every index from 0 on must occur.

    Returns:
        Effects (...).
    """
    of_level = [numbers == level for level in range(numbers.max() + 1)]
    share = np.stack([(some * holds).sum(-1) / some.sum(-1) for some in of_level])
    return share.max(0) - share.min(0)


def _shuffled(
    readings: Sequence[Mapping[str, str]], factor: str, shuffles: int, rng: np.random.Generator
) -> np.ndarray:
    """Return permutations (shuffles, n) that exchange a factor's levels among exchangeable units.

    Levels move with all readings of their unit, within a group of units (`_unit_and_group`).
    """
    units, within = zip(*(_unit_and_group(reading, factor) for reading in readings), strict=True)
    first = {}  # by unit, one of its readings: all of them have the factor's level in common
    for place, key in enumerate(units):
        first.setdefault(key, place)
    groups: dict[tuple, list[tuple]] = {}
    for key, place in first.items():
        groups.setdefault(within[place], []).append(key)
    orders = np.empty((shuffles, len(readings)), int)
    for order in orders:
        source = {}
        for members in groups.values():
            moved = rng.permutation(len(members))
            source |= {key: first[members[i]] for key, i in zip(members, moved, strict=True)}
        order[:] = [source[key] for key in units]
    return orders


def _unit_and_group(reading: Mapping[str, str], factor: str) -> tuple[tuple, tuple]:
    """Return the unit that a factor's level belongs to, and the group of exchangeable units.

    Units are what was trained for a level, so that readings with a training in common count once.
    Levels of BLOCK belong to blocks, whose readings share features and the baselines that they are
    compared with. Importances belong to a stage 1, in its block. Rho belongs to the autoencoder if
    that was trained with it, otherwise to the model; correlation and z belong to the models of an
    autoencoder, and levels of scoring to the scores of a model.
    """

    def levels(*names: str) -> tuple[str, ...]:
        """Return the reading's levels of some factors."""
        return tuple(reading[name] for name in names)

    model, has_rho = levels(*STAGE1, *STAGE2), reading["importances"] != "ones"
    # As in `ima.evaluation.readings.train`: with `ones`, rho does not affect stage 1.
    autoencoder = (*levels(*STAGE1), reading["rho"] if has_rho else "")
    if factor in BLOCK:
        return levels(*BLOCK), ()
    if factor in STAGE1:
        return levels(*STAGE1), levels(*BLOCK)
    if factor == "rho":
        return autoencoder if has_rho else model, levels(*STAGE1)
    if factor in STAGE2:
        return model, autoencoder
    return levels(*FACTORS), model


def summary(table: pa.Table) -> str:
    """Return one line with the share of readings under which each claim holds."""
    rows = [row for row in table.to_pylist() if row["factor"] == "all"]
    said = [f"{row['claim']} ({row['latent']}-D) {row['held']}/{row['readings']}" for row in rows]
    return ", ".join(said)
