"""Colours of the figures: those named in the paper's captions, and a colour-blind-safe set.

The config's `figures.palette` selects one of PALETTES. Colours have the same meaning in all figures
of a palette: noise and unimportant items share one colour, everything else another.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgb

from ima.utils.schemas_emotion import NOT_EMOTIONAL

#: Importance of words in Figure 3 from 0 to 1: white to dark blue, also readable in greyscale.
SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#08306b"])

#: Colours of modalities in order, in either palette (Okabe and Ito).
MODALITIES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000")

#: Colours of the models of the paper and of IMA's variants, and those left for other models.
MODELS = {
    **{"IMA (paper)": "#000000", "IMA+": "#0072b2", "JMVAE-KL": "#009e73", "MVAE": "#d55e00"},
    "denoising autoencoder": "#56b4e9",
}
OTHERS = ("#cc79a7", "#e69f00")
#: Their marks, and those left for other models.
MODEL_MARKS = {
    **{"IMA (paper)": "o", "IMA+": "s", "JMVAE-KL": "^", "MVAE": "D"},
    "denoising autoencoder": "v",
}
OTHER_MARKS = ("P", "X")


@dataclass(frozen=True)
class Palette:
    """Colours by meaning.

    Args:
        classes: colours of the digits 0 to 9, or of the first ten classes of other data.
        among_classes: colour of noise among coloured classes.
        noise: colour of noise and of unimportant items.
        rest: colour of all other, important items.
        emotions: colours by emotion of a voice or category of a word.
        hues: name of the colour map for more than ten classes.
    """

    classes: tuple[str, ...]
    among_classes: str
    noise: str
    rest: str
    emotions: Mapping[str, str] = field(hash=False)
    hues: str

    def of_classes(self, number: int) -> list[str]:
        """Return a colour for each class; for more than ten, evenly spaced hues."""
        if number <= len(self.classes):
            return list(self.classes[:number])
        return [to_hex(c) for c in matplotlib.colormaps[self.hues](np.linspace(0, 1, number))]

    @property
    def importance(self) -> Colormap:
        """The colour map of importances from 0 (as `noise`) to 1 (as `rest`), pale at 1/2."""
        ends = [self.noise, "#eeeeee", self.rest]
        return LinearSegmentedColormap.from_list("importance", ends)


#: Colours from the captions of Figures 2, 4 and 5, and our own where the captions name none.
PAPER = Palette(
    classes=(
        *("red", "green", "blue", "purple", "orange"),
        *("cyan", "yellow", "magenta", "olive", "black"),
    ),
    among_classes="grey",
    noise="red",
    rest="blue",
    emotions={
        **{"happy": "blue", "positive": "blue", "angry": "red", "anger": "red", "sad": "yellow"},
        **{"anxiety": "purple", "negative": "black", "excited": "cyan", "frustrated": "orange"},
        **{"fearful": "purple", "disgust": "green", "surprised": "magenta"},
        **{"neutral": "#9a9a9a", "other": "#d5d5d5", NOT_EMOTIONAL: "#c4c4c4"},
    },
    hues="turbo",
)
#: Paul Tol's muted scheme with black for classes, Okabe and Ito's colours for the rest.
COLORBLIND = Palette(
    classes=(
        *("#cc6677", "#332288", "#ddcc77", "#117733", "#88ccee"),
        *("#882255", "#44aa99", "#999933", "#aa4499", "#000000"),
    ),
    among_classes="#dddddd",
    noise="#d55e00",
    rest="#0072b2",
    emotions={
        **{"happy": "#0072b2", "positive": "#0072b2", "angry": "#d55e00", "anger": "#d55e00"},
        **{"sad": "#f0e442", "anxiety": "#cc79a7", "negative": "#000000"},
        **{"excited": "#56b4e9", "frustrated": "#e69f00", "fearful": "#cc79a7"},
        **{"disgust": "#009e73", "surprised": "#000000"},
        **{"neutral": "#b0b0b0", "other": "#dedede", NOT_EMOTIONAL: "#dedede"},
    },
    hues="cividis",
)
PALETTES = {"paper": PAPER, "colorblind": COLORBLIND}


def model_colours(names: Iterable[str]) -> dict[str, str]:
    """Return a colour for each model, which is the same in all figures for those in MODELS.

    Variants that are named after a model and a comma have the model's colour.
    """
    return _by_model(names, MODELS, OTHERS)


def model_marks(names: Iterable[str]) -> dict[str, str]:
    """Return a mark for each model, as `model_colours` returns colours."""
    return _by_model(names, MODEL_MARKS, OTHER_MARKS)


def _by_model(
    names: Iterable[str], known: Mapping[str, str], more: Sequence[str]
) -> dict[str, str]:
    found, others = {}, itertools.cycle(more)
    for name in dict.fromkeys(names):
        model = name.partition(",")[0]
        found[name] = known[model] if model in known else next(others)
    return found


def lighter(colour: str, share: float = 0.75) -> str:
    """Return a colour mixed with the given proportion of white."""
    return to_hex([part + (1 - part) * share for part in to_rgb(colour)])
