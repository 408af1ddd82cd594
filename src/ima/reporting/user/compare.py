"""Table of IMA and its peers on user data."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import pyarrow as pa

from ima.evaluation.item_errors import with_interval
from ima.evaluation.seeds import over_seeds
from ima.utils.arrow import to_table

#: IMA's joint representations, a row each.
FUSED = ("weighted", "unweighted")
#: The control in the table.
CHANCE = "chance (labels shuffled)"
#: Costs of training a method.
COSTS = ("seconds", "cpu_seconds", "mem_mb", "parameters")


def ima_scores(
    scores: Iterable[Mapping],
    accuracies: Sequence[Mapping],
    costs: Mapping[tuple, Mapping],
    modalities: Collection[str],
) -> list[dict]:
    """Return IMA's scores in the form of a peer's, for each seed, weighted and unweighted.

    Args:
        scores: `model`, `latent`, `seed` and `retrieval` (`ima.evaluation.metrics.score_model`).
        accuracies: rows of `ima.evaluation.classifier.accuracy_rows` with `latent` and `seed`.
        costs: COSTS by latent size, seed and one of FUSED.
        modalities: names of the modalities; other representations are left out.

    Returns:
        Mappings as `compare_table` takes them.
    """
    found = []
    for of in scores:
        about = {name: of[name] for name in ("latent", "seed")}
        for fused in FUSED:
            mine = [row for row in accuracies if {**row, **about} == row]
            found.append(
                {
                    "model": f"{of['model']}, {fused}",
                    **about,
                    **costs[of["latent"], of["seed"], fused],
                    **{
                        kind: [
                            {**row, "representation": "joint"}
                            if row["representation"] == fused
                            else row
                            for row in rows
                            if row["representation"] in (fused, *modalities)
                        ]
                        for kind, rows in (("retrieval", of["retrieval"]), ("accuracy", mine))
                    },
                }
            )
    return found


def chance_scores(
    anchors: Iterable[Mapping], accuracies: Iterable[Mapping], latents: Iterable[int]
) -> list[dict]:
    """Return the scores with shuffled labels in the form of a peer's, for each latent size.

    Args:
        anchors: rows of `ima.evaluation.reference.score_anchors`.
        accuracies: rows of `ima.evaluation.reference_accuracy.classify_anchors`.
        latents: latent sizes of the table; the scores do not depend on them.
    """
    retrieval = [row for row in anchors if row["model"] == "chance"]
    by_seed: dict[int, list[Mapping]] = {}
    for row in accuracies:
        if row["model"] == "chance":
            by_seed.setdefault(row["seed"], []).append(row)
    return [
        {"model": CHANCE, "latent": latent, "seed": seed, "retrieval": retrieval, "accuracy": rows}
        for latent in latents
        for seed, rows in by_seed.items()
    ]


def compare_table(scores: Iterable[Mapping], run: str) -> pa.Table:
    """Return IMA and its peers by latent size, as means over seeds.

    Args:
        scores: for each method, latent size and seed: `model`, `latent`, `seed`, COSTS (those that
            were measured), and `retrieval` and `accuracy` of `ima.evaluation.peers`.
        run: name of the run, for the first column.

    Returns:
        Rows of `method`, `latent`, `k` and, each with its standard deviation over seeds,
        `precision` of the joint representation (for the smallest K, without neighbours that share
        an item with the query), `precision_<modality>` of each modality alone,
        `precision_<modality>_noise` of the joint representation for queries with that noise,
        `accuracy` of a classifier of the joint representation, and COSTS, null unless they were
        measured of all seeds. Scores also have half the width of their 95 % interval over items,
        `<score>_ci_items`.
    """
    methods: dict[tuple, list[Mapping]] = defaultdict(list)
    for of in sorted(scores, key=lambda of: of["latent"]):
        methods[of["model"], of["latent"]].append(of)
    rows = []
    for (method, latent), seeds in methods.items():
        costs = [name for name in COSTS if all(of.get(name) is not None for of in seeds)]
        about = {"method": method, "latent": latent}
        rows += [{**about, **_values(of), **{n: of[n] for n in costs}} for of in seeds]
    return to_table(over_seeds(rows, ("method", "latent", "k"), run), text=["method"])


def _values(of: Mapping) -> dict[str, float | int | None]:
    """Return K and the values of one model."""
    retrieval = [row for row in of["retrieval"] if row["neighbours"] == "distinct"]
    k = min((row["k"] for row in retrieval if row["representation"] == "joint"), default=None)
    values = {"k": k}
    for row in retrieval:
        joint, whole = row["representation"] == "joint", row["subset"] == "all"
        if row["k"] == k and (joint or whole):
            name = row["subset"] if joint else row["representation"]
            name = "precision" if joint and whole else f"precision_{name}"
            values |= with_interval(name, row["precision"], row)
    for row in of["accuracy"]:
        if row["representation"] == "joint" and row["subset"] == "all":
            values |= with_interval("accuracy", row["accuracy"], row)
    return values
