"""The figure of agreement shows every feature of every reference, and its control."""

import numpy as np

from ima.evaluation.voice_agreement import RELATED, SAME, Feature, Reference
from ima.features.covarep.dictionary import COLUMNS, NAMES
from ima.reporting.figures import PAGE, save
from ima.reporting.figures.voice_agreement import CONTROL, POINTS, agreement
from ima.reporting.tables.voice_agreement import agreement_table


def feature(name, frames=60, kind=SAME, alike=True):
    rng = np.random.default_rng(len(name))
    theirs = rng.random(frames).round() if name == "VUV" else rng.random(frames)
    who = np.array(["a"] * frames, dtype=object)
    column = COLUMNS[NAMES.index(name)]
    return Feature(column, kind, "theirs, dB", theirs + 0.0, theirs, who, alike)


def drawn(reference):
    return agreement(reference, agreement_table("toy", "made", reference).to_pylist())


OURS = Reference(
    4,
    2,
    (0.5, 0.5, 0.5),
    [feature("F0", POINTS + 500), feature("VUV"), feature("peakSlope", 60, RELATED, False)],
)


def test_a_panel_a_feature_with_its_number_and_control(tmp_path):
    figure = drawn(OURS)
    assert figure.get_figwidth() == PAGE
    assert figure.get_suptitle() == "openSMILE: 4 recordings, 2 speakers"
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[0].startswith("F0 [Hz]\nr 1.00 (")
    assert titles[1].startswith("VUV\nequal 1.00 (")
    assert "*" in titles[2] and "*" not in titles[0]
    assert figure.axes[2].get_xlabel() == "theirs, dB"
    control, frames = figure.axes[0].collections
    assert len(frames.get_offsets()) == len(control.get_offsets()) == POINTS
    assert np.allclose(control.get_facecolor()[0][:3], float(CONTROL))
    # Matched frames lie on the line, those of the control do not.
    x, y = np.array(frames.get_offsets()).T
    assert (x == y).all() and (np.array(control.get_offsets()).T[1] != x).mean() > 0.9
    shares = [text.get_text() for text in figure.axes[1].texts]
    assert len(shares) == 4 and shares[1] == shares[2] == "0%"


def test_without_frames_there_is_an_empty_panel(tmp_path):
    empty = OURS._replace(features=[feature("F0", 0), feature("VUV", 0)])
    save(drawn(empty), tmp_path / "empty.png")
