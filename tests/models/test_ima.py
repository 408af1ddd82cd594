"""The model against Eq. 1 worked out by hand, and its sizes against the paper's."""

import itertools
import math
from fractions import Fraction

import pytest
import torch
from torch import nn

from ima.models.ima import (
    ACTIVATIONS,
    Autoencoder,
    Decoder,
    Encoder,
    IMANetwork,
    ImportanceNet,
    Modality,
    Summary,
    decoder_of,
    encoder_of,
    fuse,
    in_blocks,
    mlp,
)
from ima.utils.errors import InputError

#: The paper's sizes (6.1): two hidden layers of 500 and of 100, 50 latent values.
PAPER = {"image": Modality(784, 500), "speech": Modality(696, 100)}


def linear_layers(module):
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


# Blocks


def test_items_are_mapped_in_blocks_where_no_gradient_is_needed(on_disk):
    calls = []

    def double(x):
        calls.append(len(x))
        return 2 * x

    x = torch.arange(14.0).view(7, 2)
    assert torch.equal(in_blocks(double, x), 2 * x) and calls == [7]
    with torch.no_grad():
        assert torch.equal(in_blocks(double, x), 2 * x) and calls == [7, 3, 3, 1]
        assert torch.equal(in_blocks(lambda part: part.T, x, dim=1), x.T)
        assert in_blocks(double, x[:0]).shape == (0, 2)
    model = IMANetwork.of({"a": Modality(2, 4)}, 3, 4, {"a": [0.5, 0.2]})
    for method in (model.autoencoder.encode, model.importances):
        whole = method({"a": x})["a"]
        with torch.no_grad():
            torch.testing.assert_close(method({"a": x})["a"], whole.detach())


def test_blocks_of_wide_items_are_smaller(monkeypatch):
    """24 bytes hold three items of two single-precision numbers."""
    monkeypatch.setattr("ima.utils.matrices.BYTES", 24)
    calls = []
    with torch.no_grad():
        in_blocks(lambda part: calls.append(len(part)) or part, torch.zeros(7, 2))
    assert calls == [3, 3, 1]


# Eq. 1

#: Latents of three modalities, one sample each, and importances that are exact in binary.
U = {
    "a": torch.tensor([[4.0, 0.0]]),
    "b": torch.tensor([[0.0, 8.0]]),
    "c": torch.tensor([[2.0, 2.0]]),
}
Y = {"a": torch.tensor([0.25]), "b": torch.tensor([0.75]), "c": torch.tensor([1.0])}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("a", (4, 0)),
        ("b", (0, 8)),
        ("c", (2, 2)),
        ("ab", (1, 6)),  # (1/4 (4, 0) + 3/4 (0, 8)) / 1
        ("ac", (Fraction(12, 5), Fraction(8, 5))),  # ((1, 0) + (2, 2)) / (5/4)
        ("bc", (Fraction(8, 7), Fraction(32, 7))),  # ((0, 6) + (2, 2)) / (7/4)
        ("abc", (Fraction(3, 2), 4)),  # ((1, 0) + (0, 6) + (2, 2)) / 2
    ],
)
def test_fuse_any_subset_by_hand(names, expected):
    for order in itertools.permutations(names):
        z = fuse({name: U[name] for name in order}, Y)  # importances of others are passed over
        assert z.shape == (1, 2)
        assert z[0].tolist() == pytest.approx([float(value) for value in expected], rel=1e-6)


def test_fuse_without_importances_is_the_plain_mean():
    assert fuse({"a": U["a"], "b": U["b"]}).tolist() == [[2, 4]]
    assert fuse(U)[0].tolist() == pytest.approx([2, 10 / 3])
    ones = {name: torch.ones(1) for name in U}
    torch.testing.assert_close(fuse(U, ones), fuse(U))


def test_fuse_weights_every_sample_by_itself():
    u = {"a": torch.tensor([[6.0], [6.0], [6.0]]), "b": torch.tensor([[0.0], [0.0], [0.0]])}
    y = {"a": torch.tensor([1.0, 0.5, 0.0]), "b": torch.tensor([0.0, 1.0, 0.5])}
    assert fuse(u, y).tolist() == [[6], [2], [0]]


def test_fuse_where_nothing_is_important():
    y = {"a": torch.tensor([0.0, 0.5]), "b": torch.tensor([0.0, 0.5])}
    u = {"a": torch.tensor([[3.0], [3.0]]), "b": torch.tensor([[5.0], [5.0]])}
    assert fuse(u, y).tolist() == [[0], [4]]
    assert fuse({"a": u["a"]}, y).tolist() == [[0], [3]]


def test_fuse_keeps_a_leading_dimension_of_copies():
    u = {"a": torch.tensor([[4.0, 8.0], [4.0, 8.0]]), "b": torch.zeros(2, 2)}
    y = {
        "a": torch.tensor([[1.0, 0.0], [0.25, 0.5], [1.0, 1.0]]),
        "b": torch.tensor([[0.0, 1.0], [0.75, 0.5], [1.0, 0.0]]),
    }
    z = fuse(u, y)
    assert z.tolist() == [[[4, 8], [0, 0]], [[1, 2], [2, 4]], [[2, 4], [4, 8]]]
    for copy in range(3):
        assert torch.equal(z[copy], fuse(u, {name: value[copy] for name, value in y.items()}))


def test_fuse_rejects_missing_importances():
    with pytest.raises(InputError, match=r"importances: expected one for each of \['a', 'b'\]"):
        fuse({"a": U["a"], "b": U["b"]}, {"a": Y["a"]})
    with pytest.raises(InputError, match="modalities: expected at least one, found none"):
        fuse({})


# Encoder and decoder


@pytest.mark.parametrize(
    ("activation", "of"),
    [
        ("relu", lambda v: max(v, 0)),
        ("tanh", math.tanh),
        ("gelu", lambda v: v * (1 + math.erf(v / math.sqrt(2))) / 2),
    ],
)
@pytest.mark.parametrize("module", [Encoder, Decoder])
def test_activations_by_hand(module, activation, of):
    """Weights 1 and biases -1, 1/2 and 1/4: two activations, and none on what comes out."""
    layers = module(Modality(1, 1, activation=activation), 1)
    with torch.no_grad():
        for layer, bias in zip(linear_layers(layers), (-1, 0.5, 0.25), strict=True):
            layer.weight.fill_(1)
            layer.bias.fill_(bias)
    x = [-3.0, 0.2, 1.5, -9.0]
    expected = [of(of(value - 1) + 0.5) + 0.25 for value in x]
    assert layers(torch.tensor(x).view(-1, 1)).flatten().tolist() == pytest.approx(expected)


def test_relu_is_the_activation_where_none_is_named():
    assert set(ACTIVATIONS) == {"relu", "tanh", "gelu"}
    assert Modality(3, 4) == Modality(3, 4, "bce", "relu")
    model = Autoencoder({"a": Modality(3, 4), "b": Modality(3, 4, activation="tanh")}, 2)
    for part, (name, kind) in itertools.product(
        (model.encoders, model.decoders), (("a", nn.ReLU), ("b", nn.Tanh))
    ):
        found = [layer for layer in part[name].layers if not isinstance(layer, nn.Linear)]
        assert list(map(type, found)) == [kind, kind]


def test_parameters_at_the_papers_sizes():
    """A layer from a to b has (a + 1) b parameters."""
    model = Autoencoder(PAPER, 50)
    assert count(model.encoders["image"]) == 785 * 500 + 501 * 500 + 501 * 50 == 668_050
    assert count(model.decoders["image"]) == 51 * 500 + 501 * 500 + 501 * 784 == 668_784
    assert count(model.encoders["speech"]) == 697 * 100 + 101 * 100 + 101 * 50 == 84_850
    assert count(model.decoders["speech"]) == 51 * 100 + 101 * 100 + 101 * 696 == 85_496
    assert count(model) == 668_050 + 668_784 + 84_850 + 85_496
    importance = IMANetwork.of(PAPER, 50, 100, {"image": [0.8], "speech": [0.3]}).importance
    assert count(importance["image"]) == 785 * 100 + 101 * 100 + 101 == 88_701
    assert count(importance["speech"]) == 697 * 100 + 101 * 100 + 101 == 79_901


# Importance networks


def by_hand(net, x, copy):
    """Evaluate one copy of an importance network with plain matrix products."""
    h = (x @ net.w1[copy] + net.b1[copy]).relu()
    h = (h @ net.w2[copy] + net.b2[copy]).relu()
    return (h @ net.w3[copy] + net.b3[copy]).sigmoid().squeeze(-1)


def test_copies_give_what_each_gives_alone():
    torch.manual_seed(0)
    net, x = ImportanceNet(6, 4, [0.2, 0.5, 0.9]), torch.randn(10, 6)
    y = net(x)
    assert y.shape == (3, 10)
    for copy in range(3):
        alone = net.copy(copy)
        assert alone(x).shape == (1, 10)
        torch.testing.assert_close(alone(x)[0], y[copy])
        torch.testing.assert_close(by_hand(net, x, copy), y[copy])
    assert not torch.allclose(y[0], y[1], atol=0.1)


def test_hidden_is_the_top_layer_of_every_copy():
    """By hand: x = (1, 2) gives (1, 0) below, then (3, 0) and (0, 2) in the two copies."""
    net = ImportanceNet(2, 2, [0.5, 0.5])
    with torch.no_grad():
        net.w1.copy_(torch.tensor([[1.0, 0.0], [0.0, -1.0]]))
        net.b1.zero_()
        net.w2.copy_(torch.tensor([[[2.0, -5.0], [0.0, 0.0]], [[-3.0, 1.0], [0.0, 0.0]]]))
        net.b2.fill_(1.0)
    x = torch.tensor([[1.0, 2.0]])
    assert net.hidden(x).tolist() == [[[3, 0]], [[0, 2]]]
    expected = (net.hidden(x) @ net.w3 + net.b3).squeeze(-1).sigmoid()
    torch.testing.assert_close(net(x), expected)


def test_a_copy_is_the_same_weights_and_its_own():
    net = ImportanceNet(6, 4, [0.2, 0.5])
    alone = net.copy(1)
    for name, value in net.state_dict().items():
        assert torch.equal(alone.state_dict()[name], value[1:2])
    with torch.no_grad():
        net.w1.zero_()
    assert alone.w1.any()


def test_copies_start_from_different_weights():
    net = ImportanceNet(6, 4, [0.5, 0.5])
    for name in ("w1", "b1", "w2", "b2", "w3", "b3"):
        first, second = getattr(net, name)
        assert not torch.equal(first, second)


def test_first_weights_are_drawn_as_those_of_a_linear_layer():
    """Uniform in +-1/sqrt(inputs): sd is that by sqrt(3)."""
    torch.manual_seed(0)
    net = ImportanceNet(400, 100, [0.5] * 4)
    for weight, inputs in ((net.w1, 400), (net.w2, 100)):
        assert weight.abs().max() <= inputs**-0.5
        assert weight.std().item() == pytest.approx((3 * inputs) ** -0.5, rel=0.01)


@pytest.mark.parametrize("rho", [0.03, 0.3, 0.8])
def test_importances_start_near_rho(rho):
    torch.manual_seed(1)
    mean = ImportanceNet(784, 100, [rho] * 20)(torch.rand(50, 784)).mean()
    assert mean.item() == pytest.approx(rho, abs=0.02)


@pytest.mark.parametrize("rho", [0.0, 1.0])
def test_importances_are_constant_at_a_rho_of_0_or_1(rho):
    torch.manual_seed(0)
    network = ImportanceNet(6, 50, [rho, 0.5])
    y = network(torch.randn(20, 6))
    assert y[0].tolist() == [rho] * 20
    assert len(set(y[1].tolist())) == 20  # control


@pytest.mark.parametrize("rho", [-0.1, 1.5, float("nan")])
def test_rho_outside_0_and_1_is_an_error(rho):
    with pytest.raises(InputError, match=r"rho: expected numbers in \[0, 1\]"):
        ImportanceNet(3, 2, [0.5, rho])


# The whole


def test_importances_are_in_0_and_1_even_far_out():
    model = IMANetwork.of({"a": Modality(3, 4)}, 2, 4, {"a": [0.5] * 5})
    y = model.importances({"a": 1e6 * torch.randn(100, 3)})["a"]
    assert y.min() >= 0 and y.max() <= 1 and torch.isfinite(y).all()


def test_order_of_modalities_is_kept():
    modalities = {name: Modality(3, 4) for name in ("touch", "image", "audio")}
    model = IMANetwork.of(modalities, 2, 4, {name: [0.5] for name in sorted(modalities)})
    order = ["touch", "image", "audio"]
    assert list(model.autoencoder.modalities) == order
    assert list(model.autoencoder.encoders) == order == list(model.autoencoder.decoders)
    assert list(model.importance) == order


@pytest.mark.parametrize(
    "values", [(0, 5, "bce"), (5, 0, "sse"), (-1, 5, "bce"), (5, 5, "mse"), (5, 5, "bce", "sine")]
)
def test_a_modality_that_cannot_be(values):
    losses = r"\('bce', 'sse', 'poisson', 'categorical'\)"
    expected = rf"one of {losses}, activation one of \['relu', 'tanh', 'gelu'\]"
    with pytest.raises(InputError, match=f"modality: expected .* {expected}"):
        Modality(*values)


@pytest.mark.parametrize(("modalities", "latent"), [(PAPER, 0), (PAPER, -2), ({}, 2)])
def test_a_model_that_cannot_be(modalities, latent):
    with pytest.raises(InputError, match=f"model: expected a latent size .* found latent {latent}"):
        Autoencoder(modalities, latent)


# Parts of the model


def test_an_autoencoder_is_kept_with_new_importance_networks():
    model = Autoencoder({"b": Modality(3, 4), "a": Modality(2, 4)}, 1)  # a latent of 1 is enough
    whole = IMANetwork.from_autoencoder(model, 7, {"a": [0.2], "b": [0.9, 0.5]})
    assert whole.autoencoder is model and list(whole.importance) == ["b", "a"]
    assert whole.importance["b"].w1.shape == (2, 3, 7)
    assert whole.importances({"a": torch.zeros(5, 2)})["a"].shape == (1, 5)


def test_layers_without_an_activation_named_have_relu():
    layers = mlp(3, 4, 2)
    assert [type(layer) for layer in layers] == [nn.Linear, nn.ReLU, nn.Linear]


def test_shape_and_modules_of_a_modality_are_checked():
    of = Modality(6, 4, shape=(2, 3))
    assert of.item == (2, 3) and of.classes == 3 and Modality(6, 4).classes == 6
    assert Modality(12, 4, shape=(2, 2, 3)).classes == 3
    with pytest.raises(InputError, match=r"shape: expected sizes whose product is the 6.*\(2, 2\)"):
        Modality(6, 4, shape=(2, 2))
    with pytest.raises(InputError, match=r"decoder: expected a torch\.nn\.Module.*found 3"):
        Modality(6, 4, decoder=3)


def test_modules_of_the_user_see_items_in_their_shape():
    """The encoder adds the two rows of an item, the decoder repeats the latent as both rows."""

    class Rows(nn.Module):
        def forward(self, x):
            return x.sum(1) if x.ndim == 3 else torch.stack((x, 10 * x), 1)

    modality = Modality(6, 4, shape=(2, 3), encoder=Rows(), decoder=Rows())
    x = torch.arange(12.0).view(2, 6)
    assert encoder_of("a", modality, 3)(x).tolist() == [[3, 5, 7], [15, 17, 19]]
    assert decoder_of("a", modality, 3)(torch.tensor([[1.0, 2, 3]])).tolist() == [
        [1, 2, 3, 10, 20, 30]
    ]
    for make, part in ((encoder_of, "encoder"), (decoder_of, "decoder")):
        with pytest.raises(InputError, match=rf"layers\['a'\]\['{part}'\]: expected a module"):
            make("a", Modality(6, 4, shape=(2, 3), **{part: nn.Linear(5, 5)}), 4)
        with pytest.raises(InputError, match=rf"layers\['a'\]\['{part}'\]: expected FILE"):
            make("a", Modality(6, 4, shape=(2, 3), **{part: "none:X"}), 4)


# Summary

#: Signs of eight items, orthogonal and without mean, and the sizes of three axes along them: the
#: last is 1 for four items and 3 for the others.
SIGNS = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).repeat(2, 1)
AXES = torch.tensor([[8.0, 4, 1]] * 4 + [[8.0, 4, 3]] * 4)


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_summary_by_hand(scale):
    """Deviations 8, 4 and sqrt 5: variances 64, 16 and 5 of 85 explain .75, .94 and all."""
    x = scale * AXES * SIGNS + torch.tensor([5.0, -2, 1])
    found = Summary.of(x)  # .9 of the variance
    assert found.width == 3 and found.directions.shape == (3, 2)
    torch.testing.assert_close(found.mean, torch.tensor([5.0, -2, 1]))
    assert torch.allclose(found.scores(x).abs(), torch.ones(8, 2), atol=1e-4)
    signs = found.scores(x) * SIGNS[:, :2]
    assert torch.allclose(signs, signs[:1].expand(8, 2), atol=1e-4)  # along the first two axes
    logs = [math.log(scale**2 * square + 1e-6) for square in (1, 9)]
    mean, deviation = sum(logs) / 2, (logs[1] - logs[0]) / 2 * (8 / 7) ** 0.5
    assert found.residual.tolist() == pytest.approx([mean, deviation], rel=2e-3)
    assert found(x)[:, :2].tolist() == found.scores(x).tolist()
    last = (7 / 8) ** 0.5
    assert found(x)[:, 2].tolist() == pytest.approx([-last] * 4 + [last] * 4, abs=5e-3)
    # An item that is 10 times as far along the first axis has no other residual.
    far = found(x[:1] + scale * torch.tensor([72.0, 0, 0]))
    assert far[0, 0].abs().item() == pytest.approx(10, rel=1e-3)
    assert far[0, 2].item() == pytest.approx(-last, abs=0.05)


def test_residuals_that_differ_little_are_scaled_too():
    """Squared distances 1 and 1.21, whose logs differ by .19."""
    sizes = torch.tensor([[8.0, 4, 1]] * 4 + [[8.0, 4, 1.1]] * 4)
    found = Summary.of(sizes * SIGNS)
    assert found.residual[1].item() == pytest.approx(math.log(1.21) / 2 * (8 / 7) ** 0.5, rel=1e-3)


def test_number_of_components_of_a_summary():
    x = AXES * SIGNS
    equal = torch.cat((torch.eye(2), -torch.eye(2)))  # each explains half, which is enough
    assert Summary.of(equal, 0.5).directions.shape[1] == 1
    widths = {v: Summary.of(x, v).directions.shape[1] for v in (0.7, 0.76, 0.93, 0.95)}
    assert widths == {0.7: 1, 0.76: 2, 0.93: 2, 0.95: 3}
    assert Summary.of(x, 0.95, most=2).directions.shape[1] == 2
    whole = Summary.of(x, 0.95)
    assert whole.width == 3 and torch.equal(whole(x), whole.scores(x))  # there is no residual
    assert whole.residual.tolist() == [0, 1]
    alike = torch.cat((torch.eye(25), -torch.eye(25)))  # 23 components for .9, 20 at most
    assert Summary.of(alike).directions.shape == (25, 20) and Summary.of(alike).width == 21


def test_summary_of_constant_items_is_finite():
    for items, components in ((1, 1), (6, 4)):
        found = Summary.of(torch.full((items, 4), 3.0))
        assert found.directions.shape == (4, components)
        assert found(torch.zeros(2, 4)).isfinite().all()
        assert found(torch.full((1, 4), 3.0))[0, 0] == 0


def test_a_summary_is_kept_with_the_weights():
    found = Summary.of(AXES * SIGNS)
    names = {"mean", "directions", "residual"}
    assert set(found.state_dict()) == names
    torch.manual_seed(0)
    network = ImportanceNet(3, 4, [0.5, 0.2], components=2)
    network.summary.load_state_dict(found.state_dict())
    x = AXES * SIGNS
    alone = network.copy(1)
    assert alone.summary.directions.shape == (3, 2) and network.w1.shape == (2, 3, 4)
    torch.testing.assert_close(alone(x)[0], network(x)[1])
    plain = ImportanceNet(3, 4, [0.5])
    plain.load_state_dict({n: v[:1] for n, v in network.state_dict().items() if "." not in n})
    torch.testing.assert_close(plain(found(x))[0], network(x)[0])  # it sees the summary
