"""Load views of real data for `real_examples.py`: mice, speech, dialogues and scikit-learn tables.

Labels are used only for scoring, never for training. The project contains none of the data;
docs/examples.md gives the source and licence of each data set.
"""

import csv
import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from ima.audio.resample import resample
from ima.datasets import ravdess
from ima.features import mfcc as speech
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError

#: Number of dialogue turns sampled at random from MELD.
TURNS = 1000
#: Dimensions of a text vector, from a singular value decomposition of tf-idf word counts.
TEXT = 50


class Example(NamedTuple):
    """Items with several views.

    Attributes:
        views: matrix (n, D) of each view.
        labels: labels (n,) of the items, by name of the label.
        groups: group (n,) of each item, such as its speaker; a split never divides a group.
        k: number of neighbours for retrieval.
        folds: number of cross-validation fits, in which each item is new once; 0 for a single fit
            to 80 % of the groups.
    """

    views: Mapping[str, np.ndarray]
    labels: Mapping[str, np.ndarray]
    groups: np.ndarray
    k: int = 10
    folds: int = 0


def nutrimouse(folder: Path) -> Example:
    """Return 40 mice with views of 120 gene expressions and 21 fatty acids; diet and genotype."""
    views = {name: _table(folder / f"{name}.csv")[1] for name in ("gene", "lipid")}
    labels = {}
    for name in ("diet", "genotype"):
        labels[name] = np.array(_lines(folder / f"{name}.csv")[1:])[:, 0]
    return Example(views, labels, np.arange(len(labels["diet"])), k=3, folds=5)


def digits(folder: Path | None = None) -> Example:
    """Return 1,797 handwritten digits with the left and right image halves as views (32 each)."""
    from sklearn.datasets import load_digits

    images, digit = load_digits(return_X_y=True)
    images = images.reshape(-1, 8, 8)
    views = {"left": images[:, :, :4], "right": images[:, :, 4:]}
    views = {name: of.reshape(len(of), -1) for name, of in views.items()}
    return Example(views, {"digit": digit}, np.arange(len(digit)))


def breast_cancer(folder: Path | None = None) -> Example:
    """Return 569 tumours with the mean, error and worst value of 10 cell measurements as views."""
    from sklearn.datasets import load_breast_cancer

    x, benign = load_breast_cancer(return_X_y=True)
    views = {"mean": x[:, :10], "error": x[:, 10:20], "worst": x[:, 20:]}
    return Example(views, {"benign": benign}, np.arange(len(x)))


def wine(folder: Path | None = None) -> Example:
    """Return 178 wines with two views: minerals (6 values), and phenols and colour (7)."""
    from sklearn.datasets import load_wine

    x, cultivar = load_wine(return_X_y=True)
    phenols = [5, 6, 7, 8, 9, 10, 11]
    views = {"minerals": np.delete(x, phenols, 1), "phenols": x[:, phenols]}
    return Example(views, {"cultivar": cultivar}, np.arange(len(x)))


def ravdess_voices(folder: Path) -> Example:
    """Return 1,440 acted sentences with views of MFCC statistics and 88 eGeMAPS functionals.

    MFCC are summarized by their mean, standard deviation and mean absolute change over frames (36
    values). Splits are by actor, so new items come from actors not used for fitting.
    """
    lines = _lines(folder / "manifest.csv")
    column = {name: [line[i] for line in lines[1:]] for i, name in enumerate(lines[0])}
    mfcc = speech.Mfcc(rate=ravdess.RATE, frames=0)
    views = {"mfcc": [], "egemaps": []}
    for file in column["file"]:
        wave, rate = soundfile.read(folder / file, dtype="float32")
        views["mfcc"].append(_moments(resample(wave, rate, mfcc.rate), mfcc))
        views["egemaps"].append(_functionals(wave, rate))
    labels = {"emotion": np.array(column["emotion"])}
    return Example(_stacked(views), labels, np.array(column["actor"]))


def meld_turns(folder: Path) -> Example:
    """Return 1,000 dialogue turns with two views: the utterance and its reply (50 dimensions)."""
    lines = _lines(folder / "train_sent_emo.csv")
    at = {name: i for i, name in enumerate(lines[0])}
    turns = [
        (a[at["Dialogue_ID"]], a[at["Utterance"]], b[at["Utterance"]], a[at["Emotion"]])
        for a, b in itertools.pairwise(lines[1:])
        if a[at["Dialogue_ID"]] == b[at["Dialogue_ID"]]
    ]
    rows = np.random.default_rng(0).permutation(len(turns))[:TURNS]
    dialogue, said, reply, emotion = (np.array(of) for of in zip(*turns, strict=True))
    views = {"said": _text(said[rows]), "reply": _text(reply[rows])}
    return Example(views, {"emotion": emotion[rows]}, dialogue[rows])


#: Loader of each example, which takes a folder; the scikit-learn examples need none.
EXAMPLES: dict[str, Callable[..., Example]] = {
    "nutrimouse": nutrimouse,
    "ravdess": ravdess_voices,
    "meld": meld_turns,
    "digits": digits,
    "breast_cancer": breast_cancer,
    "wine": wine,
}
WITHOUT_FOLDER = ("digits", "breast_cancer", "wine")


def load(name: str, folder: Path | None, cache: Path | None = None) -> Example:
    """Return an example, using `cache` if the file exists and writing it otherwise.

    Args:
        name: one of EXAMPLES.
        folder: folder of its data.
        cache: .npz file for examples whose features take minutes to compute. It is not checked
            against the data.

    Raises:
        InputError: a required folder does not exist or lacks files.
    """
    if cache and cache.exists():
        return _read(cache)
    if name not in WITHOUT_FOLDER and (folder is None or not folder.is_dir()):
        raise InputError(
            f"data of {name}",
            expected="a folder",
            found=folder or "none",
            do="Pass it with --data; docs/examples.md names the sources.",
        )
    example = EXAMPLES[name](folder)
    if cache:
        _write(example, cache)
    return example


def _write(example: Example, path: Path) -> None:
    views = {f"view {name}": of for name, of in example.views.items()}
    labels = {f"label {name}": of for name, of in example.labels.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file, file.open("wb") as stream:
        numbers = {"groups": example.groups, "k": example.k, "folds": example.folds}
        np.savez(stream, **views, **labels, **numbers)


def _read(path: Path) -> Example:
    with np.load(path) as stored:
        parts: dict[str, dict[str, np.ndarray]] = {"view": {}, "label": {}}
        for key in stored.files:
            kind, _, name = key.partition(" ")
            if name:
                parts[kind][name] = stored[key]
        numbers = int(stored["k"]), int(stored["folds"])
        return Example(parts["view"], parts["label"], stored["groups"], *numbers)


def _lines(path: Path) -> list[list[str]]:
    """Return the rows of a CSV file, header first."""
    if not path.is_file():
        raise InputError(path, expected="a CSV file", found="no file")
    with path.open(newline="", encoding="utf-8") as file:
        return [line for line in csv.reader(file) if line]


def _table(path: Path) -> tuple[list[str], np.ndarray]:
    """Return a CSV file's header and its numbers (n, D)."""
    header, *lines = _lines(path)
    return header, np.array(lines, float)


def _stacked(views: Mapping[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.stack(of) for name, of in views.items()}


def _moments(wave: np.ndarray, mfcc: speech.Mfcc) -> np.ndarray:
    """Return the mean, standard deviation and mean absolute change (3 C,) of a wave's MFCC."""
    frames = max(2, (len(wave) - mfcc.n_fft) // mfcc.shift // 2)
    whole = speech.Mfcc(rate=mfcc.rate, frames=frames)
    of = speech.mfcc_of_waves([wave], whole).reshape(-1, whole.n_mfcc)  # (T, C)
    return np.concatenate((of.mean(0), of.std(0), np.abs(np.diff(of, axis=0)).mean(0)))


def _functionals(wave: np.ndarray, rate: int) -> np.ndarray:
    """Return the 88 functionals of eGeMAPSv02 of a wave."""
    # openSMILE casts samples to 16 bits, and +1.0 would overflow to -1.0.
    found = _smile().process_signal(np.clip(wave, -1, 32767 / 32768), rate).to_numpy()[0]
    return np.nan_to_num(found)


def _smile(kept: list = []):  # noqa: B006 (created once)
    import opensmile

    if not kept:
        level = opensmile.FeatureLevel.Functionals
        kept.append(opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, level))
    return kept[0]


def _text(texts: np.ndarray) -> np.ndarray:
    """Return tf-idf vectors of texts reduced to (n, TEXT); fitted to all texts, without labels."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    counts = TfidfVectorizer(min_df=3, sublinear_tf=True, token_pattern=r"[\w']+")
    counts = counts.fit_transform(texts)
    return TruncatedSVD(min(TEXT, counts.shape[1] - 1), random_state=0).fit_transform(counts)
