"""The claims audit: what the paper says, tested on a run's scores (config/claims.yaml).

A claim is a sentence in our own words, scores it is about, and a test. One with `each` is many,
one for every choice of its values, which are put where `{name}` stands. The tests of one sentence
share its chance of a false verdict (`ima.verdicts.holm`).
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml

from ima import verdicts
from ima.errors import InputError
from ima.verdicts import Tested

#: What a claim must and may have.
REQUIRED = {"id", "section", "sentence", "test", "a", "table"}
OPTIONAL = {"each", "b", "combine", "others", "than", "within", "paper", "only", "whose", "figure"}
TESTS = {
    "above": "mean over seeds above {than}, two-sided {paired}t test",
    "below": "mean over seeds below {than}, two-sided {paired}t test",
    "about": "mean over seeds within {within} of {than}, two one-sided {paired}t tests",
    "best": "above each of {others}, greatest p of the two-sided paired t tests",
    "between": "counted, {than}",
    "as_many": "counted, as many as {than}",
    "linear": "counted, the same growth with every one of {than}",
}


def read_claims(path: str | Path) -> list[dict]:
    """Read the claims, and check that each says what is needed and nothing else.

    Raises:
        InputError: no such file, no YAML, or a claim that cannot be evaluated.
    """
    try:
        claims = yaml.safe_load(Path(path).read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(path, expected="a list of claims in YAML", found=error) from error
    if not isinstance(claims, list) or not claims:
        raise InputError(path, expected="a list of claims", found=type(claims).__name__)
    for claim in claims:
        keys = set(claim) if isinstance(claim, Mapping) else set()
        if REQUIRED - keys or keys - REQUIRED - OPTIONAL or claim["test"] not in TESTS:
            raise InputError(
                f"{path}, {claim['id'] if 'id' in keys else str(claim)[:60]}",
                expected=f"{sorted(REQUIRED)}, a test of {sorted(TESTS)}, and if need be "
                f"{sorted(OPTIONAL)}",
                found=sorted(keys),
            )
    names = [claim["id"] for claim in claims]
    if len(set(names)) < len(names):
        raise InputError(path, expected="each id once", found=sorted(names))
    return claims


def expand(claim: Mapping) -> list[dict]:
    """Return the claims that one with `each` stands for, with values in place of their names."""
    each = claim.get("each", {})
    plain = {key: value for key, value in claim.items() if key != "each"}
    found = []
    for values in itertools.product(*each.values()):
        named = dict(zip(each, values, strict=True))
        told = ", ".join(f"{key}={value}" for key, value in named.items())
        one = filled(plain, named)
        found.append({**one, "id": f"{claim['id']}[{told}]" if told else claim["id"]})
    return found


def filled(value: object, named: Mapping) -> object:
    """Return a value with names in braces filled in; a string that is a name becomes its value."""
    if isinstance(value, Mapping):
        return {key: filled(inner, named) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, named) for inner in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\{(\w+)\}", value)
    if whole and whole[1] in named:
        return named[whole[1]]
    return re.sub(r"\{(\w+)\}", lambda m: str(named.get(m[1], m[0])), value)


class MissingScoreError(Exception):
    """A score that a claim is about is not in this run."""


def chosen(scores: Sequence[Mapping], keys: Mapping) -> dict[int | None, float]:
    """Return by seed the score that has these keys.

    Raises:
        MissingScoreError: there is none; told by the first key whose value the rows lack.
        InputError: several rows of one seed have them.
    """
    rows = list(scores)
    for key, value in keys.items():
        left = [row for row in rows if key in row and _same(row[key], value)]
        if not left:
            known = sorted({str(row[key]) for row in rows if key in row})
            known = f"it has {', '.join(known[:8])}" if known else "it has none at all"
            raise MissingScoreError(f"no {key} {value} in this run ({known})")
        rows = left
    found: dict[int | None, float] = {}
    for row in rows:
        if row["seed"] in found:
            what = f"several of seed {row['seed']}"
            raise InputError("claims", expected=f"one score a seed of {dict(keys)}", found=what)
        found[row["seed"]] = float(row["value"])
    return found


def _same(found: object, wanted: object) -> bool:
    numbers = isinstance(found, float | int) and isinstance(wanted, float | int)
    return bool(np.isclose(found, wanted)) if numbers else found == wanted


def paired(a: Mapping, b: Mapping | None, combine: str = "difference") -> list[float]:
    """Return a - b (or a / b) of the seeds that both have; what has no seed stands beside each.

    Raises:
        MissingScoreError: they share no seed.
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
    return [x / y if combine == "ratio" else x - y for x, y in pairs]


def evaluate(claim: Mapping, scores: Sequence[Mapping], paper: float | None) -> Tested:
    """Test one claim.

    Args:
        claim: of `expand`.
        scores: rows of `ima.claims_scores`.
        paper: the paper's value, if the claim has one.

    Raises:
        MissingScoreError: the run lacks what the claim is about.
    """
    kind, a = claim["test"], claim["a"]
    if kind in ("linear", "as_many"):
        return _growth(scores, a, claim["than"], kind)
    if kind == "best":
        first = chosen(scores, a)
        rivals = {str(v): {**a, claim["others"]["key"]: v} for v in claim["others"]["values"]}
        return verdicts.best({n: paired(first, chosen(scores, r)) for n, r in rivals.items()})
    b = chosen(scores, claim["b"]) if "b" in claim else None
    first = chosen(scores, a)
    x = paired(first, b, claim.get("combine", "difference"))
    if kind == "between":
        low, high = claim["than"]
        holds = low < x[0] <= high
        why = f"{x[0]:.4g}, {'' if holds else 'not '}in {low} to {high}"
        return verdicts.counted(holds, x[0], why)
    than = paper if claim.get("than") == "paper" else float(claim.get("than", 0))
    if kind == "about" and set(first) == {None}:  # nothing that seeds could change
        near = abs(x[0] - than) <= float(claim["within"])
        return verdicts.counted(near, x[0], f"{x[0]:.4g}, not an estimate")
    if kind == "about":
        return verdicts.about(x, than, float(claim["within"]))
    return getattr(verdicts, kind)(x, than)


def _growth(scores: Sequence[Mapping], keys: Mapping, over: str, kind: str) -> Tested:
    """Say how a count grows with a key: as the key does, or by the same at each step."""
    rows = [row for row in scores if all(_same(row.get(k), v) for k, v in keys.items())]
    found = {row[over]: row["value"] for row in rows}
    if len(found) < 3:
        raise MissingScoreError(f"{len(found)} numbers of {over} in this run, three are needed")
    over_values = sorted(found)
    counts = [found[step] for step in over_values]
    growth = np.diff(counts)
    holds = counts == over_values if kind == "as_many" else (growth == growth[0]).all()
    why = f"{over} {over_values[0]} to {over_values[-1]}: {', '.join(f'{c:g}' for c in counts)}"
    return verdicts.counted(bool(holds and growth[0] > 0), growth[0], why)


def paper_value(claim: Mapping, paper: Iterable[Mapping]) -> float | None:
    """Return the paper's value of a claim as a share, not in percent; None if it has none.

    Raises:
        InputError: config/paper_values.csv has not exactly one row of its keys.
    """
    if "paper" not in claim:
        return None
    keys = claim["paper"]
    rows = [row for row in paper if all(_same(row[k], v) for k, v in keys.items())]
    if len(rows) != 1:
        raise InputError(f"claim {claim['id']}", expected=f"one value of {keys}", found=len(rows))
    unit = rows[0]["unit"] or ""
    return float(rows[0]["value"]) / (100 if unit.startswith("%") else 1)
