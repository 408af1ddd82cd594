"""What every test may use: data that lie beside the checkout, where there are any."""

import os
from pathlib import Path

import pytest
import threadpoolctl

from tests.workflow import Checkout

ROOT = Path(__file__).parents[1]


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


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Checkout:
    """A small demo, run to its end; tests leave it as it is."""
    checkout = Checkout(tmp_path_factory.mktemp("workflow"))
    checkout.snakemake()
    return checkout


@pytest.fixture
def one_thread():
    """One thread: networks as small as the tests' are slower on several, and end otherwise."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpoolctl.threadpool_limits(1):
        yield
    torch.set_num_threads(threads)
