"""Pair user items of any number of modalities by id, by label or from a file.

As in `ima.pairing.by_label`, a pair holds one row number per modality, or ABSENT if the modality
is missing.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa

from ima.datasets.splits import SPLITS, assign, draw_splits
from ima.pairing.by_label import (
    ABSENT,
    CLEAN,
    check_items,
    class_size,
    draw,
    has_noise,
    item_column,
    modalities,
    noise_type,
    row_numbers,
)
from ima.pairing.shared_items import most_neighbours
from ima.pairing.user_ids import check_partners, hint_of_ids, warn_of_items
from ima.pairing.user_listed import Columns
from ima.utils.errors import InputError
from ima.utils.schemas import MANY_CLASSES, labelled, pairs_schema

logger = logging.getLogger(__name__)

#: Largest number of classes that 8-bit labels can encode; beyond it, labels have the type
#: `ima.utils.schemas.MANY_CLASSES`.
MAX_CLASSES = 128
#: K of Precision@K by default (`ima.workflow.user_config.fill_defaults`).
USUAL_K = 10


def pair_own(
    items: Mapping[str, pa.Table],
    by: str,
    shares: Mapping[str, float],
    seed: int,
    listed: Mapping[str, np.ndarray] | None = None,
    missing: str = "keep",
) -> tuple[dict[str, pa.Table], list[str]]:
    """Pair the items of every split.

    Args:
        items: OWN_ITEMS of each modality; pairs refer to their row numbers.
        by: `id` pairs items with the same id; `label` pairs items that share a label, using each
            item of a split at least once; `file` uses the pairs in `listed`.
        shares: share of items for `test`, and share of the remaining items for `validation`, in
            (0, 1); used if the user gives no splits.
        seed: seed for drawing splits, pairing by label and ordering pairs.
        listed: pairs from `ima.pairing.user_listed.read_listed`, for `file`.
        missing: whether to `keep` or `drop` pairs that lack a modality.

    Returns:
        For each split, a table of `ima.utils.schemas.pairs_schema` in random order; and the label
        names, indexed by label number. Pairs without a label have the number -1.

    Raises:
        InputError: there are too few pairs, a modality is in no pair with another, a split has no
            pairs or lacks a modality, modalities disagree on a pair's label or split, or labels
            exist but a split has none.
    """
    rng = np.random.default_rng([seed, len(items)])
    names, classes = list(items), label_names(items, listed)
    if by == "label":
        pairs = by_label(items, shares, rng)
    else:
        pairs = by_id(items) if by == "id" else dict(listed or {})
        check_partners(items, pairs)
        pairs = handle_missing(pairs, names, missing)
        if len(pairs[names[0]]) < len(SPLITS):
            raise InputError(
                f"pairs of {names}",
                expected="at least three pairs, one for each split",
                found=len(pairs[names[0]]),
                do="Add items. Learning importances takes some hundreds of pairs.",
            )
        rows = {name: pairs[name] for name in names}
        pairs = {**labels_of_items(items, rows, pairs), **pairs}
        pairs["split"] = assign(pairs, names, shares, rng)
    warn_of_items(items, pairs, by)
    _warn_of_spelling(classes)
    tables = {split: _of_split(pairs, split, names, classes, rng) for split in SPLITS}
    if classes:
        _warn_alone(tables["test"]["label"].to_numpy())
        _log_max_k(tables["test"])
    return tables, classes


def _of_split(
    pairs: Columns, split: str, names: list[str], classes: list[str], rng: np.random.Generator
) -> pa.Table:
    """Return the table of a split's pairs in random order.

    Raises:
        InputError: there are none, or they lack a modality or labels.
    """
    rows = rng.permutation(np.flatnonzero(pairs["split"] == split))
    if not len(rows):
        raise InputError(
            f"pairs of {names}",
            expected=f"some in '{split}'",
            found="none",
            do="Assign more items to this split in the split column, or increase own.shares.",
        )
    chosen = {name: values[rows] for name, values in pairs.items()}
    _check_split({name: chosen[name] for name in names}, split)
    _check_labels(chosen["label"], split, bool(classes))
    return _pair_table(chosen, names, classes)


def _pair_table(pairs: Columns, names: list[str], classes: list[str]) -> pa.Table:
    """Return pairs as a table of `ima.utils.schemas.pairs_schema`, with labels as class numbers."""
    code = {name: number for number, name in enumerate(classes)} | {"": -1}
    schema = pairs_schema(names)
    if len(classes) > MAX_CLASSES:
        schema = labelled(schema, pa.schema({"label": MANY_CLASSES}))
    columns = {f"item_{name}": item_column(pairs[name]) for name in names}
    columns["label"] = [code[name] for name in pairs["label"].tolist()]
    columns["pair_type"] = pairs["pair_type"]
    return pa.table(columns).cast(schema)


def _warn_alone(labels: np.ndarray) -> None:
    """Warn about test pairs that are the only one of their class, of which none can be retrieved.

    Args:
        labels: class numbers of the test pairs (N,), -1 without a label.
    """
    known = labels[labels >= 0]
    alone = int((np.bincount(known)[known] == 1).sum())
    if alone:
        said = "test: %d of %d labelled pairs are the only one of their class: Precision@K 0"
        logger.warning(said, alone, len(known))


def _log_max_k(test: pa.Table) -> None:
    """Log the largest K of Precision@K that the labelled test pairs allow, if below USUAL_K.

    Scoring logs the reduction of any larger K (`ima.evaluation.metrics.lower_k`).
    """
    known = test["label"].to_numpy() >= 0
    items = [row_numbers(test, name)[known] for name in modalities(test)]
    k = most_neighbours(items, int(known.sum()))
    if k < USUAL_K:
        logger.info("labelled test pairs have at least %d neighbours: a larger K is reduced", k)


def _warn_of_spelling(classes: Sequence[str]) -> None:
    """Warn of classes that differ in case or spaces alone."""
    by_spelling: dict[str, list[str]] = {}
    for name in classes:
        by_spelling.setdefault(" ".join(name.casefold().split()), []).append(name)
    if alike := next((names for names in by_spelling.values() if names[1:]), None):
        listed = ", ".join(map(repr, alike))
        logger.warning("labels: %s are different classes; spell them the same if not", listed)


def handle_missing(pairs: Columns, names: list[str], missing: str) -> Columns:
    """Return the pairs, dropping incomplete ones if `missing` is `drop`; log how many there are."""
    complete = np.logical_and.reduce([pairs[name] != ABSENT for name in names])
    if complete.all():
        return pairs
    lacking = {name: int((pairs[name] == ABSENT).sum()) for name in names}
    logger.warning(
        "%d of %d pairs lack a modality (%s): %s",
        int((~complete).sum()),
        len(complete),
        ", ".join(f"{name}: {count}" for name, count in lacking.items() if count),
        "dropped" if missing == "drop" else "kept",
    )
    if missing == "keep":
        return pairs
    if not complete.any():
        raise InputError(
            "own.pairs, missing: drop",
            expected=f"a pair with an item of each of {names}",
            found=f"none of {len(complete)}",
            do="Set own.pairs.missing to keep, or remove a modality.",
        )
    return {name: values[complete] for name, values in pairs.items()}


def _check_labels(labels: np.ndarray, split: str, known: bool) -> None:
    """Warn about the number of unlabelled pairs in a split if labels exist elsewhere.

    Raises:
        InputError: no pair of `train` or `test` has a label.
    """
    without = int((labels == "").sum())
    if not known or not without:
        return
    if without == len(labels) and split != "validation":
        raise InputError(
            f"labels of the pairs in '{split}'",
            expected="some labels, for scoring",
            found=f"none in {without} pairs",
            do="Label some of these items, or omit `label` from the config.",
        )
    logger.warning("%s: %d of %d pairs have no label and are not scored", split, without,
                   len(labels))  # fmt: skip


def _check_split(rows: Mapping[str, np.ndarray], split: str) -> None:
    """Raise InputError if a split lacks a modality, or if none of its pairs has two modalities."""
    check_items(rows, f"pairs of the split '{split}'")
    if (sum((numbers != ABSENT).astype(int) for numbers in rows.values()) < 2).all():
        raise InputError(
            f"pairs of the split '{split}'",
            expected="some with at least two modalities",
            found="none",
            do="IMA learns from items that occur together: add such pairs, or give the items of a "
            "pair the same id.",
        )


def label_names(
    items: Mapping[str, pa.Table], listed: Mapping[str, np.ndarray] | None = None
) -> list[str]:
    """Return the sorted labels of items or listed pairs, numerically if all are integers."""
    labels = [np.array(table["label"].to_pylist(), str) for table in items.values()]
    if listed and "label" in listed:
        labels = [listed["label"]]
    names = set(np.concatenate(labels).tolist()) - {""}
    numbers = all(re.fullmatch("-?[0-9]{1,18}", name) for name in names)
    return sorted(names, key=lambda name: (int(name), name)) if numbers else sorted(names)


def by_id(items: Mapping[str, pa.Table]) -> Columns:
    """Join items by id (outer join) and return their rows, ABSENT if a modality lacks the id.

    Ids follow the order of the first modality, then ids that occur only in later modalities.

    Raises:
        InputError: no id occurs in two modalities.
    """
    rows = {m: {i: row for row, i in enumerate(t["id"].to_pylist())} for m, t in items.items()}
    ids = list(dict.fromkeys(i for index in rows.values() for i in index))
    if len(ids) == sum(map(len, rows.values())):
        raise InputError(
            "own.pairs, by: id",
            expected=f"ids shared by at least two of {list(items)}",
            found=", ".join(f"{name} '{next(iter(index))}' ..." for name, index in rows.items()),
            do="Give items that belong together the same id, or pair by label or from a file."
            + _hint([list(index) for index in rows.values()]),
        )
    return {name: np.array([index.get(i, ABSENT) for i in ids]) for name, index in rows.items()}


def _hint(ids: list[list[str]]) -> str:
    """Return a sentence on why no ids of any two modalities are the same; '' if unknown."""
    hints = (hint_of_ids(first, other) for first, other in combinations(ids, 2))
    return next(filter(None, hints), "")


def labels_of_items(
    items: Mapping[str, pa.Table],
    rows: Mapping[str, np.ndarray],
    known: Mapping[str, np.ndarray] | None = None,
) -> Columns:
    """Derive label, split and type of each pair from its items.

    Args:
        items: OWN_ITEMS of each modality.
        rows: by modality, the row numbers of the pairs, ABSENT if one lacks it.
        known: columns `label`, `split` and `pair_type` that the user gives for pairs. Those are not
            derived, and their types say which items are noise.

    Raises:
        InputError: items of a pair have different splits, or its non-noise items have different
            labels.
    """
    nothing: dict[str, str | bool] = {"label": "", "split": "", "noise": False}
    columns = {
        name: {
            m: np.where(rows[m] == ABSENT, none, np.array(t[name].to_pylist())[rows[m]])
            for m, t in items.items()
        }
        for name, none in nothing.items()
    }
    known, noise = known or {}, columns["noise"]
    if "pair_type" in known:
        noise = {m: has_noise(known["pair_type"], m) for m in items}
    derived = {"pair_type": types_of_pairs(noise)}
    for name, ignored in (("label", noise), ("split", {})):
        if name not in known:
            derived[name] = _agreed(columns[name], ignored, items, rows, name)
    return derived


def _agreed(
    columns: Mapping[str, np.ndarray],
    noise: Mapping[str, np.ndarray],
    items: Mapping[str, pa.Table],
    rows: Mapping[str, np.ndarray],
    what: str,
) -> np.ndarray:
    """Return each pair's value from the first modality that has one and is not noise."""
    agreed = np.full(len(next(iter(columns.values()))), "", object)
    for name, values in columns.items():
        has_value = (values != "") & ~noise.get(name, np.zeros(len(values), bool))
        conflicts = np.flatnonzero(has_value & (agreed != "") & (agreed != values))
        if len(conflicts):
            first = conflicts[0]
            pair = {m: items[m]["id"][int(r[first])] for m, r in rows.items() if r[first] != ABSENT}
            example = f"'{agreed[first]}' and '{values[first]}'"
            raise InputError(
                f"{what}s of the modalities",
                expected="the same value in all items of a pair",
                found=f"{len(conflicts)} pairs that differ, e.g. {example} in "
                f"{ {m: str(i) for m, i in pair.items()} }",
                do=f"Give the column `{what}` for one modality only, or correct the values.",
            )
        agreed = np.where(has_value & (agreed == ""), values, agreed)
    # If all items are noise, the pair takes the value of the first item that has one.
    for values in columns.values():
        agreed = np.where(agreed == "", values, agreed)
    return agreed.astype(str)


def types_of_pairs(noise: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the kind of each pair (N,), which names the modalities whose item is noise.

    Args:
        noise: for each modality, whether its item in each pair (N,) is noise.
    """
    types = np.full(len(next(iter(noise.values()))), "", object)
    for m, flags in noise.items():
        types[flags] += f"+{noise_type(m)}"
    return np.array([kind[1:] or CLEAN for kind in types.tolist()], str)


def by_label(
    items: Mapping[str, pa.Table], shares: Mapping[str, float], rng: np.random.Generator
) -> Columns:
    """Pair items that share a label, separately in each split.

    The number of pairs of a class equals the largest number of its items in any modality, so every
    item is used; items of the other modalities are reused evenly.

    Raises:
        InputError: in a split, a modality lacks a class that another modality has.
    """
    labels = {m: np.array(t["label"].to_pylist(), str) for m, t in items.items()}
    given = {m: np.array(t["split"].to_pylist(), str) for m, t in items.items()}
    splits = {
        m: draw_splits(given[m], np.arange(len(given[m])), labels[m], shares, rng) for m in items
    }
    for m, classes in labels.items():
        if (classes == "").any():
            logger.warning(
                "%s: %d items without a label are unpaired", m, int((classes == "").sum())
            )
            splits[m] = np.where(classes == "", "", splits[m])
    parts: dict[str, list[np.ndarray]] = {name: [] for name in (*items, "label", "split")}
    for split in SPLITS:
        rows = {m: np.flatnonzero(values == split) for m, values in splits.items()}
        try:
            sizes = class_size({m: labels[m][rows[m]] for m in items}, None)
        except InputError as error:
            raise InputError(
                f"{error.where} in '{split}'",
                expected=error.expected,
                found=error.found,
                do="Every modality needs items of every class in every split: add items, or remove "
                "the class.",
            ) from error
        for label, size in sizes.items():
            for m in items:
                parts[m].append(draw(rows[m][labels[m][rows[m]] == label], size, rng))
            parts["label"].append(np.full(size, label))
            parts["split"].append(np.full(size, split))
    pairs = {name: np.concatenate(values) for name, values in parts.items()}
    noise = {m: t["noise"].to_numpy(zero_copy_only=False)[pairs[m]] for m, t in items.items()}
    return {**pairs, "pair_type": types_of_pairs(noise)}
