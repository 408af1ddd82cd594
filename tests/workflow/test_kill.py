"""Killed at random moments, and run again: the same bytes as undisturbed.

`IMA_KILLS` is the number of kills of each of the two workflows, 10 by default, and `IMA_SEED` draws
the moments; `-s` shows both and how far each run had come. Here scripts run in forks of Snakemake;
that real processes survive the same signals is in test_crash.py.
"""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.checkout import SMALL, Checkout, merged
from tests.workflow.test_user_data import example

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="orphans are found by /proc"),
    pytest.mark.skipif(not os.environ.get("IMA_FULL"), reason="many minutes: set IMA_FULL=1"),
]
KILLS = int(os.environ.get("IMA_KILLS", "10"))
SEED = int(os.environ.get("IMA_SEED", time.time_ns() % 10**6))
#: Config and target: digits, emotion, generation and shards; a user's data and other methods.
WORKFLOWS = {
    "shards": (merged(SMALL, {"shards": 2}), "all"),
    "own": (example(compare=["pca", "infonce"]), "own"),
}
#: A run is killed after the end of up to this share of its jobs, and a random time thereafter, as
#: jobs take on average.
SHARE = 0.2
#: What Snakemake says when a job has ended.
DONE = "Finished jobid"
#: Seconds in which orphans end, or a test fails. Idle workers of joblib, which a job that ends in
#: a fork leaves, take 300.
PATIENCE = 400


#: Parts of the names of values that are measured, and the files that show some.
MEASURED, SHOWN = ("seconds", "mem_mb"), ("own_compare.pdf", "own_compare.png", "example.tsv")


def results_of(checkout: Checkout) -> dict[str, object]:
    """Return the content of all results by path, without what is measured."""
    found: dict[str, object] = {}
    for name, content in checkout.bytes_of_results().items():
        if name.endswith(SHOWN):
            continue
        found[name] = content
        if "/peers/" in name:
            values = json.loads(content)
            found[name] = {key: v for key, v in values.items() if not key.endswith(MEASURED)}
        elif name.endswith("/compare.csv"):
            rows = csv.DictReader(content.decode().splitlines())
            found[name] = [
                {k: v for k, v in row.items() if not any(part in k for part in MEASURED)}
                for row in rows
            ]
    return found


@pytest.fixture(scope="module", params=WORKFLOWS)
def undisturbed(request, tmp_path_factory):
    """Return a checkout that ran to its end, its target and its duration in seconds."""
    checkout = Checkout(tmp_path_factory.mktemp(request.param) / "undisturbed")
    config, target = WORKFLOWS[request.param]
    checkout.config = json.loads(json.dumps(config))
    begin = time.monotonic()
    _, code, said = kill_at(checkout, target, 10**6, 0, whole=False)
    assert code == 0, said
    return checkout, target, time.monotonic() - begin


def alive(group: int) -> bool:
    """Return whether a process of a group is running, unless it only waits for its parent."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = file.read_text().rpartition(")")[2].split()[:3]
        except OSError:  # it has ended in the meantime
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def kill_at(
    checkout: Checkout, target: str, jobs: int, seconds: float, whole: bool
) -> tuple[int, int, str]:
    """Run Snakemake, and kill it some seconds after a number of its jobs have ended.

    Args:
        whole: whether its jobs are killed as well, or live on.

    Returns:
        Its group of processes, its exit status (negative if it was killed) and what it said.
    """
    # As a user is told to do when a killed run has left its lock.
    shutil.rmtree(checkout.folder / ".snakemake/locks", ignore_errors=True)
    log = checkout.folder / "said.txt"
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
    with log.open("w") as file:
        run = subprocess.Popen(
            checkout.command(target, forked=True),
            cwd=checkout.folder,
            env=environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    until = None
    while run.poll() is None:
        if until is None and log.read_text().count(DONE) >= jobs:
            until = time.monotonic() + seconds
        if until is not None and time.monotonic() > until:
            (os.killpg if whole else os.kill)(run.pid, signal.SIGKILL)
            run.wait()
        time.sleep(0.01)
    return run.pid, run.returncode, log.read_text()


def test_killed_at_random_moments(undisturbed, tmp_path):
    finished, target, duration = undisturbed
    expected, draw, kills = results_of(finished), random.Random(SEED), 0
    assert len(expected) > 40
    jobs = len(finished.plan(target).jobs)
    print(f"IMA_SEED={SEED}: {KILLS} kills of '{target}', {jobs} jobs in {duration:.0f} s")
    while kills < KILLS:
        checkout, groups, code = Checkout(tmp_path / f"after{kills}"), [], None
        checkout.config = json.loads(json.dumps(finished.config))
        while code != 0:
            count, seconds = draw.randint(0, round(SHARE * jobs)), draw.uniform(0, duration / jobs)
            # Some during the start, before any job ends.
            whole, seconds = draw.random() < 0.5, seconds * (1 if count else 10)
            limit = count if kills < KILLS else jobs + 1
            group, code, said = kill_at(checkout, target, limit, seconds, whole)
            groups.append(group)
            how = ("with its jobs" if whole else "alone") if code < 0 else f"ended with {code}"
            print(f"  {said.count(DONE)} jobs + {seconds:.1f} s, {how}", flush=True)
            assert code in (0, -signal.SIGKILL), said
            kills += code < 0
        until = time.monotonic() + PATIENCE
        while any(map(alive, groups)):
            assert time.monotonic() < until, "orphans don't end"
            time.sleep(0.1)
        found = results_of(checkout)
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == []
        shutil.rmtree(checkout.folder)
