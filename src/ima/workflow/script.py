"""Wrapper of every workflow script: a log file, a one-line summary, and one-line errors.

`job` is the object that Snakemake gives a script (`snakemake`): input, output, params, wildcards,
threads and log by name, and the rule's name.
"""

import contextlib
import importlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from ima.utils import atomic_files, job_lock
from ima.utils.errors import InputError
from ima.workflow import usage


class StoppedError(BaseException):
    """The process was asked to stop, by the batch system's time limit or by the user."""


def run(main: Callable, job) -> None:
    """Call `main(job)`, with its printed and logged output redirected to the rule's log file.

    The last line that it prints, its headline metric, is also shown on the terminal, preceded by
    the rule's name and wildcards. After it, the log has the time and memory used
    (`ima.workflow.usage`). Any error is shown there as one line that names the rule, the
    cause and the file at fault (or the input files), while the log has the traceback. The process
    then exits with status 1.

    An earlier run of the same job that is still alive can no longer write its output
    (`ima.utils.job_lock`). An output named `provenance` is written here, not by `main`
    (`ima.workflow.provenance`).
    """
    log = Path(job.log[0])
    try:
        with (
            job_lock.hold(log) as file,
            contextlib.redirect_stdout(_Printed(file)) as printed,
            contextlib.redirect_stderr(file),
            _stoppable(),
        ):
            logging.basicConfig(stream=file, level=logging.INFO, format="%(levelname)s %(message)s")
            logging.captureWarnings(True)
            _run(main, job)
            file.write(usage.line())
            if printed.last:
                # One write for the whole line, because parallel jobs share the terminal.
                sys.__stderr__.write(f"{_name(job)}: {printed.last}\n")
                sys.__stderr__.flush()
    except OSError as error:  # the log itself cannot be written
        sys.exit(f"error in rule {job.rule}: {log}: expected to write the log, found {error}")


class _Printed:
    """A text file that remembers the last line written to it."""

    def __init__(self, file: TextIO):
        self._file, self._open, self.last = file, "", ""

    def write(self, text: str) -> int:
        """Write text, and remember its last complete line that is not blank."""
        *complete, self._open = (self._open + text).split("\n")
        self.last = next((line for line in reversed(complete) if line.strip()), self.last)
        return self._file.write(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def _name(job) -> str:
    """Return the rule and its wildcards, such as `scores latent=2 seed=0`."""
    wildcards = getattr(job, "wildcards", None)
    named = wildcards.items() if wildcards else ()
    return " ".join([job.rule, *(f"{name}={value}" for name, value in named)])


def _run(main: Callable, job) -> None:
    try:
        atomic_files.sweep(getattr(job, "output", ()))
        with _tracked(job):
            main(job)
        if sidecars := getattr(getattr(job, "output", None), "provenance", None):
            # Imported dynamically: a normal import would make it a dependency of every rule.
            importlib.import_module("ima.workflow.provenance").write_sidecars(job, sidecars)
    except InputError as error:
        # A library's message about a bad file may have several lines.
        _end(job, " ".join(line.strip() for line in str(error).splitlines()))
    except (StoppedError, job_lock.SupersededError, MemoryError) as error:
        _end(job, str(error) or "out of memory: raise its mem_mb")
    except Exception as error:
        said = " ".join(f"{type(error).__name__}: {error}".split())
        _end(job, f"{said} (the traceback is in {job.log[0]})")


def _tracked(job) -> contextlib.AbstractContextManager:
    """Return a context whose training is tracked, if the environment variable says where."""
    if not (target := os.environ.get("IMA_TRACKER")):
        return contextlib.nullcontext()
    return importlib.import_module("ima.training.trackers").tracked(target, _name(job))


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """Make SIGTERM end the block like an error, so that no partial output is left behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, _: object) -> None:
        """Raise StoppedError with the signal's name."""
        raise StoppedError(f"stopped by {signal.Signals(number).name}")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _end(job, message: str) -> None:
    """Exit with a message, adding the input files if it names none of them."""
    inputs = list(map(str, getattr(job, "input", ())))
    if inputs and not any(Path(file).name in message for file in inputs):
        more = f" and {len(inputs) - 9} more" if len(inputs) > 9 else ""
        message += f" Its input: {', '.join(inputs[:9])}{more}."
    # The message comes first, as there may be no space left for the log.
    print(f"error in rule {job.rule}: {message}", file=sys.__stderr__, flush=True)
    traceback.print_exc()
    sys.exit(1)
