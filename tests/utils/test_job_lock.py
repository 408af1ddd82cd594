"""Only the most recent of several runs of a job writes its outputs."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from ima.utils import atomic_files, job_lock
from ima.utils.errors import InputError
from ima.utils.io import write_json
from ima.workflow import script


def test_newer_run_takes_the_lock(tmp_path):
    log, path = tmp_path / "job.log", tmp_path / "result"
    with job_lock.hold(log):
        with atomic_files.whole_file(path) as temporary:
            temporary.write_text("first")
        with (
            pytest.raises(job_lock.SupersededError, match=r"see .*job\.log"),
            atomic_files.whole_file(path) as temporary,
        ):
            temporary.write_text("stale")
            with job_lock.hold(log):  # as another process would
                path.write_text("second")
        assert path.read_text() == "second"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["job.log", "result"]


def test_writers_outside_a_job_need_no_lock(tmp_path):
    job_lock.check()
    with job_lock.hold(tmp_path / "job.log") as file:
        print("kept", file=file)
    job_lock.check()
    assert (tmp_path / "job.log").read_text() == "kept\n"


def test_deleted_log_does_not_count_as_another_run(tmp_path):
    with job_lock.hold(tmp_path / "job.log"):
        (tmp_path / "job.log").unlink()
        job_lock.check()


ORPHAN = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from ima.utils import atomic_files
from ima.workflow import script


def main(snakemake):
    with atomic_files.whole_file(snakemake.output[0]) as temporary:
        temporary.write_text("of the first run")
        Path("begun").touch()
        while not Path("go on").exists():
            time.sleep(0.01)


script.run(main, SimpleNamespace(log=["logs/x.log"], output=["x"], rule="x"))
"""


@pytest.fixture
def orphan(tmp_path, monkeypatch, request):
    """A process in the middle of a job, in the folder of this test."""
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "-c", getattr(request, "param", ORPHAN)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "begun").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    yield process
    process.kill()
    process.wait()


def of_the_second_run(snakemake):
    with atomic_files.whole_file(snakemake.output[0]) as temporary:
        temporary.write_text("of the second run")


def test_orphaned_run_does_not_overwrite_a_newer_result(orphan, tmp_path):
    script.run(of_the_second_run, SimpleNamespace(log=["logs/x.log"], output=["x"], rule="x"))
    (tmp_path / "go on").touch()
    _, said = orphan.communicate(timeout=30)
    assert orphan.returncode == 1 and "error in rule x: another run of this job" in said
    assert (tmp_path / "x").read_text() == "of the second run"
    assert not list(tmp_path.glob(".*.part"))


def test_orphaned_run_without_a_successor_writes(orphan, tmp_path):
    (tmp_path / "go on").touch()
    orphan.communicate(timeout=30)
    assert orphan.returncode == 0 and (tmp_path / "x").read_text() == "of the first run"


def test_sigterm_leaves_no_partial_file(orphan, tmp_path):
    orphan.terminate()
    _, said = orphan.communicate(timeout=30)
    assert orphan.returncode == 1 and said == "error in rule x: stopped by SIGTERM\n"
    assert not (tmp_path / "x").exists() and not list(tmp_path.glob(".*.part"))


def test_next_run_removes_leftovers_of_sigkill(orphan, tmp_path):
    orphan.kill()
    orphan.wait()
    assert len(list(tmp_path.glob(".x.*.part"))) == 1
    script.run(of_the_second_run, SimpleNamespace(log=["logs/x.log"], output=["x"], rule="x"))
    assert not list(tmp_path.glob(".x.*.part")) and (tmp_path / "x").exists()


ORPHAN_IN_A_FOLDER = ORPHAN.replace(
    """    with atomic_files.whole_file(snakemake.output[0]) as temporary:
        temporary.write_text("of the first run")
""",
    """    with atomic_files.whole_folder(snakemake.output[0]) as temporary:
        with atomic_files.whole_file(temporary / "1") as file:
            file.write_text("of the first run")
""",
).replace(
    "            time.sleep(0.01)\n",
    """            time.sleep(0.01)
        with atomic_files.whole_file(temporary / "2") as file:
            file.write_text("of the first run")
""",
)


def folder_of_the_second_run(snakemake):
    with atomic_files.whole_folder(snakemake.output[0]) as temporary:
        (temporary / "1").write_text("of the second run")


@pytest.mark.parametrize("orphan", [ORPHAN_IN_A_FOLDER], indirect=True)
class TestFolders:
    def test_an_orphan_adds_nothing_to_a_newer_folder(self, orphan, tmp_path):
        job = SimpleNamespace(log=["logs/x.log"], output=["x"], rule="x")
        assert not (tmp_path / "x").exists()  # Snakemake would remove it before the second run
        script.run(folder_of_the_second_run, job)
        (tmp_path / "go on").touch()
        _, said = orphan.communicate(timeout=30)
        assert orphan.returncode == 1 and "error in rule x: another run of this job" in said
        assert {f.name: f.read_text() for f in (tmp_path / "x").iterdir()} == {
            "1": "of the second run"
        }
        assert not list(tmp_path.glob(".*.part"))

    def test_an_orphan_without_a_successor_replaces_the_folder(self, orphan, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x/old").touch()
        (tmp_path / "go on").touch()
        orphan.communicate(timeout=30)
        assert orphan.returncode == 0
        assert sorted(file.name for file in (tmp_path / "x").iterdir()) == ["1", "2"]
        assert not list(tmp_path.glob(".*.part"))

    def test_sigterm_leaves_no_partial_folder(self, orphan, tmp_path):
        orphan.terminate()
        orphan.communicate(timeout=30)
        assert not (tmp_path / "x").exists() and not list(tmp_path.glob(".*.part"))

    def test_the_next_run_removes_leftovers_of_sigkill(self, orphan, tmp_path):
        orphan.kill()
        orphan.wait()
        assert len(list(tmp_path.glob(".x.*.part"))) == 1
        job = SimpleNamespace(log=["logs/x.log"], output=["x"], rule="x")
        script.run(folder_of_the_second_run, job)
        assert not list(tmp_path.glob(".x.*.part")) and (tmp_path / "x/1").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match=r"file/x: expected only folders along its path"),
        atomic_files.whole_folder(tmp_path / "file/x"),
    ):
        pass


@pytest.mark.skipif(os.name != "posix", reason="limits of a process are POSIX's")
def test_full_disk_gives_one_error_naming_the_file(tmp_path):
    code = (
        "import resource, signal\n"
        "from ima.utils import io\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "io.write_json(list(range(1000)), 'x.json')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    last = done.stderr.splitlines()[-1]
    assert "x.json: expected enough free disk space, found [Errno 27]" in last
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a" * 255, "é" * 127, "a" * 190, "a b'\"{x}\n.json"])
def test_names_of_any_length_and_letters(tmp_path, name):
    path = tmp_path / name
    with job_lock.hold(tmp_path / "log"):
        write_json([1], path)
        assert path.read_text() == "[\n  1\n]\n"
        others = [tmp_path / name[:-1], tmp_path / f"{name[:-1]}b"]
        left = [job_lock.temporary(of) for of in (path, *others)]
        for file in left:
            file.touch()
        atomic_files.sweep([path])
        assert [file.exists() for file in left] == [False, True, True]


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(InputError, match="expected a shorter name"):
        write_json([1], tmp_path / ("a" * 256))


def test_a_log_takes_any_text(tmp_path):
    """Also names of files that are not in UTF-8."""
    with job_lock.hold(tmp_path / "log") as file:
        print("caf\udce9 ü", file=file)
    assert (tmp_path / "log").read_text("utf-8") == "caf\\udce9 ü\n"
