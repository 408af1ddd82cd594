"""Weights of Eq. 1 by type of pair: by hand, with shuffled importances as the control."""

import math

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from ima.reporting.figures import save
from ima.reporting.figures.palettes import PALETTES, PAPER
from ima.reporting.figures.weights import (
    BINS,
    draw,
    pair_type_colours,
    shuffled,
    weight_rows,
    weight_table,
)
from ima.utils.errors import InputError

Y = {"image": np.array([0.9, 0.1, 0.8, 0.0]), "speech": np.array([0.3, 0.9, 0.2, 0.0])}
PAIR_TYPES = np.array(["clean", "image_noise", "speech_noise", "clean"])


def test_draw_requires_two_modalities():
    with pytest.raises(InputError, match="two modalities or more"):
        draw({"image": Y["image"]}, PAIR_TYPES, "")


def test_rows_by_hand():
    rows = [row for row in weight_rows(Y, PAIR_TYPES, 0) if row["importances"] == "learnt"]
    found = {(r["pair_type"], r["modality"]): (r["pairs"], r["weight"]) for r in rows}
    assert found["image_noise", "speech"] == (1, pytest.approx(9 / 10))
    assert found["speech_noise", "speech"] == (1, pytest.approx(1 / 5))
    assert found["clean", "image"] == (2, pytest.approx(3 / 8))
    assert found["all", "image"] == (4, pytest.approx((3 / 4 + 1 / 10 + 4 / 5) / 4))


def noisy(n=3000):
    """Return pairs whose noise has little importance."""
    rng = np.random.default_rng(0)
    pair_types = rng.choice(["clean", "image_noise", "speech_noise"], n, p=[0.6, 0.2, 0.2])
    y = {m: np.where(pair_types == f"{m}_noise", 0.05, 0.95) for m in ("image", "speech")}
    return y, pair_types


def test_the_control_has_the_same_weights_for_all_kinds():
    y, pair_types = noisy()
    of = {
        (r["importances"], r["pair_type"]): r["weight"]
        for r in weight_rows(y, pair_types, 3)
        if r["modality"] == "speech"
    }
    assert of["learnt", "image_noise"] == pytest.approx(0.95)
    assert of["learnt", "speech_noise"] == pytest.approx(0.05)
    for pair_type in ("clean", "image_noise", "speech_noise"):
        assert of["shuffled", pair_type] == pytest.approx(0.5, abs=0.05)
    again = shuffled(y, 3)
    assert sorted(again["image"]) == sorted(y["image"]) and not np.array_equal(
        again["image"], y["image"]
    )
    assert np.array_equal(shuffled(y, 3)["speech"], again["speech"])


def test_table_has_means_and_deviations_over_seeds():
    models = [("IMA (paper)", 0, 0.2), ("IMA (paper)", 1, 0.4), ("IMA+", 0, 0.5)]
    rows = [
        {"model": label, "latent": 50, "seed": seed}
        | {"importances": "learnt", "pair_type": "clean", "pairs": 7, "modality": m, "weight": w}
        for label, seed, first in models
        for m, w in (("image", first), ("speech", 1 - first))
    ]
    paper, ours = weight_table(rows, "demo").to_pylist()
    assert list(paper)[:5] == ["run", "model", "latent", "importances", "pair_type"]
    assert (paper["pairs"], paper["seeds"], ours["seeds"]) == (7, 2, 1)
    sd = pytest.approx(math.sqrt(2) * 0.1)
    assert (paper["weight_image"], paper["weight_image_sd"]) == (pytest.approx(0.3), sd)
    assert (paper["weight_speech"], ours["weight_speech_sd"]) == (pytest.approx(0.7), None)


def test_points_and_curves_of_each_kind(tmp_path):
    y, pair_types = noisy()
    figure = draw(y, pair_types, "IMA (paper)")
    scatter, distribution = figure.axes
    colours = pair_type_colours(["image", "speech"], PAPER)
    assert len(set(colours.values())) == 3 and colours["image_noise"] == PAPER.noise
    for pair_type, points in zip(("clean", "image_noise", "speech_noise"), scatter.collections,
                            strict=True):  # fmt: skip
        expected = np.stack([y["image"], y["speech"]], 1)[pair_types == pair_type]
        np.testing.assert_allclose(points.get_offsets(), expected)
        assert tuple(points.get_facecolor()[0][:3]) == to_rgba(colours[pair_type])[:3]
    assert (scatter.get_xlabel(), scatter.get_ylabel()) == ("y image", "y speech")
    control, learnt = distribution.patches[:3], distribution.patches[3:]
    assert len(learnt) == 3
    for patch, pair_type in zip(learnt, ("clean", "image_noise", "speech_noise"), strict=True):
        values, edges, _ = patch.get_data()
        assert values.sum() == pytest.approx(1)
        top = edges[np.argmax(values)]
        expected = {"clean": 0.5, "image_noise": 0.95, "speech_noise": 0.05}[pair_type]
        assert top == pytest.approx(expected, abs=1 / BINS + 1e-9)
    # Shuffled importances are those of no type.
    tops = [patch.get_data().edges[np.argmax(patch.get_data().values)] for patch in control]
    assert tops == [pytest.approx(0.5, abs=1 / BINS + 1e-9)] * 3
    save(figure, tmp_path / "weights.png")
    assert (tmp_path / "weights.png").stat().st_size > 5_000


@pytest.mark.parametrize("colours", PALETTES.values(), ids=PALETTES)
def test_three_modalities_have_a_panel_each(colours):
    y = {name: np.linspace(0.1, 1, 8) for name in ("left", "right", "spoken")}
    pair_types = np.array(["clean"] * 6 + ["left_noise", "left_noise+spoken_noise"])
    figure = draw(y, pair_types, "own", colours)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["(a) importances", "(b) weight of left", "(c) weight of right",
                      "(d) weight of spoken"]  # fmt: skip
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["clean", "left noise", "spoken noise", "importances shuffled"]
