"""Tables in Markdown."""

import pytest

from ima.reporting import markdown


def test_a_table_has_a_line_a_row():
    found = markdown.table(["a", "b"], [(1, "x"), (2, "y")])
    assert found == "| a | b |\n|---|---|\n| 1 | x |\n| 2 | y |"


@pytest.mark.parametrize(
    ("value", "sd", "told"),
    [
        (0.8125, 0.0041, ".812 ± .004"),
        (1.0, 0.0, "1.000 ± .000"),
        (-0.025, None, "-.025"),
        (10.04, None, "10.040"),
        (None, None, "–"),
    ],
)
def test_mean_and_deviation(value, sd, told):
    assert markdown.mean_sd({"p": value, "p_sd": sd}, "p") == told
