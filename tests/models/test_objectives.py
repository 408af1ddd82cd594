"""The objectives of stage 2 (Eqs. 3 and 4) against values worked out by hand, in doubles."""

import math
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import torch

from ima.models.ima import Autoencoder, Modality, fuse
from ima.models.objectives import (
    AUTOENCODER,
    Z,
    correlation,
    ima_plus,
    mixture,
    paper,
    target,
)
from ima.training.losses import local
from ima.utils.errors import InputError

#: `paper` with each of its choices.
CHOICES = [{"z": z, "scale": scale} for z in Z for scale in ("batch", None)]


def doubles(*values):
    return torch.tensor([float(value) for value in values], dtype=torch.float64)


def assert_near(found, expected):
    """To twelve digits."""
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)


def drawn(names="ab", copies=2, samples=20, latent=3):
    """Return u, y and rho at random, of several copies."""
    rng = np.random.default_rng(0)
    u = {m: torch.from_numpy(rng.normal(size=(samples, latent)) + 1) for m in names}
    y = {m: torch.from_numpy(rng.random((copies, samples))) for m in names}
    return u, y, {m: torch.from_numpy(rng.random(copies)) for m in names}


# L_corr of one modality

#: Three samples; means 2 and (1, 3), deviations (-1, 0, 1) and ((-1, 0), (0, -3), (1, 3)).
SAMPLES_Z = doubles(1, 2, 3).view(3, 1)
SAMPLES_U = torch.tensor([[0.0, 3.0], [1.0, 0.0], [2.0, 6.0]], dtype=torch.float64)


def scale_free(y, z, u):
    """Return L_corr of importances (B,) divided by its value at equal weights."""
    equal = correlation(torch.zeros(1, len(y), dtype=y.dtype), z, u)
    return (correlation(y.view(1, -1), z, u) / equal).item()


def test_correlation_by_hand():
    """Weights 1/2 1/4 1/4: means 7/4 and (3/4, 3), deviations (-3 1 5)/4 and so on."""
    y = doubles(0, 0.5, 0.5)
    raw = correlation(y.view(1, 3), SAMPLES_Z, SAMPLES_U)
    expected, equal = Fraction(11, 16) ** 2 + Fraction(3, 4) ** 2, Fraction(2, 3) ** 2 + 1
    assert_near(raw, doubles(expected))
    assert scale_free(y, SAMPLES_Z, SAMPLES_U) == pytest.approx(float(expected / equal), 1e-12)


def noisy(seed=0):
    """Return latents of two modalities that share a class, but for 100 samples of noise in u.

    For each of 4 classes the noise has the same 25 values, so it is uncorrelated to the last bit.
    """
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(2, 4, 3))
    shared = np.repeat(np.arange(4), 75)
    z, u = (centre[shared] + 0.1 * rng.normal(size=(300, 3)) for centre in centres)
    z = np.concatenate([z, np.repeat(centres[0], 25, axis=0)])
    u = np.concatenate([u, np.tile(rng.normal(size=(25, 3)), (4, 1))])
    return torch.from_numpy(z), torch.from_numpy(u), torch.from_numpy(np.arange(400) < 300)


def test_correlation_is_0_where_only_noise_is_unimportant():
    z, u, clean = noisy()
    assert scale_free(clean.double(), z, u) < 1e-12


def test_correlation_of_other_importances():
    """Controls: constant ones give 1; the wrong way round or at random they are far from 0."""
    z, u, clean = noisy()
    for constant in (0.0, 0.3, 0.99):
        y = torch.full((400,), constant, dtype=torch.float64)
        assert scale_free(y, z, u) == pytest.approx(1)
    assert scale_free(1 - clean.double(), z, u) > 1
    shuffled = clean[torch.randperm(400, generator=torch.Generator().manual_seed(0))].double()
    assert 0.3 < scale_free(shuffled, z, u) < 3


def test_correlation_of_scaled_and_shifted_latents():
    z, u, _ = noisy()
    y = torch.rand(1, 400, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    raw = correlation(y, z, u)
    for a, b in ((10.0, 1.0), (1.0, 0.01), (-5.0, 7.0)):
        scaled = (a * z + 3, b * u - 2)
        torch.testing.assert_close(correlation(y, *scaled), (a * b) ** 2 * raw)
        assert scale_free(y[0], *scaled) == pytest.approx(scale_free(y[0], z, u))


# The objective `paper` by hand

#: Two modalities with one latent value, three samples, one copy.
U = {"a": doubles(4, 0, 3).view(3, 1), "b": doubles(0, 8, 4).view(3, 1)}
Y = {"a": doubles(0.25, 1, 0.5).view(1, 3), "b": doubles(0.75, 1, 0.5).view(1, 3)}
RHO = {"a": doubles(0.5), "b": doubles(0.25)}

#: y_comp is (3/4, 0, 1/2) and (1/4, 0, 1/2), which weights the first and third sample 3/5 2/5 and
#: 1/3 2/3. Of two points of weights p and q, the covariance is p q (their differences' product):
#: 6/25 dz du with du = -1 in a, 2/9 dz du with du = 4 in b. At equal weights, u deviates from its
#: mean by (5, -7, 2)/3 and (-4, 4, 0).
BY_HAND = {
    # z = (1, 4, 7/2): dz = 5/2; deviations (-11, 7, 4)/6, covariances -16/9 and 4
    "joint": {"a": ((3, 5), (16, 9)), "b": ((20, 9), (4, 1))},
    "detached": {"a": ((3, 5), (16, 9)), "b": ((20, 9), (4, 1))},
    # z = (2, 4, 7/2): dz = 3/2; deviations (-7, 5, 2)/6, covariances -11/9 and 8/3
    "equal": {"a": ((9, 25), (11, 9)), "b": ((4, 3), (8, 3))},
    # z = u_b = (0, 8, 4) for a: dz = 4; z = u_a = (4, 0, 3) for b: dz = -1; covariances -16/3
    "leave_one_out": {"a": ((24, 25), (16, 3)), "b": ((8, 9), (16, 3))},
}
#: y_mean 7/12 and 3/4: (7 ln 7/6 + 5 ln 5/6) / 12 and 3 (ln 3) / 4 + (ln 1/3) / 4.
LOCAL = {
    "a": (7 * math.log(7 / 6) + 5 * math.log(5 / 6)) / 12,
    "b": math.log(3) / 2,
}


def at_hand(name, scale="batch", lambda_corr=10.0):
    return paper(U, Y, RHO, lambda_corr, z=name, scale=scale)


@pytest.mark.parametrize("name", BY_HAND)
def test_terms_of_paper_by_hand(name):
    terms = at_hand(name)
    assert terms.keys() == {"loss", *(f"{t}_{m}" for t in ("corr", "raw", "local", "y") for m in U)}
    for m, (weighted, equal) in BY_HAND[name].items():
        raw = Fraction(*weighted) ** 2
        assert_near(terms[f"raw_{m}"], doubles(raw))
        assert_near(terms[f"corr_{m}"], doubles(raw / Fraction(*equal) ** 2))
        assert_near(terms[f"local_{m}"], doubles(LOCAL[m]))
    assert_near(terms["y_a"], doubles(Fraction(7, 12)))
    assert_near(terms["y_b"], doubles(Fraction(3, 4)))


@pytest.mark.parametrize(
    ("name", "scale"),
    [(name, "batch") for name in BY_HAND] + [("joint", None), ("joint", {"a": 0.5, "b": 4.0})],
)
def test_loss_of_paper_by_hand(name, scale):
    """Its form is that of the choice, and its lambda weighs L_corr alone."""
    for lambda_corr in (0.0, 1.0, 7.0):
        expected = sum(LOCAL.values())
        for m, (weighted, equal) in BY_HAND[name].items():
            divisor = Fraction(*equal) ** 2 if scale == "batch" else scale[m] if scale else 1
            expected += lambda_corr * float(Fraction(*weighted) ** 2) / float(divisor)
        assert_near(at_hand(name, scale, lambda_corr)["loss"], doubles(expected))


def test_choices_differ():
    """Control: none passes for another, but for the two whose values are the same by design."""
    losses = [at_hand(name)["loss"].item() for name in ("joint", "equal", "leave_one_out")]
    losses.append(at_hand("joint", scale=None)["loss"].item())
    assert len({round(loss, 6) for loss in losses}) == 4
    assert tuple(BY_HAND) == Z


@pytest.mark.parametrize("name", Z)
def test_terms_of_three_modalities_are_numpys(name):
    u, y, rho = drawn("abc", copies=2)
    terms = paper(u, y, rho, z=name, scale="batch")
    v = {m: value.numpy() for m, value in u.items()}
    for copy in range(2):
        w = {m: y[m][copy].numpy() for m in u}
        for m in u:
            if name == "leave_one_out":
                z = np.mean([v[n] for n in u if n != m], axis=0)
            elif name == "equal":
                z = np.mean(list(v.values()), axis=0)
            else:
                z = sum(w[n][:, None] * v[n] for n in u) / sum(w.values())[:, None]
            raw, equal = (
                np.square(np.cov(z.T, v[m].T, ddof=0, aweights=weights)[:3, 3:]).sum()
                for weights in (1 - w[m], np.ones(20))
            )
            assert terms[f"raw_{m}"][copy].item() == pytest.approx(raw, rel=1e-10)
            assert terms[f"corr_{m}"][copy].item() == pytest.approx(raw / equal, rel=1e-10)
            assert terms[f"local_{m}"][copy] == local(y[m][copy], rho[m][copy])


# What flows where in `paper`


def of_present(name, z, u, y, has):
    """Return raw_m and mean y_m of one copy by loops over the samples that have the modality.

    Args:
        name: the modality.
        z: one of Z.
        u, y, has: by modality, lists of latents, of importances and of whether samples have it.
    """
    rows = [i for i in range(len(y[name])) if has[name][i]]
    samples = []
    for i in rows:
        others = [m for m in u if has[m][i] and (z != "leave_one_out" or m != name)]
        if not others:
            continue  # nothing else is known of the sample
        w = [y[m][i] if z in ("joint", "detached") else 1.0 for m in others]
        joint = sum(v * u[m][i] for v, m in zip(w, others, strict=True)) / sum(w)
        samples.append((1 - y[name][i], joint, u[name][i]))
    total = sum(w for w, _, _ in samples)
    means = [sum(w * sample[k] for w, *sample in samples) / total for k in (0, 1)]
    cov = sum(w * np.outer(a - means[0], b - means[1]) for w, a, b in samples) / total
    return (cov**2).sum(), sum(y[name][i] for i in rows) / len(rows)


@pytest.mark.parametrize("z", Z)
def test_absent_samples_are_in_no_term(z):
    """Three modalities, of which samples lack some; by loops over samples."""
    u, y, rho = drawn("abc", copies=2, samples=12)
    rng = np.random.default_rng(1)
    has = {m: rng.random(12) < 0.6 for m in "abc"}
    has["a"][:2], has["b"][:2], has["c"][:2] = True, False, False  # only a
    present = {m: torch.from_numpy(of).double() for m, of in has.items()}
    terms = paper(u, y, rho, z=z, scale=None, present=present)
    for copy in range(2):
        plain = [{m: of.numpy() for m, of in part.items()} for part in (u, y)]
        plain[1] = {m: of[copy] for m, of in plain[1].items()}
        for m in "abc":
            raw, mean = of_present(m, z, *plain, has)
            assert float(terms[f"raw_{m}"][copy]) == pytest.approx(raw, rel=1e-9)
            assert float(terms[f"y_{m}"][copy]) == pytest.approx(mean, rel=1e-12)
            r = float(rho[m][copy])
            kl = mean * math.log(mean / r) + (1 - mean) * math.log((1 - mean) / (1 - r))
            assert float(terms[f"local_{m}"][copy]) == pytest.approx(kl, rel=1e-9)


def test_a_single_sample_that_has_a_modality():
    u, y, rho = drawn(samples=3)
    present = {"a": doubles(0, 1, 0), "b": doubles(1, 1, 1)}
    terms = paper(u, y, rho, present=present)
    assert_near(terms["y_a"], y["a"][:, 1])
    assert_near(terms["y_b"], y["b"].mean(-1))
    assert_near(terms["raw_a"], doubles(0, 0))  # one sample has no covariance


def test_without_a_modality_the_scale_of_a_batch_counts_only_present_samples():
    u, y, rho = drawn(samples=9)
    here = doubles(1, 1, 1, 1, 1, 1, 0, 0, 0)
    found = paper(u, y, rho, z="equal", scale="batch", present={"a": here, "b": torch.ones(9)})
    first = [{m: v[..., :6, :] if m in "ab" and v.ndim == 2 and v.shape[0] == 9 else v
              for m, v in u.items()}, {m: v[:, :6] for m, v in y.items()}]  # fmt: skip
    expected = paper(*first, rho, z="equal", scale="batch")
    assert_near(found["corr_a"], expected["corr_a"])
    assert (found["corr_b"] - expected["corr_b"]).abs().max() > 1e-3


def test_weights_of_the_correlation_by_default():
    """1 in the paper's objective, 10 in ours and in the mixture."""
    terms = paper(U, Y, RHO)
    local_terms = sum(terms[f"local_{m}"] for m in U)
    assert_near(terms["loss"], local_terms + sum(terms[f"corr_{m}"] for m in U))
    terms = ima_plus(SHARED, PARTNER, Y, RHO)
    assert_near(
        terms["loss"],
        sum(terms[f"local_{m}"] for m in U) + 10 * sum(terms[f"corr_{m}"] for m in U),
    )
    terms = mixture(Y["a"], doubles(3, 2, 1), doubles(1, 1, 1), rho=0.5)
    assert_near(terms["loss"], terms["local"] + 10 * terms["corr"])


def test_an_unknown_z_is_refused():
    with pytest.raises(InputError, match=r"z: expected one of .*joint.*found other"):
        target("a", U, Y, "other")


@pytest.mark.parametrize("rho", [None, 0.25])
def test_mixture_of_copies_by_loops(rho):
    rng = np.random.default_rng(0)
    y, counted = rng.random((3, 6)), rng.random((3, 6)) < 0.6
    counted[2] = [False, True, False, False, False, False]
    evidence, partner = 3 * rng.random(6), rng.random(6)
    given = (torch.from_numpy(v) for v in (y, evidence, partner))
    terms = mixture(*given, rho=rho, lambda_corr=7.0, counted=torch.from_numpy(counted).double())
    for copy in range(3):
        rows = np.flatnonzero(counted[copy])
        fit = 1 + y[copy, rows] * partner[rows] * (evidence[rows] - 1)
        corr, mean, kl = -np.log(fit).mean(), y[copy, rows].mean(), 0.0
        if rho is not None:
            kl = mean * math.log(mean / rho) + (1 - mean) * math.log((1 - mean) / (1 - rho))
        weight = 1 if rho is None else 7
        assert float(terms["corr"][copy]) == pytest.approx(corr, rel=1e-9)
        assert float(terms["local"][copy]) == pytest.approx(kl, rel=1e-9)
        assert float(terms["loss"][copy]) == pytest.approx(kl + weight * corr, rel=1e-9)
    every = mixture(torch.from_numpy(y), torch.from_numpy(evidence), torch.from_numpy(partner))
    fit = 1 + y * partner * (evidence - 1)
    np.testing.assert_allclose(every["loss"].numpy(), -np.log(fit).mean(1), rtol=1e-9)


def gradients(options, term):
    """Return by modality the gradient of a term with respect to its importances, or None."""
    u, y, rho = drawn()
    y = {m: value.requires_grad_() for m, value in y.items()}
    terms = paper(u, y, rho, **options)
    found = torch.autograd.grad(terms[term].sum(), tuple(y.values()), allow_unused=True)
    return dict(zip(y, found, strict=True))


@pytest.mark.parametrize("z", Z)
@pytest.mark.parametrize("term", ["corr_a", "raw_a"])
def test_the_importances_of_others(z, term):
    """Through z with its gradient alone they move a modality's L_corr; its own always do."""
    found = gradients({"z": z}, term)
    assert found["a"].abs().min() > 0
    assert (found["b"] is not None) == (z == "joint")
    if z == "joint":
        assert found["b"].abs().min() > 0


@pytest.mark.parametrize(
    ("z", "knows"), [("joint", 1), ("detached", 1), ("equal", 0), ("leave_one_out", 0)]
)
def test_whether_a_modality_knows_the_importances_of_another(z, knows):
    u, y, rho = drawn("abc")
    other = {**y, "b": 1 - y["b"]}
    first, second = (paper(u, value, rho, z=z)["corr_a"] for value in (y, other))
    assert torch.equal(first, second) != knows


@pytest.mark.parametrize("scale", ["batch", None])
def test_joint_follows_the_slope_and_detached_does_not(scale):
    """The loss at a little more and less of one importance tells the slope."""
    u, y, rho = drawn()
    step = torch.zeros_like(y["a"])
    step[1, 4] = 1e-6
    more, less = (
        paper(u, {**y, "a": y["a"] + s}, rho, scale=scale)["loss"][1] for s in (step, -step)
    )
    slope = ((more - less) / 2e-6).item()
    options = {"scale": scale}
    joint = gradients({"z": "joint", **options}, "loss")["a"][1, 4].item()
    detached = gradients({"z": "detached", **options}, "loss")["a"][1, 4].item()
    assert joint == pytest.approx(slope, rel=1e-5)
    assert detached != pytest.approx(slope, rel=0.01)


def test_detached_has_the_slope_of_a_constant_z():
    u, y, _ = drawn()
    z = fuse(u, y)
    own = y["a"].clone().requires_grad_()
    (expected,) = torch.autograd.grad(correlation(own, z, u["a"]).sum(), own)
    assert_near(gradients({"z": "detached"}, "corr_a")["a"], expected)


def test_with_others_nothing_is_correlated_with_itself():
    """Every u_a meets every u_b: they share nothing, but each is a part of the joint z."""
    rng = np.random.default_rng(0)
    first, second = (torch.from_numpy(rng.normal(size=(8, 3))) for _ in "ab")
    u = {"a": first.repeat_interleave(8, 0), "b": second.repeat(8, 1)}
    y = {m: torch.zeros(1, 64, dtype=torch.float64) for m in u}
    rho = {m: doubles(0.8) for m in u}
    assert paper(u, y, rho, z="leave_one_out")["raw_a"].item() < 1e-25
    assert paper(u, y, rho, z="equal")["raw_a"].item() > 0.1


# Scale


@pytest.mark.parametrize("options", CHOICES)
def test_the_size_of_latents_is_nothing_by_the_scale_of_a_batch(options):
    """Ten times as long, ||C||^2 of z and u is 10^4 times as much."""
    u, y, rho = drawn()
    long = {m: 10 * value for m, value in u.items()}
    one, ten = (paper(value, y, rho, **options) for value in (u, long))
    for m in u:
        torch.testing.assert_close(ten[f"raw_{m}"], 1e4 * one[f"raw_{m}"])
        grows = 1 if options["scale"] else 1e4
        torch.testing.assert_close(ten[f"corr_{m}"], grows * one[f"corr_{m}"])
        assert torch.equal(ten[f"local_{m}"], one[f"local_{m}"])


@pytest.mark.parametrize(
    ("z", "counts"), [("joint", True), ("equal", True), ("leave_one_out", False)]
)
def test_the_size_of_one_modalitys_latents(z, counts):
    """A longer latent becomes most of z, and correlates with itself."""
    u, y, rho = drawn()
    long = {**u, "a": 10 * u["a"]}
    one, ten = (paper(value, y, rho, 10.0, z, "batch")["loss"] for value in (u, long))
    assert ((ten - one).abs() > (0.01 if counts else 1e-9)).all() == counts


# The ends of `paper`


def at_the_end(options, dtype, rows, importance):
    """Return the terms, and whether the loss' gradients are numbers, at the first so many rows."""
    u, y, rho = ({m: v.to(dtype) for m, v in part.items()} for part in drawn())
    u = {m: value[:rows] for m, value in u.items()}
    y = {m: torch.full_like(v[:, :rows], importance).requires_grad_() for m, v in y.items()}
    terms = paper(u, y, rho, **options)
    found = torch.autograd.grad(terms["loss"].sum(), tuple(y.values()))
    return terms, all(torch.isfinite(gradient).all() for gradient in found)


@pytest.mark.parametrize("options", CHOICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_correlation_is_zero_if_all_are_important(options, dtype):
    """Weights that are all 0: L_corr is 0 and gradients are numbers."""
    terms, finite = at_the_end(options, dtype, 20, 1.0)
    assert terms["corr_a"].tolist() == [0, 0] == terms["raw_b"].tolist()
    assert torch.isfinite(terms["loss"]).all() and finite


@pytest.mark.parametrize("scale", [None, "batch"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_correlation_of_a_single_sample_is_zero(scale, dtype):
    """Nothing varies: L_corr is 0 and gradients are numbers."""
    terms, finite = at_the_end({"scale": scale}, dtype, 1, 0.3)
    assert terms["corr_a"].tolist() == [0, 0] == terms["raw_b"].tolist()
    assert torch.isfinite(terms["loss"]).all() and finite


# The objective `ima+`

#: With the importances Y: a's weights (3/4, 0, 1/2) v are (3/4, 0, 1/4), so S is 9/4 - 1/4 = 2;
#: b's (1/4, 0, 1/2) v are (1/4, 0, 1/4), so S is (1 - 4) / 2 = -3/2, which is cut at 0.
SHARED = {"a": doubles(3, 5, -1), "b": doubles(1, 2, -4)}
PARTNER = {"a": doubles(1, 0.5, 0.5), "b": doubles(1, 1, 0.5)}


@pytest.mark.parametrize("lambda_corr", [0.0, 7.0])
def test_ima_plus_by_hand(lambda_corr):
    terms = ima_plus(SHARED, PARTNER, Y, RHO, lambda_corr)
    assert terms.keys() == at_hand("joint").keys()
    for term, value in (("raw_a", 2), ("corr_a", 4), ("raw_b", -1.5), ("corr_b", 0)):
        assert_near(terms[term], doubles(value))
    for m in "ab":
        assert_near(terms[f"local_{m}"], doubles(LOCAL[m]))
        assert_near(terms[f"y_{m}"], Y[m].mean(1))
    assert_near(terms["loss"], doubles(sum(LOCAL.values()) + lambda_corr * 4))


def test_slope_of_ima_plus_by_hand():
    """dS/dy_i = -v_i (s_i - S) / sum w, and d(S^2) = 2 S dS; none where S is below 0."""
    y = {m: value.clone().requires_grad_() for m, value in Y.items()}
    terms = ima_plus(SHARED, PARTNER, y, RHO)
    (found,) = torch.autograd.grad(terms["corr_a"].sum(), y["a"], retain_graph=True)
    assert_near(found, doubles(-4, -6, 6).view(1, 3))
    (found,) = torch.autograd.grad(terms["corr_b"].sum(), y["b"], retain_graph=True)
    assert found.abs().max() == 0
    with pytest.raises(RuntimeError, match="not have been used"):  # b's are nothing to a
        torch.autograd.grad(terms["corr_a"].sum(), y["b"])


def drawn_shared(names="ab", copies=4, samples=20):
    """Return s of mean 1, v, y and rho at random."""
    rng = np.random.default_rng(1)
    _, y, rho = drawn(names, copies, samples)
    shared = {m: torch.from_numpy(1 + rng.normal(size=(copies, samples))) for m in names}
    shared = {m: value / value.mean(1, keepdim=True) for m, value in shared.items()}
    return shared, {m: torch.from_numpy(rng.random((copies, samples))) for m in names}, y, rho


def test_importances_of_absent_samples_are_in_no_term_of_ima_plus():
    shared, partner, y, rho = drawn_shared()
    present = {"a": torch.ones(20), "b": (torch.arange(20) % 3 > 0).double()}
    partner = {m: v * present["a"] * present["b"] for m, v in partner.items()}
    terms = ima_plus(shared, partner, y, rho, present=present)
    others = {"a": y["a"], "b": torch.where(present["b"] > 0, y["b"], 1 - y["b"])}
    same = ima_plus(shared, partner, others, rho, present=present)
    for term, value in terms.items():
        assert_near(same[term], value)
    has = present["b"] > 0
    assert_near(terms["y_b"], y["b"][:, has].mean(1))
    assert_near(terms["local_b"], local(y["b"][:, has], rho["b"]))


def test_alike_importances_share_as_all_does():
    """S is 1 where all partners count alike, too; and a pair of v = 0 is not there."""
    shared, partner, y, rho = drawn_shared()
    ones = {m: torch.ones_like(value) for m, value in partner.items()}
    for value in (0.0, 0.6):
        alike = {m: torch.full_like(of, value) for m, of in y.items()}
        assert_near(ima_plus(shared, ones, alike, rho)["raw_a"], doubles(1, 1, 1, 1))
    less = {m: value.clone() for m, value in partner.items()}
    less["a"][:, 3] = 0
    changed = {m: value.clone() for m, value in shared.items()}
    changed["a"][:, 3] = 1000
    first, second = (ima_plus(s, less, y, rho)["raw_a"] for s in (shared, changed))
    assert_near(first, second)
    assert ((ima_plus(changed, partner, y, rho)["raw_a"] - first).abs() > 1).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("rows", "importance"), [(20, 1.0), (1, 0.3), (1, 1.0)])
def test_the_ends_of_ima_plus(dtype, rows, importance):
    """All important, or one pair: numbers; with weights that are all 0, nothing is shared."""
    shared, partner, y, rho = ({m: v.to(dtype) for m, v in of.items()} for of in drawn_shared())
    shared, partner = ({m: v[:, :rows] for m, v in of.items()} for of in (shared, partner))
    y = {m: torch.full_like(v[:, :rows], importance).requires_grad_() for m, v in y.items()}
    terms = ima_plus(shared, partner, y, rho)
    if importance == 1:
        assert terms["corr_a"].tolist() == [0] * 4
    assert torch.isfinite(terms["loss"]).all()
    found = torch.autograd.grad(terms["loss"].sum(), tuple(y.values()))
    assert all(torch.isfinite(gradient).all() for gradient in found)


# Copies


@pytest.mark.parametrize("options", [*CHOICES, None], ids=str)
def test_copies_are_what_each_is_alone(options):
    u, y, rho = drawn("abc", copies=4)
    shared, partner, *_ = drawn_shared("abc")
    objective = ima_plus if options is None else partial(paper, **options)
    terms = objective(*((shared, partner) if options is None else (u,)), y, rho)
    for copy in range(4):
        of_one = [
            {m: value[copy : copy + 1] for m, value in part.items()}
            for part in (y, rho, shared, partner)
        ]
        found = objective(*(of_one[2:] if options is None else (u,)), *of_one[:2])
        for term, value in found.items():
            assert terms[term].shape == (4,) and value.shape == (1,)
            assert_near(terms[term][copy], value[0])
    assert len(set(terms["loss"].tolist())) == 4


def test_one_row_stands_for_every_copy():
    shared, partner, y, rho = drawn_shared()
    one = [{m: value[:1] for m, value in part.items()} for part in (shared, partner)]
    flat = [{m: value[0] for m, value in part.items()} for part in (shared, partner)]
    every = [{m: value[:1].expand(4, -1) for m, value in p.items()} for p in (shared, partner)]
    expected = ima_plus(*every, y, rho)
    for parts in (one, flat):
        for term, value in ima_plus(*parts, y, rho).items():
            assert_near(value, expected[term])


# Stage 1


@pytest.mark.parametrize("objective", AUTOENCODER)
def test_stage_1_knows_the_classes_of_categorical_items(objective):
    torch.manual_seed(0)
    grouped = Modality(6, 4, "categorical", shape=(2, 3))
    model = Autoencoder({"a": grouped, "b": Modality(3, 5, "sse")}, 2)
    x = {"a": torch.eye(6)[:3] + torch.eye(6)[3:], "b": torch.rand(3, 3)}
    z = fuse(model.encode(x), None)
    logits = model.decoders["a"](z).view(3, 2, 3).log_softmax(-1)
    expected = -(logits.flatten(1) * x["a"]).sum(1).mean()
    torch.testing.assert_close(AUTOENCODER[objective](model, x)["rec_a"], expected)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("objective", AUTOENCODER)
def test_stage_1_with_absent_samples_by_loops(objective, weighted):
    """Sums of squares over the samples that have the modality, divided by the size of the batch."""
    torch.manual_seed(0)
    model = Autoencoder({"a": Modality(2, 5, "sse"), "b": Modality(3, 5, "sse")}, 2).double()
    x = {"a": torch.rand(6, 2).double(), "b": torch.rand(6, 3).double()}
    has = {"a": [1, 1, 1, 0, 0, 1], "b": [1, 0, 1, 1, 1, 0]}
    y = {m: torch.rand(6).double() for m in x} if weighted else None
    terms = AUTOENCODER[objective](model, x, y, {m: doubles(*of) for m, of in has.items()})
    u = {m: of.detach() for m, of in model.encode(x).items()}
    expected = {f"norm_{m}": u[m].abs().mean() for m in u}
    names = ("rec", "align", "self") if objective == "ima+" else ("rec", "align")
    expected |= {f"{name}_{m}": doubles(0)[0] for name in names for m in u}
    glob = doubles(0)[0]
    for i in range(6):
        here = [m for m in u if has[m][i]]
        w = [y[m][i] if weighted else 1.0 for m in here]
        z = sum(v * u[m][i] for v, m in zip(w, here, strict=True)) / sum(w)
        glob = glob + (z**2).sum() / 6
        for m in here:
            decode = model.decoders[m]
            expected[f"rec_{m}"] += ((decode(z) - x[m][i]) ** 2).sum().detach() / 6
            expected[f"align_{m}"] += ((z - u[m][i]) ** 2).sum() / 6
            if objective == "ima+":
                expected[f"self_{m}"] += ((decode(u[m][i]) - x[m][i]) ** 2).sum().detach() / 6
    if objective == "paper":
        expected["glob"] = glob
    assert terms.keys() == expected.keys() and set(AUTOENCODER) == {"paper", "ima+"}
    for name, value in expected.items():
        torch.testing.assert_close(terms[name].detach(), value, rtol=1e-9, atol=1e-12)
