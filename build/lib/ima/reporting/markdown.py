"""Markdown tables for the cards and the documentation."""

import re
from collections.abc import Iterable, Mapping, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence] = ()) -> str:
    """Return a Markdown table, given its headings and rows."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join(lines + [f"| {' | '.join(map(str, row))} |" for row in rows])


def mean_sd(row: Mapping, name: str) -> str:
    """Return a column's mean and standard deviation, as `.812 ± .004`; `–` without a mean."""
    value, sd = row[name], row[f"{name}_sd"]
    if value is None:
        return "–"
    return _short(value) + (f" ± {_short(sd)}" if sd is not None else "")


def _short(value: float) -> str:
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}")
