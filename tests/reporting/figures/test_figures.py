"""Figures 2 and 4: the paper's colours, every label and line drawn, both formats written."""

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from ima.reporting.figures import COLUMN, save
from ima.reporting.figures.importance import figure2, figure4
from ima.reporting.figures.palettes import COLORBLIND, lighter
from ima.reporting.figures.rho import draw as figure6
from ima.utils.errors import InputError
from ima.utils.schemas import EMBEDDINGS
from tests.reporting.figures.test_rho import swept

#: Of the digits 0 to 9, then noise: red, green, blue, purple, orange, cyan, yellow, ...
PAPER = ["#ff0000", "#008000", "#0000ff", "#800080", "#ffa500"]
PAPER += ["#00ffff", "#ffff00", "#ff00ff", "#808000", "#000000", "#808080"]
VIEWS = ["hidden_image", "hidden_speech", "u_image", "u_speech", "z"]


def embeddings(views=VIEWS):
    """Return ten items of each digit in each view; 80 to 89 are image noise, 90 to 99 speech's."""
    rng = np.random.default_rng(0)
    n, count = np.arange(100), len(views)
    pair_types = ["clean"] * 80 + ["image_noise"] * 10 + ["speech_noise"] * 10
    noise = {"image": (n >= 80) & (n < 90), "speech": n >= 90, "z": n >= 80}
    columns = {"view": np.repeat(views, 100), "pair": np.tile(n, count)}
    columns |= {"label": np.tile(n % 10, count), "pair_type": pair_types * count}
    columns["noise"] = np.concatenate([noise[view.rpartition("_")[2]] for view in views])
    columns |= {axis: rng.normal(size=100 * count) for axis in "xy"}
    return pa.table(columns).cast(EMBEDDINGS)


#: Networks that take the images 0 to 2 for noise and miss those of 88 and 89; speech is right.
Y = {"image": np.full(100, 0.9), "speech": np.full(100, 0.9)}
Y["image"][[0, 1, 2, *range(80, 88)]] = 0.1
Y["speech"][90:] = 0.1


def drawn(points):
    """Return the colour of each point, in hexadecimals."""
    colours = [to_hex(c) for c in points.get_facecolors()]
    return colours * len(points.get_offsets()) if len(colours) == 1 else colours


def at(view, table=None):
    """Return where the points of a view are."""
    rows = [row for row in (table or embeddings()).to_pylist() if row["view"] == view]
    return np.array([[row["x"], row["y"]] for row in rows])


def legends(figure):
    """Return by title the labels and colours of a figure's legends."""
    return {
        legend.get_title().get_text(): {
            text.get_text(): to_hex(handle.get_color())
            for text, handle in zip(legend.get_texts(), legend.legend_handles, strict=True)
        }
        for legend in figure.legends
    }


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_figure_2_has_digits_and_true_noise_on_the_left():
    axes = figure2(embeddings(), Y).axes
    image = [PAPER[10] if 80 <= i < 90 else PAPER[i % 10] for i in range(100)]
    speech = [PAPER[10] if i >= 90 else PAPER[i % 10] for i in range(100)]
    assert drawn(axes[0].collections[0]) == image and drawn(axes[2].collections[0]) == speech


def test_figure_2_has_the_networks_output_on_the_right_mistakes_and_all():
    figure = figure2(embeddings(), Y)
    taken = {0, 1, 2, *range(80, 88)}
    image = [PAPER[0] if i in taken else PAPER[2] for i in range(100)]  # noise red, rest blue
    speech = [PAPER[0] if i >= 90 else PAPER[2] for i in range(100)]
    right = [drawn(figure.axes[i].collections[0]) for i in (1, 3)]
    assert right == [image, speech]
    # Three digits taken for noise, two of noise taken for digits.
    assert titles(figure) == [
        *("(a) image, digits", "(b) image, output, 5.0 % wrong"),
        *("(c) speech, digits", "(d) speech, output, 0.0 % wrong"),
    ]


def test_figure_2_follows_the_output_and_not_the_truth():
    """A control: networks that answer the other way round are all wrong, and drawn so."""
    figure = figure2(embeddings(), {**Y, "speech": 1 - Y["speech"]})
    colours = drawn(figure.axes[3].collections[0])
    assert colours == [PAPER[2] if i >= 90 else PAPER[0] for i in range(100)]
    assert titles(figure)[3] == "(d) speech, output, 100.0 % wrong"


def test_importances_are_those_of_the_pair_that_a_point_shows():
    table = embeddings()
    backwards = table.take(list(range(99, -1, -1)) + list(range(100, 500)))
    colours = drawn(figure2(backwards, Y).axes[1].collections[0])
    assert colours == drawn(figure2(table, Y).axes[1].collections[0])[::-1]


def test_figure_2_names_every_colour():
    left, right = legends(figure2(embeddings(), Y)).values()
    assert left == {**{str(i): PAPER[i] for i in range(10)}, "noise": PAPER[10]}
    assert right == {"noise (y < .5)": PAPER[0], "rest": PAPER[2]}


def test_figure_4_has_digits_in_the_unimodal_and_joint_spaces():
    figure = figure4(embeddings())
    unimodal, joint = figure.axes[:2]
    assert titles(figure) == [
        *("(a) unimodal", "(b) joint", "(c) image noise, image", "(d) image noise, joint"),
    ]
    image, speech = unimodal.collections
    assert drawn(image) == [PAPER[10] if 80 <= i < 90 else PAPER[i % 10] for i in range(100)]
    assert drawn(speech) == [PAPER[10] if i >= 90 else PAPER[i % 10] for i in range(100)]
    assert len(image.get_paths()[0].vertices) != len(speech.get_paths()[0].vertices)  # marks
    # A joint representation has the digit of its pair, whatever is noise in it.
    assert drawn(joint.collections[0]) == [PAPER[i % 10] for i in range(100)]
    for points, view in ((image, "u_image"), (speech, "u_speech"), (joint.collections[0], "z")):
        np.testing.assert_allclose(points.get_offsets(), at(view), rtol=1e-6)


def test_figure_4_has_image_noise_on_the_image_space_and_on_the_joint_space():
    for axes, view in zip(figure4(embeddings()).axes[2:], ("u_image", "z"), strict=True):
        pale, noise = axes.collections
        np.testing.assert_allclose(noise.get_offsets(), at(view)[80:90], rtol=1e-6)
        assert set(drawn(noise)) == {PAPER[0]}
        rest = [i for i in range(100) if not 80 <= i < 90]
        np.testing.assert_allclose(pale.get_offsets(), at(view)[rest], rtol=1e-6)
        assert drawn(pale) == [lighter(PAPER[i % 10]) for i in rest]
    # In the joint space, edges tell which digit the pair has.
    edges = [to_hex(c) for c in noise.get_edgecolors()]
    assert edges == [PAPER[i % 10] for i in range(80, 90)]


def test_the_panels_of_figure_4_are_superimposable():
    limits = {(axes.get_xlim(), axes.get_ylim()) for axes in figure4(embeddings()).axes}
    assert len(limits) == 1
    (left, right), (low, high) = limits.pop()
    assert right - left == pytest.approx(high - low)
    every = np.concatenate([at(view) for view in ("u_image", "u_speech", "z")])
    assert (every.min(0) > (left, low)).all() and (every.max(0) < (right, high)).all()


def test_figure_4_names_every_mark():
    figure = figure4(embeddings())
    assert list(legends(figure)[""]) == ["image", "speech", "image noise"]
    marks = [handle.get_marker() for handle in figure.legends[1].legend_handles]
    assert marks == ["o", "^", "o"]


@pytest.mark.parametrize("draw", [lambda **given: figure2(embeddings(), Y, **given),
                                  lambda **given: figure4(embeddings(), **given)])  # fmt: skip
def test_another_palette_has_no_colour_of_the_papers(draw):
    figure = draw(palette=COLORBLIND, title="IMA+")
    colours = {c for axes in figure.axes for points in axes.collections for c in drawn(points)}
    assert not colours & (set(PAPER) - {"#000000"}) and COLORBLIND.noise in colours
    assert figure.get_suptitle() == "IMA+"


def test_missing_views_are_named():
    with pytest.raises(InputError, match="expected a view 'z', found none"):
        figure4(embeddings(["u_image"]))
    with pytest.raises(InputError, match="views u_<modality>"):
        figure4(embeddings(["z"]))
    with pytest.raises(InputError, match="views hidden_<modality>"):
        figure2(embeddings(["z"]), Y)


DRAW = {
    2: lambda: figure2(embeddings(), Y, title="IMA (paper)"),
    4: lambda: figure4(embeddings(), title="IMA (paper)"),
    6: lambda: figure6(swept(), {"image": 0.8}),
}


@pytest.mark.parametrize("form", ["pdf", "png"])
@pytest.mark.parametrize("number", DRAW)
def test_files_are_whole_and_the_same_every_time(number, form, tmp_path):
    draw = DRAW[number]
    assert draw().get_size_inches()[0] == COLUMN < 9 / 2.54
    contents = []
    for name in ("first", "again"):
        file = tmp_path / f"{name}.{form}"
        save(draw(), file)
        contents.append(file.read_bytes())
    assert len(contents[0]) > 5_000 and contents[0] == contents[1]
    assert contents[0].startswith({"pdf": b"%PDF", "png": b"\x89PNG"}[form])


@pytest.mark.parametrize("number", DRAW)
def test_no_text_lies_on_another(number):
    figure = DRAW[number]()
    FigureCanvasAgg(figure).draw()  # lays the figure out
    texts = [axes.title for axes in figure.axes] + [axes.xaxis.label for axes in figure.axes]
    texts += [t for legend in figure.legends for t in (legend.get_title(), *legend.get_texts())]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    width, height = figure.get_size_inches() * figure.dpi
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)
