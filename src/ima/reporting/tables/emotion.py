"""Tables 2 and 6, and the table of importances over rho, from the scores of every seed."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import pyarrow as pa

from ima.evaluation.emotion.scores import GAIN
from ima.evaluation.item_errors import with_interval
from ima.evaluation.seeds import over_folds, over_seeds
from ima.reporting.tables import merge_paper_values
from ima.utils import labels
from ima.utils.arrow import to_table
from ima.utils.schemas_emotion import UNITS

#: Columns that identify the rows of Tables 2 and 6, and the scores in each table.
KEYS = ("model", "weighting", "representation")
TABLE2 = ("precision", "precision_cross_speaker")
TABLE6 = ("accuracy", "uar")
#: The variant with the paper's objectives, whose rows have the paper's values.
PAPER = "paper"
#: Prefixes of the quantities in the paper's values.
_PAPER_GAIN = {"table2": "gain of precision@10", "table6": "gain of accuracy"}

IMPORTANCE_KEYS = ("variant", "modality", "reference", "unit", "by", "rho")
IMPORTANCE_SCORES = (
    *("f1_important", "f1_unimportant", "macro_f1", "auc", "auc_frequency_matched"),
    *("mean_importance", "share_called", "share_important", "count"),
)


def table2(
    scores: Iterable[Mapping], paper: Iterable[Mapping], run: str, about: Mapping[str, str | int]
) -> pa.Table:
    """Return Table 2: Precision@K of utterance representations.

    Args:
        scores: for each seed and fold of IMA's variants, baselines and references, `seed` and
            `scores`, rows of `ima.evaluation.emotion.scores`. Scores are averaged over folds first.
        paper: rows of `ima.reporting.tables.read_paper_values`.
        run: name of the run, for the first column.
        about: columns that describe the data, after that of the run: `corpus`, `protocol`,
            `held_out`, `folds` and `classes`.

    Returns:
        A row for each model, weighting, representation and K. `precision` is the mean over seeds of
        the mean over validation utterances, `precision_sd` its sample sd over seeds,
        `precision_ci_items` half the width of its 95 % interval over speakers
        (`ima.evaluation.item_errors`); `precision_cross_speaker` is the same without neighbours by
        the query's own speaker. The rows `weighted - unweighted` are differences by seed and
        utterance. `paper` is the value in the paper's text.
    """
    table = _table(scores, paper, run, TABLE2, (*KEYS, "k"), "table2")
    return _with_columns(table, about)


def table6(
    scores: Iterable[Mapping], paper: Iterable[Mapping], run: str, about: Mapping[str, str | int]
) -> pa.Table:
    """Return Table 6: classification accuracy of utterance representations.

    The arguments are those of `table2`. `accuracy` is measured on the validation utterances;
    `uar` is the unweighted average recall over classes. `majority` always predicts the
    commonest class.
    """
    return _with_columns(_table(scores, paper, run, TABLE6, KEYS, "table6"), about)


def _table(scores, paper, run: str, names: Sequence[str], keys: Sequence[str], table: str):
    rows = []
    for seed in sorted(over_folds(scores), key=lambda seed: seed["seed"]):
        rows += [row for row in seed["scores"] if row["score"] in names]
    means = _means(rows, keys, names, run)
    ours = list(merge_paper_values(means, _paper(paper, table, keys), keys))
    return to_table(ours, text=KEYS, whole=("k", "seeds"))


def _with_columns(table: pa.Table, about: Mapping[str, str | int]) -> pa.Table:
    """Return a table with columns that describe its data added after the run."""
    for place, (name, value) in enumerate(about.items(), start=1):
        table = table.add_column(place, name, pa.array([value] * len(table)))
    return table


def _means(rows: Iterable[Mapping], keys: Sequence[str], names: Sequence[str], run: str):
    """Return a row for each combination of keys, with mean and sd over seeds of each score.

    Both are None if a score is undefined (absent or NaN).
    """
    flat = [
        {key: row[key] for key in keys} | with_interval(row["score"], row["value"], row)
        for row in rows
    ]
    table = over_seeds(flat, keys, run, paper=None)
    columns = [column for name in names for column in (name, f"{name}_sd")]
    return [{**row, **{name: _defined(row.get(name)) for name in columns}} for row in table]


def _defined(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _paper(paper: Iterable[Mapping], table: str, keys: Sequence[str]) -> Iterable[dict]:
    """Yield the paper's values for Tables 2 and 6: gains from importances, in percent."""
    for row in paper:
        if row["dataset"] == "IEMOCAP" and row["quantity"].startswith(_PAPER_GAIN[table]):
            names = (labels.PAPER, GAIN, row["modality"])
            about = {**dict(zip(KEYS, names, strict=True)), "k": row["k"]}
            yield {**{key: about[key] for key in keys}, "paper": float(row["value"]) / 100}


def emotion_importance(
    sweeps: Iterable[tuple[str, pa.Table]],
    anchors: pa.Table,
    paper: Iterable[Mapping],
    run: str,
    about: Mapping[str, str | int],
) -> pa.Table:
    """Return the agreement of importances with each reference at every rho, and of baselines.

    Args:
        sweeps: for each variant and seed, the variant and a table of IMPORTANCE_EMOTION.
        anchors: the baselines, which do not depend on variant and seed, as such a table.
        paper: rows of `ima.reporting.tables.read_paper_values`.
        run, about: as in `table2`.

    Returns:
        A row for each variant, modality, reference, unit, kind (`by`) and rho: mean and sd of each
        of IMPORTANCE_SCORES over seeds, or over draws for random classifiers that are drawn (for
        the best of which rho is the mean r). `best` is 1 at the rho, or r, with the highest mean
        `macro_f1`. `paper` is the paper's mean F1 at its chosen rho, or for its random classifier;
        it is in the rows of both units, as the paper does not say which it counts.
    """
    tables = [*sweeps, ("", anchors)]
    merged = [{"variant": name, **row} for name, table in tables for row in table.to_pylist()]
    rows = [
        {**{key: row[key] for key in IMPORTANCE_KEYS}, "score": name, "value": row[name]}
        for row in _with_mean_r(merged)
        for name in IMPORTANCE_SCORES
    ]
    means = _with_best(_means(rows, IMPORTANCE_KEYS, IMPORTANCE_SCORES, run))
    ours = list(merge_paper_values(means, _paper_importance(paper), IMPORTANCE_KEYS))
    order = list(dict.fromkeys((row["modality"], row["reference"], row["unit"]) for row in ours))
    ours.sort(key=lambda row: order.index((row["modality"], row["reference"], row["unit"])))
    return _with_columns(to_table(ours, text=IMPORTANCE_KEYS[:-1], whole=("seeds", "best")), about)


def _group(row: Mapping) -> tuple:
    """Return the keys shared by rows that differ only in rho."""
    return tuple(row[key] for key in IMPORTANCE_KEYS[:-1])


def _with_mean_r(rows: Sequence[Mapping]) -> list[Mapping]:
    """Return rows with the r of the best drawn random classifiers replaced by its mean."""
    rates = defaultdict(list)
    for row in rows:
        if row["by"] == "random best":
            rates[_group(row)].append(row["rho"])
    means = {group: math.fsum(values) / len(values) for group, values in rates.items()}
    return [{**row, "rho": means.get(_group(row), row["rho"])} for row in rows]


def _with_best(rows: Sequence[Mapping]) -> list[dict]:
    """Return rows with `best`: 1 if no other rho has a higher mean F1, otherwise 0.

    Importances of a variant at rho 0 and 1 are constants, which are never the best.
    """
    greatest: dict[tuple, float] = {}
    for row in rows:
        if not _is_constant(row):
            greatest[_group(row)] = max(row["macro_f1"], greatest.get(_group(row), 0))
    keys = ("run", *IMPORTANCE_KEYS)
    return [
        {
            **{k: row[k] for k in keys},
            "best": int(not _is_constant(row) and row["macro_f1"] == greatest[_group(row)]),
            **row,
        }
        for row in rows
    ]


def _is_constant(row: Mapping) -> bool:
    """Return whether a variant's importances are all 0 or all 1, because nothing is trained."""
    return bool(row["variant"]) and row["rho"] in (0, 1)


def _paper_importance(paper: Iterable[Mapping]) -> Iterable[dict]:
    rows = [row for row in paper if row["dataset"] == "IEMOCAP" and row["where"] == "6.1"]
    rho = {row["modality"]: float(row["value"]) for row in rows if row["quantity"] == "best rho"}
    for row, unit in product(rows, UNITS):
        about = {"modality": row["modality"], "unit": unit}
        about["reference"] = {"verbal": "lexicon", "acoustic": "emotion"}[row["modality"]]
        if row["quantity"] == "average F1 at best rho":
            about |= {"variant": PAPER, "by": "ima", "rho": rho[row["modality"]]}
            yield {**about, "paper": float(row["value"])}
        elif "random classifier (r=" in row["quantity"]:
            r = float(row["quantity"].split("r=")[1].rstrip(")"))
            yield {**about, "variant": "", "by": "random", "rho": r, "paper": float(row["value"])}
