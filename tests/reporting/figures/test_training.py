"""Figures of training say what they are given."""

from ima.reporting.figures.training import LOWEST, PANELS, complexity, convergence, remaining


def test_remaining_decrease_by_hand():
    assert remaining([9.0, 5.0, 1.0, 3.0]).tolist() == [1, 0.5, 0, 0.25]
    assert remaining([2.0, 3.0]).tolist() == [0, 0]  # the first is the least: no fall


def test_convergence_has_a_panel_a_latent_and_a_line_a_seed():
    histories = {"IMA": {2: [[3, 2, 1]], 50: [[3, 1]]}, "MVAE": {2: [[8, 4, 0], [8, 2, 0, 3]]}}
    figure = convergence(histories)
    two, fifty = figure.axes
    bottom, *lines = [line for line in two.get_lines() if len(line.get_xdata()) > 1]
    assert set(bottom.get_ydata()) == {LOWEST}
    assert [list(line.get_xdata()) for line in lines] == [[1, 2, 3], [1, 2, 3], [1, 2, 3, 4]]
    assert list(lines[0].get_ydata()) == [1, 0.5, LOWEST]
    marks = [line for line in two.get_lines() if len(line.get_xdata()) == 1]
    assert [mark.get_xdata()[0] for mark in marks] == [3, 3, 3]
    ima, *mvae = (mark.get_ydata()[0] for mark in marks)  # a row of marks per model
    assert mvae[0] == mvae[1] < ima < LOWEST
    assert len(fifty.get_lines()) == 3
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["IMA", "MVAE"]


def test_complexity_draws_every_column_of_every_model():
    rows = [
        {"model": name, "modalities": m, **{column: m**power for column in PANELS}}
        for name, power in (("IMA", 1), ("JMVAE, one encoder per subset", 2))
        for m in (2, 3)
    ]
    figure = complexity(rows)
    assert len(figure.axes) == len(PANELS)
    for axes in figure.axes:
        first, second = axes.get_lines()
        assert list(first.get_ydata()) == [2, 3] and list(second.get_ydata()) == [4, 9]
        assert (first.get_linestyle(), second.get_linestyle()) == ("-", "--")
        assert axes.get_yscale() == "log"
