"""What jobs took: from benchmark files to a row a rule."""

import subprocess
import sys
from pathlib import Path

import pytest

from ima.utils.errors import InputError
from ima.workflow import usage
from ima.workflow.resources import RESOURCES, belongs_to_config, measured, resources, total

#: Snakemake writes MiB; in MB of a million bytes.
MIB = 1.048576
HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def benchmark(folder, name, seconds, memory, cpu):
    path = folder / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEAD}{seconds}\t0:00:01\t{memory}\t1\t1\t1\t0\t0\t90\t{cpu}\n")


@pytest.fixture
def folder(tmp_path):
    benchmark(tmp_path, "baseline_mvae_latent2_seeds0", 4, 100, 3)
    benchmark(tmp_path, "baseline_mvae_latent2_seeds1", 6.5, 300.5, 5)
    benchmark(tmp_path, "baseline_scores_mvae_latent2_seeds0", 0.5, "NA", 0.25)
    benchmark(tmp_path, "segmentation_example/ti46/f1/00f1s1t0", 1, 50, 1)
    benchmark(tmp_path, "of_a_rule_that_is_no_more", 99, 99, 99)
    return tmp_path


STAGES = {
    **{"segmentation_example": "checks", "baseline": "baselines"},
    **{"baseline_scores": "baselines", "mfcc": "features"},
}


def test_a_row_for_each_rule_that_ran(folder):
    table = resources(measured(folder, STAGES), STAGES, "toy")
    assert table.schema == RESOURCES
    assert [list(row.values()) for row in table.to_pylist()] == [
        ["toy", "checks", "segmentation_example", 1, 1, 1, 1, 50 * MIB],
        ["toy", "baselines", "baseline", 2, 10.5, 6.5, 8, 300.5 * MIB],
        ["toy", "baselines", "baseline_scores", 1, 0.5, 0.5, 0.25, None],
    ]


def test_jobs_of_earlier_configs_are_left_out(folder):
    benchmark(folder, "baseline_mvae_latent2_seeds0-1", 9, 9, 9)
    benchmark(folder, "baseline_scores_seeds_latent7_seeds0-1", 9, 9, 9)
    values = {"latent": ["2", "50"], "seed": ["0", "1"], "seeds": ["0-1"]}
    found = [of["job"] for _, of in measured(folder, STAGES, values)]
    assert found == ["baseline_mvae_latent2_seeds0-1", "segmentation_example/ti46/f1/00f1s1t0"]
    assert belongs_to_config("tsne_ima+_latent50_seed1", values)
    assert not belongs_to_config("tsne_ima+_latent50_seed2", values)
    assert not belongs_to_config("tsne_ima+_latent5_seed1", values)


def test_what_jobs_cost_together_by_hand(folder):
    jobs = {of["job"]: of for _, of in measured(folder, STAGES)}
    both = [f"baseline_mvae_latent2_seeds{seed}" for seed in (0, 1)]
    assert total(jobs, both) == {"seconds": 10.5, "cpu_seconds": 8, "mem_mb": 300.5 * MIB}
    # Memory of the second was not measured; of the third, nothing.
    some = [both[0], "baseline_scores_mvae_latent2_seeds0"]
    assert total(jobs, some) == {"seconds": 4.5, "cpu_seconds": 3.25}
    assert total(jobs, [*some, "baseline_mvae_latent2_seeds7"]) == {}


def test_the_log_knows_more_than_the_samples(tmp_path):
    folder = tmp_path / "benchmarks"
    for name in ("baseline_a", "baseline_b", "mfcc"):
        benchmark(folder, name, 40, 100, 15)
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/baseline_a.log").write_text("x\n" * 99 + "used 39.50 CPU s and 50 MB\n")
    (tmp_path / "logs/baseline_b.log").write_text("used 38.00 CPU s and 500 MB\n")
    (tmp_path / "logs/mfcc.log").write_text("used 9.00 CPU s and 500 MB\n5 digits\n")
    found = {of["job"]: (of["cpu_seconds"], of["mem_mb"]) for _, of in measured(folder, STAGES)}
    assert found == {
        "baseline_a": (39.5, 100 * MIB),
        "baseline_b": (38, 500),
        "mfcc": (15, 100 * MIB),
    }


BUSY = "import time\nx = bytearray({size} << 20)\nwhile time.process_time() < {seconds}: pass\n"


def test_usage_counts_a_process_and_its_children(tmp_path):
    """Of children that ended and that run: bounds from below by what they need at least."""
    code = f"""
import subprocess, sys, time
from ima.workflow import usage
{BUSY.format(size=100, seconds=0.3)}
busy = [sys.executable, "-c", {BUSY.format(size=200, seconds=0.4)!r}]
subprocess.run(busy, check=True)
running = subprocess.Popen(
    [sys.executable, "-c", {BUSY.format(size=300, seconds=0.5)!r} + "print(flush=True)\\ninput()"],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
)
running.stdout.readline()
print(usage.line(), end="")
running.communicate(b"\\n")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (tmp_path / "a.log").write_text(done.stdout)
    seconds, memory = usage.read(tmp_path / "a.log")
    assert 1.1 < seconds < 5
    if Path("/proc/self/status").exists():
        assert 419 < memory < 600  # 100 and 300 MiB, not the 200 that ended


@pytest.mark.parametrize("text", [None, "", "5 digits\n", "used x CPU s and 3 MB", "used 1 CPU s"])
def test_logs_without_usage(tmp_path, text):
    if text is not None:
        (tmp_path / "a.log").write_text(text)
    assert usage.read(tmp_path / "a.log") is None


def test_nothing_was_measured(tmp_path):
    with pytest.raises(InputError, match="benchmarks of the run toy: expected at least one"):
        resources(measured(tmp_path, STAGES), STAGES, "toy")


@pytest.mark.parametrize("content", ["", "a\tb\n1\t2\n", f"{HEAD}x\t0\t1\t1\t1\t1\t0\t0\t90\t1\n"])
def test_rejects_other_files(folder, content):
    (folder / "mfcc.tsv").write_text(content)
    if not content:  # of a job that was killed: no row
        assert len(list(measured(folder, STAGES))) == 4
        return
    with pytest.raises(InputError, match=r"mfcc\.tsv: expected a Snakemake benchmark"):
        list(measured(folder, STAGES))
