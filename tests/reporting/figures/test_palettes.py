"""Colours: the captions' own by meaning, and colours that colour-blind readers tell apart."""

import numpy as np
import pytest
import yaml
from matplotlib.colors import to_hex, to_rgb

from ima.reporting.figures.palettes import (
    COLORBLIND,
    MODELS,
    OTHERS,
    PALETTES,
    PAPER,
    SHADES,
    lighter,
    model_colours,
)
from tests.checkout import ROOT

#: Machado et al. 2009, severity 1.
KINDS = {
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}


def least(colours):
    """Return the least distance of two colours as seen by the colour-blind, of at most 3 ** .5."""
    linear = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(linear > 0.04045, ((linear + 0.055) / 1.055) ** 2.4, linear / 12.92)
    worst = 9.0
    for matrix in KINDS.values():
        seen = np.clip(linear @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        gaps = np.linalg.norm(seen[:, None] - seen[None], axis=2)
        worst = min(worst, gaps[~np.eye(len(gaps), dtype=bool)].min())
    return worst


def test_digits_of_the_captions():
    first, last = PAPER.of_classes(10)[:5], PAPER.of_classes(10)[5:]
    assert first == ["red", "green", "blue", "purple", "orange"]
    assert last == ["cyan", "yellow", "magenta", "olive", "black"]
    assert PAPER.among_classes == "grey"
    assert (PAPER.noise, PAPER.rest) == ("red", "blue")


def test_emotions_of_the_captions():
    emotions = [PAPER.emotions[name] for name in ("happy", "angry", "sad")]
    assert emotions == ["blue", "red", "yellow"]
    # A word of an emotion has the colour of its voice.
    for colours in PALETTES.values():
        assert colours.emotions["anger"] == colours.emotions["angry"]
        assert colours.emotions["positive"] == colours.emotions["happy"]


@pytest.mark.parametrize("colours", PALETTES.values(), ids=PALETTES)
def test_important_items_never_have_the_noise_colour(colours):
    unimportant, between, important = (to_hex(colours.importance(y)) for y in (0.0, 0.5, 1.0))
    assert (unimportant, important) == (to_hex(colours.noise), to_hex(colours.rest))
    assert min(to_rgb(between)) > 0.85


def test_shades_grow_darker_with_importance():
    light = [sum(SHADES(y)[:3]) for y in np.linspace(0, 1, 11)]
    assert light == sorted(light, reverse=True) and to_hex(SHADES(0.0)) == "#ffffff"


@pytest.mark.parametrize("colours", PALETTES.values(), ids=PALETTES)
def test_more_classes_than_ten_have_a_colour_each(colours):
    assert len(set(colours.of_classes(25))) == 25
    assert colours.of_classes(3) == list(colours.classes[:3])


def test_colours_for_the_colour_blind_stay_apart_and_some_of_the_paper_do_not():
    ours, papers = (
        least([*colours.classes, colours.among_classes]) for colours in (COLORBLIND, PAPER)
    )
    assert ours > 0.14 and papers < ours / 2
    assert least([COLORBLIND.noise, COLORBLIND.rest]) > 0.5
    three = ("happy", "angry", "sad", "neutral")
    assert least([COLORBLIND.emotions[name] for name in three]) > 0.3


def test_lighter_is_between_the_colour_and_white():
    assert lighter("red", 0) == "#ff0000" and lighter("red", 1) == "#ffffff"
    assert lighter("black", 0.5) in ("#7f7f7f", "#808080")


def test_the_config_knows_all_palettes():
    schema = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
    assert schema["properties"]["figures"]["properties"]["palette"]["enum"] == [*PALETTES]


def test_a_model_has_one_colour_in_all_figures():
    assert least([*MODELS.values(), *OTHERS]) > 0.15
    first = model_colours(
        ["MVAE", "IMA (paper), stage 1", "MVAE, one ELBO per subset", "new", "newer"]
    )
    assert first["MVAE"] == first["MVAE, one ELBO per subset"] == MODELS["MVAE"]
    assert first["IMA (paper), stage 1"] == MODELS["IMA (paper)"]
    assert first["new"] != first["newer"] and not {first["new"], first["newer"]} & {
        *MODELS.values()
    }
