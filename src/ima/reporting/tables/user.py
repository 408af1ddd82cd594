"""What a user is given of own data: representations and importances by id, and tables of them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.evaluation.metrics import importance_scores, mean_sd
from ima.pairing.by_label import modalities, noise_kind
from ima.utils.arrow import present, to_table
from ima.utils.schemas import OWN_IMPORTANCES, own_representations_schema

#: Beginnings of columns that say how well noise was found.
_OF_NOISE = ("precision_noise", "recall_noise", "f1_", "lost", "rho_by_labels")


def as_tables(
    pairs: Mapping[str, pa.Table],
    found: pa.Table,
    ids: Mapping[str, pa.ChunkedArray],
    y: Mapping[str, np.ndarray],
    classes: Sequence[str],
) -> tuple[pa.Table, pa.Table]:
    """Return a model's representations of all pairs, and importances of all items, by their ids.

    Args:
        pairs: by split, a table of `ima.utils.schemas.pairs_schema`.
        found: table of `ima.utils.schemas.representations_schema`, row for row with the pairs of
            all splits one after the other.
        ids: by modality, the ids (n_m,) of its items.
        y: by modality, their importances (n_m,).
        classes: names of the labels, by number.

    Returns:
        Tables of `ima.utils.schemas.own_representations_schema` and `OWN_IMPORTANCES`.
    """
    together, names = pa.concat_tables(pairs.values()), modalities(next(iter(pairs.values())))
    called = [*classes, ""]  # label -1, none, is the last
    columns = {
        "split": [split for split, table in pairs.items() for _ in range(len(table))],
        "label": [called[label] for label in together["label"].to_pylist()],
        "kind": together["kind"],
        **{f"id_{m}": ids[m].take(together[f"item_{m}"]) for m in names},
        **{name: found[name] for name in found.column_names},
    }
    ordered = [field.name for field in own_representations_schema(names)]
    parts = [
        pa.table({"modality": [m] * len(y[m]), "id": ids[m], "importance": y[m]}) for m in names
    ]
    importances = pa.concat_tables([part.cast(OWN_IMPORTANCES) for part in parts])
    return pa.table({name: columns[name] for name in ordered}), importances


def importance_table(
    tables: Sequence[pa.Table], models: Sequence[Mapping], noise: bool, run: str
) -> pa.Table:
    """Return importances of the test pairs by latent size and modality, means over seeds.

    Args:
        tables: of `as_tables`, one a model.
        models: `latent` and `seed` of each.
        noise: whether `kind` says what is noise.
        run: name of the run, for the first column.

    Returns:
        `mean_importance` and `unimportant`, the share below .5, each with its sd over seeds;
        where noise is known, `ima.evaluation.metrics.importance_scores` as well.
    """
    found: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for table, model in zip(tables, models, strict=True):
        test = table.filter(pc.equal(table["split"], "test"))
        kinds = [set(kind.split("+")) for kind in test["kind"].to_pylist()]
        for name in (n.removeprefix("id_") for n in table.column_names if n.startswith("id_")):
            there = present(test, f"id_{name}")
            noisy = np.array([noise_kind(name) in kind for kind in kinds])
            y = test[f"y_{name}"].to_numpy()[there]
            scores = importance_scores(y, noisy[there])
            scores = {"unimportant": float((y < 0.5).mean()), **scores}
            told = ("mean_importance", "unimportant", *(scores if noise else ()))
            for score in dict.fromkeys(told):
                found[model["latent"], name][score].append(scores[score])
    rows = []
    for (latent, name), scores in found.items():
        row = {"run": run, "latent": latent, "modality": name}
        row["seeds"] = len(scores["mean_importance"])
        for score, values in scores.items():
            row[score], row[f"{score}_sd"] = mean_sd(values)
        rows.append(row)
    return to_table(rows, text=["modality"], whole=["latent", "seeds"])


def without_noise(table: pa.Table) -> pa.Table:
    """Return a table without the columns that only known noise can fill."""
    return table.select([n for n in table.column_names if not n.startswith(_OF_NOISE)])
