"""All models on all tasks on digits, with a test of which are best, and what they cost."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import pyarrow as pa
from scipy.stats import t, ttest_ind_from_stats

from ima.evaluation.item_errors import INTERVAL
from ima.evaluation.multiple_tests import holm
from ima.utils.arrow import to_table

#: Level at which a model is told apart from the best, for all models of a task together (Holm).
LEVEL = 0.05
#: Models without randomness, which a single value tells exactly, except on `accuracy`.
EXACT = ("raw", "pca", "cca")
#: Representations of both modalities, and what they add to the model's name.
JOINT = {
    "weighted": "",
    "joint": "",
    "unweighted": ", unweighted",
    "shared": ", shared parts",
    "shared_unweighted": ", shared parts, unweighted",
    "contrastive": ", shared encoders",
    "contrastive_unweighted": ", shared encoders, unweighted",
}
#: Representations that cost what another does.
COSTING = {
    "shared": "weighted",
    "shared_unweighted": "unweighted",
    "contrastive_unweighted": "contrastive",
}


class Score(NamedTuple):
    """A model's score on a task.

    Attributes:
        score, sd: mean and sample standard deviation (None for one seed) over seeds.
        interval: half the width of the 95 % interval over items; None if unknown.
        chance: score of a control; None if there is none.
    """

    task: str
    latent: int | None
    model: str
    seeds: int
    score: float
    sd: float | None
    interval: float | None = None
    chance: float | None = None


def _score(task: str, model: str, row: Mapping, column: str, chance: float | None) -> Score:
    """Return the score in a column of a table's row."""
    sd, interval = row[f"{column}_sd"], row.get(f"{column}{INTERVAL}")
    return Score(task, row["latent"], model, row["seeds"], row[column], sd, interval, chance)


def leaderboard(
    retrieval: Iterable[Mapping],
    accuracy: Iterable[Mapping],
    importance: Iterable[Mapping],
    generation: Iterable[Mapping],
    labels: Mapping[str, str],
    run: str,
    missing: Iterable[Mapping] = (),
) -> pa.Table:
    """Return each model's score on each task; higher is better in all.

    Args:
        retrieval, accuracy, importance, generation: rows of Table 1, Table 5, importance.csv and
            generation.csv. Retrieval is P@K for the smallest K, without neighbours that share an
            item.
        labels: labels of IMA's variants.
        run: name of the run, for the first column.
        missing: rows of missing.csv with the study's `latent` size. Its models are trained on
            fewer pairs, and named after how they handle those that lack an item.

    Returns:
        A row per task, latent size (null for raw features) and model, best first: `seeds`, `score`,
        `score_sd`, `score_ci_items` (half the width of the 95 % interval over items), `chance` (the
        score with shuffled labels or importances), and `best`. `best` is `yes` for the highest mean
        and for all models that Welch's t test over seeds doesn't tell apart from it at LEVEL, after
        Holm's correction, such as a model trained with a single seed. Chance and supervised
        ceilings don't take part.
    """
    found = [*_retrieval(retrieval), *_accuracy(accuracy)]
    found += [
        _score(
            f"F1 of {row['modality']} noise",
            labels[row["variant"]],
            row,
            "f1_noise",
            row["f1_shuffled"],
        )
        for row in importance
    ]
    found += [
        _score(
            f"{row['generated']} from {row['given']}",
            row["model"],
            row,
            "coherence",
            row["chance"],
        )
        for row in generation
        if row["subset"] == "clean"
    ]
    found += _missing(list(missing))
    by_task: dict[tuple, list[Score]] = defaultdict(list)
    for score in found:
        if score.seeds and score.score is not None:
            by_task[score.task, score.latent].append(score)
    rows = [row for scores in by_task.values() for row in _ranked(scores, run)]
    return to_table(rows, ("task", "model", "best"), ("latent", "seeds"))


def _retrieval(rows: Iterable[Mapping]) -> Iterator[Score]:
    """Yield P@K of all pairs, of pairs with noise, and of one modality."""
    rows = [row for row in rows if row["seeds"]]
    k = min((row["k"] for row in rows), default=0)
    rows = [row for row in rows if row["k"] == k]
    chance = next((row for row in rows if row["model"] == "chance"), {})
    prefix = "precision_no_shared"
    for row in rows:
        if row["model"] == "chance":
            continue
        view = row["representation"]
        if view not in JOINT:
            if view != "oracle" and not view.startswith("shared"):
                modality = view.removeprefix("contrastive_")
                name = row["model"] + (JOINT["contrastive"] if modality != view else "")
                yield _score(f"P@{k}, {modality} alone", name, row, prefix, chance.get(prefix))
            continue
        for column in row:
            if column.startswith(prefix) and not column.endswith(("_sd", INTERVAL)):
                subset = column.removeprefix(prefix).lstrip("_").replace("_", " ")
                task = f"P@{k}, pairs with {subset}" if subset else f"P@{k}"
                yield _score(task, row["model"] + JOINT[view], row, column, chance.get(column))


def _accuracy(rows: Iterable[Mapping]) -> Iterator[Score]:
    """Yield the accuracy of joint representations."""
    rows = list(rows)
    chance = next((row["accuracy"] for row in rows if row["model"] == "chance"), None)
    for row in rows:
        if row["representation"] in JOINT and row["model"] not in ("chance", "supervised"):
            name = row["model"] + JOINT[row["representation"]]
            yield _score("accuracy", name, row, "accuracy", chance)


def _missing(rows: Sequence[Mapping]) -> Iterator[Score]:
    """Yield P@K if a proportion of the training pairs, or of all pairs, lacks an item."""
    rows = [row for row in rows if row["neighbours"] == "distinct"]
    chances = {
        (row["share"], row["test"]): row["precision"] for row in rows if row["model"] == "chance"
    }
    for row in rows:
        if row["model"] == "chance":
            continue
        if row["test"] == "incomplete" and not row["share"]:
            continue  # the same as the complete ones
        trained = "" if row["test"] == "complete" else " and test"
        task = f"P@{row['k']}, {row['share']:.0%} of training{trained} pairs incomplete"
        latent = None if row["model"] == "raw features" else row["latent"]
        model = f"{row['model']}{JOINT[row['representation']]} ({row['absent']})"
        chance = chances.get((row["share"], row["test"]))
        yield _score(task, model, {**row, "latent": latent}, "precision", chance)


def costs_table(costs: Iterable[Mapping], run: str) -> pa.Table:
    """Return what each model of the leaderboard costs.

    Args:
        costs: for each seed of a trained model, `model`, `latent`, `parameters`, `cpu_seconds` (may
            be absent), and `representation`, one of JOINT.
        run: name of the run, for the first column.

    Returns:
        A row per model, named as in `leaderboard`, and latent size: `seeds`, `parameters`, and
        `cpu_seconds` of training per seed, null unless they were measured of all seeds.
    """
    by_model: dict[tuple, list[Mapping]] = defaultdict(list)
    for of in costs:
        for view, added in JOINT.items():
            if COSTING.get(view, view) == of["representation"]:
                by_model[of["model"] + added, of["latent"]].append(of)
    rows = []
    for (model, latent), seeds in by_model.items():
        took = [of["cpu_seconds"] for of in seeds if of.get("cpu_seconds") is not None]
        mean = sum(took) / len(took) if len(took) == len(seeds) else None
        rows.append(
            {"run": run, "model": model, "latent": latent, "seeds": len(seeds),
             "parameters": seeds[0]["parameters"], "cpu_seconds": mean}
        )  # fmt: skip
    return to_table(rows, ("model",), ("latent", "seeds", "parameters"))


def _ranked(scores: list[Score], run: str) -> list[dict]:
    """Return the rows of a task, best first."""
    first, *others = sorted(scores, key=lambda score: -score.score)
    adjusted = holm([p_value(first, other) for other in others])
    return [
        {"run": run, "task": s.task, "latent": s.latent, "model": s.model, "seeds": s.seeds,
         "score": s.score, "score_sd": s.sd, f"score{INTERVAL}": s.interval, "chance": s.chance,
         "best": "yes" if best else "no"}
        for s, best in zip((first, *others), (True, *(p >= LEVEL for p in adjusted)), strict=True)
    ]  # fmt: skip


def p_value(a: Score, b: Score) -> float:
    """Return the two-sided p value that two models have the same mean over seeds.

    It is that of Welch's t test. Models that are EXACT, or without any spread over several seeds,
    count as known exactly; of two such models, the p value is 1 or 0. It is 1 for any other model
    with a single seed, as its spread is unknown.
    """
    if any(s.seeds == 1 and (s.model not in EXACT or s.task == "accuracy") for s in (a, b)):
        return 1.0
    spread = [s for s in (a, b) if s.seeds > 1 and s.sd]
    if not spread:
        return float(a.score == b.score)
    if len(spread) == 1:
        (one,) = spread
        other = b if one is a else a
        statistic = abs(one.score - other.score) / (one.sd / one.seeds**0.5)
        return float(2 * t.sf(statistic, one.seeds - 1))
    return float(ttest_ind_from_stats(a.score, a.sd, a.seeds, b.score, b.sd, b.seeds, False)[1])
