"""Two runs at once in one checkout: one of them ends with one error, and no results are mixed."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from ima.utils.errors import InputError
from ima.workflow.run_lock import Locks, folders_of
from tests.checkout import ROOT, Checkout, merged

HOLD = """
import sys
from ima.workflow.run_lock import Locks
locks = Locks(sys.argv[1], sys.argv[2])
print("planned", flush=True)
sys.stdin.readline()
locks.take(sys.argv[3].split(), sys.argv[4].split())
print("taken", flush=True)
sys.stdin.readline()
"""


@contextlib.contextmanager
def other(folder, name="other", reads="", writes="results/tables/table1.csv"):
    """Yield a function that lets another process take its locks, and one that ends it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder), name, reads, writes],
        env={"PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def go_on(wanted="taken"):
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == f"{wanted}\n", process.stderr.read()

    try:
        assert process.stdout.readline() == "planned\n"
        yield go_on, process
    finally:
        process.kill()
        process.communicate()


def test_folders_of_results():
    files = ["results/demo/a/b.csv", "results/tables/t.csv", "results/index.html", "data/x", "/a/b"]
    assert folders_of(files) == {"demo", "tables", "index.html"}


def test_a_running_writer_excludes_others(tmp_path):
    with other(tmp_path) as (go_on, process):
        go_on()
        found = rf"results/tables: .* found one that is running \(run other, process {process.pid}"
        for reads, writes in (([], ["results/tables/x"]), (["results/tables/x"], [])):
            with pytest.raises(InputError, match=found):
                Locks(tmp_path, "mine").take(reads, writes)
        Locks(tmp_path, "mine").take([], ["results/mine/x"])  # another folder


def test_a_killed_run_leaves_no_lock(tmp_path):
    with other(tmp_path) as (go_on, process):
        go_on()
        process.kill()
        process.wait()
        Locks(tmp_path, "mine").take([], ["results/tables/x"])


def test_readers_share(tmp_path):
    reads = "results/example/left.parquet"
    with other(tmp_path, reads=reads, writes="results/one/x") as (go_on, _):
        go_on()
        Locks(tmp_path, "mine").take([reads], ["results/two/x"])


def test_what_was_planned_while_another_wrote_is_not_run(tmp_path):
    with other(tmp_path) as (go_on, process):
        go_on()
        planned = Locks(tmp_path, "mine")
        process.kill()
        process.wait()
        with pytest.raises(InputError, match="one that has ended since this run was planned"):
            planned.take([], ["results/tables/x"])
        Locks(tmp_path, "mine").take([], ["results/tables/x"])  # started again


def test_what_was_planned_before_another_wrote_is_not_run(tmp_path):
    planned = Locks(tmp_path, "mine")
    with other(tmp_path) as (go_on, process):
        go_on()
        process.kill()
        process.wait()
        with pytest.raises(InputError, match="one that has ended since this run was planned"):
            planned.take([], ["results/tables/x"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "table"),
    [({}, "table1"), ({"noise": {"image": {"sd": 0.3}}}, "table1"), ({"run": "second"}, "table2")],
    ids=["same", "other values", "other run and table"],
)
def test_two_runs_at_once_in_a_checkout(tmp_path, change, table):
    """Of other runs and tables, Snakemake sees no file that both write; the folder would mix."""
    checkout = Checkout(tmp_path / "checkout")
    first = json.loads(json.dumps(checkout.config))
    commands = []
    for number, config in enumerate((first, merged(first, change))):
        target = f"results/tables/{table if number else 'table1'}.csv"
        checkout.config = config
        checkout.command(target)
        file = (checkout.folder / "small.yaml").rename(checkout.folder / f"{number}.yaml")
        command = [sys.executable, "-m", "snakemake", target, "--cores", "1"]
        commands.append([*command, "--configfile", str(file)])
    logs = [tmp_path / f"{number}.log" for number in range(2)]
    runs = []
    for command, log in zip(commands, logs, strict=True):
        with log.open("w") as file:
            about = {"stdout": file, "stderr": subprocess.STDOUT, "start_new_session": True}
            runs.append(subprocess.Popen(command, cwd=checkout.folder, **about))
    try:
        until = time.monotonic() + 300
        while all(run.poll() is None for run in runs):
            assert time.monotonic() < until, "both are running"
            time.sleep(0.1)
        ended = next(i for i, run in enumerate(runs) if run.poll() is not None)
        said = logs[ended].read_text()
        assert runs[ended].returncode == 1, said
        assert ("no other run that writes here" in said) != ("cannot be locked" in said), said
        assert runs[1 - ended].poll() is None
    finally:
        for run in runs:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()
