"""Generation of modalities from others: what is generated from what, and its coherence."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from ima.evaluation import generation
from ima.evaluation.classifier import Classifier
from ima.evaluation.generation import JOINT, UNWEIGHTED, Task
from ima.evaluation.represent import decode
from ima.models.baselines.mvae import MVAE
from ima.models.ima import IMANetwork, Modality
from ima.reporting.figures.generation import draw, pictures

KINDS = ["clean", "speech_noise", "clean", "image_noise", "clean", "clean"]


def pairs(labels=(3, 3, 7, 7, 7, 3)):
    """Return six pairs: image 0 occurs twice, image 9 and speech 8 are noise."""
    rows = {"item_image": [0, 2, 5, 9, 4, 0], "item_speech": [1, 8, 3, 3, 6, 0]}
    items = {name: pa.array(of, pa.int32()) for name, of in rows.items()}
    return pa.table({**items, "label": pa.array(labels, pa.int64()), "pair_type": KINDS})


def test_each_item_that_is_no_noise_is_used_once():
    assert generation.items_once(pairs(), "image").tolist() == [0, 1, 4, 2]  # items 0, 2, 4, 5
    assert generation.items_once(pairs(), "speech").tolist() == [5, 0, 2, 4]  # items 0, 1, 3, 6


def test_tasks_are_all_directions_and_kinds_of_pairs():
    found = {(t.given, t.generated, t.subset): t.rows.tolist() for t in generation.tasks(pairs())}
    pair_types = {"image_noise": [3], "speech_noise": [1]}
    expected = {
        (given, generated, pair_type): rows
        for given in (JOINT, UNWEIGHTED)
        for generated in ("image", "speech")
        for pair_type, rows in pair_types.items()
    }
    expected["speech", "image", "clean"] = [5, 0, 2, 4]
    expected["image", "speech", "clean"] = [0, 1, 4, 2]
    assert found == expected


class Same(nn.Module):
    """A model whose decoders pass on the latent as logits."""

    def __init__(self):
        super().__init__()
        self.modalities = {m: Modality(2, 1, "bce") for m in ("image", "speech")}
        self.decoders = nn.ModuleDict({m: nn.Identity() for m in self.modalities})


def test_coherence_by_hand():
    """The classifier sees probabilities and says 7 where the first is the greater."""
    z = torch.tensor([[2.0, 0], [0, 2], [0, 1], [1, 0], [3, 0], [0, 1]])
    seen = []

    def classify(x):
        seen.append(x)
        return np.where(x[:, 0] > x[:, 1], 7, 3)

    test = pa.table(
        {
            "item_image": [0, 1, 2, 3, 4, 5],
            "item_speech": [8, 8, 9, 9, 8, 7],
            "label": np.array([3, 3, 7, 7, 7, 3]),
        }
    )
    asked = [
        Task("speech", "image", "clean", np.array([0, 1, 2, 3])),  # 7 3 3 7 of 3 3 7 7
        Task(JOINT, "image", "clean", np.array([3, 4, 5])),  # 7 7 3: all right
        Task(UNWEIGHTED, "image", "clean", np.array([0])),  # this model has no such latents
    ]
    of = {"speech": z, JOINT: z}
    rows = generation.coherence_rows(Same(), of, test, asked, {"image": classify})
    assert [(r["given"], r["items"], r["coherence"]) for r in rows] == [
        ("speech", 4, 2 / 4),
        ("joint", 3, 3 / 3),
    ]
    np.testing.assert_allclose(seen[0][0], [1 / (1 + np.exp(-2)), 0.5], rtol=1e-6)
    # Wrong, right, wrong, right: one of each for both recordings, and no image twice.
    assert (rows[0]["se_items"], rows[0]["df_items"]) == (0, 1)
    assert (rows[1]["se_items"], rows[1]["df_items"]) == (0, 2)
    # From images alone, each pair is independent, though recordings are in two.
    asked = [Task("image", "speech", "clean", np.array([0, 1, 2, 3]))]
    (row,) = generation.coherence_rows(Same(), {"image": z}, test, asked, {"speech": classify})
    assert (row["se_items"], row["df_items"]) == (pytest.approx((1 / 12) ** 0.5), 3)


def test_chance_is_that_of_shuffled_labels():
    """A perfect generator is right by chance in one of four cases, a constant one always so."""
    labels = np.arange(4000) % 4
    asked = [Task("speech", "image", "clean", np.arange(4000))]
    test = pa.table({"item_image": np.arange(4000), "label": labels})
    z = {"speech": torch.from_numpy(np.stack([labels, labels], 1)).float()}
    model = Same()
    model.modalities = {"image": SimpleNamespace(loss="sse", classes=None)}
    perfect, constant = (
        generation.coherence_rows(model, z, test, asked, {"image": classify})[0]
        for classify in (lambda x: x[:, 0].astype(int), lambda x: np.zeros(len(x), int))
    )
    assert perfect["coherence"] == 1 and perfect["chance"] == pytest.approx(0.25, abs=0.03)
    assert constant["coherence"] == constant["chance"] == 0.25
    assert constant["se_items"] == pytest.approx((0.25 * 0.75 / 3999) ** 0.5)


def test_latents_are_those_of_one_modality_or_all():
    torch.manual_seed(0)
    modalities = {"image": Modality(5, 4), "speech": Modality(3, 4)}
    x = {m: torch.rand(6, of.dimension) for m, of in modalities.items()}
    items = {"image": torch.tensor([0, 1]), "speech": torch.tensor([5, 2])}
    network = IMANetwork.of(modalities, 2, 4, {"image": [0.2], "speech": [0.9]})
    found = generation.latents(network, x, items)
    u = network.autoencoder.encode({m: x[m][items[m]] for m in x})
    y = {m: of[0] for m, of in network.importances({m: x[m][items[m]] for m in x}).items()}
    weight = (y["image"] / (y["image"] + y["speech"])).unsqueeze(1)
    assert set(found) == {"image", "speech", JOINT, UNWEIGHTED}
    torch.testing.assert_close(found["speech"], u["speech"])
    torch.testing.assert_close(found[JOINT], weight * u["image"] + (1 - weight) * u["speech"])
    torch.testing.assert_close(found[UNWEIGHTED], (u["image"] + u["speech"]) / 2)
    baseline = MVAE(modalities, 2)
    found = generation.latents(baseline, x, items)
    assert set(found) == {"image", "speech", JOINT}
    drawn = decode(baseline, found["speech"], "image")
    with torch.no_grad():
        expected = baseline.decoders["image"](found["speech"]).sigmoid()
    torch.testing.assert_close(drawn, expected)


def test_classifiers_learn_from_real_items_without_noise():
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    x = {m: labels[:, None] * 4 + rng.normal(size=(200, 3)) for m in ("image", "speech")}
    x["image"][150:] = rng.normal(size=(50, 3)) + 1e6  # noise images would spoil the scale
    pair_types = ["clean"] * 150 + ["image_noise"] * 50
    items = {f"item_{m}": pa.array(range(200), pa.int32()) for m in x}
    table = pa.table({**items, "label": labels, "pair_type": pair_types})
    classifiers = generation.item_classifiers(x, table, Classifier(epochs=10, batch_size=32))
    found = generation.ceilings(classifiers, x, table)
    assert set(found) == {"image", "speech"} and min(found.values()) > 0.95


def test_the_table_is_over_seeds():
    about = {"model": "M", "latent": 2, "given": "a", "generated": "b", "subset": "clean"}
    rows = [
        {**about, "items": 10, "ceiling": 0.9, "seed": s, "coherence": c, "chance": 0.1}
        for s, c in enumerate((0.2, 0.4))
    ]
    (row,) = generation.coherence_table(rows, "test").to_pylist()
    assert row["coherence"] == pytest.approx(0.3) and row["seeds"] == 2
    assert row["coherence_sd"] == pytest.approx(0.02**0.5)
    assert row["ceiling"] == 0.9 and row["chance_sd"] == 0


def test_one_pair_of_each_class_is_shown():
    shown = generation.one_per_class(pairs())
    assert shown[0] in (0, 5) and shown[1] in (2, 4)


def test_pictures_and_their_rows():
    """A frame is a column, with the first coefficient at the bottom."""
    speech = pictures(np.arange(6.0)[None], 2)
    np.testing.assert_array_equal(speech[0], [[1, 3, 5], [0, 2, 4]])
    images = pictures(np.arange(8.0).reshape(2, 4), None)
    np.testing.assert_array_equal(images[1], [[4, 5], [6, 7]])
    blocks = {
        "image from speech": [("given", speech.repeat(2, 0)), ("M", images)],
        "speech from image": [("given", images), ("M", speech.repeat(2, 0))],
    }
    figure = draw(blocks, [3, 7], "latent size 2")
    figure.canvas.draw()
    axes = np.array(figure.axes).reshape(2, 2)
    assert [a.get_ylabel() for a in axes[:, 0]] == ["given", "M"]
    assert [t.get_text() for t in axes[1, 1].get_xticklabels()] == ["3", "7"]
    (strip,) = axes[1, 0].get_images()
    np.testing.assert_array_equal(strip.get_array()[:, [0, 1, 3, 4]], [[0, 1, 4, 5], [2, 3, 6, 7]])
