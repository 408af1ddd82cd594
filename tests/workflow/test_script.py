"""What a rule's user sees of a script: its log, one line for their own error, the exit status."""

import subprocess
import sys

import pytest

SCRIPT = """
import logging, sys, warnings
from types import SimpleNamespace

from ima.workflow import script as job
from ima.utils.errors import InputError


def main(snakemake):
    print("read 3 pairs")
    logging.info("two of them clean")
    warnings.warn("one is odd")
    print("on stderr", file=sys.stderr)
    {body}


job.run(main, SimpleNamespace(log=[sys.argv[1]], rule="pairs", wildcards=dict(latent=2, seed=0)))
print("after the rule")
"""


def script(log, body):
    program = SCRIPT.format(body=body)
    command = [sys.executable, "-c", program, str(log)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Run three scripts, one of each ending; by name, the process and its log."""
    bodies = {
        "success": "print('done')",
        "input error": (
            "raise InputError('pairs.parquet', expected='a Parquet file', found='a\\n  cat',"
            " do='Delete it.')"
        ),
        "bug": "{}['image']",
    }
    folder = tmp_path_factory.mktemp("job")
    found = {}
    for name, body in bodies.items():
        log = folder / name / "logs" / "pairs.log"  # of folders that are not there yet
        process = script(log, body)
        found[name] = process, log.read_text()
    return found


@pytest.mark.parametrize("ending", ["success", "input error", "bug"])
def test_log_has_all_output(ran, ending):
    process, log = ran[ending]
    for said in ("read 3 pairs", "INFO two of them clean", "one is odd", "on stderr"):
        assert said in log
        assert said not in process.stdout + process.stderr


def test_success_shows_the_last_line_and_restores_the_streams(ran):
    process, log = ran["success"]
    assert process.returncode == 0 and process.stderr == "pairs latent=2 seed=0: done\n"
    assert process.stdout == "after the rule\n"
    last, used = log.splitlines()[-2:]
    assert last == "done" and used.startswith("used ") and "Traceback" not in log


def test_an_input_error_is_one_line_that_names_the_rule(ran):
    process, log = ran["input error"]
    assert process.returncode == 1 and process.stdout == ""
    assert process.stderr == (
        "error in rule pairs: pairs.parquet: expected a Parquet file, found a cat. Delete it.\n"
    )
    assert "Traceback" in log and "line 14, in main" in log and "InputError" in log


def test_any_other_error_is_one_line_too(ran):
    process, log = ran["bug"]
    assert process.returncode == 1 and process.stdout == ""
    assert process.stderr.startswith("error in rule pairs: KeyError: 'image' (the traceback is in ")
    assert len(process.stderr.splitlines()) == 1
    assert "KeyError: 'image'" in log and "Traceback" in log and "line 14, in main" in log


def test_shows_the_last_line_that_is_not_blank(tmp_path):
    body = "print('a', end=''); print('b'); print('  '); logging.info('not this')"
    process = script(tmp_path / "pairs.log", body)
    assert process.stderr == "pairs latent=2 seed=0: ab\n"


def test_a_log_is_of_the_last_run_only(tmp_path):
    log = tmp_path / "pairs.log"
    log.write_text("of yesterday\n")
    assert script(log, "pass").returncode == 0
    assert log.read_text().startswith("read 3 pairs")
