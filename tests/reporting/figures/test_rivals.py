"""Figure of rivals: which marks are drawn where, with the control last."""

import math

import pytest

from ima.reporting.figures.rivals import draw
from ima.utils.errors import InputError


def rows():
    return [
        {
            **{"noise_type": noise_type, "R": 0.1, "detector": detector, "modality": modality},
            **{"f1_noise": 0.25, "f1_noise_sd": None, "auc_noise": auc, "auc_noise_sd": None},
        }
        for noise_type in ("shuffled", "degraded")
        for detector, auc in (("ima+", 0.75), ("co-divide", math.nan))
        for modality in ("image", "speech")
    ]


def test_panels_and_marks():
    figure = draw(rows())
    first, last = figure.axes
    assert [axes.get_title().split("\n")[0] for axes in (first, last)] == ["degraded", "shuffled"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["ima+", "co-divide"]
    marks = [line for line in first.lines if line.get_marker() == "o"]
    filled = [line.get_xdata().tolist() for line in marks if line.get_mfc() != "none"]
    hollow = [line.get_xdata()[0] for line in marks if line.get_mfc() == "none"]
    assert filled == [[0.25, 0.25]] * 2 and hollow == [0.75] * 2
    image, speech = (line.get_ydata() for line in marks[::2])
    assert (image < speech).all() and (abs(image - [0, 1]) < 0.2).all()


def test_bars_stay_in_the_range_of_scores():
    figure = draw([{**row, "f1_noise_sd": 0.5, "auc_noise_sd": 0.1} for row in rows()])
    bars = [bar for axes in figure.axes for bar in axes.collections]
    ends = {round(x, 6) for bar in bars for ends in bar.get_segments() for x, _ in ends}
    assert {0, 0.75, 0.65, 0.85} <= {x for x in ends if not math.isnan(x)}
    assert all(0 <= x <= 1 for x in ends if not math.isnan(x))


def test_a_score_that_was_rounded_to_more_than_1():
    figure = draw([{**row, "auc_noise": 1 + 2**-52} for row in rows()])
    assert max(line.get_xdata().max() for line in figure.axes[0].lines[1:]) <= 1.001


def test_no_rows():
    with pytest.raises(InputError, match="rivals: expected rows to draw"):
        draw([])
