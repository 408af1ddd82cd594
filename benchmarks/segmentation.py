"""Four methods of segmenting digit strings, on a corpus with known truth: error and CPU time.

    python benchmarks/segmentation.py --tree TREE --truth truth.csv \
        --kind 'espeak=^e' --kind 'joined=.'

The methods are energy endpoints with an equal split; dynamic time warping (DTW) to strings
concatenated from other speakers' one-digit strings; hidden Markov models trained on the corpus; and
the same adapted to each speaker. They alternate on one core, and the median of their times is
printed, including reading and features. Before, each segments up to 1,000 recordings once, which
compiles the inner loops; this time is printed separately. A second table gives the number of
recordings that the aligner marks as doubtful when a tenth of them are declared with one digit more,
one less or another digit.
"""

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numba
import numpy as np
import pyarrow as pa

from ima.alignment import align, equal_split, read_truth, score
from ima.alignment.__main__ import kinds_of
from ima.alignment.align import Reader
from ima.alignment.frontend import SHIFT, Cepstra, cepstra, fault
from ima.alignment.hmm import WORDS
from ima.audio import sphere
from ima.datasets import tidigits
from ima.utils.schemas import RECORDINGS, SEGMENTS

#: DTW: number of other speakers' templates per recording; the median boundary is used.
TEMPLATES = 5


@numba.njit
def warp(x, y):
    """Return for each frame of y (M, D) the first frame of x (T, D) that DTW pairs with it."""
    rows, columns = len(x), len(y)
    cost = np.full((rows + 1, columns + 1), np.inf)
    cost[0, 0] = 0.0
    for i in range(rows):
        for j in range(columns):
            distance = np.sqrt(((x[i] - y[j]) ** 2).sum())
            before = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
            cost[i + 1, j + 1] = distance + before
    first = np.zeros(columns, np.int64)
    i, j = rows, columns
    while i > 0 and j > 0:
        first[j - 1] = i - 1
        diagonal, up, left = cost[i - 1, j - 1], cost[i - 1, j], cost[i, j - 1]
        if diagonal <= up and diagonal <= left:
            i, j = i - 1, j - 1
        elif up <= left:
            i -= 1
        else:
            j -= 1
    return first


def read_with_noise(path: str | Path, snr_db: float) -> tuple[np.ndarray, int]:
    """Read a recording and add white noise, always the same, at a signal-to-noise ratio (dB)."""
    samples, rate = sphere.read_audio(path)
    noise = np.random.default_rng(len(samples)).standard_normal(len(samples))
    scale = np.sqrt(np.mean(samples**2)) * 10 ** (-snr_db / 20)
    return (samples + scale * noise).astype(np.float32), rate


def dtw(recordings: pa.Table, root: Path, *, read: Reader) -> pa.Table:
    """Segment recordings by DTW to templates of other speakers, in a fixed order of speakers."""
    rows = recordings.to_pylist()
    items = [_features(*read(root / row["file"]), row["file"]) for row in rows]
    words: dict[str, dict[str, np.ndarray]] = {}
    silences: dict[str, np.ndarray] = {}
    for row, item in zip(rows, items, strict=True):
        if len(row["digits"]) == 1:
            begin, end = item.speech
            words.setdefault(row["speaker"], {}).setdefault(row["digits"], _part(item, begin, end))
            silences.setdefault(row["speaker"], _part(item, 0, begin))
    found = []
    for row, item in zip(rows, items, strict=True):
        others = [
            speaker
            for speaker in sorted(words)
            if speaker != row["speaker"] and set(row["digits"]) <= set(words[speaker])
        ]
        if not others:
            raise SystemExit(f"{row['id']}: no other speaker has each of its digits alone")
        step = max(len(others) // TEMPLATES, 1)
        edges = [
            _edges(item, [words[other][digit] for digit in row["digits"]], silences[other])
            for other in others[::step][:TEMPLATES]
        ]
        for position, (start, end) in enumerate(np.median(edges, axis=0)):
            values = (row["id"], position, row["digits"][position], start, end, 0.0, "")
            found.append(dict(zip(SEGMENTS.names, values, strict=True)))
    return pa.Table.from_pylist(found, schema=SEGMENTS)


def _features(samples: np.ndarray, rate: int, file: str) -> Cepstra:
    if reason := fault(samples, rate):
        raise SystemExit(f"{file}: {reason}")
    return cepstra(samples, rate)


def _part(item: Cepstra, begin: int, end: int) -> np.ndarray:
    # Every second frame: 10 ms is usual for DTW, whose time grows with the square of the length.
    return np.ascontiguousarray(item.x[begin:end:2].astype(np.float32))


def _edges(item: Cepstra, parts: list[np.ndarray], silence: np.ndarray) -> list[list[float]]:
    """Return start and end (s) of each digit, by warping to silence, digits, silence."""
    template = np.concatenate([silence, *parts, silence])
    first = warp(_part(item, 0, len(item.x)), template)
    bounds = len(silence) + np.cumsum([0, *(len(part) for part in parts)])
    last = len(first) - 1
    times = [2 * SHIFT * (first[min(bound, last)] - 0.5) for bound in bounds]
    return [[times[i], times[i + 1]] for i in range(len(parts))]


def alter(digits: str, how: str, rng: np.random.Generator) -> str:
    """Return the digits with one more, one less or one replaced, at a random position."""
    at = int(rng.integers(len(digits)))
    other = str(rng.choice([word for word in WORDS if word != digits[at]]))
    kept = {"one more": digits[at:], "one less": digits[at + 1 :], "another": digits[at + 1 :]}
    return digits[:at] + ("" if how == "one less" else other) + kept[how]


def doubts(recordings: pa.Table, root: Path, read: Reader) -> None:
    """Alter the strings of a tenth of the recordings; print the share of each kind in doubt."""
    rng = np.random.default_rng(0)
    rows, kinds = recordings.to_pylist(), {}
    for row in rows:
        how = (
            str(rng.choice(["one more", "one less", "another"])) if rng.random() < 0.1 else "right"
        )
        if how == "one less" and len(row["digits"]) == 1:
            how = "another"
        kinds[row["id"]] = how
        row["digits"] = row["digits"] if how == "right" else alter(row["digits"], how, rng)
    segments = align(pa.Table.from_pylist(rows, schema=RECORDINGS), root, read=read)
    doubtful = {row["recording"] for row in segments.to_pylist() if row["doubtful"]}
    print("\n| declared string | recordings | doubtful % |\n|---|---|---|")
    for how in ("right", "one more", "one less", "another"):
        own = [id_ for id_, kind in kinds.items() if kind == how]
        if own:
            share = 100 * len(doubtful.intersection(own)) / len(own)
            print(f"| {how} | {len(own)} | {share:.1f} |")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", required=True, type=Path, help="a TIDIGITS tree")
    parser.add_argument("--truth", required=True, type=Path, help="its true boundaries (CSV)")
    parser.add_argument("--kind", action="append", default=[], metavar="NAME=REGEX")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--snr", type=float, help="add white noise at this ratio (dB)")
    given = parser.parse_args()
    read = sphere.read_audio
    if given.snr is not None:
        read = functools.partial(read_with_noise, snr_db=given.snr)
    recordings, _ = tidigits.index(given.tree)
    truth = read_truth(given.truth, recordings)
    kinds = kinds_of(recordings, given.kind)
    audio = (sphere.read_audio(given.tree / file) for file in recordings["file"].to_pylist())
    seconds = sum(len(samples) / rate for samples, rate in audio)
    methods: dict[str, Callable[..., pa.Table]] = {
        "equal split": equal_split,
        "DTW": dtw,
        "HMM": functools.partial(align, adapt=False),
        "HMM + speaker MAP": align,
    }
    started = time.process_time()
    for cut in methods.values():
        cut(recordings.slice(0, 1000), given.tree, read=read)
    warm_up = time.process_time() - started
    times: dict[str, list[float]] = {name: [] for name in methods}
    tables = {}
    for _ in range(given.repeats):
        for name, cut in methods.items():
            started = time.process_time()
            tables[name] = cut(recordings, given.tree, read=read)
            times[name].append(1e3 * (time.process_time() - started) / seconds)
    print(f"{len(recordings)} recordings, {seconds:.0f} s; warm-up {warm_up:.1f} CPU s")
    print("| method | kind | mean ms | median ms | within 50 ms % | CPU ms per s of audio |")
    print("|---|---|---|---|---|---|")
    for name, table in tables.items():
        for row in score(table, truth, kinds).to_pylist():
            print(
                f"| {name} | {row['kind']} | {row['mean_ms']:.1f} | {row['median_ms']:.1f} "
                f"| {row['within_50_pct']:.1f} | {statistics.median(times[name]):.1f} |"
            )
    doubts(recordings, given.tree, read)


if __name__ == "__main__":
    main()
