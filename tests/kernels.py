"""A small fit, from waveforms to P@10, in a process whose libraries use certain kernels.

    python -m tests.kernels DATA.npz OUT.npz SEED [SEED ...]

DATA has `waves` (N, n), `images` (N, D), `label` (N,) and masks, `noise_image` and `noise_speech`;
row i of each is pair i. OUT has `kernels`, which the libraries report, the features `speech`, and
by seed the results that tests/test_kernels.py compares.
"""

import sys

import numpy as np
import scipy.linalg  # noqa: F401, it has an OpenBLAS of its own, which `kernels` reports
import torch
from numpy.lib.introspect import opt_func_info
from threadpoolctl import threadpool_info

from ima.evaluation.metrics import f1, precision_at_k
from ima.evaluation.represent import joint, represent
from ima.features.mfcc import Mfcc, UnitInterval, mfcc_of_waves
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.models.stages import Variant

#: Shares of the pairs on which stage 1 is trained, and by which it stops and stage 2 is trained.
TRAIN, HELD = 0.5, 0.25
LAYERS = {m: {"hidden": 100, "loss": "bce", "activation": "tanh"} for m in ("image", "speech")}
IMA_PLUS = Variant(
    Stage1(epochs=20, batch_size=32),
    Stage2(restarts=2, steps=100, batch_size=256, learning_rate=5e-3),
    {"image": 0.8, "speech": 0.8},
    50,
    LAYERS,
)


def kernels() -> str:
    """Return what PyTorch, NumPy and its and SciPy's OpenBLAS say of the kernels they use."""
    torch_kernels = torch.backends.cpu.get_cpu_capability()
    numpy_kernels = opt_func_info(func_name="^exp$", signature="float64")["exp"]["dd"]["current"]
    blas = sorted(info.get("architecture") or "" for info in threadpool_info())
    return " ".join([torch_kernels, numpy_kernels, *filter(None, blas)])


def results(x, data, seed) -> dict[str, np.ndarray]:
    """Return the results of a seed: `weights` and importances `y`, and the headline `scores`."""
    n = len(data["label"])
    parts = np.split(np.arange(n), [int(TRAIN * n), int((TRAIN + HELD) * n)])
    items = [{m: torch.from_numpy(part) for m in x} for part in parts]
    model = IMA_PLUS.train(x, *items[:2], 10, seed)
    found = represent(model, x, items[2])
    y = {m: values.numpy() for m, values in found["y"].items()}
    z = joint(found["u"], found["y"]).numpy()
    precision = precision_at_k(z, data["label"][parts[2]], [10])[10].mean()
    noise = {m: data[f"noise_{m}"][parts[2]] for m in x}
    return {
        "weights": torch.cat([w.flatten() for w in model.state_dict().values()]).numpy(),
        "y": np.concatenate([*y.values()]),
        "scores": np.array(
            [
                precision,
                *(f1(y[m] < 0.5, noise[m])["f1"] for m in x),
                *(y[m].mean() for m in x),
            ]
        ),
    }


def main(data_file: str, out_file: str, *seeds: str) -> None:
    """Fit to DATA with each seed, and write OUT."""
    data = np.load(data_file)
    settings = Mfcc()
    speech = mfcc_of_waves(data["waves"], settings)
    mapped = UnitInterval.fit(speech, "sigmoid", settings.n_mfcc)(speech)
    x = {"image": torch.from_numpy(data["images"]), "speech": torch.as_tensor(mapped)}
    of_seeds = {
        f"{name}_{seed}": value
        for seed in seeds
        for name, value in results(x, data, int(seed)).items()
    }
    np.savez(out_file, kernels=kernels(), speech=speech, **of_seeds)


if __name__ == "__main__":
    main(*sys.argv[1:])
