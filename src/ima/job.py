"""What every script of the workflow does around its work: a log, and one clear error.

`job` is the object that Snakemake gives a script (`snakemake`): input, output, params, wildcards,
threads and log by name, and the rule's name.
"""

import contextlib
import logging
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from ima.errors import InputError


def run(main: Callable, job) -> None:
    """Call `main(job)` with what it prints and logs in the rule's log file.

    An `InputError` is shown as one line on the terminal, whatever else goes wrong with its
    traceback; the log has the traceback in either case. The process then ends with status 1.
    """
    log = Path(job.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as file,
        contextlib.redirect_stdout(file),
        contextlib.redirect_stderr(file),
    ):
        logging.basicConfig(stream=file, level=logging.INFO, format="%(levelname)s %(message)s")
        logging.captureWarnings(True)
        try:
            main(job)
        except InputError as error:
            # What a library says of a bad file may have several lines.
            lines = " ".join(line.strip() for line in str(error).splitlines())
            _end(f"error in rule {job.rule}: {lines}")
        except Exception:
            _end(f"error in rule {job.rule}:\n{traceback.format_exc()}")


def _end(message: str) -> None:
    traceback.print_exc()
    print(message, file=sys.__stderr__, flush=True)
    sys.exit(1)
