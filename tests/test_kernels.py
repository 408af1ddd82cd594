"""Libraries choose their kernels by the CPU; with those of an old CPU, results agree to rounding.

docs/robustness.md lists the variables that choose them, and what was found. Features differ by
rounding. Training amplifies that, but far less than another seed changes the results.
"""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from tests.checkout import ROOT

pytestmark = pytest.mark.slow
SEEDS = ("0", "1", "2")
#: A Fourier transform of 256 samples and a sum of its powers err by less than 256 u, u = 2^-24,
#: relative to the energy of a mel band. In dB that is 10 / ln 10 times as much, and the cosine
#: transform adds 40 bands with weights whose squares sum to 1.
OF_FEATURES = 10 / np.log(10) * 256 * 2**-24 * 40**0.5


def variables() -> list[dict[str, str]]:
    """Return the variables of docs/robustness.md: those for PyTorch, and all."""
    text = (ROOT / "docs/robustness.md").read_text()
    lines = [
        dict(re.findall(r"(\w+)=(\S+)", line)) for line in re.findall("^export .*", text, re.M)
    ]
    assert len(lines) == 2
    return [lines[0], lines[0] | lines[1]]


def data(n: int = 1200, noise: float = 0.2) -> dict[str, np.ndarray]:
    """Return digit images, and three tones of the same class; a fifth of both is noise."""
    rng = np.random.default_rng(0)
    digits = load_digits()
    order = rng.permutation(len(digits.target))[:n]
    label, images = digits.target[order], (digits.data[order] / 16).astype(np.float32)
    seconds, tones = np.arange(4000) / 12500, rng.uniform(200, 5000, (10, 3, 1))
    hertz = tones[label] * rng.normal(1, 0.02, (n, 3, 1))
    waves = np.stack([0.1 * np.sin(2 * np.pi * of * seconds).sum(0) for of in hertz])
    waves += rng.normal(0, 0.02, waves.shape)
    masks = {f"noise_{name}": rng.random(n) < noise for name in ("image", "speech")}
    for values, mask in zip((images, waves), masks.values(), strict=True):
        values[mask] = rng.random((mask.sum(), values.shape[1])) * 0.3
    return {"waves": waves.astype(np.float32), "images": images, "label": label, **masks}


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> list[dict[str, np.ndarray]]:
    """Return what tests/kernels.py finds with the CPU's own kernels, and with others."""
    folder = tmp_path_factory.mktemp("kernels")
    np.savez(folder / "data.npz", **data())
    chosen = [{}, *variables()]
    jobs = []
    for number, more in enumerate(chosen):
        files = [str(folder / "data.npz"), str(folder / f"{number}.npz")]
        command = [sys.executable, "-m", "tests.kernels", *files, *SEEDS[: 1 if more else None]]
        environment = os.environ | {"PYTHONPATH": "src"} | more
        jobs.append(subprocess.Popen(command, cwd=ROOT, env=environment))
    assert [job.wait() for job in jobs] == [0, 0, 0]
    results = [dict(np.load(folder / f"{number}.npz")) for number in range(len(chosen))]
    if len({str(of["kernels"]) for of in results}) < len(results):
        pytest.skip(f"this CPU has no other kernels than {results[0]['kernels']}")
    return results


@pytest.mark.parametrize("which", [1, 2], ids=["PyTorch", "all"])
def test_results_agree(which, found):
    own, other = found[0], found[which]
    assert np.abs(own["speech"] - other["speech"]).max() < OF_FEATURES
    # Importances: a tenth of what separates the two seeds that are closest.
    of_seeds = [np.abs(own[f"y_{seed}"] - own["y_0"]).mean() for seed in SEEDS[1:]]
    assert np.abs(other["y_0"] - own["y_0"]).mean() < min(of_seeds) / 10
    # P@10, F1 and mean importances: their spread over seeds, or an item of the 300 that are tested.
    spread = np.std([own[f"scores_{seed}"] for seed in SEEDS], axis=0)
    assert (np.abs(other["scores_0"] - own["scores_0"]) <= np.maximum(spread, 1 / 60)).all()
    assert own["scores_0"][0] > 0.7  # and they are those of a model that learnt something


def test_other_kernels_were_used(found):
    """The control: results that agree have other bits."""
    for other in found[1:]:
        assert (other["weights_0"] != found[0]["weights_0"]).mean() > 0.1
    assert (found[2]["speech"] != found[0]["speech"]).mean() > 0.1


def test_larger_differences_are_noticed(found):
    """The control of the tolerances: features of half precision, importances of another seed."""
    own = found[0]
    assert np.abs(own["speech"] - own["speech"].astype(np.float16)).max() > OF_FEATURES
    changes = [np.abs(own[f"y_{seed}"] - own["y_0"]).mean() for seed in SEEDS[1:]]
    assert min(changes) > max(changes) / 10 > 1e-4
