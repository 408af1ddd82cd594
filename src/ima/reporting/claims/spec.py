"""The claims audit: statements of the paper, tested on a run's scores (config/claims.yaml).

A claim consists of a sentence in our own words, the scores that it is about, and a test. A claim
with `each` stands for several, one for every combination of its values, which are substituted for
`{name}`. The tests of one sentence share its probability of a false verdict
(`ima.reporting.claims.tests.holm`).
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml

from ima.reporting.claims import tests
from ima.reporting.claims.tests import Tested
from ima.utils.errors import InputError

#: Authors of claims; the file has a list for each.
WHOSE = ("paper", "ours")
#: Keys required of every claim, keys required for a test, and optional keys.
REQUIRED = {"id", "section", "sentence"}
TESTED = {"test", "a", "table"}
OPTIONAL = {"each", "b", "combine", "others", "than", "within", "paper", "only", "figure"}
TESTS = {
    "above": "mean over seeds above {than}, two-sided {paired}t test",
    "below": "mean over seeds below {than}, two-sided {paired}t test",
    "about": "mean over seeds within {within} of {than}, two one-sided {paired}t tests",
    "best": "above each of {others}, greatest p of the two-sided paired t tests",
    "as_many": "counted, as many as {than}",
    "linear": "counted, the same growth with every one of {than}",
    "exponential": "counted, growth at least twice as great with every one of {than}",
}


def read_claims(path: str | Path) -> list[dict]:
    """Read the claims and check their keys.

    Returns:
        The claims in the file's order, each with `whose`. A claim that is `like` another has all of
        its keys, except those it replaces.

    Raises:
        InputError: the file does not exist or is not YAML, or a claim cannot be evaluated.
    """
    try:
        lists = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, RecursionError, yaml.YAMLError) as error:
        raise InputError(path, expected="lists of claims in YAML", found=error) from error
    if not isinstance(lists, Mapping) or set(lists) != set(WHOSE):
        found = sorted(lists) if isinstance(lists, Mapping) else type(lists).__name__
        raise InputError(path, expected=f"a list of claims for each of {WHOSE}", found=found)
    claims: dict[str, dict] = {}
    for whose in WHOSE:
        for entry in lists[whose] or ():
            claim = _completed(entry, claims, path)
            if claim["id"] in claims:
                raise InputError(path, expected="unique ids", found=claim["id"])
            claims[claim["id"]] = {**claim, "whose": whose}
    if not claims:
        raise InputError(path, expected="claims", found="none")
    return list(claims.values())


def _completed(entry: object, before: Mapping[str, Mapping], path: str | Path) -> dict:
    """Return a claim, checked and completed from the one that it is `like`."""
    own = dict(entry) if isinstance(entry, Mapping) else {}
    where = f"{path}, {own.get('id', str(entry)[:60])}"
    like = own.pop("like", None)
    if like is not None and like not in before:
        raise InputError(where, expected="the id of a preceding claim as `like`", found=like)
    base = {k: v for k, v in before.get(like, {}).items() if k != "whose"}
    claim = {**base, **own}
    if like and "each" in base:
        claim["each"] = {**base["each"], **own.get("each", {})}
    needed = REQUIRED | ({"untestable"} if "untestable" in claim else TESTED)
    allowed = needed | (OPTIONAL if "untestable" not in claim else {"each"})
    if needed - set(claim) or set(claim) - allowed or claim.get("test", "above") not in TESTS:
        raise InputError(
            where,
            expected=f"{sorted(REQUIRED | TESTED)} (or `untestable` and why), a test of "
            f"{sorted(TESTS)}, and optionally {sorted(OPTIONAL)}",
            found=sorted(own),
        )
    return claim


def expand(claim: Mapping) -> list[dict]:
    """Return the claims that a claim with `each` stands for, with values substituted for names.

    The id of each includes the values of names that have several.
    """
    each = claim.get("each", {})
    plain = {key: value for key, value in claim.items() if key != "each"}
    expanded = []
    for values in itertools.product(*each.values()):
        substitutions = dict(zip(each, values, strict=True))
        suffix = ", ".join(
            f"{key}={substitutions[key]}" for key, choice in each.items() if len(choice) > 1
        )
        single = filled(plain, substitutions)
        expanded.append({**single, "id": f"{claim['id']}[{suffix}]" if suffix else claim["id"]})
    return expanded


def sides(claim: Mapping) -> list[dict]:
    """Return the keys of all scores that an expanded claim compares: `a`, `b` and `others`."""
    a = claim["a"]
    b = [{**a, **claim["b"]}] if "b" in claim else []
    others = claim.get("others", {"key": "", "values": ()})
    return [a, *b, *({**a, others["key"]: value} for value in others["values"])]


def filled(value: object, named: Mapping) -> object:
    """Return a value with `{name}` substituted; the string `{name}` alone becomes the value."""
    if isinstance(value, Mapping):
        return {key: filled(inner, named) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, named) for inner in value]
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\{(\w+)\}", value)
    if match and match[1] in named:
        return named[match[1]]
    return re.sub(r"\{(\w+)\}", lambda m: str(named.get(m[1], m[0])), value)


class MissingScoreError(Exception):
    """The run lacks a score that a claim is about."""


def chosen(scores: Sequence[Mapping], keys: Mapping) -> dict[int | None, float]:
    """Return the scores with the given keys, by seed; a key of None must be absent from the row.

    Raises:
        MissingScoreError: there is none; the error names the first key without a match.
        InputError: several rows of one seed match.
    """
    rows = list(scores)
    for key, value in keys.items():
        matching = [row for row in rows if _equal(row.get(key), value)]
        if not matching:
            known = sorted({str(row[key]) for row in rows if key in row})
            known = f"it has {', '.join(known[:8])}" if known else "it has none at all"
            raise MissingScoreError(f"no {key} {value} in this run ({known})")
        rows = matching
    by_seed: dict[int | None, float] = {}
    for row in rows:
        if row["seed"] in by_seed:
            what = f"several for seed {row['seed']}"
            raise InputError("claims", expected=f"one score per seed for {dict(keys)}", found=what)
        by_seed[row["seed"]] = float(row["value"])
    return by_seed


def _equal(value: object, wanted: object) -> bool:
    numbers = isinstance(value, float | int) and isinstance(wanted, float | int)
    return bool(np.isclose(value, wanted)) if numbers else value == wanted


def paired(a: Mapping, b: Mapping | None, combine: str = "difference") -> list[float]:
    """Return a - b for the seeds that both have; a score without seeds is paired with every seed.

    If `combine` is `relative`, return (a - b) / b.

    Raises:
        MissingScoreError: a and b have no seed in common.
    """
    if b is None:
        return [a[seed] for seed in sorted(a, key=str)]
    constant = {"a": a.get(None), "b": b.get(None)}
    seeds = set(a) & set(b)
    if constant["b"] is not None:
        seeds |= set(a)
    if constant["a"] is not None:
        seeds |= set(b)
    seeds -= {None} if len(seeds) > 1 else set()
    if not seeds:
        raise MissingScoreError("the two sides share no seed")
    order = sorted(seeds, key=str)
    pairs = [(a.get(s, constant["a"]), b.get(s, constant["b"])) for s in order]
    return [x / y - 1 if combine == "relative" else x - y for x, y in pairs]


def evaluate(claim: Mapping, scores: Sequence[Mapping], paper: float | None) -> Tested:
    """Test one claim.

    Args:
        claim: a claim from `expand`.
        scores: rows of `ima.reporting.claims.scores`.
        paper: the paper's value, if the claim has one.

    Raises:
        MissingScoreError: the run lacks a score that the claim is about.
    """
    kind, (a, *rest) = claim["test"], sides(claim)
    if kind in ("as_many", "linear", "exponential"):
        return _growth(scores, a, claim["than"], kind)
    first = chosen(scores, a)
    if kind == "best":
        key = claim["others"]["key"]
        rivals = {str(keys[key]): paired(first, chosen(scores, keys)) for keys in rest}
        return tests.best(rivals)
    b = chosen(scores, rest[0]) if rest else None
    x = paired(first, b, claim.get("combine", "difference"))
    than = paper if claim.get("than") == "paper" else float(claim.get("than", 0))
    within = float(claim["within"]) if kind == "about" else 0.0
    if set(first) | set(b or ()) == {None}:  # neither side depends on the seed
        far = x[0] - than
        holds = {"above": far > 0, "below": far < 0, "about": abs(far) <= within}[kind]
        return tests.counted(holds, x[0], f"{x[0]:.4g}, not an estimate")
    if kind == "about":
        return tests.about(x, than, within)
    return getattr(tests, kind)(x, than)


def _growth(scores: Sequence[Mapping], keys: Mapping, over: str, kind: str) -> Tested:
    """Test how a count grows with a key: equally, linearly, or at least doubling at each step."""
    rows = [row for row in scores if all(_equal(row.get(k), v) for k, v in keys.items())]
    by_step = {row[over]: row["value"] for row in rows}
    if len(by_step) < 3:
        raise MissingScoreError(f"{len(by_step)} numbers of {over} in this run, three are needed")
    over_values = sorted(by_step)
    counts = [by_step[step] for step in over_values]
    growth = np.diff(counts)
    holds = {
        "as_many": counts == over_values,
        "linear": (growth == growth[0]).all(),
        "exponential": (growth[1:] >= 2 * growth[:-1]).all(),
    }[kind]
    why = f"{over} {over_values[0]} to {over_values[-1]}: {', '.join(f'{c:g}' for c in counts)}"
    return tests.counted(bool(holds and growth[0] > 0), growth[0], why)


def paper_value(claim: Mapping, paper: Iterable[Mapping]) -> float | None:
    """Return the paper's value of a claim as a fraction, not in percent; None if it has none.

    Raises:
        InputError: config/paper_values.csv does not have exactly one row with the claim's keys.
    """
    if "paper" not in claim:
        return None
    keys = claim["paper"]
    rows = [row for row in paper if all(_equal(row[k], v) for k, v in keys.items())]
    if len(rows) != 1:
        raise InputError(f"claim {claim['id']}", expected=f"one value of {keys}", found=len(rows))
    unit = rows[0]["unit"] or ""
    return float(rows[0]["value"]) / (100 if unit.startswith("%") else 1)
