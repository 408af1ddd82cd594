"""The script that makes the project's environment: when it does, and when it refuses."""

import importlib.util
import os

import pytest

from tests.checkout import ROOT


@pytest.fixture
def run(tmp_path, monkeypatch):
    """`envs/run.py` for a folder, in which making an environment takes no time and is counted."""
    spec = importlib.util.spec_from_file_location("run_script", ROOT / "envs/run.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    (tmp_path / "pyproject.toml").write_text('[project.scripts]\nima = "ima:main"\n')
    places = {"ROOT": tmp_path, "HASHED": tmp_path / "lock", "ENVIRONMENT": tmp_path / ".venv"}
    for name, place in {**places, "STAMP": tmp_path / ".venv/made-from", "made": []}.items():
        monkeypatch.setattr(script, name, place, raising=False)
    (tmp_path / "lock").write_text("a==1")

    def make():
        script.made.append(script.HASHED.read_text())
        (script.ENVIRONMENT / "bin").mkdir(parents=True, exist_ok=True)
        (script.ENVIRONMENT / "bin/python").touch(0o755)

    monkeypatch.setattr(script, "make", make)
    return script


def test_an_environment_is_made_once_and_again_for_another_lock_file(run):
    os.close(run.prepare())
    os.close(run.prepare())
    run.HASHED.write_text("a==2")
    os.close(run.prepare())
    assert run.made == ["a==1", "a==2"]


def test_no_environment_is_replaced_while_a_command_runs_in_it(run):
    held = run.prepare()  # of the command
    os.close(run.prepare())  # another one may start
    run.HASHED.write_text("a==2")
    with pytest.raises(SystemExit, match="the lock file has changed, but commands run in"):
        run.prepare()
    assert run.made == ["a==1"]
    os.close(held)


def test_an_environment_of_the_user_is_kept(run):
    (run.ENVIRONMENT / "bin").mkdir(parents=True)
    with pytest.raises(SystemExit, match="was not made by this script"):
        run.prepare()
    assert not run.made
