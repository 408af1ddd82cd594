"""Results on user data: representations and importances by id, and tables that summarize them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.metrics import roc_auc_score

from ima.evaluation.item_errors import Clusters, f1_values, with_interval
from ima.evaluation.metrics import f1, importance_scores, score_views
from ima.evaluation.seeds import over_seeds
from ima.pairing.by_label import has_noise, modalities
from ima.utils.arrow import matrix, present, to_table, vector_column
from ima.utils.schemas import OWN_IMPORTANCES, own_representations_schema

#: Scores that do not require known noise.
_ALWAYS = ("mean_importance", "unimportant", "mean_concordance")
#: Prefixes of columns that require known noise.
_OF_NOISE = ("precision_noise", "recall_noise", "f1_", "f1_gap", "rho_by_labels")


def as_tables(
    pairs: Mapping[str, pa.Table],
    representations: pa.Table,
    ids: Mapping[str, pa.ChunkedArray],
    y: Mapping[str, np.ndarray],
    classes: Sequence[str],
    concordance: Mapping[str, np.ndarray] | None = None,
    fused: Mapping[str, np.ndarray] | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return a model's representations of all pairs and importances of all items, with item ids.

    Args:
        pairs: for each split, a table of `ima.utils.schemas.pairs_schema`.
        representations: table of `ima.utils.schemas.representations_schema`, whose rows match the
            concatenated pairs of all splits.
        ids: for each modality, the ids (n_m,) of its items.
        y: for each modality, the importances (n_m,) of its items.
        classes: label names, indexed by label number.
        concordance: for each modality, the concordance (N,) of all pairs with its items, if known.
        fused: z (N, L) of all pairs under a fusion other than by importance, keyed by its name.

    Returns:
        Tables of `ima.utils.schemas.own_representations_schema` and `OWN_IMPORTANCES`.
    """
    together, names = pa.concat_tables(pairs.values()), modalities(next(iter(pairs.values())))
    called = [*classes, ""]  # label -1 (no label) gives ''
    columns = {
        "split": [split for split, table in pairs.items() for _ in range(len(table))],
        "label": [called[label] for label in together["label"].to_pylist()],
        "pair_type": together["pair_type"],
        **{f"id_{m}": ids[m].take(together[f"item_{m}"]) for m in names},
        **{name: representations[name] for name in representations.column_names},
    }
    for m, c in (concordance or {}).items():
        columns[f"c_{m}"] = pa.array(c.astype("float32"), mask=~present(together, f"item_{m}"))
    columns |= {f"z_{fusion}": vector_column(z) for fusion, z in (fused or {}).items()}
    fusion = next(iter(fused or {}), "importance")
    schema = own_representations_schema(names, bool(concordance), fusion)
    ordered = [field.name for field in schema]
    together = pa.table({name: columns[name] for name in ordered})
    return together, importances_table(ids, {m: y[m] for m in names})


def importances_table(ids: Mapping[str, pa.ChunkedArray], y: Mapping[str, np.ndarray]) -> pa.Table:
    """Return the importances y[m] (n_m,) of items by id, a table of `OWN_IMPORTANCES`."""
    parts = [
        {"modality": [m] * len(values), "id": ids[m], "importance": values}
        for m, values in y.items()
    ]
    return pa.concat_tables([pa.table(part).cast(OWN_IMPORTANCES) for part in parts])


def importance_table(
    tables: Sequence[pa.Table], models: Sequence[Mapping], noise: bool, run: str
) -> pa.Table:
    """Return importances on the test pairs by latent size and modality, as means over seeds.

    Args:
        tables: first tables from `as_tables`, one per model.
        models: `latent` and `seed` of each model.
        noise: whether `pair_type` marks known noise.
        run: name of the run, for the first column.

    Returns:
        `mean_importance` and `unimportant`, the proportion below .5, each with its standard
        deviation over seeds, and the scores of `ima.evaluation.metrics.importance_scores` if noise
        is known, `f1_noise` with half the width of its 95 % interval over items.
        If concordance is known, also `mean_concordance`, and all of `concordance_scores` if noise
        is known too, over pairs with several items.
    """
    rows = []
    for table, model in zip(tables, models, strict=True):
        test = table.filter(pc.equal(table["split"], "test"))
        pair_types = test["pair_type"].to_pylist()
        names = [n.removeprefix("id_") for n in table.column_names if n.startswith("id_")]
        there = {name: present(test, f"id_{name}") for name in names}
        partnered = np.sum([*there.values()], axis=0) > 1
        for name, has in there.items():
            noisy = has_noise(pair_types, name)
            y = test[f"y_{name}"].to_numpy()[has]
            scores = importance_scores(y, noisy[has])
            clusters = Clusters([np.array(test[f"id_{name}"].to_pylist())[has]], len(y))
            error = clusters.error(f1_values(y < 0.5, noisy[has]))
            scores |= with_interval("f1_noise", scores["f1_noise"], error)
            scores = {"unimportant": float((y < 0.5).mean()), **scores}
            if f"c_{name}" in test.column_names:
                c = test[f"c_{name}"].to_numpy()
                scores |= concordance_scores(c[has & partnered], noisy[has & partnered])
            always = [score for score in _ALWAYS if score in scores]
            chosen = dict.fromkeys([*always, *(scores if noise else ())])
            about = {"latent": model["latent"], "modality": name}
            rows.append({**about, **{score: scores[score] for score in chosen}})
    return to_table(over_seeds(rows, ("latent", "modality"), run), text=["modality"])


def concordance_scores(c: np.ndarray, is_noise: np.ndarray) -> dict[str, float]:
    """Return the mean of concordance c (M,) and its scores for detecting noise (M,).

    Returns:
        `mean_concordance`; `auc_concordance`, the area under the ROC curve, omitted if all items
        or none are noise; and `f1_concordance`, F1 of the noise class for concordance below .5.
    """
    scores = {"mean_concordance": float(c.mean())}
    if 0 < is_noise.sum() < len(is_noise):
        scores["auc_concordance"] = float(roc_auc_score(is_noise, -c))
    return {**scores, "f1_concordance": f1(c < 0.5, is_noise)["f1"]}


def fusion_rows(table: pa.Table, pairs: pa.Table, k: Sequence[int], fusion: str) -> list[dict]:
    """Return the retrieval scores of the test pairs' z under a fusion other than by importance.

    Args:
        table: first table from `as_tables`, with the column `z_<fusion>`.
        pairs: test pairs, a table of `ima.utils.schemas.pairs_schema`.
        k: requested values of K.
        fusion: one of `ima.models.concordance.FUSIONS`; also the name of the representation.
    """
    test = table.filter(pc.equal(table["split"], "test"))
    return score_views({fusion: matrix(test, f"z_{fusion}")}, pairs, k)


def without_noise(table: pa.Table) -> pa.Table:
    """Return a table without the columns that require known noise."""
    return table.select([n for n in table.column_names if not n.startswith(_OF_NOISE)])
