"""Select recordings that illustrate the segmentation, by fixed rules rather than by eye."""

import math
import re
from collections.abc import Iterable

import pyarrow as pa

#: Minimum number of digits of a typical string, if the group has such strings.
MIN_DIGITS = 3

#: Kinds of doubt, by the beginning of the reason.
KINDS = {"lasts": "duration", "sounds more like": "sounds like another digit"}


def choose(recordings: pa.Table, segments: pa.Table) -> list[tuple[str, str]]:
    """Select recordings for inspection: one per group, the longest strings and the most doubtful.

    For each corpus and group (or speaker, if the group is unknown): the middle one, in order of
    id, of the strings without doubtful digits. For each corpus: the string with the most digits
    and, among those, the longest duration. For each kind of doubt: the recording with the least
    likely digit. No recording is selected twice.

    Args:
        recordings: RECORDINGS.
        segments: their SEGMENTS.

    Returns:
        (id, reason) of each recording, in the order above.
    """
    cuts: dict[str, list[dict]] = {}
    for row in segments.to_pylist():
        cuts.setdefault(row["recording"], []).append(row)
    rows = sorted((r for r in recordings.to_pylist() if r["id"] in cuts), key=lambda r: r["id"])
    for row in rows:
        row["who"] = row["speaker"] if row["group"] == "unknown" else row["group"]
    chosen: dict[str, str] = {}
    for (corpus, who), members in _by(rows, "corpus", "who").items():
        sure = [r for r in members if not any(cut["doubtful"] for cut in cuts[r["id"]])] or members
        typical = [r for r in sure if len(r["digits"]) >= MIN_DIGITS] or sure
        chosen.setdefault(typical[len(typical) // 2]["id"], f"{corpus}, {who}")
    for (corpus,), members in _by(rows, "corpus").items():
        if max(len(r["digits"]) for r in members) > 1:
            longest = max(members, key=lambda r: (len(r["digits"]), cuts[r["id"]][-1]["end_s"]))
            chosen.setdefault(longest["id"], f"{corpus}, longest")
    for kind, ids in _doubts(cuts).items():
        if others := ids - chosen.keys():
            worst = min(others, key=lambda id_: (_worst(cuts[id_]), id_))
            chosen[worst] = f"doubtful: {kind}"
    return list(chosen.items())


def _by(rows: Iterable[dict], *names: str) -> dict[tuple[str, ...], list[dict]]:
    groups: dict[tuple[str, ...], list[dict]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in names), []).append(row)
    return dict(sorted(groups.items()))


def _doubts(cuts: dict[str, list[dict]]) -> dict[str, set[str]]:
    """Return the ids by kind of doubt, which is the reason without what differs."""
    kinds: dict[str, set[str]] = {}
    for id_, digits in cuts.items():
        for reason in filter(None, (cut["doubtful"] for cut in digits)):
            for part in reason.split("; "):
                kind = re.split(r"[\d':(]", part)[0].strip()
                kinds.setdefault(KINDS.get(kind, kind), set()).add(id_)
    return dict(sorted(kinds.items()))


def _worst(digits: list[dict]) -> float:
    """Return the minimum log-likelihood of a recording's digits; NaN counts as minus infinity."""
    return min(-math.inf if math.isnan(cut["loglik"]) else cut["loglik"] for cut in digits)
