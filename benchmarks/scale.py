"""Time and memory of each stage from 10^4 to 10^7 items, and their growth.

    python benchmarks/scale.py [--stages pairs mfcc] [--out docs/scale.csv]

The project's own functions are measured on synthetic items: random vectors of the demo's widths and
noise waveforms of a digit's length. Pairs are of 10,000 items of each modality, however many they
are. Each measurement runs in a separate process with one thread. `mb` is the peak of its anonymous
memory in MB, which unlike pages of files cannot be dropped; it includes the interpreter, the
libraries and the input. Growth of time and memory is the exponent between two sizes.
"""

import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from memory import anonymous, watched

#: Items of each modality, of which pairs are.
ITEMS = 10_000
WIDTHS = {"image": 784, "speech": 696}
#: By stage, what is counted, and the powers of ten that are measured.
STAGES = {
    "segment": ("recordings", (3, 4)),
    "mfcc": ("digits", (3, 4, 5)),
    "features": ("digits", (3, 4, 5)),
    "read": ("items of each modality", (3, 4, 5)),
    "noise_image": ("noise images", (3, 4, 5)),
    "pairs": ("pairs", (4, 5, 6, 7)),
    "autoencoder": ("pairs, one epoch", (4, 5, 6)),
    "importance": ("pairs, each once", (4, 5, 6)),
    "represent": ("test pairs", (3, 4, 5, 6)),
    "scores": ("test pairs", (3, 4, 5)),
}
COLUMNS = ("stage", "unit", "items", "seconds", "mb", "growth_seconds", "growth_mb")


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


def stage_mfcc(folder: Path, count: int) -> tuple[int, Callable]:
    """MFCC of digits."""
    from ima.alignment.methods import segment
    from ima.features.mfcc import Mfcc, extract

    recordings, spoken = waves(folder, count)
    segments = segment(recordings, spoken, "whole", 1)
    return len(segments), lambda: [len(x) for x in extract(segments, spoken, Mfcc(), 1)]


def stage_segment(folder: Path, count: int) -> tuple[int, Callable]:
    """Forced alignment of one-digit recordings."""
    from ima.alignment.methods import segment

    recordings, spoken = waves(folder, count)
    return len(recordings), lambda: segment(recordings, spoken, "hmm", 1)


def stage_features(folder: Path, count: int) -> tuple[int, Callable]:
    """Mapping to [0, 1]."""
    from ima.features.mfcc import UnitInterval

    x = np.random.default_rng(0).normal(size=(count, 696)).astype(np.float32)
    return len(x), lambda: UnitInterval.fit(x, "sigmoid", 12)(x)


def stage_read(folder: Path, count: int) -> tuple[int, Callable]:
    """Feature matrices from Parquet."""
    from ima.utils.matrices import read_matrix

    files = features(folder, count)
    return count, lambda: [read_matrix([file]) for file in files.values()]


def stage_noise_image(folder: Path, count: int) -> tuple[int, Callable]:
    """Noise images."""
    from ima.datasets.noise import noise_images

    rng = np.random.default_rng(0)
    return count, lambda: noise_images(count, 784, mean=0.5, sd=0.12, zero_fraction=0.8, rng=rng)


def _tensors(count: int) -> tuple[dict, dict]:
    import torch

    torch.manual_seed(0)
    x = {name: torch.rand(ITEMS, width) for name, width in WIDTHS.items()}
    return x, {name: torch.randint(0, ITEMS, (count,)) for name in WIDTHS}


def _autoencoder():
    from ima.models.ima import Autoencoder, Modality

    layers = {"image": Modality(784, 500, "bce"), "speech": Modality(696, 100, "bce")}
    return Autoencoder(layers, 50)


def stage_autoencoder(folder: Path, count: int) -> tuple[int, Callable]:
    """One epoch of stage 1."""
    from ima.models.autoencoder import Stage1, fit_autoencoder

    (x, pairs), model = _tensors(count), _autoencoder()
    settings = Stage1(epochs=1, batch_size=64)
    return count, lambda: fit_autoencoder(model, x, pairs, settings, 0)


def stage_importance(folder: Path, count: int) -> tuple[int, Callable]:
    """Steps of stage 2 that use every pair once, with six restarts in parallel."""
    from ima.models.ima import IMANetwork
    from ima.models.importance import Stage2, fit_importance

    x, pairs = _tensors(count)
    copies = {name: [0.8] * 6 for name in x}
    model = IMANetwork.from_autoencoder(_autoencoder(), 100, copies)
    settings = Stage2(rounds=1, steps=count // 1024, batch_size=1024, restarts=6)
    return count, lambda: fit_importance(model, x, pairs, copies, settings, 0)


def stage_represent(folder: Path, count: int) -> tuple[int, Callable]:
    """Latents, importances and joint representations of test pairs."""
    from ima.evaluation.represent import represent
    from ima.models.ima import IMANetwork

    x, rows = _tensors(count)
    model = IMANetwork.from_autoencoder(_autoencoder(), 100, {name: [0.8] for name in x})
    return count, lambda: represent(model, x, rows)


def stage_scores(folder: Path, count: int) -> tuple[int, Callable]:
    """Precision@K of test pairs."""
    from ima.evaluation.metrics import precision_at_k

    rng = np.random.default_rng(0)
    z = rng.normal(size=(count, 50)).astype(np.float32)
    labels = rng.integers(0, 10, count)
    return count, lambda: precision_at_k(z, labels, [10, 50])


def stage_pairs(folder: Path, count: int) -> tuple[int, Callable]:
    """Pairs of all splits."""
    import pyarrow as pa

    from ima.pairing.by_label import pair_splits

    rng, items = np.random.default_rng(0), {}
    for name in WIDTHS:
        ids = [f"{name}/{i}" for i in range(ITEMS)]
        split = ["train" if i % 5 else "test" for i in range(ITEMS)]
        labels = pa.array(rng.integers(0, 10, ITEMS).astype(np.int8))
        items[name] = pa.table({"id": ids, "split": split, "label": labels})
    totals = {"train": count, "test": count // 5}
    return count, lambda: pair_splits(items, 0.1, totals, 0.1, 0)


def measure_here(stage: str, count: int) -> dict:
    """Measure one stage at one size in this process."""
    with tempfile.TemporaryDirectory() as folder:
        items, work = globals()[f"stage_{stage}"](Path(folder), count)
        begun = time.process_time()
        with watched() as peak:
            work()
        seconds = time.process_time() - begun
    return {"items": items, "seconds": seconds, "mb": max(peak[0], anonymous())}


def measure(stage: str, count: int) -> dict:
    """Measure one stage at one size in a separate process with one thread."""
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    command = [sys.executable, __file__, "--stage", stage, "--count", str(count)]
    done = subprocess.run(
        command, env={**os.environ, **threads}, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Measure the stages and write the table; rows of other stages are kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("docs/scale.csv"))
    parser.add_argument("--stages", nargs="+", choices=sorted(STAGES), default=list(STAGES))
    parser.add_argument("--stage", choices=sorted(STAGES), help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.stage:
        print(json.dumps(measure_here(options.stage, options.count)))
        return
    for stage in options.stages:
        rows = []
        for power in STAGES[stage][1]:
            rows.append(measure(stage, 10**power))
            print(stage, rows[-1], flush=True)
        write(options.out, {**read(options.out), stage: table(stage, rows)})


def table(stage: str, rows: list[dict]) -> list[dict]:
    """Return the rows of a stage with its growth, as text."""
    whole = []
    for last, row in pairwise([None, *rows]):
        growth = ["", ""]
        if last:
            more = math.log(row["items"] / last["items"])
            growth = [f"{math.log(row[x] / last[x]) / more:.2f}" for x in ("seconds", "mb")]
        unit, seconds, mb = STAGES[stage][0], f"{row['seconds']:.3g}", round(row["mb"])
        values = (stage, unit, row["items"], seconds, mb, *growth)
        whole.append(dict(zip(COLUMNS, values, strict=True)))
    return whole


def read(path: Path) -> dict[str, list[dict]]:
    """Return the rows of an existing table by stage."""
    stages: dict[str, list[dict]] = {}
    if path.exists():
        with path.open(newline="") as file:
            for row in csv.DictReader(file):
                stages.setdefault(row["stage"], []).append(row)
    return stages


def write(path: Path, stages: dict[str, list[dict]]) -> None:
    """Write the table."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(row for stage in STAGES for row in stages.get(stage, []))


if __name__ == "__main__":
    main()
