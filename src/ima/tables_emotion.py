"""Tables 2 and 6, and that of importances over rho, from the scores of every seed."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from ima.tables import beside, mean_sd, typed

#: What tells rows of Tables 2 and 6 apart, and the scores that each has as columns.
KEYS = ("model", "weighting", "representation")
TABLE2 = ("precision", "precision_speakers")
TABLE6 = ("accuracy", "recall_mean")
#: The row of what importances bring, a difference seed by seed.
GAIN = ("IMA", "weighted - unweighted")
#: How the paper's values name what they are of.
_PAPER_GAIN = {"table2": "gain of precision@10", "table6": "gain of accuracy"}

IMPORTANCE_KEYS = ("modality", "reference", "by", "rho")
IMPORTANCE_SCORES = (
    *("f1_important", "f1_unimportant", "f1_mean", "auc", "auc_rarity"),
    *("mean_importance", "share_important", "tokens"),
)


def table2(scores: Iterable[Mapping], paper: Iterable[Mapping], run: str, corpus: str) -> pa.Table:
    """Return Table 2: Precision@K of utterances' representations.

    Args:
        scores: of each seed, `seed` and `scores`, rows of `ima.scores_emotion`.
        paper: rows of `ima.tables.read_paper_values`.
        run, corpus: name of the run and what its corpus is, for the first columns.

    Returns:
        A row for each model, weighting, representation and K. `precision` is the mean over seeds of
        the mean over validation utterances, `precision_sd` its sample sd over seeds;
        `precision_speakers` the same with neighbours by the query's own speaker left out. The rows
        `weighted - unweighted` are differences seed by seed. `paper`: what the paper's text gives.
    """
    table = _table(scores, paper, run, TABLE2, (*KEYS, "k"), "table2")
    return _named(table, corpus)


def table6(scores: Iterable[Mapping], paper: Iterable[Mapping], run: str, corpus: str) -> pa.Table:
    """Return Table 6: accuracy of a classifier on utterances' representations.

    Arguments as `table2`. `accuracy` is of the validation utterances; `recall_mean` the mean over
    classes of their recall. `majority` says the commonest class of all.
    """
    return _named(_table(scores, paper, run, TABLE6, KEYS, "table6"), corpus)


def _table(scores, paper, run: str, names: Sequence[str], keys: Sequence[str], table: str):
    rows = []
    for seed in sorted(scores, key=lambda seed: seed["seed"]):
        own = [row for row in seed["scores"] if row["score"] in names]
        rows += own + list(gains(own))
    found = _means(rows, keys, names, run)
    ours = list(beside(found, _paper(paper, table, keys), keys))
    return typed(ours, text=KEYS, whole=("k", "seeds"))


def _named(table: pa.Table, corpus: str) -> pa.Table:
    """Return a table with what its corpus is as a column after the run."""
    return table.add_column(1, "corpus", pa.array([corpus] * len(table)))


def _means(rows: Iterable[Mapping], keys: Sequence[str], names: Sequence[str], run: str):
    """Return a row for each combination of keys, with mean and sd over seeds of each score."""
    found: dict[tuple, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[tuple(row[key] for key in keys)][row["score"]].append(row["value"])
    table = []
    for key, values in found.items():
        out = {"run": run, **dict(zip(keys, key, strict=True))}
        out |= {"seeds": len(values[names[0]]), "paper": None}
        for name in names:
            known = not any(map(math.isnan, values[name]))
            out[name], out[f"{name}_sd"] = mean_sd(values[name]) if known else (None, None)
        table.append(out)
    return table


def gains(rows: Sequence[Mapping]) -> Iterable[dict]:
    """Yield what weighting by importances adds to each score of one seed, weighted - unweighted."""
    model, weighting = GAIN
    of = {
        (row["weighting"], row["representation"], row["score"], row["k"]): row["value"]
        for row in rows
        if row["model"] == model
    }
    for (kind, view, score, k), value in of.items():
        if kind == "weighted":
            difference = value - of["unweighted", view, score, k]
            about = {"model": model, "weighting": weighting, "representation": view}
            yield {**about, "score": score, "k": k, "value": difference}


def _paper(paper: Iterable[Mapping], table: str, keys: Sequence[str]) -> Iterable[dict]:
    """Yield what the paper's text gives of Tables 2 and 6: gains from importances, in percent."""
    for row in paper:
        if row["dataset"] == "IEMOCAP" and row["quantity"].startswith(_PAPER_GAIN[table]):
            about = {**dict(zip(KEYS, (*GAIN, row["modality"]), strict=True)), "k": row["k"]}
            yield {**{key: about[key] for key in keys}, "paper": float(row["value"]) / 100}


def emotion_importance(
    sweeps: Iterable[pa.Table], paper: Iterable[Mapping], run: str, corpus: str
) -> pa.Table:
    """Return how importances of every rho agree with each reference, and what else does.

    Args:
        sweeps: a table of IMPORTANCE_EMOTION a seed.
        paper: rows of `ima.tables.read_paper_values`.
        run, corpus: as `table2`.

    Returns:
        A row for each modality, reference, kind (`by`) and rho: mean and sd over seeds of each of
        IMPORTANCE_SCORES. `paper` is its mean F1 at the rho it chose, and its random classifier's.
    """
    rows = [
        {**{key: row[key] for key in IMPORTANCE_KEYS}, "score": name, "value": row[name]}
        for table in sweeps
        for row in table.to_pylist()
        for name in IMPORTANCE_SCORES
    ]
    found = _means(rows, IMPORTANCE_KEYS, IMPORTANCE_SCORES, run)
    ours = beside(found, _paper_importance(paper), IMPORTANCE_KEYS)
    order = list(dict.fromkeys((row["modality"], row["reference"]) for row in found))
    ours.sort(key=lambda row: order.index((row["modality"], row["reference"])))
    return _named(typed(ours, text=IMPORTANCE_KEYS[:3], whole=("seeds",)), corpus)


def _paper_importance(paper: Iterable[Mapping]) -> Iterable[dict]:
    rows = [row for row in paper if row["dataset"] == "IEMOCAP" and row["where"] == "6.1"]
    rho = {row["modality"]: float(row["value"]) for row in rows if row["quantity"] == "best rho"}
    for row in rows:
        about = {"modality": row["modality"]}
        about["reference"] = {"verbal": "lexicon", "acoustic": "emotion"}[row["modality"]]
        if row["quantity"] == "average F1 at best rho":
            yield {**about, "by": "ima", "rho": rho[row["modality"]], "paper": float(row["value"])}
        elif "random classifier (r=" in row["quantity"]:
            r = float(row["quantity"].split("r=")[1].rstrip(")"))
            yield {**about, "by": "random", "rho": r, "paper": float(row["value"])}
