"""Time and memory of each stage at 1, 10 and 100 times the demo's size, and their growth.

    python benchmarks/scale.py [--stages pairs mfcc] [--sizes 1 10] [--out docs/scale.csv]

The project's own functions are measured on synthetic items: random vectors of the demo's widths and
noise waveforms of a digit's length. Each measurement runs in a separate process with one thread;
`mb` is its peak memory including the input. Growth is the exponent of CPU time between two sizes.
"""

import argparse
import csv
import itertools
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

#: Approximate numbers of items in the demo: digits, recordings, training pairs and test pairs.
DIGITS, RECORDINGS, TRAIN, TEST = 5_800, 4_000, 8_000, 1_600
WIDTHS = {"image": 784, "speech": 696}
#: Stages that are measured at 100 times the demo's size; the others would take hours.
CHEAP = ("pairs", "noise_image", "represent")
SIZES = (1, 10, 100)
COLUMNS = ("stage", "unit", "size", "items", "seconds", "mb")


def waves(folder: Path, count: int):
    """Write recordings of one digit of .6 s each, and return them with their waveforms."""
    import pyarrow as pa

    from ima.datasets.digit_recordings import Waves
    from ima.utils.schemas import RECORDINGS, WAVES

    rng = np.random.default_rng(0)
    digits = [str(d) for d in rng.integers(1, 10, count)]
    path = folder / "waves.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, WAVES) as writer:
        for start in range(0, count, 64):
            n = min(64, count - start)
            ids = pa.array([f"x/{i}" for i in range(start, start + n)])
            samples = [rng.normal(0, 2000, 7500).astype(np.int16) for _ in range(n)]
            samples = pa.array(samples, WAVES.field("wave").type)
            writer.write_batch(pa.record_batch([ids, samples], schema=WAVES))
    names = [f"x/{i}" for i in range(count)]
    same = {"corpus": "x", "split": "train", "speaker": "a", "group": "man"}
    columns = {
        "id": names,
        "digits": digits,
        "file": names,
        **{k: [v] * count for k, v in same.items()},
    }
    return pa.table({field.name: columns[field.name] for field in RECORDINGS}), Waves(path, 12_500)


def features(folder: Path, count: int) -> dict[str, Path]:
    """Write feature tables of random vectors, and return their files by modality."""
    import pyarrow as pa

    from ima.utils.arrow import vector_column
    from ima.utils.io import write_parquet
    from ima.utils.schemas import FEATURES

    rng, files = np.random.default_rng(0), {}
    labels = rng.integers(0, 10, count).astype(np.int8)
    for name, width in WIDTHS.items():
        x = rng.random((count, width), dtype=np.float32)
        table = pa.table({"id": [f"{name}/{i}" for i in range(count)], "split": ["train"] * count})
        table = table.append_column("label", pa.array(labels)).append_column("x", vector_column(x))
        files[name] = folder / f"{name}.parquet"
        write_parquet(table, files[name], FEATURES)
    return files


def stage_mfcc(folder: Path, size: float) -> tuple[int, Callable]:
    """MFCC of digits."""
    from ima.alignment.methods import segment
    from ima.features.mfcc import Mfcc, extract

    recordings, spoken = waves(folder, int(DIGITS * size))
    segments = segment(recordings, spoken, "whole", 1)
    return len(segments), lambda: [len(x) for x in extract(segments, spoken, Mfcc(), 1)]


def stage_segment(folder: Path, size: float) -> tuple[int, Callable]:
    """Forced alignment of one-digit recordings."""
    from ima.alignment.methods import segment

    recordings, spoken = waves(folder, int(RECORDINGS * size))
    return len(recordings), lambda: segment(recordings, spoken, "hmm", 1)


def stage_features(folder: Path, size: float) -> tuple[int, Callable]:
    """Mapping to [0, 1]."""
    from ima.features.mfcc import UnitInterval

    x = np.random.default_rng(0).normal(size=(int(DIGITS * size), 696)).astype(np.float32)
    return len(x), lambda: UnitInterval.fit(x, "sigmoid", 12)(x)


def stage_read(folder: Path, size: float) -> tuple[int, Callable]:
    """Feature matrices from Parquet."""
    from ima.utils.matrices import read_matrix

    files = features(folder, int(DIGITS * size))
    return int(DIGITS * size), lambda: [read_matrix([file]) for file in files.values()]


def stage_noise_image(folder: Path, size: float) -> tuple[int, Callable]:
    """Noise images."""
    from ima.datasets.noise import noise_images

    count = int(0.1 * TRAIN * size)
    rng = np.random.default_rng(0)
    return count, lambda: noise_images(count, 784, mean=0.5, sd=0.12, zero_fraction=0.8, rng=rng)


def _tensors(size: float) -> tuple[dict, dict]:
    import torch

    torch.manual_seed(0)
    items = int(DIGITS * size)
    x = {name: torch.rand(items, width) for name, width in WIDTHS.items()}
    return x, {name: torch.randint(0, items, (int(TRAIN * size),)) for name in WIDTHS}


def _autoencoder():
    from ima.models.ima import Autoencoder, Modality

    layers = {"image": Modality(784, 500, "bce"), "speech": Modality(696, 100, "bce")}
    return Autoencoder(layers, 50)


def stage_autoencoder(folder: Path, size: float) -> tuple[int, Callable]:
    """One epoch of stage 1."""
    from ima.models.autoencoder import Stage1, fit_autoencoder

    (x, pairs), model = _tensors(size), _autoencoder()
    settings = Stage1(epochs=1, batch_size=64)
    return int(TRAIN * size), lambda: fit_autoencoder(model, x, pairs, settings, 0)


def stage_importance(folder: Path, size: float) -> tuple[int, Callable]:
    """Steps of stage 2 that use every pair once, with six restarts in parallel."""
    from ima.models.ima import IMANetwork
    from ima.models.importance import Stage2, fit_importance

    x, pairs = _tensors(size)
    copies = {name: [0.8] * 6 for name in x}
    model = IMANetwork.from_autoencoder(_autoencoder(), 100, copies)
    steps = int(TRAIN * size) // 1024
    settings = Stage2(rounds=1, steps=steps, batch_size=1024, restarts=6)
    return int(TRAIN * size), lambda: fit_importance(model, x, pairs, copies, settings, 0)


def stage_represent(folder: Path, size: float) -> tuple[int, Callable]:
    """Latents, importances and joint representations of test pairs."""
    from ima.evaluation.represent import represent
    from ima.models.ima import IMANetwork

    (x, pairs), count = _tensors(size), int(TEST * size)
    model = IMANetwork.from_autoencoder(_autoencoder(), 100, {name: [0.8] for name in x})
    rows = {name: values[:count] for name, values in pairs.items()}
    return count, lambda: represent(model, x, rows)


def stage_scores(folder: Path, size: float) -> tuple[int, Callable]:
    """Precision@K of test pairs."""
    from ima.evaluation.metrics import precision_at_k

    rng = np.random.default_rng(0)
    count = int(TEST * size)
    z = rng.normal(size=(count, 50)).astype(np.float32)
    labels = rng.integers(0, 10, count)
    return count, lambda: precision_at_k(z, labels, [10, 50])


def stage_pairs(folder: Path, size: float) -> tuple[int, Callable]:
    """Pairs of all splits."""
    import pyarrow as pa

    from ima.pairing.by_label import pair_splits

    rng, items = np.random.default_rng(0), {}
    count = int(DIGITS * size)
    for name in WIDTHS:
        ids = [f"{name}/{i}" for i in range(count)]
        split = ["train" if i % 5 else "test" for i in range(count)]
        labels = pa.array(rng.integers(0, 10, count).astype(np.int8))
        items[name] = pa.table({"id": ids, "split": split, "label": labels})
    totals = {"train": int(TRAIN * size), "test": int(TEST * size)}
    return int(TRAIN * size), lambda: pair_splits(items, 0.1, totals, 0.1, 0)


UNITS = {
    "segment": "recordings",
    "mfcc": "digits",
    "features": "digits",
    "read": "items of each modality",
    "pairs": "pairs",
    "noise_image": "noise images",
    "autoencoder": "pairs, one epoch",
    "importance": "pairs, each once",
    "represent": "test pairs",
    "scores": "test pairs",
}


def measure_here(stage: str, size: float) -> dict:
    """Measure one stage at one size in this process."""
    with tempfile.TemporaryDirectory() as folder:
        count, work = globals()[f"stage_{stage}"](Path(folder), size)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.process_time()
        work()
        seconds = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"items": count, "seconds": seconds, "mb": peak / 1024, "mb_before": before / 1024}


def measure(stage: str, size: float) -> dict:
    """Measure one stage at one size in a separate process with one thread."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    command = [sys.executable, __file__, "--stage", stage, "--size", str(size)]
    done = subprocess.run(
        command, env={**os.environ, **threads}, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure the stages and write the table; rows that are not measured are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/scale.csv"))
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="times the demo")
    parser.add_argument("--stages", nargs="+", choices=sorted(UNITS), default=list(UNITS))
    parser.add_argument("--stage", choices=sorted(UNITS), help=argparse.SUPPRESS)
    parser.add_argument("--size", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        print(json.dumps(measure_here(options.stage, options.size)))
        return
    rows = read(options.out)
    for stage in options.stages:
        for size in options.sizes:
            if size < 100 or stage in CHEAP:
                rows[stage, size] = {"stage": stage, "unit": UNITS[stage], "size": size}
                rows[stage, size] |= measure(stage, size)
                print(rows[stage, size], flush=True)
    with options.out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, "growth"])
        for stage, size in itertools.product(UNITS, SIZES):
            if row := rows.get((stage, size)):
                seconds, mb = f"{row['seconds']:.3g}", round(row["mb"])
                exponent = growth(row, list(rows.values()))
                writer.writerow([stage, UNITS[stage], size, row["items"], seconds, mb, exponent])


def read(path: Path) -> dict[tuple[str, int], dict]:
    """Return the rows of an existing table by stage and size."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {"size": int, "items": int, "seconds": float, "mb": float}
    numbers = [{name: kind(row[name]) for name, kind in kinds.items()} for row in rows]
    return {(r["stage"], n["size"]): {**r, **n} for r, n in zip(rows, numbers, strict=True)}


def growth(row: dict, rows: list[dict]) -> str:
    """Return the exponent of time relative to the stage's next smaller size; '' without one."""
    smaller = [r for r in rows if r["stage"] == row["stage"] and r["size"] < row["size"]]
    if not smaller:
        return ""
    last = max(smaller, key=lambda r: r["size"])
    ratio = math.log(row["seconds"] / last["seconds"]) / math.log(row["items"] / last["items"])
    return f"{ratio:.2f}"


if __name__ == "__main__":
    main()
