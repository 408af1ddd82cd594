"""Interactive t-SNE maps, in which hovering over a point shows what it is.

The maps are drawn by Bokeh, whose script is embedded in the page. A map can be coloured in several
ways (modes). The page's own script switches the mapping from a column to colours, so that the
points are stored only once.
"""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.colors import to_hex

from ima.reporting.figures.importance import JOINT
from ima.reporting.figures.palettes import COLORBLIND, PAPER
from ima.utils.schemas_emotion import NOT_EMOTIONAL

#: Colour of points without a class in the colour-blind-safe modes.
PALE = COLORBLIND.among_classes
#: Number of colours in the scale of importances.
STEPS = 64
#: Number of points above which they are smaller and without outlines, which take half of the time.
DENSE = 5000


@dataclass(frozen=True)
class Mode:
    """A way to colour points: by a column of class numbers, or of importances in [0, 1].

    Args:
        label: name of the mode, for the reader to choose.
        field: the column.
        colours: colours of the values 0, 1, ...; for a scale, from 0 to 1.
        names: names of the values; empty for a scale.
        other: name of the value -1.
        grey: colour of the value -1.
    """

    label: str
    field: str
    colours: Sequence[str]
    names: Sequence[str] = ()
    other: str = ""
    grey: str = PAPER.among_classes


@dataclass(frozen=True)
class Panel:
    """A map: its title, its points' columns by name (x, y and others), and its hover text."""

    title: str
    columns: Mapping[str, Sequence]
    hover: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Maps:
    """A group of maps that are coloured together."""

    title: str
    modes: Sequence[Mode]
    panels: Sequence[Panel]


def scale() -> Mode:
    """Return the mode that colours points by importance."""
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 1, STEPS))
    return Mode("importance", "importance", [to_hex(colour) for colour in colours])


def pair_maps(
    embeddings: pa.Table, y: Mapping[str, np.ndarray], classes: Sequence[str], noise: bool
) -> Maps:
    """Return the maps of Figures 2 and 4: hidden layers and representations of pairs.

    Args:
        embeddings: table of `ima.utils.schemas.EMBEDDINGS`.
        y: by modality, the importances (M,) of all test pairs.
        classes: names of the labels, in order.
        noise: whether noise labels are known.
    """
    panels = []
    for view in embeddings["view"].unique().to_pylist():
        rows = embeddings.filter(pc.equal(embeddings["view"], view))
        known = {name: rows[name].to_numpy(zero_copy_only=False) for name in rows.column_names}
        # The view's name ends with its modality: `hidden_image`, `u_image`; the joint one has none.
        modality = next((m for m in y if view in (f"hidden_{m}", f"u_{m}")), None)
        grey = known["noise"] if modality else np.zeros(len(rows), bool)
        columns = {name: known[name] for name in ("x", "y", "pair")}
        columns["class"] = np.where(grey, -1, known["label"]).astype(np.int16)
        columns["noise"] = known["noise"].astype(np.uint8)
        hover = [("pair", "@pair")]
        if classes:
            columns["label"] = [[*classes, "none"][label] for label in known["label"]]
            hover.insert(0, ("digit" if list(classes) == list("0123456789") else "class", "@label"))
        if noise:
            columns["kind"] = np.where(known["noise"], "noise", "no noise").tolist()
            hover.append(("noise", "@kind"))
        for m in [modality] if modality else y:
            columns[f"y_{m}"] = y[m][known["pair"]].astype(np.float32)
            hover.append((f"importance, {m}", f"@y_{m}{{0.00}}"))
        # The importance of a joint point is the lowest among its items.
        columns["importance"] = np.min(
            [columns[f"y_{m}"] for m in ([modality] if modality else y)], axis=0
        )
        panels.append(Panel(_title(view, modality), columns, hover))
    return Maps("Test pairs", _pair_modes(classes, noise), panels)


def _title(view: str, modality: str | None) -> str:
    if modality is None:
        return JOINT.get(view, view)
    return f"{modality}, " + ("importance network" if view.startswith("hidden") else "encoder")


def _pair_modes(classes: Sequence[str], noise: bool) -> list[Mode]:
    called = "digit" if list(classes) == list("0123456789") else "class"
    grey = "noise" if noise else ""
    modes = [scale()]
    if noise:
        modes.insert(0, Mode("noise", "noise", [PAPER.rest, PAPER.noise],
                             ["no noise", "noise"]))  # fmt: skip
    if classes:
        n = len(classes)
        modes[:0] = [
            Mode(f"{called}, colours of the paper", "class", PAPER.of_classes(n), classes, grey),
            Mode(
                f"{called}, for the colour-blind",
                "class",
                COLORBLIND.of_classes(n),
                classes,
                grey,
                PALE,
            ),
        ]
    return modes


def emotion_maps(embeddings: pa.Table, words: Sequence[str]) -> Maps:
    """Return the maps of Figure 5: latents of words and of voices.

    Args:
        embeddings: table of EMBEDDINGS_EMOTION.
        words: the words of the view `verbal`, by item number.
    """
    categories = list(dict.fromkeys(embeddings["category"].to_pylist()))
    plain = ("neutral", "other", NOT_EMOTIONAL)
    emotional = [name for name in sorted(categories) if name not in plain]
    panels = []
    for view, title in (("verbal", "words"), ("acoustic", "voices")):
        rows = embeddings.filter(pc.equal(embeddings["view"], view))
        columns = {name: rows[name].to_numpy() for name in ("x", "y", "importance")}
        columns["emotion"] = rows["category"].to_pylist()
        numbers = [emotional.index(c) if c in emotional else -1 for c in columns["emotion"]]
        columns["class"] = np.array(numbers, np.int16)
        hover = [("emotion", "@emotion"), ("importance", "@importance{0.00}")]
        if view == "verbal":
            columns["word"] = [words[item] for item in rows["item"].to_pylist()]
            hover.insert(0, ("word", "@word"))
        panels.append(Panel(title, columns, hover))
    modes = [
        Mode(f"emotion, {label}", "class", [palette.emotions[name] for name in emotional],
             emotional, "neutral, other or none", palette.emotions["other"])
        for label, palette in (
            ("colours of the paper", PAPER), ("for the colour-blind", COLORBLIND),
        )
    ]  # fmt: skip
    return Maps("Words and voices", [*modes, scale()], panels)


def script() -> str:
    """Return Bokeh's script, to be embedded in a page."""
    from bokeh.resources import Resources

    raw = "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
    return raw.replace("</script", "<\\/script")


def maps_html(maps: Sequence[Maps]) -> str:
    """Return the maps' HTML, with a choice of colours for each group; a script draws them."""
    parts, groups = [], []
    for i, group in enumerate(maps):
        options = "".join(
            f'<option value="{j}">{html.escape(m.label)}</option>'
            for j, m in enumerate(group.modes)
        )
        figures, items = [], []
        for j, panel in enumerate(group.panels):
            place, title = f"map-{i}-{j}", html.escape(panel.title)
            figures.append(
                f"<figure><figcaption>{title}</figcaption>"
                f'<div id="{place}" class="map" role="img" aria-label="t-SNE map of '
                f'{len(panel.columns["x"])} points: {title}"></div></figure>'
            )
            items.append(_item(panel, group.modes, place))
        parts.append(
            f'<h3>{html.escape(group.title)}</h3><p><label for="modes-{i}">colours by </label>'
            f'<select id="modes-{i}">{options}</select> '
            f'<button type="button" id="whole-{i}">show all points again</button></p>'
            f'<p id="legend-{i}" class="legend" aria-live="polite"></p>'
            f'<div class="maps">{"".join(figures)}</div>'
        )
        modes = [
            {"label": m.label, "field": m.field, "names": list(m.names), "other": m.other,
             "colours": list(m.colours), "grey": m.grey} for m in group.modes
        ]  # fmt: skip
        groups.append({"modes": modes, "items": items})
    data = json.dumps(groups, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return "".join(parts) + f'<script type="application/json" id="maps-data">{data}</script>'


def _item(panel: Panel, modes: Sequence[Mode], place: str) -> dict:
    """Return a map in the JSON format of Bokeh's script."""
    from bokeh.embed import json_item
    from bokeh.models import ColumnDataSource, WheelZoomTool
    from bokeh.plotting import figure

    mappers = _mappers(modes)
    plot = figure(
        sizing_mode="stretch_width",
        aspect_ratio=1,
        min_width=200,
        tools="hover",
        toolbar_location=None,
        tooltips=list(panel.hover),
        match_aspect=True,
        output_backend="canvas",
        name=place,
        tags=mappers,
    )
    plot.axis.visible = False
    plot.grid.visible = False
    # Zooming needs Shift, because the bare wheel and a finger scroll the page.
    zoom = WheelZoomTool(modifiers="shift")
    plot.add_tools(zoom)
    plot.toolbar.active_scroll = zoom
    dense = len(panel.columns["x"]) > DENSE
    plot.scatter(
        "x",
        "y",
        source=ColumnDataSource({name: _plain(column) for name, column in panel.columns.items()}),
        size=3 if dense else 5,
        line_width=0.3,
        line_color=None if dense else "#404040",
        fill_color={"field": modes[0].field, "transform": mappers[0]},
        name="points",
    )
    return dict(json_item(plot, place))


def _mappers(modes: Sequence[Mode]) -> list:
    """Return Bokeh's mapping from values to colours for each mode."""
    from bokeh.models import LinearColorMapper

    return [
        LinearColorMapper(
            name=f"mode-{number}",
            palette=list(mode.colours),
            low=0 if not mode.names else -0.5,
            high=1 if not mode.names else len(mode.names) - 0.5,
            low_color=mode.grey if mode.names else None,
        )
        for number, mode in enumerate(modes)
    ]


def _plain(column: Sequence) -> np.ndarray | list:
    """Return a column in the form that Bokeh encodes compactly: 4-byte numbers or a list."""
    if not isinstance(column, np.ndarray):
        return list(column)
    if column.dtype == np.float64:
        return column.astype(np.float32)
    return column.astype(np.int32) if column.dtype == np.int64 else column
