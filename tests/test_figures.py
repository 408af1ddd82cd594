"""Figures 2 and 4: the paper's colours, every label and line drawn, both formats written."""

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from ima.errors import InputError
from ima.figures import COLUMN, save
from ima.figures_importance import figure2, figure4
from ima.schema import EMBEDDINGS

#: Of the digits 0 to 9, then noise: red, green, blue, purple, orange, cyan, yellow, ...
PAPER = ["#ff0000", "#008000", "#0000ff", "#800080", "#ffa500"]
PAPER += ["#00ffff", "#ffff00", "#ff00ff", "#808000", "#000000", "#808080"]
VIEWS = ["hidden_image", "hidden_speech", "u_image", "u_speech", "z_unweighted", "z"]


def embeddings(views=VIEWS):
    """Return ten items of each digit in each view, the last two of each digit noise."""
    rng = np.random.default_rng(0)
    n = np.arange(100)
    columns = {"view": np.repeat(views, 100), "pair": np.tile(n, len(views))}
    columns |= {"label": np.tile(n % 10, len(views)), "noise": np.tile(n >= 80, len(views))}
    columns |= {axis: rng.normal(size=100 * len(views)) for axis in "xy"}
    return pa.table(columns).cast(EMBEDDINGS)


def drawn(axes):
    """Return the colour of each point of an axes, of dots and then of crosses."""
    for points in axes.collections:
        assert len(points.get_facecolors()) == len(points.get_offsets())
    return [[to_hex(c) for c in points.get_facecolors()] for points in axes.collections]


def legends(figure):
    """Return by title the labels and colours of a figure's legends."""
    return {
        legend.get_title().get_text(): {
            text.get_text(): to_hex(handle.get_color())
            for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
        }
        for legend in figure.legends
    }


def test_figure_2_has_the_papers_colours():
    figure = figure2(embeddings())
    expected = [PAPER[10] if i >= 80 else PAPER[i % 10] for i in range(100)]
    digits = [figure.axes[0], figure.axes[2]]
    noise = [figure.axes[1], figure.axes[3]]
    assert [drawn(axes) for axes in digits] == [[expected]] * 2
    assert set(expected) == set(PAPER)
    two = [PAPER[0] if i >= 80 else PAPER[2] for i in range(100)]  # noise red, rest blue
    assert [drawn(axes) for axes in noise] == [[two]] * 2


def test_figure_2_names_every_colour():
    left, right = legends(figure2(embeddings())).values()
    assert left == {**{str(i): PAPER[i] for i in range(10)}, "noise": PAPER[10]}
    assert right == {"noise": PAPER[0], "rest": PAPER[2]}


def test_figure_2_titles():
    titles = [axes.get_title() for axes in figure2(embeddings()).axes]
    assert titles == [
        "(a) image, digits",
        "(b) image, noise",
        "(c) speech, digits",
        "(d) speech, noise",
    ]


def test_figure_4_has_the_papers_colours():
    figure = figure4(embeddings())
    image, speech, unweighted, weighted = (drawn(axes) for axes in figure.axes)
    grey = [PAPER[10] if i >= 80 else PAPER[i % 10] for i in range(100)]
    assert image == speech == [grey]
    # Joint: the digit's colour all the same, dots and then crosses.
    dots, crosses = ([PAPER[i % 10] for i in part] for part in (range(80), range(80, 100)))
    assert unweighted == weighted == [dots, crosses]
    assert legends(figure)["joint"].keys() == {"half noise"}


def test_points_lie_where_the_table_says():
    table = embeddings()
    points = figure4(table).axes[0].collections[0].get_offsets()
    rows = [row for row in table.to_pylist() if row["view"] == "u_image"]
    assert np.asarray(points).tolist() == [[row["x"], row["y"]] for row in rows]


def test_missing_views_are_named():
    with pytest.raises(InputError, match="expected a view 'z_unweighted', found none"):
        figure4(embeddings(["u_image", "z"]))
    with pytest.raises(InputError, match="views hidden_<modality>"):
        figure2(embeddings(["z"]))


@pytest.mark.parametrize("form", ["pdf", "png"])
@pytest.mark.parametrize("number", [2, 4])
def test_files_are_whole_and_the_same_every_time(number, form, tmp_path):
    def draw():
        return {2: figure2, 4: figure4}[number](embeddings())

    assert draw().get_size_inches()[0] == COLUMN < 9 / 2.54
    contents = []
    for name in ("first", "again"):
        file = tmp_path / f"{name}.{form}"
        save(draw(), file)
        contents.append(file.read_bytes())
    assert len(contents[0]) > 5_000 and contents[0] == contents[1]
    assert contents[0].startswith({"pdf": b"%PDF", "png": b"\x89PNG"}[form])


def test_several_files_at_once(tmp_path):
    files = [tmp_path / "figure.pdf", tmp_path / "figure.png"]
    save(figure2(embeddings()), *files)
    assert [file.read_bytes()[:4] for file in files] == [b"%PDF", b"\x89PNG"]


@pytest.mark.parametrize("number", [2, 4])
def test_no_text_lies_on_another(number):
    figure = {2: figure2, 4: figure4}[number](embeddings())
    FigureCanvasAgg(figure).draw()  # lays the figure out
    texts = [axes.title for axes in figure.axes] + [axes.xaxis.label for axes in figure.axes]
    texts += [t for legend in figure.legends for t in (legend.get_title(), *legend.get_texts())]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    width, height = figure.get_size_inches() * figure.dpi
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)
