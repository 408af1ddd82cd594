"""Digit accuracy of logistic regression on the speech features, variant by variant.

A variant changes a single choice of the config, so that the effect of each choice is measured.
Every accuracy comes with its negative control: the same regression trained on shuffled labels,
which should be at chance level.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from ima.datasets.digit_recordings import spoken_digits
from ima.features.mfcc import MAPPINGS, Mfcc, Reader, UnitInterval, extract

#: Inverse regularisation strength of the regression on standardised values; not tuned.
C = 0.1
#: Number of folds over the speakers of a corpus.
FOLDS = 6

#: One row per variant and split. `accuracy` and `accuracy_shuffled` are in [0, 1], means over
#: folds; `digits_train` is the mean over folds, `digits_test` the sum.
CHECKS = pa.schema(
    [
        *((name, pa.string()) for name in ("run", "variant", "padding", "mapping")),
        ("cmvn", pa.bool_()),
        *((name, pa.string()) for name in ("segmentation", "split")),
        *((name, pa.int32()) for name in ("digits_train", "digits_test")),
        *((name, pa.float64()) for name in ("accuracy", "accuracy_shuffled")),
    ]
)

#: Rows of training and of test digits, bool (n,) each.
Fold = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Variant:
    """A way to compute vectors: `mapping` is one of MAPPINGS, or `none` for unmapped MFCC."""

    name: str
    mfcc: Mfcc
    mapping: str
    segmentation: str


def variants(
    mfcc: Mfcc, mapping: str, segmentation: str, segmentations: Sequence[str]
) -> list[Variant]:
    """Return the configured variant and all that differ from it in one choice.

    Variants that share their MFCC are adjacent.

    Args:
        mfcc: the configured MFCC settings.
        mapping: the configured mapping.
        segmentation: the configured segmentation method.
        segmentations: all methods that the corpora allow.
    """
    configured = Variant("as configured", mfcc, mapping, segmentation)
    padding = "right" if mfcc.padding == "symmetric" else "symmetric"
    cmvn = replace(mfcc, cmvn=not mfcc.cmvn)
    return [
        configured,
        *(
            replace(configured, name=f"mapping {other}", mapping=other)
            for other in (*MAPPINGS, "none")
            if other != mapping
        ),
        replace(configured, name=f"padding {padding}", mfcc=replace(mfcc, padding=padding)),
        replace(configured, name=f"cmvn {'on' if cmvn.cmvn else 'off'}", mfcc=cmvn),
        *(
            replace(configured, name=f"segmentation {other}", segmentation=other)
            for other in segmentations
            if other != segmentation
        ),
    ]


def splits(corpus: np.ndarray, speaker: np.ndarray, split: np.ndarray) -> dict[str, list[Fold]]:
    """Return the training and test digits of each corpus, by name of the split.

    `<corpus> speakers` tests on speakers not seen in training, `<corpus> takes` on other recordings
    of the training speakers. A corpus' own division into train and test is one or the other. If it
    does not separate speakers, cross-validation over speakers is added, with at most FOLDS folds
    and on all recordings.

    Args:
        corpus, speaker, split: of each digit, str (n,); split is train or test.
    """
    found: dict[str, list[Fold]] = {}
    for name in sorted(set(corpus.tolist())):
        own = corpus == name
        train, test = own & (split == "train"), own & (split == "test")
        known = np.isin(speaker, speaker[train])
        if train.any() and test.any():
            kind = "takes" if (known & test).any() else "speakers"
            found[f"{name} {kind}"] = [(train, test)]
        speakers = sorted(set(speaker[own].tolist()))
        if f"{name} speakers" not in found and len(speakers) > 1:
            parts = [speakers[i::FOLDS] for i in range(min(FOLDS, len(speakers)))]
            left_out = [own & np.isin(speaker, part) for part in parts]
            found[f"{name} speakers"] = [(own & ~test, test) for test in left_out]
    return found


def accuracy(
    x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray
) -> float:
    """Return the test accuracy of logistic regression trained on training digits.

    Args:
        x_train, x_test: vectors (n, D); standardised by mean and deviation of `x_train`.
        y_train, y_test: labels (n,).
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=2_000))
    return float(model.fit(x_train, y_train).score(x_test, y_test))


def check(x: np.ndarray, y: np.ndarray, folds: Sequence[Fold], mapping: str, coefficients: int):
    """Return the columns of CHECKS from `digits_train` on, for one variant and split.

    The mapping, like the regression, is fitted to the training digits of each fold alone.

    Args:
        x: MFCC vectors (n, D), not yet mapped.
        y: labels (n,).
        folds: folds from `splits`.
        mapping: one of MAPPINGS, or `none`.
        coefficients: number of coefficients in each frame of `x`.
    """
    right, shuffled = [], []
    for train, test in folds:
        x_train, x_test = x[train], x[test]
        if mapping != "none":
            to_unit = UnitInterval.fit(x_train, mapping, coefficients)
            x_train, x_test = to_unit(x_train), to_unit(x_test)
        right.append(accuracy(x_train, y[train], x_test, y[test]))
        mixed = np.random.default_rng(0).permutation(y[train])
        shuffled.append(accuracy(x_train, mixed, x_test, y[test]))
    return {
        "digits_train": round(np.mean([train.sum() for train, _ in folds])),
        "digits_test": sum(int(test.sum()) for _, test in folds),
        "accuracy": float(np.mean(right)),
        "accuracy_shuffled": float(np.mean(shuffled)),
    }


def feature_checks(
    run: str,
    recordings: pa.Table,
    segments: Mapping[str, pa.Table],
    read: Reader,
    chosen: Sequence[Variant],
    *,
    oh: str = "zero",
    doubtful: str = "keep",
    processes: int = 1,
) -> pa.Table:
    """Measure the digit accuracy of variants of the speech features on every split.

    Args:
        run: name of the run.
        recordings: RECORDINGS.
        segments: SEGMENTS by method, for all methods that the variants use.
        read: function that returns the waveform of a recording.
        chosen: variants from `variants`.
        oh, doubtful: as in `ima.datasets.digit_recordings.spoken_digits`.
        processes: number of processes that compute vectors.

    Returns:
        A table of CHECKS, ordered by variant, then corpus.
    """
    rows: list[dict] = []
    made = itertools.groupby(chosen, key=lambda variant: (variant.segmentation, variant.mfcc))
    for (method, mfcc), same in made:
        items, digits = spoken_digits(recordings, segments[method], oh, doubtful)
        x = np.concatenate(list(extract(digits, read, mfcc, processes)))
        y = items["label"].to_numpy()
        by_split = splits(*_who(recordings, digits))
        for variant in same:
            for split, folds in by_split.items():
                columns = check(x, y, folds, variant.mapping, mfcc.n_mfcc)
                rows.append({"run": run, "split": split, **_names(variant), **columns})
    return pa.Table.from_pylist(rows, schema=CHECKS)


def _who(recordings: pa.Table, digits: pa.Table) -> Iterator[np.ndarray]:
    """Return corpus, speaker and split of each digit, str (n,)."""
    rows = {name: row for row, name in enumerate(recordings["id"].to_pylist())}
    taken = recordings.take(pa.array([rows[name] for name in digits["recording"].to_pylist()]))
    return (np.array(taken[name].to_pylist()) for name in ("corpus", "speaker", "split"))


def _names(variant: Variant) -> dict[str, str | bool]:
    return {
        "variant": variant.name,
        "padding": variant.mfcc.padding,
        "mapping": variant.mapping,
        "cmvn": variant.mfcc.cmvn,
        "segmentation": variant.segmentation,
    }
