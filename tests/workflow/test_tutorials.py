"""The tutorials run, and what they say of their numbers holds: hidden cells assert it."""

import re
import runpy

import matplotlib
import pytest
from matplotlib import pyplot

from tests.checkout import ROOT

TUTORIALS = sorted((ROOT / "docs/tutorials").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("script", TUTORIALS, ids=lambda script: script.stem)
def test_tutorial_runs(script, monkeypatch):
    monkeypatch.chdir(ROOT)
    matplotlib.use("Agg")
    runpy.run_path(str(script), run_name="__main__")
    pyplot.close("all")


@pytest.mark.parametrize("script", TUTORIALS, ids=lambda script: script.stem)
def test_tutorial_is_a_notebook_that_checks_itself(script):
    text = script.read_text()
    assert text.startswith("# %% [markdown]\n# # ")
    assert re.search(r'^# %% tags=\["hide"\]\n(?:.+\n)*assert ', text, re.M)
