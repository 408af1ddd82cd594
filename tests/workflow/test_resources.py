"""What jobs took: from benchmark files to a row a rule."""

import pytest

from ima.utils.errors import InputError
from ima.workflow.resources import RESOURCES, measured, resources, total

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


def test_what_jobs_cost_together_by_hand(folder):
    jobs = {of["job"]: of for _, of in measured(folder, STAGES)}
    both = [f"baseline_mvae_latent2_seeds{seed}" for seed in (0, 1)]
    assert total(jobs, both) == {"seconds": 10.5, "cpu_seconds": 8, "mem_mb": 300.5 * MIB}
    # Memory of the second was not measured; of the third, nothing.
    some = [both[0], "baseline_scores_mvae_latent2_seeds0"]
    assert total(jobs, some) == {"seconds": 4.5, "cpu_seconds": 3.25}
    assert total(jobs, [*some, "baseline_mvae_latent2_seeds7"]) == {}


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
