"""Killed in the middle of any rule, and run again: the same bytes as undisturbed.

With `IMA_FULL=1` every rule of the digit experiment meets one kind of fault, the kinds in turn,
and then every rule every kind.
"""

import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.checkout import ROOT, Checkout, Plan, rules_of_workflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="faults are found by /proc"),
    pytest.mark.skipif(not os.environ.get("IMA_FULL"), reason="many minutes: set IMA_FULL=1"),
]
KINDS = (
    "job SIGKILL",
    "Snakemake SIGKILL",
    "job SIGTERM",
    "disk",
    "memory",
    "Snakemake SIGKILL, orphan",
    "Snakemake SIGTERM",
)
#: Rules that make nothing.
TARGET_RULES = {"digits", "emotion"}
#: Rules that run another rule's script, as which they meet its fault: the first of either does.
SAME_SCRIPT = {"emotion_autoencoder": "autoencoder", "emotion_importance": "importance"}
#: Rules that are not in the demo's default targets, and why they need no fault of their own.
ELSEWHERE = {
    "download": "needs the network; its writers' tests are in datasets/test_download.py",
    "checksums": "of a user's own corpora; one JSON, as by others",
    "cards": "a few texts, as by claims",
    "crate": "has the time of its making in it",
    "feature_checks": "on demand; a table and a figure, as by figure6",
    "peer": "of packages that may not be installed; JSON, as by baseline_scores",
    "emotion_peer": "of the same; JSON, as by emotion_baseline_scores",
    "segmentation_example": "on demand; figures, as by figure2",
}


def test_every_rule_meets_a_fault(finished):
    met = finished.plan().rules() | set(ELSEWHERE)
    # Those of a user's own features (`own`) are the same scripts' writers on other data.
    assert {rule for rule in rules_of_workflow() - met if not rule.startswith("own_")} == set()


def struck_rules(plan: Plan) -> list[str]:
    """Return the rules that meet a fault of their own."""
    return sorted(plan.rules() - TARGET_RULES - SAME_SCRIPT.keys())


def faults(plan: Plan, kinds: tuple[str, ...]) -> dict[str, dict]:
    """Return a fault for each rule, the kinds in turn, while it writes its last declared file."""
    found = {}
    for rule, kind in zip(struck_rules(plan), itertools.cycle(kinds), strict=False):
        outputs = [file for _, file, _ in plan.of_rules([rule])[0]["output"]]
        files = [file for file in outputs if Path(file).suffix]
        found[rule] = {"kind": kind, "file": max(1, len(files))}
    return found


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own of 200 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=200m", "faults", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        yield None
        return
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def run_until_done(checkout: Checkout, target: str, folder: Path, most: int) -> list[int]:
    """Run Snakemake again and again until it succeeds; return what each run ended with."""
    environment = {"PYTHONPATH": str(ROOT / "tests/faults"), "IMA_FAULTS": str(folder)}
    ends: list[int] = []
    for _ in range(most):
        # A killed Snakemake leaves its lock; a user is told to, and says `--unlock`.
        shutil.rmtree(checkout.folder / ".snakemake/locks", ignore_errors=True)
        done = checkout.snakemake(target, "--retries", "1", check=False, **environment)
        ends.append(done.returncode)
        if done.returncode == 0:
            return ends
    raise AssertionError(f"{ends}\n{done.stdout}\n{done.stderr}")


def wait_for_orphans(folder: Path) -> None:
    """Return when no job that met a fault is alive, with or without its Snakemake."""
    until = time.monotonic() + 60
    for file in folder.iterdir():
        while file.name != "plan.json" and _alive(int(file.read_text()), file.name):
            assert time.monotonic() < until, f"{file.name} doesn't end"
            time.sleep(0.05)


def _alive(process: int, rule: str) -> bool:
    try:
        return f".{rule}.py" in Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def check(
    finished: Checkout, target: str, kinds: tuple[str, ...], tmp_path: Path, disk: Path | None
) -> None:
    """Run with a fault in every rule, and compare all results with the undisturbed run's."""
    plan = finished.plan(target)
    if disk is None:  # then there is no disk to fill
        kinds = tuple(kind for kind in kinds if kind != "disk")
    checkout = Checkout((disk or tmp_path) / "checkout")
    checkout.config = json.loads(json.dumps(finished.config))
    folder = tmp_path / "faults"
    folder.mkdir()
    wanted = faults(plan, kinds)
    (folder / "plan.json").write_text(json.dumps(wanted))
    run_until_done(checkout, target, folder, most=2 + len(wanted))
    wait_for_orphans(folder)
    struck = {file.name for file in folder.iterdir()} - {"plan.json"}
    assert struck == set(struck_rules(plan))
    ours, undisturbed = checkout.bytes_of_results(), finished.bytes_of_results()
    assert len(ours) > 40 and ours.keys() <= undisturbed.keys()
    assert [name for name in ours if ours[name] != undisturbed[name]] == []


def test_every_rule_by_kinds_in_turn(finished, tmp_path, small_disk):
    check(finished, "digits", KINDS, tmp_path, small_disk)


@pytest.mark.skipif(not os.environ.get("IMA_FULL"), reason="minutes a kind: set IMA_FULL=1")
@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_by_every_kind(kind, finished, tmp_path, small_disk):
    if kind == "disk" and small_disk is None:
        pytest.skip("only root can mount a disk that is small enough to fill")
    check(finished, "all", (kind,), tmp_path, small_disk)
