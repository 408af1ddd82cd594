"""The same seed, the same bytes: with one job at a time, two or eight, in shards, resumed.

That a run through SLURM has them too is in test_slurm.py; that one has whose rules are disturbed in
many ways, in test_crash.py.
"""

import json
import os
import signal
import subprocess
import time

import pyarrow as pa
import pytest

from ima.alignment.methods import segment
from ima.datasets.digit_recordings import Waves, write_waves
from ima.features.mfcc import Mfcc, extract
from ima.utils.io import read_parquet
from ima.utils.schemas import RECORDINGS, SEGMENTS
from tests.checkout import Checkout


@pytest.mark.slow
def test_a_second_run_on_one_core(finished, tmp_path):
    """The first was on two, in another folder and in forks, as here only what Table 1 needs not."""
    checkout = Checkout(tmp_path / "again")
    checkout.config = json.loads(json.dumps(finished.config))
    checkout.snakemake("results/tables/table1.csv", cores=1)
    checkout.snakemake("digits", cores=1, forked=True)
    ours, first = checkout.bytes_of_results(), finished.bytes_of_results()
    assert ours.keys() <= first.keys() and len(ours) > 40
    assert [name for name in ours if ours[name] != first[name]] == []


@pytest.mark.slow
def test_eight_jobs_in_shards_killed_and_resumed(finished, tmp_path):
    """Killed as soon as the first model is trained, with all its jobs; then run again."""
    checkout = Checkout(tmp_path / "eight")
    checkout.config = json.loads(json.dumps(finished.config | {"shards": 3}))
    target, models = "results/tables/table1.csv", checkout.folder / "results/small/models"
    command = checkout.command(target, cores=8, forked=True)
    environment = {name: v for name, v in os.environ.items() if name != "PYTHONPATH"}
    run = {"cwd": checkout.folder, "env": environment, "start_new_session": True}
    killed = subprocess.Popen(command, **run, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while killed.poll() is None and not [*models.glob("*/*/*/autoencoder_round1.safetensors")]:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL and not (checkout.folder / target).exists()
    checkout.snakemake("--unlock")
    checkout.snakemake(target, cores=8, forked=True)
    assert [*(checkout.folder / "results/small/shards/recordings").glob("*-of-3.parquet")]
    ours, first = checkout.bytes_of_results(), finished.bytes_of_results()
    # Not parts of the undisturbed run: shards, and the config in a table's provenance.
    ours = {
        name: content
        for name, content in ours.items()
        if "/shards/" not in name and "provenance" not in name
    }
    assert ours.keys() <= first.keys() and len(ours) > 40
    assert [name for name in ours if ours[name] != first[name]] == []


#: What Python runs as it starts: it leaves a note of its command and threads.
NOTE = """
import os, pathlib, sys
note = pathlib.Path(os.environ["IMA_NOTES"]) / str(os.getpid())
note.write_text(f"{os.environ.get('OMP_NUM_THREADS')} {' '.join(sys.orig_argv)}")
"""


@pytest.mark.slow
def test_a_job_of_several_threads_counts_in_one(tmp_path):
    """Its threads are processes; sums over another number of threads end in other digits."""
    (tmp_path / "sitecustomize.py").write_text(NOTE)
    notes = tmp_path / "notes"
    notes.mkdir()
    checkout = Checkout(tmp_path / "checkout")
    where = {"PYTHONPATH": str(tmp_path), "IMA_NOTES": str(notes)}
    checkout.snakemake("results/small/recordings/waves.arrow", cores=4, **where)
    told = [note.read_text() for note in notes.iterdir()]
    jobs = [text for text in told if ".recordings.py" in text]
    assert jobs and all(text.startswith("1 ") for text in jobs)


def test_another_seed_gives_other_bytes(finished):
    """A negative control: what is compared does depend on the seed."""
    models = [finished.folder / f"results/small/models/ima+/latent2/seed{seed}" for seed in (0, 1)]
    for name in ("autoencoder_round1.safetensors", "representations.parquet"):
        first, second = ((model / name).read_bytes() for model in models)
        assert first != second, name


@pytest.fixture(scope="module")
def speech(finished):
    """The small demo's recordings, waves and segments."""
    run = finished.folder / "results/small"
    return (
        read_parquet(run / "recordings/recordings.parquet", RECORDINGS),
        Waves(run / "recordings/waves.arrow", 12_500),
        read_parquet(run / "segments/segments.parquet", SEGMENTS),
    )


@pytest.mark.slow
def test_recordings_by_several_processes(speech, finished, tmp_path):
    recordings, _, _ = speech
    roots = {c: str(finished.folder / "results/small/raw" / c) for c in ("tidigits", "ti46")}
    for processes in (1, 2):
        write_waves(recordings, roots, 12_500, tmp_path / str(processes), processes)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


@pytest.mark.slow
def test_segments_by_several_processes(speech):
    recordings, waves, one = speech
    assert segment(recordings, waves, "hmm", 2).equals(one)


@pytest.mark.slow
def test_mfcc_by_several_processes(speech, finished):
    _, waves, segments = speech
    parts = [list(extract(segments, waves, Mfcc(), n)) for n in (1, 2)]
    one, two = (pa.array([row.tobytes() for part in found for row in part]) for found in parts)
    assert len(one) == len(segments) and one.equals(two)
