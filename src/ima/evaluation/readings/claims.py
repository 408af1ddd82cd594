"""Under which readings the paper's central claims hold, and which choices decide it.

Scores come from `ima.evaluation.readings.train`, a row for each reading, seed, latent size and
choice of neighbours. A claim holds under a reading if its margin, the mean over seeds, is above 0.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ima.evaluation.readings.design import FACTORS, SCORING, STAGE1, STAGE2
from ima.utils.errors import InputError
from ima.utils.schemas import READING_SCORES as SCORES

#: F1 of the noise class from which noise counts as found. Each modality has noise in 1 of 11 pairs
#: (R = .1), so the paper's 2 % of misclassified data is an F1 of about .9.
FOUND = 0.9
#: Shuffled levels that an effect is compared with.
SHUFFLES = 1000


def _noise(row: Mapping[str, float]) -> float:
    """Return by how much the lower F1 of the two modalities exceeds FOUND."""
    return min(row["f1_image"], row["f1_speech"]) - FOUND


def _above(other: str) -> Callable[[Mapping[str, float]], float | None]:
    """Return what gives the margin of weighted IMA over another P@K, None without the other."""
    return lambda row: None if row[other] is None else row["weighted"] - row[other]


#: By name, the margin of a claim: above 0 where it holds.
CLAIMS = {
    "noise found in both modalities": _noise,
    "weighted > unweighted": _above("unweighted"),
    "IMA > JMVAE-KL": _above("jmvae"),
    "IMA > MVAE": _above("mvae"),
    "IMA > denoising autoencoder": _above("denoising"),
}


def mean_scores(scores: pa.Table, run: str) -> pa.Table:
    """Return the scores of every reading and latent size as means over seeds.

    Args:
        scores: `ima.utils.schemas.READINGS` of all blocks and seeds.
        run: name of the run.

    Returns:
        `run`, the factors, `latent`, `seeds`, SCORES, and by claim its margin, `margin: <claim>`.

    Raises:
        InputError: there are no rows, or a reading lacks seeds that another has.
    """
    keys = (*FACTORS, "latent")
    found: dict[tuple, list[dict]] = {}
    for row in scores.to_pylist():
        found.setdefault(tuple(row[key] for key in keys), []).append(row)
    counts = {len(rows) for rows in found.values()}
    if len(counts) != 1:
        raise InputError("readings", expected="as many seeds of each", found=sorted(counts))
    table = []
    for key, rows in found.items():
        values = {name: _mean([row[name] for row in rows]) for name in SCORES}
        margins = {
            f"margin: {claim}": _mean([margin(row) for row in rows])
            for claim, margin in CLAIMS.items()
        }
        head = {"run": run, **dict(zip(keys, key, strict=True)), "seeds": len(rows)}
        table.append({**head, **values, **margins})
    types = {"run": pa.string(), "latent": pa.int32(), "seeds": pa.int32()}
    types |= dict.fromkeys(FACTORS, pa.string())
    return pa.Table.from_pylist(
        table, schema=pa.schema([(name, types.get(name, pa.float64())) for name in table[0]])
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean, None if a value lacks."""
    return None if None in values else float(np.mean(values))


def claims_of(means: pa.Table) -> dict[tuple[str, int], np.ndarray]:
    """Return the margins (readings,) of every claim that can be tested, by claim and latent size.

    Args:
        means: of `mean_scores`; readings of a latent size in the order of `readings_of`.
    """
    latents = means["latent"].to_numpy()
    found = {}
    for claim in CLAIMS:
        column = means[f"margin: {claim}"]
        if column.null_count:
            continue
        for latent in np.unique(latents).tolist():
            found[claim, latent] = column.to_numpy()[latents == latent]
    return found


def readings_of(means: pa.Table) -> list[dict[str, str]]:
    """Return the readings of `mean_scores`, each once, in order."""
    rows = means.select([*FACTORS]).to_pylist()
    return [dict(row) for row in {tuple(row.items()): row for row in rows}.values()]


def shares(means: pa.Table, seed: int = 0, shuffles: int = SHUFFLES) -> pa.Table:
    """Return under which share of the readings each claim holds, and how much each factor decides.

    Args:
        means: of `mean_scores`.
        seed: of the shuffled levels.
        shuffles: how many there are.

    Returns:
        A row for each claim and latent size over all readings (`factor` is `all`), then one for
        each level of each factor: `readings`, `held` (those under which the claim holds), `share`,
        the mean `margin`; and of the factor its main `effect`, the greatest share of a level less
        the least, and `p`, the share of shuffled levels (and these) with an effect as great.
    """
    readings, run = readings_of(means), means["run"][0].as_py()
    rng = np.random.default_rng(seed)
    levels = {f: np.array([reading[f] for reading in readings]) for f in FACTORS}
    orders = {f: _shuffled(readings, f, shuffles, rng) for f in FACTORS}
    rows = []
    for (claim, latent), margin in claims_of(means).items():
        held = margin > 0
        head = {"run": run, "claim": claim, "latent": latent}
        rows.append({**head, "factor": "all", "level": "", **_counted(held, margin)})
        for factor, of in levels.items():
            known = list(dict.fromkeys(of.tolist()))
            numbers = np.array([known.index(level) for level in of])
            effect = effect_of(held, numbers)
            by_chance = effect_of(held, numbers[orders[factor]])  # (shuffles,)
            as_great = int((by_chance >= effect - 1e-9).sum())
            decided = {"effect": float(effect), "p": (1 + as_great) / (1 + shuffles)}
            for number, level in enumerate(known):
                some = numbers == number
                counted = _counted(held[some], margin[some])
                rows.append({**head, "factor": factor, "level": level, **counted, **decided})
    whole = ("latent", "readings", "held")
    text = ("run", "claim", "factor", "level")
    types = {**dict.fromkeys(text, pa.string()), **dict.fromkeys(whole, pa.int32())}
    names = (*text[:2], "latent", *text[2:], "readings", "held", "share", "margin", "effect", "p")
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in names])
    return pa.Table.from_pylist(rows, schema=schema)


def _counted(held: np.ndarray, margin: np.ndarray) -> dict[str, float]:
    return {
        "readings": len(held),
        "held": int(held.sum()),
        "share": float(held.mean()),
        "margin": float(margin.mean()),
    }


def effect_of(held: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return the main effect of a factor: the greatest share of a level less the least.

    Args:
        held: (n,) whether the claim holds.
        numbers: (..., n) the number of the reading's level, each from 0 on present.

    Returns:
        (...).
    """
    of_level = [numbers == level for level in range(numbers.max() + 1)]
    share = np.stack([(some * held).sum(-1) / some.sum(-1) for some in of_level])
    return share.max(0) - share.min(0)


def _shuffled(
    readings: Sequence[Mapping[str, str]], factor: str, shuffles: int, rng: np.random.Generator
) -> np.ndarray:
    """Return orders (shuffles, n) that move a factor's levels where chance could have put them.

    Levels of stage 1 are moved between the combinations that were trained, with all readings that
    share one; those of stage 2 between the readings of such a combination, with all their scores;
    those of scoring between the scores of one model.
    """
    within, unit = {
        **dict.fromkeys(STAGE1, ((), STAGE1)),
        **dict.fromkeys(STAGE2, (STAGE1, (*STAGE1, *STAGE2))),
        **dict.fromkeys(SCORING, ((*STAGE1, *STAGE2), tuple(FACTORS))),
    }[factor]
    units = [tuple(reading[name] for name in unit) for reading in readings]
    first = {}  # of each unit, one of its readings: the factor's level is that of all
    for place, of in enumerate(units):
        first.setdefault(of, place)
    groups: dict[tuple, list[tuple]] = {}
    for of, place in first.items():
        groups.setdefault(tuple(readings[place][name] for name in within), []).append(of)
    orders = np.empty((shuffles, len(readings)), int)
    for order in orders:
        source = {}
        for members in groups.values():
            moved = rng.permutation(len(members))
            source |= {of: first[members[i]] for of, i in zip(members, moved, strict=True)}
        order[:] = [source[of] for of in units]
    return orders


def deciding(table: pa.Table, p: float = 0.05) -> list[dict]:
    """Return of each claim and latent size the factor of greatest effect whose p is below a limit.

    Args:
        table: of `shares`.
        p: the limit.
    """
    found: dict[tuple, dict] = {}
    for row in table.to_pylist():
        key = row["claim"], row["latent"]
        if row["effect"] is None or row["p"] >= p:
            continue
        if key not in found or row["effect"] > found[key]["effect"]:
            found[key] = row
    return list(found.values())


def told(table: pa.Table) -> str:
    """Return in a line the share of the readings under which each claim holds."""
    rows = [row for row in table.to_pylist() if row["factor"] == "all"]
    said = [f"{row['claim']} ({row['latent']}-D) {row['held']}/{row['readings']}" for row in rows]
    return ", ".join(said)
