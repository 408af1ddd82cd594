"""Segment the digit strings of a TIDIGITS tree, and optionally score them against ground truth."""

import argparse
import logging
import re
import sys
from pathlib import Path

import pyarrow as pa

from ima.alignment import align, read_ctm, read_truth, score
from ima.datasets import tidigits
from ima.utils.errors import InputError
from ima.utils.io import write_parquet
from ima.utils.schemas import SEGMENTS


def parser() -> argparse.ArgumentParser:
    """Return the argument parser of the command."""
    made = argparse.ArgumentParser(prog="python -m ima.alignment", description=__doc__)
    made.add_argument("--root", required=True, type=Path, help="root of the TIDIGITS tree")
    made.add_argument("--out", required=True, type=Path, help="Parquet file of segments to write")
    truth = made.add_mutually_exclusive_group()
    truth.add_argument("--ctm", type=Path, help="public alignment: file channel start dur word")
    truth.add_argument("--truth", type=Path, help="CSV: file, digit_index, digit, start_s, end_s")
    made.add_argument(
        "--kind",
        action="append",
        default=[],
        metavar="NAME=REGEX",
        help="score speakers whose code matches separately (repeatable; default: by group)",
    )
    made.add_argument("--processes", type=int, default=1)
    return made


def kinds_of(recordings: pa.Table, patterns: list[str]) -> dict[str, str]:
    """Map recording ids to kinds: the name of the first pattern that matches the speaker's code.

    Args:
        recordings: RECORDINGS.
        patterns: patterns NAME=REGEX; if empty, the kind is the group (man, woman, boy, girl).

    Raises:
        InputError: a pattern is not of the form NAME=REGEX.
    """
    if not patterns:
        return dict(zip(recordings["id"].to_pylist(), recordings["group"].to_pylist(), strict=True))
    named = []
    for pattern in patterns:
        name, separator, regex = pattern.partition("=")
        try:
            named.append((name, re.compile(regex)))
        except re.error as error:
            raise InputError(
                "--kind", expected="NAME=REGEX", found=f"{pattern} ({error})"
            ) from None
        if not separator or not name:
            raise InputError("--kind", expected="NAME=REGEX", found=pattern)
    return {
        row["id"]: next((name for name, regex in named if regex.match(row["speaker"])), "other")
        for row in recordings.to_pylist()
    }


def show(scores: pa.Table) -> str:
    """Return a table of `score` as aligned text."""
    lines = [f"{'kind':12s} boundaries  mean ms  median ms  within 50 ms  bias ms  missing"]
    for row in scores.to_pylist():
        lines.append(
            f"{row['kind']:12s} {row['boundaries']:10d} {row['mean_ms']:8.1f} "
            f"{row['median_ms']:10.1f} {row['within_50_pct']:11.1f} % {row['bias_ms']:8.1f} "
            f"{row['missing']:8d}"
        )
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit status."""
    logging.basicConfig(format="%(levelname)s: %(message)s")
    given = parser().parse_args(arguments)
    try:
        recordings, skipped = tidigits.index(given.root)
        kinds = kinds_of(recordings, given.kind)
        truth = None
        if given.ctm or given.truth:
            reader, path = (read_ctm, given.ctm) if given.ctm else (read_truth, given.truth)
            truth = reader(path, recordings)
        segments = align(recordings, given.root, processes=given.processes)
        write_parquet(segments, given.out, SEGMENTS)
        doubtful = sum(1 for reason in segments["doubtful"].to_pylist() if reason)
        print(
            f"{len(recordings)} recordings, {len(segments)} digits, {doubtful} of them doubtful; "
            f"{len(skipped)} files skipped. Written to {given.out}"
        )
        if truth is not None:
            print(show(score(segments, truth, kinds)))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
