"""Tables in Markdown, as cards and the docs have them."""

import re
from collections.abc import Iterable, Mapping, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence] = ()) -> list[str]:
    """Return the lines of a table: its head, and a line a row."""
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in rows]


def mean_sd(row: Mapping, name: str) -> str:
    """Return a column's mean and standard deviation, as `.812 ± .004`; `–` without a mean."""
    value, sd = row[name], row[f"{name}_sd"]
    if value is None:
        return "–"
    return _short(value) + (f" ± {_short(sd)}" if sd is not None else "")


def _short(value: float) -> str:
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}")
