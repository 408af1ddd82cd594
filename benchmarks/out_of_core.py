"""Train stage 1 on features in mapped files, compared with features in memory.

    python benchmarks/out_of_core.py --gb 2 --in-memory
    python benchmarks/out_of_core.py --gb 20
    python benchmarks/out_of_core.py --gb 10 --parquet

Random features of two modalities are written to two Arrow files of half the size each, as the rule
`own_scale` writes them, and deleted at the end. Each training takes `--steps` steps of 256 pairs of
random items, from `ima.utils.matrices.read_matrix`. The first one measures memory: the peak of
the anonymous pages of the process (`RssAnon`), which unlike pages of files cannot be dropped. With
`--in-memory`, trainings on mapped files, on mapped files of which no page is in memory at the start
(`cold`), and on copies in memory take turns; the ratios are medians of time per pair relative to
copies in memory. With `--parquet`, the features are first written as two folders of Parquet files,
then read, checked and standardized by what `own_features` and `own_scale` call. docs/scale.md has
the results.
"""

import argparse
import mmap
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from memory import anonymous, watched

from ima.datasets.user import read_items
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.ima import Autoencoder, Modality
from ima.pairing.user_scaled import scale_items
from ima.training.sizes import HIDDEN
from ima.utils.arrow import vector_column
from ima.utils.io import read_parquet, write_parquet
from ima.utils.matrices import blocks, empty, read_matrix, write_arrow
from ima.utils.schemas import OWN_ITEMS

MODALITIES, LATENT, BATCH = ("first", "second"), 50, 256


def write(path: Path, rows: int, width: int, seed: int) -> None:
    """Write random items of a modality."""
    rng, x = np.random.default_rng(seed), empty(rows, width)
    for block in blocks(rows, width):
        x[block] = rng.random(x[block].shape, np.float32)
    blank = pa.array([""]).take(pa.array(np.zeros(rows, np.int64)))
    about = {"id": np.arange(rows).astype(str), "split": blank, "label": blank}
    table = pa.table({**about, "noise": np.zeros(rows, bool), "x": vector_column(x)})
    write_arrow(table, path, OWN_ITEMS)


def write_from_parquet(path: Path, rows: int, width: int, seed: int) -> None:
    """Write random items as a folder of Parquet files, and read them as a user's are read."""
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for block in blocks(rows, width):
            x = rng.random((len(range(rows)[block]), width), np.float32)
            ids = np.arange(rows)[block].astype(str)
            table = pa.table({"id": ids, "x": vector_column(x)})
            write_parquet(table, Path(folder, f"{block.start:09d}.parquet"))
        write_arrow(read_items(folder, {}, "sse"), path, OWN_ITEMS)
    items, _ = scale_items(read_parquet(path, OWN_ITEMS), np.arange(rows), True, path.stem)
    write_arrow(items, path, OWN_ITEMS)


def drop(files: list[Path]) -> None:
    """Drop the pages of files from memory."""
    for file in files:
        with file.open("rb") as opened:
            os.fsync(opened.fileno())
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def train(x: dict[str, np.ndarray], steps: int) -> tuple[float, float]:
    """Take steps on pairs of random items, and return microseconds per pair: wall, CPU."""
    rng, count = np.random.default_rng(0), steps * BATCH
    items = {m: torch.from_numpy(rng.integers(len(of), size=count)) for m, of in x.items()}
    tensors = {m: torch.from_numpy(of) for m, of in x.items()}
    torch.manual_seed(0)
    model = Autoencoder({m: Modality(of.shape[1], HIDDEN) for m, of in x.items()}, LATENT)
    start = time.perf_counter(), time.process_time()
    fit_autoencoder(model, tensors, items, Stage1(epochs=1, batch_size=BATCH), 0)
    took = time.perf_counter() - start[0], time.process_time() - start[1]
    return took[0] * 1e6 / count, took[1] * 1e6 / count


def compare(files: list[Path], steps: int, repetitions: int) -> None:
    """Print the time per pair of each way, in turns."""
    copies = {m: np.array(of) for m, of in mapped(files).items()}
    times: dict[str, list[tuple[float, float]]] = {"memory": [], "mapped": [], "cold": []}
    for _ in range(repetitions):
        for way, of_way in times.items():
            x = copies if way == "memory" else mapped(files)
            if way == "mapped":
                for of in x.values():
                    of.sum()  # all of it is in the page cache
            if way == "cold":
                for of in x.values():
                    of._mmap.madvise(mmap.MADV_DONTNEED)
                drop(files)
            of_way.append(train(x, steps))
    for way, of_way in times.items():
        wall, cpu = (statistics.median(of) for of in zip(*of_way, strict=True))
        ratios = [
            statistics.median(a[i] / b[i] for a, b in zip(of_way, times["memory"], strict=True))
            for i in (0, 1)
        ]
        print(
            f"{way}: {wall:.1f} us per pair ({cpu:.1f} of CPU), "
            f"{ratios[0]:.2f} of memory's ({ratios[1]:.2f})"
        )


def mapped(files: list[Path]) -> dict[str, np.ndarray]:
    """Return the features of each modality."""
    return {m: read_matrix([file]) for m, file in zip(MODALITIES, files, strict=True)}


def main() -> None:
    """Write the features, train on them and print memory and time."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--gb", type=float, default=1.0, help="size of the features")
    parser.add_argument("--width", type=int, default=1000, help="values per item")
    parser.add_argument("--steps", type=int, default=200, help="steps of each training")
    parser.add_argument("--repetitions", type=int, default=5, help="trainings of each way")
    parser.add_argument("--parquet", action="store_true", help="read the features from Parquet")
    parser.add_argument("--in-memory", action="store_true", help="also compare with memory")
    parser.add_argument("--folder", help="where to write the features (default: TMPDIR)")
    options = parser.parse_args()
    rows = int(options.gb * 1e9 / 8 / options.width)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        tempfile.tempdir = folder
        files = [Path(folder, f"{m}.arrow") for m in MODALITIES]
        with watched() as peak:
            for seed, file in enumerate(files):
                make = write_from_parquet if options.parquet else write
                make(file, rows, options.width, seed)
        size = sum(file.stat().st_size for file in files) / 1e9
        print(f"{size:.1f} GB, {rows} items per modality: {peak[0]:.0f} MB to write them")
        before = anonymous()
        with watched() as peak:
            wall, cpu = train(mapped(files), options.steps)
        print(f"mapped: {before:.0f} MB before training, peak {peak[0]:.0f} MB, ", end="")
        print(f"{wall:.1f} us per pair ({cpu:.1f} of CPU)", flush=True)
        if options.in_memory:
            compare(files, options.steps, options.repetitions)


if __name__ == "__main__":
    main()
