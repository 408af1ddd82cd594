"""The commands `ima pack` and `ima verify`: a run's results as a reference, and against one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ima.command.counts import counted
from ima.reporting.pack import read_results, write_pack
from ima.reporting.verify import Comparison, Difference, compare, notes, other_ids
from ima.utils.errors import InputError, printable
from ima.utils.io import write_csv

#: Differences and notes that are printed at most; `--out` has all differences.
SHOWN = 20


def _one_line(text: object) -> str:
    """Return a text as one line: a stranger's name with line breaks could look like our lines."""
    return printable(str(text)).replace("\n", "?")


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    except InputError as error:
        where, expected, found = map(_one_line, (error.where, error.expected, error.found))
        raise InputError(where, expected=expected, found=found, do=error.do) from error


@_errors_in_one_line()
def pack(folder: Path, path: Path, tables_only: bool, force: bool) -> list[str]:
    """Write the reference pack of a run and return the lines to print.

    Args:
        folder: the results.
        path: the zip file.
        tables_only: as in `ima.reporting.pack.write_pack`.
        force: whether to overwrite the file.

    Raises:
        InputError: the file exists, or as `write_pack`.
    """
    if path.exists() and not force:
        do = "Use --force to overwrite it."
        raise InputError(path, expected="a path without a file", found="an existing file", do=do)
    results = write_pack(folder, path, tables_only)
    parts = [counted(len(results.tables), "table")]
    if not tables_only:
        parts.append(f"ids of {counted(len(results.ids), 'file')}")
        parts.append(counted(len(results.checkpoints), "checkpoint"))
    lines = [f"{path}: {path.stat().st_size:,} bytes; {', '.join(parts)}"]
    if results.other_config:
        lines.append(f"  made with another config: {', '.join(results.other_config)}")
    return [_one_line(line) for line in lines]


@_errors_in_one_line()
def verify(
    folder: Path, reference: Path, level: float, tables: Sequence[str], out: Path | None
) -> tuple[list[str], int]:
    """Compare a run with a reference; return the lines to print and the exit status.

    Args:
        folder: results of the run, or a pack.
        reference: the reference pack, or results of another run.
        level, tables: as in `ima.reporting.verify.compare`.
        out: CSV file for all differences; None writes none.

    Returns:
        The lines, and 0 if nothing differs, else 1.

    Raises:
        InputError: as `read_results` or `compare`.
    """
    ours, theirs = read_results(folder), read_results(reference)
    compared = compare(ours, theirs, level, tables)
    differences = [d for of in compared for d in of.differences]
    ids = other_ids(ours, theirs)
    lines = _summary(compared)
    lines += [f"other ids of splits or pairs: {name}" for name in ids]
    worst = sorted(differences, key=lambda d: -d.excess)
    lines += _listed("differences, largest first", [_line(d) for d in worst])
    verdicts = [f"{of.table} {row}" for of in compared for row in of.changed]
    lines += _listed("other verdicts, which follow from the numbers", verdicts)
    lines += _listed("what may explain them", notes(ours, theirs))
    values = sum(of.agree + len(of.differences) for of in compared)
    tested = sum(of.tested for of in compared)
    status = int(bool(differences or ids))
    verb = "differs from" if status else "agrees with"
    chance = level * tested
    lines.append(
        f"{ours.run} {verb} {reference}: {len(differences)} of {values:,} values differ. "
        f"{tested:,} have a spread over seeds; with other seeds, about {chance:.1f} of these would "
        "differ by chance."
    )
    if out is not None:
        write_csv(_table(worst), out)
    return [_one_line(line) for line in lines], status


def _summary(compared: Sequence[Comparison]) -> list[str]:
    """Return a table with a row per table."""
    heads = ("table", "agree", "differ", "no spread")
    rows = [(of.table, of.agree, len(of.differences), sum(of.skipped.values())) for of in compared]
    width = max(len(heads[0]), *(len(of.table) for of in compared), 0)
    return [f"{name:<{width}}  " + "  ".join(f"{v:>9}" for v in of) for name, *of in (heads, *rows)]


def _listed(title: str, lines: Sequence[str]) -> list[str]:
    """Return a title and the first lines; nothing if there are none."""
    more = [f"  and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
    return [f"{title}:", *(f"  {line}" for line in lines[:SHOWN]), *more] if lines else []


def _line(difference: Difference) -> str:
    where = f"{difference.table} ({difference.row}) {difference.column}".replace(" ()", "").strip()
    within = "" if difference.tolerance is None else f" ± {difference.tolerance:.6g}"
    return f"{where}: {difference.ours}, reference {difference.reference}{within}"


def _table(differences: Sequence[Difference]) -> pa.Table:
    names = ("table", "row", "column", "ours", "reference", "tolerance")
    columns = {name: [getattr(d, name) for d in differences] for name in names}
    types = [pa.float64() if name == "tolerance" else pa.string() for name in names]
    return pa.table(columns, schema=pa.schema(list(zip(names, types, strict=True))))
