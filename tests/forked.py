"""Snakemake whose scripts run in forks of this process, which has imported what they import.

    python tests/forked.py --cores 2 --configfile small.yaml

Of a small demo's 100 jobs each would import torch and the rest for seconds. Everything else is as
ever: the DAG, the jobs' own processes, working directory, variables and exit status. Runs whose
processes or signals are what is tested are started by `python -m snakemake`.
"""

import gc
import importlib
import os
import runpy
import subprocess
import sys
import traceback

from snakemake.benchmark import benchmarked
from snakemake.cli import main
from snakemake.script import PythonScript

PACKAGES = (
    *("numpy", "pyarrow.parquet", "scipy.signal", "sklearn.neighbors", "torch"),
    *("safetensors.torch", "matplotlib.pyplot"),
)


def execute_script(self: PythonScript, fname: str, edit: bool = False) -> None:
    """Run a job's script in a fork, in place of a new Python."""
    sys.stdout.flush(), sys.stderr.flush()
    if (pid := os.fork()) == 0:
        os._exit(_run(fname))
    with benchmarked(pid, self.bench_record):
        _, status = os.waitpid(pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        raise subprocess.CalledProcessError(code, fname)


def _run(fname: str) -> int:
    """Run a script as a fresh Python would, and return the exit status.

    The package comes from the checkout, as it does there, not from what this process has loaded.
    """
    for name in [name for name in sys.modules if name.split(".")[0] == "ima"]:
        del sys.modules[name]
    sys.argv = [fname]
    try:
        runpy.run_path(fname, run_name="__main__")
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush(), sys.stderr.flush()
    return 0


if __name__ == "__main__":
    for package in PACKAGES:
        importlib.import_module(package)
    gc.freeze()  # forks then copy fewer of its pages
    PythonScript.execute_script = execute_script
    main()
