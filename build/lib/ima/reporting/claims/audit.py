"""The table of the claims audit: every claim of `ima.reporting.claims.spec`, tested on a run."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from ima.reporting.claims import tests
from ima.reporting.claims.spec import (
    TESTS,
    MissingScoreError,
    evaluate,
    expand,
    filled,
    paper_value,
    sides,
)
from ima.reporting.claims.tests import FAILS, HOLDS, UNDECIDED, UNTESTABLE, Tested

#: Columns of the table, the most important ones first.
COLUMNS = (
    *("id", "section", "sentence", "verdict", "paper", "ours", "ours_sd", "seeds", "why"),
    *("p_adjusted", "low", "high", "p", "p_signflip", "test", "data", "whose", "run"),
    *("table", "figure"),
)
_NUMBERS = {"paper", "ours", "ours_sd", "low", "high", "p", "p_adjusted", "p_signflip"}
#: The part of the run's data behind each kind of score. Model costs depend on no data.
PARTS = {
    **{"digits": "digits", "noise": "digits"},
    **{"emotion": "emotion", "corpus": "emotion"},
}

#: Kinds of scores that do not depend on the seed.
COUNTED = ("cost", "corpus")


def audit(
    claims: Iterable[Mapping],
    scores: Sequence[Mapping],
    paper: Sequence[Mapping],
    data: Mapping[str, Mapping],
    run: str,
) -> pa.Table:
    """Return every claim with the run's result.

    Args:
        claims: claims from `read_claims`.
        scores: rows of `ima.reporting.claims.scores`.
        paper: rows of `ima.reporting.tables.read_paper_values`.
        data: for `digits` and `emotion`: `name` of the corpora, `paper` (whether they are the
            paper's) and `lacks`, the reason for missing scores ('' if they are available).
        run: name of the run.

    Returns:
        Rows of COLUMNS. `ours` is the mean over `seeds` of the tested quantity (a difference if two
        scores are compared), `ours_sd` its sample standard deviation, `low` and `high` its 95 %
        confidence interval. `p` belongs to the test; `p_adjusted` corrects it for the other tests
        of the sentence and decides the verdict; `p_signflip` is from an exact test, for comparison.
    """
    rows = []
    for claim in claims:
        ones = [_with_paper(one, paper) for one in expand(claim)]
        found = [_tested(one, scores, data) for one in ones]
        counting = iter(tests.holm([test for test, why in found if test and not why]))
        for one, (test, why) in zip(ones, found, strict=True):
            result = next(counting) if test and not why else test
            rows.append({**_about(one, data, run), **_result(result, why, one)})
    types = {name: pa.float64() if name in _NUMBERS else pa.string() for name in COLUMNS}
    types["seeds"] = pa.int32()
    return pa.Table.from_pylist(rows, pa.schema([(name, types[name]) for name in COLUMNS]))


def _with_paper(claim: Mapping, paper: Sequence[Mapping]) -> dict:
    """Return a claim with the paper's value as its `value`, and substituted for `{paper}`.

    If it is substituted, it is a setting rather than a number to compare ours with, and `shown` is
    None.
    """
    value = paper_value(claim, paper)
    whole = filled(claim, {"paper": value} if value is not None else {})
    return {**whole, "value": value, "shown": value if whole == claim else None}


def _tested(claim: Mapping, scores: Sequence, data: Mapping) -> tuple[Tested | None, str]:
    """Return a claim's test result (None if it cannot be tested) and why it does not count."""
    if "untestable" in claim:
        return None, claim["untestable"]
    part = data.get(PARTS.get(claim["a"]["of"]))
    if part and part["lacks"]:
        return None, part["lacks"]
    try:
        found = evaluate(claim, scores, claim["value"])
    except MissingScoreError as error:
        return None, str(error)
    if claim.get("only") == "paper" and not part["paper"]:
        return found, f"a number of the paper's corpora; this run has {part['name']}"
    return found, ""


def _about(claim: Mapping, data: Mapping, run: str) -> dict:
    tested = "untestable" not in claim
    of = PARTS.get(claim["a"]["of"]) if tested else None
    part = data.get(of, {"name": "none: counted from the models" if tested else ""})
    return {
        **{key: str(claim[key]) for key in ("id", "section", "sentence")},
        **{key: str(claim.get(key, "")).replace("<run>", run) for key in ("table", "figure")},
        **{"whose": claim.get("whose", "paper"), "test": described(claim) if tested else "none"},
        **{"run": run, "data": part["name"], "paper": claim["shown"]},
    }


def described(claim: Mapping) -> str:
    """Return a description of the scores that a claim uses and of its test."""
    than = claim.get("than", 0)
    words = {"than": claim["value"] if than == "paper" else than, "within": claim.get("within")}
    words["others"] = ", ".join(map(str, claim.get("others", {}).get("values", ())))
    words["paired"] = "paired " if "b" in claim else ""
    about = _keys(claim["a"])
    if "b" in claim:
        other = {k: v for k, v in sides(claim)[1].items() if claim["a"].get(k) != v}
        sign = "relative to" if claim.get("combine") == "relative" else "minus"
        about += f", {sign} the same with {_keys(other)}"
    test = TESTS[claim["test"]]
    if claim["a"]["of"] in COUNTED:  # omit the words on seeds and tests
        test = test.replace("mean over seeds", "counted,").partition(", two")[0]
    return f"{about}: {test.format(**words)}"


def _keys(keys: Mapping) -> str:
    return ", ".join(f"{key} {value}" for key, value in keys.items() if value not in (None, ""))


def _result(found: Tested | None, why: str, claim: Mapping) -> dict:
    if found is None:
        return {"verdict": UNTESTABLE, "why": why}
    x = found.values
    low, high = tests.interval(x) or (None, None)
    told = {
        "ours": float(np.mean(x)),
        "ours_sd": float(np.std(x, ddof=1)) if len(x) > 1 else None,
        **{"low": low, "high": high, "seeds": None if found.counted else len(x)},
    }
    if why:
        return {**told, "verdict": UNTESTABLE, "why": why}
    than = claim["value"] if claim.get("than") == "paper" else claim.get("than", 0)
    signs = claim["test"] in ("above", "below", "best")
    return {
        **told,
        **{"p": found.p, "p_adjusted": found.adjusted},
        "p_signflip": tests.sign_flip(x, float(than)) if signs else None,
        **{"verdict": found.verdict, "why": found.why},
    }


def summary(table: pa.Table) -> dict[str, dict[str, int]]:
    """Return the number of claims with each verdict, separately for the paper's and our claims."""
    order = (HOLDS, FAILS, UNDECIDED, UNTESTABLE)
    rows = table.select(["whose", "verdict"]).to_pylist()
    names = dict.fromkeys(row["whose"] for row in rows)
    return {
        name: {v: sum(row == {"whose": name, "verdict": v} for row in rows) for v in order}
        for name in names
    }
