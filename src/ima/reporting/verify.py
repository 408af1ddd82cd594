"""Compare the results of a run with those of another run or a reference pack."""

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from scipy.stats import t

from ima.reporting.pack import Results, Rows
from ima.utils.errors import InputError

#: Probability that an independent run with other seeds has a given number outside by chance.
LEVEL = 0.001
#: Largest difference by rounding alone: both tables have six decimals.
ROUNDING = 1e-6
#: Relative difference allowed to all decimals: another kind of processor can flip the order of
#: near-equal distances.
RELATIVE = 2e-3
#: Columns that are never compared: names, times, and sentences made of other columns.
IGNORED = {"run", "why", "test", "table", "figure", "seeds", "microseconds", "cpu_seconds"}
#: Tables that are never compared: times and memory.
IGNORED_TABLES = {"resources"}
#: Columns of a single seed: they vary with the seeds, and have no spread.
OF_ONE_SEED = re.compile(r"_seed\d+$")
#: Columns whose changes are reported but are no difference: verdicts follow from the numbers.
FOLLOWING = {"verdict"}
#: Largest number of sets of columns by which rows without partner are matched; tables of a run have
#: one or two.
MOST_SETS = 10
#: Longest name of a key of a config, in characters.
LONGEST = 300

Key = tuple[str, ...]
Groups = Mapping[Key, Rows]


@dataclass(frozen=True)
class Difference:
    """What differs: a value, or a row or table that is missing.

    Attributes:
        table: name of the table.
        row: key columns of the row, as `model=IMA+, k=10`; empty for a whole table.
        column: the column; empty for a whole row.
        ours: value of the run.
        reference: value of the reference.
        tolerance: largest difference allowed; None if values must be equal.
    """

    table: str
    row: str
    column: str
    ours: str
    reference: str
    tolerance: float | None = None

    @property
    def excess(self) -> float:
        """Difference in units of the tolerance; infinite without a tolerance."""
        ours, reference = number(self.ours), number(self.reference)
        if not self.tolerance or ours is None or reference is None:
            return math.inf
        return abs(ours - reference) / self.tolerance


@dataclass
class Comparison:
    """Result of comparing a table.

    Attributes:
        table: name of the table.
        agree: number of values that agree.
        tested: number of values, of all compared, that have a spread over seeds.
        differences: what differs.
        skipped: number of values that vary with the seeds but have no spread, by column.
        changed: rows with another verdict.
    """

    table: str
    agree: int = 0
    tested: int = 0
    differences: list[Difference] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)


def compare(
    run: Results, reference: Results, level: float = LEVEL, tables: Collection[str] = ()
) -> list[Comparison]:
    """Compare the tables of a run with those of a reference.

    A mean over n seeds agrees with one over m seeds if their difference is at most
    t s sqrt(1/n + 1/m) plus ROUNDING: s is the standard deviation over seeds, pooled over both,
    and t the two-sided quantile at `level` of Student's distribution. Decimals may differ by
    RELATIVE in any case; other values without seeds must be equal.

    Args:
        run: the run.
        reference: the reference.
        level: in (0, 1); a smaller level allows larger differences.
        tables: names of the tables to compare; all of the reference if empty.

    Returns:
        One comparison per table of the reference.

    Raises:
        InputError: the level is not in (0, 1), or the reference lacks one of `tables`.
    """
    if not 0 < level < 1:
        raise InputError("level", expected="a number between 0 and 1", found=level)
    unknown = set(tables) - set(reference.tables)
    if unknown:
        known = f"tables of {reference.source}, {sorted(reference.tables)}"
        raise InputError("tables", expected=known, found=sorted(unknown))
    names = [name for name in reference.tables if name not in IGNORED_TABLES]
    return [
        _compare_table(name, run.tables.get(name), reference.tables[name], level)
        for name in names
        if not tables or name in tables
    ]


def _compare_table(name: str, ours: Rows | None, reference: Rows, level: float) -> Comparison:
    result = Comparison(name)
    if ours is None:
        result.differences.append(Difference(name, "", "", "no table", "a table"))
        return result
    keys = _key_columns(name, ours, reference)
    for row, mine, same in _matched(ours, reference, keys):
        label = ", ".join(f"{k}={row[k]}" for k in same)
        if mine is None:
            result.differences.append(Difference(name, label, "", "no row", "a row"))
            continue
        for column in (c for c in row if c not in IGNORED and c not in same):
            if not (column.endswith("_sd") and column.removesuffix("_sd") in row):
                _compare_value(result, label, column, mine, row, level)
    return result


def _matched(
    ours: Rows, reference: Rows, keys: list[str]
) -> Iterator[tuple[Mapping[str, str], Mapping[str, str] | None, list[str]]]:
    """Yield each row of the reference, the run's row or None, and the columns that match them.

    A row without partner may have a measured number among its keys: it then matches the only other
    row without partner that has the same keys but for decimals.
    """
    grouped: dict[Key, tuple[Groups, Groups]] = {}
    by_key = {_key(row, keys): row for row in ours}
    alone = [row for row in reference if _key(row, keys) not in by_key]
    partners = {_key(row, keys) for row in reference}
    ours_alone = [row for row in ours if _key(row, keys) not in partners]
    for row in reference:
        mine = by_key.get(_key(row, keys))
        same = keys
        if mine is None:
            exact = tuple(c for c in keys if "." not in row[c])
            if exact not in grouped and len(grouped) < MOST_SETS:
                grouped[exact] = _groups(alone, exact), _groups(ours_alone, exact)
            of_key = _key(row, exact)
            rivals, found = (of.get(of_key, []) for of in grouped.get(exact, ({}, {})))
            if len(rivals) == len(found) == 1:
                mine, same = found[0], list(exact)
        yield row, mine, same


def _groups(rows: Rows, columns: Key) -> Groups:
    """Return the rows by their keys, so that each row is read once for all that it may match."""
    groups = defaultdict(list)
    for row in rows:
        groups[_key(row, columns)].append(row)
    return groups


def _key_columns(name: str, ours: Rows, reference: Rows) -> list[str]:
    """Return the fewest leading columns, after the run's name, that identify the rows of both.

    Raises:
        InputError: two rows are equal, or the tables do not start with the same columns.
    """
    columns = [c for c in reference[0] if c != "run"]
    common = list(itertools.takewhile(lambda c: c in ours[0], columns))
    for count in range(1, len(common) + 1):
        keys = common[:count]
        if all(len({_key(row, keys) for row in rows}) == len(rows) for rows in (ours, reference)):
            return keys
    expected = f"leading columns that identify the rows, as in {columns}"
    raise InputError(f"table {name}", expected=expected, found=list(ours[0]))


def _key(row: Mapping[str, str], columns: Collection[str]) -> Key:
    """Return the values of columns, in which equal numbers are equal texts.

    Python hashes texts with a secret: no file can have numbers on purpose that all collide.
    """
    values = ((row[c], number(row[c])) for c in columns)
    return tuple(text if value is None else repr(value + 0.0) for text, value in values)


def _compare_value(
    result: Comparison,
    label: str,
    column: str,
    mine: Mapping[str, str],
    row: Mapping[str, str],
    level: float,
) -> None:
    """Compare a value of two rows, and add the outcome to the result."""
    ours, reference = mine.get(column, "no column"), row[column]
    x, y = number(ours), number(reference)
    tolerance: float | None = None
    if OF_ONE_SEED.search(column):
        result.skipped[column] = result.skipped.get(column, 0) + 1
        return
    if column in FOLLOWING:
        result.changed += [label] if ours != reference else []
        return
    if x is not None and y is not None:
        tolerance = _tolerance(mine, row, column, level)
        if tolerance is None:
            result.skipped[column] = result.skipped.get(column, 0) + 1
            return
        result.tested += _spread(mine, row, column) is not None
        equal = abs(x - y) <= tolerance
    else:
        equal = ours == reference
    if equal:
        result.agree += 1
    else:
        result.differences.append(
            Difference(result.table, label, column, ours, reference, tolerance)
        )


def _tolerance(
    mine: Mapping[str, str], row: Mapping[str, str], column: str, level: float
) -> float | None:
    """Return the largest difference allowed to a number; None if it varies without a spread."""
    decimal = "." in mine[column] + row[column]
    relative = RELATIVE * abs(number(row[column]) or 0) if decimal else 0.0
    spread = _spread(mine, row, column)
    if spread is not None:
        error, df = spread
        return max(float(t.ppf(1 - level / 2, df)) * error + ROUNDING, relative)
    if "seeds" in row and not (f"{column}_sd" in row and max(_seeds(mine), _seeds(row)) <= 1):
        return None
    return max(ROUNDING, relative) if decimal else 0.0


def _spread(
    mine: Mapping[str, str], row: Mapping[str, str], column: str
) -> tuple[float, float] | None:
    """Return the standard error of a difference of means and its degrees of freedom, or None."""
    spreads = [(_seeds(of), number(of.get(f"{column}_sd", ""))) for of in (mine, row)]
    known = [(n - 1, sd) for n, sd in spreads if n > 1 and sd is not None]
    if not known:
        return None
    df = sum(d for d, _ in known)
    # Squares of spreads above 1e154 would overflow.
    pooled = math.hypot(*(math.sqrt(d) * sd for d, sd in known)) / math.sqrt(df)
    error = pooled * math.sqrt(sum(1 / max(n, 1) for n, _ in spreads))
    return (error, df) if math.isfinite(error) else None


def _seeds(row: Mapping[str, str]) -> float:
    return number(row.get("seeds", "")) or 0


def number(text: str) -> float | None:
    """Return the finite number that a text is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def other_ids(run: Results, reference: Results) -> list[str]:
    """Return the files of the reference whose split or pair ids the run lacks or has otherwise."""
    return [name for name, digest in reference.ids.items() if run.ids.get(name) != digest]


def notes(run: Results, reference: Results) -> list[str]:
    """Return one line for each key of the config, corpus or package that differs."""
    lines = []
    for part, title in (("config", "config"), ("corpora", "corpus"), ("packages", "package")):
        ours, theirs = (dict(_flat(of.facts.get(part) or {})) for of in (run, reference))
        lines += [
            f"{title} {key}: {ours.get(key, 'none')}, reference {theirs.get(key, 'none')}"
            for key in sorted({*ours, *theirs})
            if ours.get(key) != theirs.get(key) and not key.endswith((".bytes", ".files"))
        ]
    ours, theirs = ((of.facts.get("code") or {}).get("revision") for of in (run, reference))
    if ours != theirs:
        lines.append(f"code: revision {ours}, reference {theirs}")
    same = sum(run.checkpoints.get(n) == d for n, d in reference.checkpoints.items())
    if reference.checkpoints:
        lines.append(f"checkpoints with the same bytes: {same} of {len(reference.checkpoints)}")
    return lines


def _flat(config: object) -> Iterator[tuple[str, str]]:
    """Yield every value of a nested config with its key, as in `pairs.train`.

    A config of a stranger may be nested deeper than Python's stack, or repeat a key of megabytes.
    """
    nested = [("", config)]
    while nested:
        path, value = nested.pop()
        if isinstance(value, Mapping):
            of = reversed(value.items())  # the last one is taken first
            nested += [(f"{path}.{key}"[:LONGEST] if path else key[:LONGEST], v) for key, v in of]
        else:
            yield path, str(value)
