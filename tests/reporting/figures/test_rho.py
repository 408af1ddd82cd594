"""Figure 6: means and bands by hand, the rho that is chosen without labels, and what is drawn."""

import math

import numpy as np
import pyarrow as pa
import pytest

from ima.reporting.figures.rho import draw
from ima.reporting.tables.rho import (
    LOSSES,
    SCORES,
    choose_rho,
    paper_rho,
    rho_table,
    sweep_table,
)
from ima.utils.errors import InputError
from ima.utils.schemas import RHO_SWEEP


def sweep(variant="paper", modality="image", rho=(0.3,), **columns):
    """Return the sweep of one seed; columns that are not given are 0."""
    rows = {name: [0.0] * len(rho) for name in RHO_SWEEP.names}
    rows |= {"variant": [variant] * len(rho), "modality": [modality] * len(rho)}
    return pa.table(rows | {"rho": list(rho)} | columns, schema=RHO_SWEEP)


def test_table_by_hand():
    first = sweep(f1_noise=[0.25], recall_noise=[1.0])
    second = sweep(f1_noise=[0.75], recall_noise=[0.5])
    other = [sweep("ima+", "speech", f1_noise=[1.0]) for _ in range(2)]
    paper, ours = sweep_table([first, second, *other], "demo").to_pylist()
    assert list(paper.values())[:5] == ["demo", "paper", "image", 0.3, 2]
    sd = pytest.approx(math.sqrt(1 / 8))  # of two numbers that differ by 1/2
    assert (paper["f1_noise"], paper["f1_noise_sd"]) == (1 / 2, sd)
    assert (paper["recall_noise"], paper["recall_noise_sd"]) == (3 / 4, sd)
    assert (ours["variant"], ours["f1_noise"], ours["f1_noise_sd"]) == ("ima+", 1, 0)
    (alone,) = sweep_table([first], "demo").to_pylist()
    assert alone["seeds"] == 1
    assert all(alone[f"{name}_sd"] is None for name in (*SCORES, *LOSSES))


def test_table_needs_the_same_rho_for_every_seed():
    with pytest.raises(InputError, match="the same rho for every seed"):
        sweep_table([sweep(rho=(0.3, 0.4)), sweep(rho=(0.3, 0.5))], "demo")


def test_the_rho_is_chosen_by_agreement_and_not_by_labels():
    grid = (0.3, 0.5, 0.7)
    seeds = [
        sweep(rho=grid, agreement=[0.1, 0.9, 0.6], f1_noise=[1.0, 0.8, 0.1]),
        sweep(rho=grid, agreement=[0.2, 0.5, 0.9], f1_noise=[1.0, 0.6, 0.1]),
    ]  # mean agreement .15, .7, .75
    assert choose_rho(sweep_table(seeds, "demo")) == {("paper", "image"): 0.7}
    # Other labels, the same choice.
    blind = [s.set_column(s.column_names.index("f1_noise"), "f1_noise", s["rho"]) for s in seeds]
    assert choose_rho(sweep_table(blind, "demo")) == {("paper", "image"): 0.7}


def test_rho_table_by_hand():
    grid = (0.3, 0.5, 0.7)
    swept = sweep_table(
        [sweep(rho=grid, agreement=[0.1, 0.9, 0.6], f1_noise=[1.0, 0.8, 0.1])], "demo"
    )
    (row,) = rho_table(swept, {"image": 0.68}).to_pylist()
    assert (row["rho"], row["f1_noise"]) == (0.5, 0.8)
    assert (row["rho_by_labels"], row["f1_by_labels"]) == (0.3, 1.0)
    assert row["f1_gap"] == pytest.approx(0.2)
    assert (row["rho_paper"], row["f1_at_rho_paper"]) == (0.68, 0.1)
    (without,) = rho_table(swept, {}).to_pylist()
    assert without["rho_paper"] is None and without["f1_at_rho_paper"] is None


def swept(seeds=3):
    """Return two modalities at three rho; the scores of image at .2 are .1 .2 .3 ..., sd .05."""
    sweeps = []
    for seed in range(seeds):
        off = 0.05 * (seed - 1) if seeds > 1 else 0.0
        for variant in ("paper", "ima+"):
            for name in ("image", "speech"):
                columns = {
                    score: [0.1 * (j + 1) + 0.2 * i + off for i in range(3)]
                    for j, score in enumerate(SCORES[:3])
                }
                sweeps.append(sweep(variant, name, (0.2, 0.5, 0.8), **columns))
    return sweep_table(sweeps, "demo")


def test_every_score_is_drawn_with_its_band():
    labels = {"paper": "IMA (paper)", "ima+": "IMA+"}
    figure = draw(swept(), {"image": 0.8, "verbal": 0.03}, labels=labels)
    # The paper's curves come first.
    titles = ["image, IMA (paper)", "speech, IMA (paper)", "image, IMA+", "speech, IMA+"]
    assert [axes.get_title() for axes in figure.axes] == titles
    for axes in figure.axes:
        lines = [line.get_ydata() for line in axes.lines if len(line.get_xdata()) == 3]
        for j, line in enumerate(lines):
            assert line.tolist() == pytest.approx([0.1 * (j + 1) + 0.2 * i for i in range(3)])
        assert len(lines) == len(axes.collections) == 3
    band = figure.axes[0].collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((0.05, 0.55))
    assert figure.axes[0].lines[0].get_xdata() == [0.8, 0.8]
    assert len(figure.axes[1].lines) == 4  # three scores, and the rho chosen without labels
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["precision", "recall", "F1", "ρ without labels", "the paper's ρ"]


def test_one_seed_has_no_band():
    for band in draw(swept(seeds=1), {}).axes[0].collections:
        vertices = band.get_paths()[0].vertices
        assert len(np.unique(vertices[:, 1].round(9))) == 3  # the line alone


def test_rho_of_the_paper():
    rows = [
        {"quantity": "best rho", "modality": "image", "value": "0.8"},
        {"quantity": "average F1 at best rho", "modality": "image", "value": "0.5"},
    ]
    assert paper_rho(rows) == {"image": 0.8}
