"""The figure of feature checks shows every accuracy and its control."""

from ima.reporting.figures.feature_ablation import feature_accuracy

ROWS = [
    {"variant": v, "split": s, "accuracy": a, "accuracy_shuffled": 0.1}
    for v, s, a in (("as configured", "takes", 0.9), ("cmvn", "takes", 0.8), ("cmvn", "new", 0.5))
]


def test_every_accuracy_and_control_is_a_mark(tmp_path):
    axes = feature_accuracy(ROWS).axes[0]
    x = sorted(float(v) for line in axes.lines for v in line.get_xdata())
    assert x == [0.1, 0.1, 0.1, 0.5, 0.8, 0.9]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["as configured", "cmvn"]
    hollow = [line for line in axes.lines if line.get_fillstyle() == "none"]
    assert len(hollow) == 2 and {v for line in hollow for v in line.get_xdata()} == {0.1}
    # Marks of one variant lie apart, about its own place.
    places = {round(float(v)) for line in axes.lines for v in line.get_ydata()}
    assert places == {0, 1}
    looks = {(line.get_color(), line.get_marker()) for line in axes.lines}
    assert len(looks) == 2
