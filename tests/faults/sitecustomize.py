"""Faults in the middle of jobs, for tests: Python loads this itself where it is in PYTHONPATH.

`IMA_FAULTS` names a folder with `plan.json`: by rule, what happens to the first of its jobs
(`kind`) and while which of its files is written (`file`, from 1). Each happens once, and leaves a
file named after the rule.
"""

import contextlib
import json
import os
import re
import resource
import signal
import sys
import time
from pathlib import Path


def rule_of_this_process() -> str | None:
    """Return the rule whose script this is; Snakemake runs a copy named tmp<...>.<script>.py."""
    for argument in sys.orig_argv[1:]:
        if found := re.search(r"/scripts/tmp[^/]*\.(\w+)\.py$", argument):
            return found[1]
    return None


def snakemake() -> int:
    """Return the process of the Snakemake that started this one."""
    process = os.getpid()
    while process > 1:
        status = Path(f"/proc/{process}/status").read_text()
        process = int(re.search(r"^PPid:\t(\d+)$", status, re.M)[1])
        # As `python -m snakemake`; not the shell between, which has the script's path.
        if Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")[2:3] == [b"snakemake"]:
            return process
    raise RuntimeError("no Snakemake above this process")


def fill_disk(folder: Path) -> Path:
    """Leave no space on the disk, and return the file that takes it."""
    filler = folder / ".filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    with filler.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"0")
    return filler


def no_memory() -> None:
    """Take away what the process doesn't have yet, and ask for more."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    raise RuntimeError(f"{len(bytearray(1 << 30))} bytes in spite of the limit")


def outlive(temporary: Path) -> None:
    """Kill Snakemake, then go on when another run of this job has begun, with something else."""
    from ima.utils import job_lock

    os.kill(snakemake(), signal.SIGKILL)
    temporary.write_bytes(b"stale")
    until = time.monotonic() + 60
    with contextlib.suppress(job_lock.SupersededError):
        while time.monotonic() < until:
            job_lock.check()
            time.sleep(0.02)


def strike(kind: str, temporary: Path) -> None:
    """Do what a fault of this kind does when a file has been written, but for its last name."""
    if kind == "job SIGTERM":
        os.kill(os.getpid(), signal.SIGTERM)
    elif kind == "job SIGKILL":
        os.kill(os.getpid(), signal.SIGKILL)
    elif kind == "memory":
        no_memory()
    elif kind == "Snakemake SIGTERM":
        os.kill(snakemake(), signal.SIGTERM)
    elif kind == "Snakemake SIGKILL":
        os.kill(snakemake(), signal.SIGKILL)
    elif kind == "Snakemake SIGKILL, orphan":
        outlive(temporary)
    elif kind != "disk":
        raise RuntimeError(f"no such fault: {kind}")


def arm(rule: str, folder: Path, kind: str, at: int) -> None:
    """Let the fault happen while this process writes its file number `at`."""
    from ima.utils import atomic_files

    whole_file, count = atomic_files.whole_file, 0

    @contextlib.contextmanager
    def with_fault(path):
        nonlocal count
        count += 1
        now, filler = count == at, None
        if now:
            (folder / rule).write_text(str(os.getpid()))
            if kind == "disk":
                filler = fill_disk(Path(path).parent)
        try:
            with whole_file(path) as temporary:
                yield temporary
                if now:
                    strike(kind, temporary)
        finally:
            if filler:
                filler.unlink()

    atomic_files.whole_file = with_fault


if (RULE := rule_of_this_process()) and "IMA_FAULTS" in os.environ:
    FOLDER = Path(os.environ["IMA_FAULTS"])
    FAULT = json.loads((FOLDER / "plan.json").read_text()).get(RULE)
    if FAULT and not (FOLDER / RULE).exists():
        arm(RULE, FOLDER, FAULT["kind"], FAULT["file"])
