"""Let one run at a time write to a folder of results.

Snakemake's own lock is a list of files: two runs that start together both find it free, the first
one to end removes the list of the other, and after a kill it stays. Here, each folder of results
(`results/<name>`) has a file in `.snakemake` that a run locks from its start until its process ends
(`fcntl.lockf`): runs that write exclude others, runs that only read exclude those that write.

A run is planned before it can lock. Results that another run replaces in between would not be those
that were planned, so `Locks` notes who holds or held each lock when it is made, and `take` refuses
if that has changed.

This module imports nothing but the standard library, because the workflow uses it when it builds
its jobs.
"""

import fcntl
import os
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import IO

from ima.utils.errors import InputError


class Locks:
    """Locks of folders of results, which the process holds until it ends.

    Args:
        folder: folder of the lock files.
        name: name of the run, shown to others.
    """

    def __init__(self, folder: str | Path, name: str):
        self.folder, self.name = Path(folder), name
        self._held: list[IO[str]] = []
        self._before = {file.name: _state(file) for file in self.folder.glob("*")}

    def take(self, reads: Iterable[str], writes: Iterable[str]) -> None:
        """Lock the folders of these files until the process ends.

        Raises:
            InputError: another run holds one of the locks, or did so since this run was planned.
        """
        written = folders_of(writes)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in sorted(folders_of(reads) | written):
            self._take(name, name in written)

    def _take(self, name: str, exclusive: bool) -> None:
        file = (self.folder / name).open("a+")
        self._held.append(file)
        try:
            fcntl.lockf(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            raise self._busy(name, "one that is running") from None
        free, last = self._before.get(name, (True, ""))
        file.seek(0)
        if not free or file.read() != last:
            raise self._busy(name, "one that has ended since this run was planned")
        if exclusive:
            file.truncate(0)
            file.write(f"run {self.name}, process {os.getpid()} on {os.uname().nodename}")
            file.flush()

    def _busy(self, name: str, found: str) -> InputError:
        holder = (self.folder / name).read_text("utf-8") or "unknown"
        return InputError(
            f"results/{name}",
            expected="no other run that writes here",
            found=f"{found} ({holder})",
            do="Start this run again when the other has ended, or use another checkout.",
        )


def folders_of(files: Iterable[str]) -> set[str]:
    """Return the folders of results that files belong to: `results/demo/x/y` to `demo`."""
    parts = (PurePath(file).parts for file in files)
    return {part[1] for part in parts if len(part) > 1 and part[0] == "results"}


def _state(file: Path) -> tuple[bool, str]:
    """Return whether no run writes to a folder now, and what its last writer wrote."""
    with file.open("r+") as opened:
        try:
            fcntl.lockf(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False, opened.read()
        return True, opened.read()
