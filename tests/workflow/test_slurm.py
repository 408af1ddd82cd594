"""The same DAG on a real SLURM of one node: the same bytes, in few submissions."""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.checkout import ROOT, Checkout, plans, rules_of_workflow
from tests.slurm import cluster

PROFILE = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
#: Submissions that the whole demo may be.
MOST = 63
#: What is made through SLURM here: from raw corpora to Table 1.
TARGET = "results/tables/table1.csv"


@pytest.fixture(scope="module")
def plan():
    """The whole demo, with the default config and the profile's groups."""
    return plans([(ROOT, {})], profile=PROFILE, anew=True)[0]


def test_the_demo_is_few_submissions(plan):
    submissions = plan.submissions()
    assert sum(map(len, submissions)) > MOST  # else groups are not needed
    assert len(submissions) <= MOST, submissions


def test_without_groups_it_would_be_more():
    jobs = len(plans([(ROOT, {})], anew=True)[0].submissions())
    assert jobs > MOST
    said = (ROOT / "profiles/slurm/config.yaml").read_text()
    assert f"at most {MOST} submissions instead of {jobs} jobs" in said


def test_docs_name_the_rules_that_need_four_cores():
    files = [*(ROOT / "rules").glob("*.smk")]
    blocks = re.split(r"^ *rule (\w+):", "".join(map(Path.read_text, files)), flags=re.M)[1:]
    rules = dict(zip(blocks[::2], blocks[1::2], strict=True))
    asking = {name for name in rules if re.search(r"^ *threads: .*\b4\b", rules[name], re.M)}
    asking |= {f"{name}_shard" for name in ("recordings", "mfcc", "emotion_voices")}
    text = (ROOT / "docs/cluster.md").read_text()
    (lines,) = re.findall(r"```yaml\n(set-threads: .*?)```", text, re.S)
    assert yaml.safe_load(lines)["set-threads"] == dict.fromkeys(asking, 1)


def test_groups_leave_shards_between_them():
    """A group cannot depend on a job outside it that depends on another job of the group."""
    plan = plans([(ROOT, {"shards": 3})], profile=PROFILE, anew=True)[0]
    assert {"mfcc_shard", "emotion_voices_shard", "recordings_shard"} <= plan.rules()


def test_every_rule_asks_for_what_was_measured(plan):
    """Memory and time of each rule; made by benchmarks/resources.py after a run of the demo."""
    asked = PROFILE["set-resources"]
    assert plan.rules() - set(asked) == set()
    of_others = [
        name for name in rules_of_workflow() if name.startswith(("own_", "peer", "emotion_"))
    ]
    assert set(of_others) - set(asked) <= {"emotion_peers", "own"}
    for resources in asked.values():
        for value in resources.values():
            assert re.fullmatch(r"\d+ \* attempt", value)  # more with every attempt


def test_groups_name_rules_that_there_are(plan):
    named = set(PROFILE["groups"]) | set(PROFILE["set-resources"])
    named = {name for name in named if not name.endswith("_shard")}  # only there with `shards`
    assert named <= rules_of_workflow()
    assert set(PROFILE["group-components"]) <= set(PROFILE["groups"].values())


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The environment of a SLURM that runs as long as this module's tests."""
    if not os.environ.get("IMA_FULL"):
        pytest.skip("minutes: set IMA_FULL=1")
    if cluster.why_not() and os.environ.get("CI") and not cluster.can_install():
        try:
            cluster.install()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"SLURM's packages cannot be installed: {error}")
    if reason := cluster.why_not() or cluster.can_install():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("slurm")
    cluster.start(folder, cpus=4)  # as many as a rule asks for; they are shared if there are less
    yield cluster.environment(folder)
    cluster.stop(folder)


@pytest.fixture(scope="module")
def ran(slurm, tmp_path_factory):
    """A run through SLURM, with the project's own profile as a site would adapt it."""
    checkout = Checkout(tmp_path_factory.mktemp("on-slurm"))
    profile = PROFILE | cluster.SITE
    # Too little for any job at first: it must be killed, and be given more.
    profile["set-resources"]["pairs"]["mem_mb"] = "150 if attempt == 1 else 900"
    (checkout.folder / "profiles/site").mkdir()
    (checkout.folder / "profiles/site/config.yaml").write_text(yaml.safe_dump(profile))
    environment = {name: slurm[name] for name in ("SLURM_CONF", "PATH")}
    options = ("--workflow-profile", "site", "--jobs", "8")
    return checkout, checkout.snakemake(TARGET, *options, **environment)


@pytest.mark.slow
def test_every_result_has_the_bytes_of_the_local_run(ran, finished):
    checkout, _ = ran
    ours, local = checkout.bytes_of_results(), finished.bytes_of_results()
    assert "tables/table1.csv" in ours and len(ours) > 20 and ours.keys() <= local.keys()
    assert [name for name in ours if ours[name] != local[name]] == []


@pytest.mark.slow
def test_another_executor_makes_the_same_bytes(slurm, finished, tmp_path):
    """Any scheduler with commands to submit and to cancel, as docs/cluster.md shows."""
    if not importlib.util.find_spec("snakemake_executor_plugin_cluster_generic"):
        pytest.skip("needs snakemake-executor-plugin-cluster-generic")
    checkout = Checkout(tmp_path / "generic")
    environment = {name: slurm[name] for name in ("SLURM_CONF", "PATH")}
    submit = "sbatch --parsable --mem={resources.mem_mb} --cpus-per-task={threads}"
    done = checkout.snakemake(
        "results/small/pairs/train.parquet",
        *("--workflow-profile", "slurm", "--executor", "cluster-generic", "--jobs", "4"),
        *("--cluster-generic-submit-cmd", submit, "--cluster-generic-cancel-cmd", "scancel"),
        **environment,
    )
    submitted = re.findall(r"Submitted .*job .* with external jobid", done.stderr)
    assert len(submitted) == 3, done.stderr  # two groups and `pairs`
    ours, local = checkout.bytes_of_results(), finished.bytes_of_results()
    assert "small/pairs/train.parquet" in ours and ours.keys() <= local.keys()
    assert [name for name in ours if ours[name] != local[name]] == []


@pytest.mark.slow
def test_its_jobs_were_submitted_in_groups(ran):
    checkout, done = ran
    submitted = re.findall(r"has been submitted with SLURM jobid (\d+)", done.stderr)
    wanted = [(checkout.folder, checkout.config)]
    expected = plans(wanted, [TARGET], profile=PROFILE, anew=True)[0]
    # One more: the job that had too little memory.
    assert len(set(submitted)) == len(expected.submissions()) + 1, done.stderr


@pytest.mark.slow
def test_the_job_that_had_too_little_memory_was_given_more(ran):
    _, done = ran
    assert "Trying to restart job" in done.stderr
    failed = re.findall(r"Error in rule (\w+)", done.stderr)
    assert set(failed) == {"pairs"}, done.stderr
