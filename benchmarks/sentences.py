"""Word places in RAVDESS by `align_sentences` against given ones, and what equal division gives.

    python benchmarks/sentences.py --data FOLDER --jobs 4

FOLDER has manifest.csv and wdseg/*.wdseg (see `ima.datasets.ravdess`), whose places are the
reference. It may be wrong itself: the last number is free of a common offset.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ima.alignment.frontend import SHIFT, cepstra
from ima.alignment.sentences import align_sentences
from ima.audio.sphere import read_audio
from ima.datasets import ravdess

Times = dict[str, np.ndarray]


def divided(root: Path, rows: list[dict], weight: Callable[[str], int]) -> Times:
    """Divide the sound between its energy endpoints among the words, by their weights."""
    times = {}
    for row in rows:
        begin, end = cepstra(*read_audio(root / row["file"])).speech
        shares = np.cumsum([0, *(weight(word) for word in row["text"].split())])
        edges = (begin + (end - begin) * shares / shares[-1]) * SHIFT
        times[row["id"]] = np.stack([edges[:-1], edges[1:]], axis=1)
    return times


def main() -> None:
    """Print one line for each method."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args()
    utterances, tokens, _ = ravdess.index(args.data)
    rows, given = utterances.to_pylist(), {}
    for token in tokens.to_pylist():
        if token["kind"] == "word":
            given.setdefault(token["utterance"], []).append((token["start_s"], token["end_s"]))
    found = align_sentences(args.data, rows, args.jobs)
    methods = {
        "aligned": {
            id_: np.array([(word["start_s"], word["end_s"]) for word in words])
            for id_, words in found.items()
            if not isinstance(words, str)
        },
        "divided equally": divided(args.data, rows, lambda word: 1),
        "divided by letters": divided(args.data, rows, len),
    }
    print(
        "method, recordings, median |error| ms, median error ms, median |error - median error| ms"
    )
    for name, times in methods.items():
        error = 1000 * np.stack([own - np.array(given[id_]) for id_, own in times.items()])
        error = error[:, 1:, 0]  # the starts of all words but the first
        middle = np.median(error)
        spread = np.median(np.abs(error - middle))
        size = np.median(np.abs(error))
        print(f"{name}, {len(times)}, {size:.0f}, {middle:+.0f}, {spread:.0f}", flush=True)


if __name__ == "__main__":
    main()
