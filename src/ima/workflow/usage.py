"""CPU time and memory of a job, as the last line of its log.

Snakemake's `benchmark:` files have samples, after some seconds one every 30 s: they miss the CPU
time after the last one, and peaks of memory between two.

This module imports nothing but the standard library, because every job uses it.
"""

import os
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

_LINE = re.compile(r"used ([\d.]+) CPU s and ([\d.]+) MB")
#: Bytes of a unit of `ru_maxrss`.
_UNIT = 1 if sys.platform == "darwin" else 1024


def line() -> str:
    """Return the line with what this process and its children have used so far.

    Memory is the peak of this process plus those of its children that run, at whatever times they
    were. Only Linux tells what children use that run.
    """
    own, ended = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = own.ru_utime + own.ru_stime + ended.ru_utime + ended.ru_stime
    running = list(_running(os.getpid()))
    seconds += sum(took for took, _ in running)
    # On Linux, `ru_maxrss` includes the memory of the process that started this one.
    memory = _peak(os.getpid()) or own.ru_maxrss * _UNIT
    memory += sum(peak for _, peak in running)
    return f"used {seconds:.2f} CPU s and {memory / 1e6:.0f} MB\n"


def _text(file: str) -> str:
    return Path("/proc", file).read_text("utf-8", "replace")


def _peak(process: int) -> int:
    """Return the peak of a process' memory (bytes); 0 if it is not known."""
    try:
        peak = re.search(r"VmHWM:\s*(\d+)", _text(f"{process}/status"))
    except OSError:  # no Linux, or it has ended
        return 0
    return int(peak[1]) * 1024 if peak else 0


def _running(process: int) -> Iterator[tuple[float, int]]:
    """Yield the CPU seconds and the peak of memory (bytes) of each child that runs."""
    try:
        threads = [*Path(f"/proc/{process}/task").iterdir()]  # any of them may have started some
        children = " ".join(_text(f"{thread}/children") for thread in threads).split()
    except OSError:  # no Linux, or it has ended
        return
    for child in map(int, children):
        try:
            # The name of the program, which may contain anything, is in parentheses.
            times = _text(f"{child}/stat").rpartition(")")[2].split()[11:15]
        except OSError:
            continue
        yield sum(map(int, times)) / os.sysconf("SC_CLK_TCK"), _peak(child)
        yield from _running(child)


def read(log: Path) -> tuple[float, float] | None:
    """Return the CPU seconds and the memory (MB) in the last line of a log, or None."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 100))
            last = file.read().decode("utf-8", "replace").rstrip().rpartition("\n")[2]
    except OSError:
        return None
    found = _LINE.fullmatch(last)
    return (float(found[1]), float(found[2])) if found else None
