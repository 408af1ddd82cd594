"""What every test may use: data that lie beside the checkout, where there are any, and a demo.

Tests count in one thread, as jobs of the workflow do: sums over another number of threads end in
other last digits, and networks as small as the tests' are slower on several.
"""

import os
from pathlib import Path

import pytest
from filelock import FileLock

# Before anything imports numpy or torch, which read it then.
os.environ.update({f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")})

from ima.utils import matrices
from tests.checkout import Checkout

ROOT = Path(__file__).parents[1]

#: Tests that take minutes, the longest first: what begins last is waited for by all.
LONGEST = (
    "test_slurm",
    "test_crash",
    "test_rerun",
    "test_bad_input",
    "test_determinism",
    "test_user_data",
)


def pytest_configure(config: pytest.Config) -> None:
    """Leave out `slow` tests where neither the environment nor the command asks for more."""
    asked = config.option.file_or_dir or config.option.markexpr or config.option.keyword
    if not asked and not {"CI", "IMA_FULL"} & os.environ.keys():
        config.option.markexpr = "not slow"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of LONGEST first; processes take files in this order."""
    place = {name: i for i, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


@pytest.fixture(scope="session")
def shared():
    """Return a function that gives a path below the shared data, or skips the test.

    The data are looked for in the folder that `IMA_SHARED` names, relative to the repository's
    root; `../shared` where it isn't set.
    """
    base = ROOT / os.environ.get("IMA_SHARED", "../shared")

    def path(*parts: str) -> Path:
        wanted = base.joinpath(*parts)
        if not wanted.exists():
            pytest.skip(f"no {wanted}: set IMA_SHARED to the folder that holds {'/'.join(parts)}")
        return wanted

    return path


@pytest.fixture
def on_disk(monkeypatch):
    """Put every new matrix and table into a file, and work on three rows at a time."""
    monkeypatch.setattr(matrices, "LIMIT", 0)
    monkeypatch.setattr(matrices, "ROWS", 3)


@pytest.fixture(scope="session")
def finished(tmp_path_factory, worker_id) -> Checkout:
    """A small demo, run to its end, once for all test processes.

    Tests read it and plan in it. To run more, they take a copy: others would find it locked.
    """
    folder = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        folder = folder.parent
    with FileLock(folder / "finished.lock"):
        checkout = Checkout(folder / "finished")
        if not (folder / "finished.done").exists():
            checkout.snakemake(forked=True)
            (folder / "finished.done").touch()
    return checkout
