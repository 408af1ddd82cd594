"""Two commands at once, or one that is killed, never leave files of two models together."""

import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ima import IMA
from ima.command import steps
from ima.command.folder_lock import LOCK, alone_in
from ima.command.main import main
from ima.estimator import model
from ima.training import sizes
from ima.utils.errors import InputError

HOLD = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]):\n print(flush=True)\n input()"


@pytest.fixture
def other(tmp_path):
    """A process that works in the folder `tmp_path`; a line to it lets it end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / LOCK)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def in_thread(folder):
    """Return when a thread was alone in a folder, in a list that is filled then."""
    entered = []

    def work():
        with alone_in(folder), alone_in(folder):  # nested
            entered.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    return thread, entered


@pytest.mark.parametrize("end", ["kill", "line"])
def test_a_command_waits_for_another_also_if_that_is_killed(other, end, tmp_path, caplog):
    thread, entered = in_thread(tmp_path)
    time.sleep(0.5)
    assert not entered and "another `ima` is at work" in caplog.text
    if end == "kill":
        other.kill()
    else:
        other.stdin.write(b"\n")
        other.stdin.flush()
    thread.join(30)
    assert entered


def test_a_folder_that_is_missing_is_not_made(tmp_path):
    with alone_in(tmp_path / "none"):
        assert not (tmp_path / "none").exists()
    with alone_in(tmp_path / "none", create=True):
        assert (tmp_path / "none").is_dir()


def test_a_file_in_the_place_of_a_folder(tmp_path):
    (tmp_path / "own").touch()
    with (
        pytest.raises(InputError, match="own: expected a folder with permission"),
        alone_in(tmp_path / "own", create=True),
    ):
        pass


@pytest.fixture
def fitted(tmp_path, monkeypatch):
    """A folder with a fit of small data, as the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sizes, "UPDATES", 20)
    monkeypatch.setattr(sizes, "EPOCHS", (1, 5))
    monkeypatch.setattr(model, "MIXTURE", replace(model.MIXTURE, steps=5, folds=3, rounds=1))
    rng = np.random.default_rng(0)
    for name in ("left", "right"):
        np.save(f"{name}.npy", rng.normal(size=(60, 3)))
    assert main(["init", "left.npy", "right.npy"]) == main(["fit"]) == 0
    return Path("own")


def fail(*_):
    raise InputError("disk", expected="enough free disk space", found="none")


def test_a_fit_that_ends_midway_leaves_no_model_of_another(fitted, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        patch.setattr(IMA, "save", fail)
        assert main(["fit", "--force"]) == 1
    assert (fitted / "pairs.parquet").exists()
    assert main(["embed"]) == 1 and "Run `ima fit` first" in capsys.readouterr().err


def test_a_fit_names_the_files_of_the_model_before(fitted, capsys):
    assert main(["importance"]) == 0 and "own/importances" in capsys.readouterr().out
    assert main(["fit", "--force"]) == 0
    said = capsys.readouterr().out.splitlines()[1:]
    assert said == [
        f"own/{name}.parquet: not of this model; write it again with --force"
        for name in ("concordance", "importances")
    ]


def test_importances_that_end_midway_leave_no_concordance_of_others(fitted, monkeypatch):
    assert main(["importance"]) == 0 and (fitted / "concordance.parquet").exists()
    monkeypatch.setattr(steps, "_write", fail)
    assert main(["importance", "--force"]) == 1
    assert not (fitted / "concordance.parquet").exists()


def test_a_fit_does_not_overwrite_what_another_wrote_while_it_trained(fitted, monkeypatch, capsys):
    whole, fit = (fitted / "pairs.parquet").read_bytes(), IMA.fit
    for path in fitted.iterdir():
        path.unlink()

    def fit_with_another(*arguments, **settings):
        (fitted / "pairs.parquet").write_bytes(whole)
        return fit(*arguments, **settings)

    monkeypatch.setattr(IMA, "fit", fit_with_another)
    assert main(["fit"]) == 1 and "found an existing file" in capsys.readouterr().err
    assert (fitted / "pairs.parquet").read_bytes() == whole
    assert not (fitted / "model.safetensors").exists()
