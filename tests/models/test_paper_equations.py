"""The objective `paper` against a transcription of Eqs. 1 to 4 in numpy, on random batches.

The transcription goes sample by sample through the formulas and shares no code with the package.
"""

import math

import numpy as np
import pytest
import torch

from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder, IMANetwork, Modality
from ima.models.importance import Stage2, fit_importance
from ima.models.objectives import autoencoder_paper, paper

B, L = 7, 3
MODALITIES = {"image": Modality(6, 5, "bce", "tanh"), "speech": Modality(4, 5, "sse", "relu")}


def batch(seed, names=("image", "speech")):
    """Return x, u and importances of a random batch, as numpy's doubles."""
    rng = np.random.default_rng(seed)
    x = {m: rng.random((B, MODALITIES[m].dimension)) for m in names}
    u = {m: rng.normal(size=(B, L)) for m in names}
    y = {m: rng.random(B) for m in names}
    return x, u, y


def eq1(u, y):
    """Return z: the mean of latents weighted by importances that are made to sum to 1."""
    return np.array([sum(y[m][i] * u[m][i] for m in u) / sum(y[m][i] for m in u) for i in range(B)])


def eq2(x, u, z, decoded):
    """Return L_auto with all lambdas 1; decoded logits of `image`, values of `speech`."""
    total = 0.0
    for i in range(B):
        total += sum(value**2 for value in z[i])  # L_glob
        for m in x:
            total += sum((a - b) ** 2 for a, b in zip(z[i], u[m][i], strict=True))  # L_align
            for target, out in zip(x[m][i], decoded[m][i], strict=True):  # L_rec
                if MODALITIES[m].loss == "sse":
                    total += (target - out) ** 2
                else:
                    p = 1 / (1 + math.exp(-out))
                    total -= target * math.log(p) + (1 - target) * math.log(1 - p)
    return total


def eq3(z, u, y):
    """Return L_corr: the squared Frobenius norm of the cross-covariance weighted by 1 - y."""
    w = (1 - y) / sum(1 - y)
    mean_z, mean_u = sum(w[i] * z[i] for i in range(B)), sum(w[i] * u[i] for i in range(B))
    c = sum(w[i] * np.outer(z[i] - mean_z, u[i] - mean_u) for i in range(B))
    return sum(value**2 for value in c.ravel())


def l_local(y, rho):
    """Return KL(Bernoulli(mean y) || Bernoulli(rho))."""
    mean = sum(y) / len(y)
    return mean * math.log(mean / rho) + (1 - mean) * math.log((1 - mean) / (1 - rho))


def tensors(values):
    return {m: torch.from_numpy(value) for m, value in values.items()}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("constant", [False, True])
def test_stage_1_is_eq_2(seed, constant):
    x, _, y = batch(seed)
    y = {m: np.ones(B) for m in y} if constant else y
    torch.manual_seed(seed)
    model = Autoencoder(MODALITIES, L).double()
    terms = autoencoder_paper(model, tensors(x), None if constant else tensors(y))
    found = sum(terms[t] for t in terms if t.startswith(("rec_", "align_", "glob")))
    with torch.no_grad():
        u = {m: model.encoders[m](torch.from_numpy(x[m])).numpy() for m in x}
        z = eq1(u, y)
        decoded = {m: model.decoders[m](torch.from_numpy(z)).numpy() for m in x}
    assert B * found.item() == pytest.approx(eq2(x, u, z, decoded), rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_stage_2_is_eqs_3_and_4(seed):
    _, u, y = batch(seed)
    rho, lambda_corr = {"image": 0.8, "speech": 0.3}, 3.5
    terms = paper(
        tensors(u),
        {m: torch.from_numpy(value)[None] for m, value in y.items()},
        {m: torch.tensor([value], dtype=torch.float64) for m, value in rho.items()},
        lambda_corr,
    )
    z = eq1(u, y)
    expected = sum(l_local(y[m], rho[m]) + lambda_corr * eq3(z, u[m], y[m]) for m in u)
    assert terms["loss"].item() == pytest.approx(expected, rel=1e-12)
    # Controls: neither the other direction of the KL, nor z of equal importances.
    other = sum(rho[m] * math.log(rho[m] / y[m].mean()) for m in u)
    assert terms["local_image"].item() != pytest.approx(other, rel=1e-3)
    equal = eq3(eq1(u, {m: np.ones(B) for m in u}), u["image"], y["image"])
    assert terms["raw_image"].item() != pytest.approx(equal, rel=1e-3)


def test_training_minimises_these():
    """What the two stages record before any step is the transcription of all pairs at once."""
    x, _, _ = batch(1)
    rho, rows = {"image": [0.8], "speech": [0.3]}, torch.arange(B)
    items = dict.fromkeys(x, rows)
    torch.manual_seed(0)
    model = IMANetwork.of(MODALITIES, L, 5, rho).double()
    inputs = tensors(x)
    still = Stage1(objective="paper", epochs=1, learning_rate=0.0)
    (row,) = fit_autoencoder(model.autoencoder, inputs, items, still, 0)
    raw = Stage2("paper", 1.0, corr_scale="raw", steps=0, restarts=1)
    _, final = fit_importance(model, inputs, items, rho, raw, 0)
    with torch.no_grad():
        u = {m: v.numpy() for m, v in model.autoencoder.encode(inputs).items()}
        z = eq1(u, {m: np.ones(B) for m in u})
        decoded = {m: model.autoencoder.decoders[m](torch.from_numpy(z)).numpy() for m in u}
        y = {m: v[0].numpy() for m, v in model.importances(inputs).items()}
    assert B * row["loss"] == pytest.approx(eq2(x, u, z, decoded), rel=1e-9)
    joint = eq1(u, y)
    expected = sum(l_local(y[m], rho[m][0]) + eq3(joint, u[m], y[m]) for m in u)
    assert final["loss"].item() == pytest.approx(expected, rel=1e-6)
