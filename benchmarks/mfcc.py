"""MFCC of many short recordings: speed of a plain loop over librosa and of `ima`, and memory.

    python benchmarks/mfcc.py [--files 2000 | --tree TREE] [--turns 5]
    python benchmarks/mfcc.py --files 25000 --turns 1

The files are half a second of noise each, as SPHERE (PCM, 20 kHz), in a temporary folder; or those
of a TIDIGITS tree, each treated as a single digit. Both programs read the same files, resample them
to 12.5 kHz and compute the same vectors:

    plain   for each file soundfile.read, soxr.resample, librosa; all vectors into a Parquet file
    ima     `write_waves` (decodes, resamples, keeps the waves), then `extract` streamed to Parquet

They alternate on one core; medians of CPU seconds are printed, including reading and writing. The
exit code is 1 if ima processes fewer than 1,800 files per second and core. The second table gives
the peak memory of ima in a separate process, by number of recordings (files are reused if there are
fewer).
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")})

import librosa
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import soundfile
import soxr

from ima.datasets import tidigits
from ima.datasets.digit_recordings import Waves, spoken_digits, write_waves
from ima.features.mfcc import Mfcc, extract
from ima.utils.arrow import matrix, vector_column
from ima.utils.io import ParquetStream, read_parquet, write_parquet
from ima.utils.schemas import FEATURES, RECORDINGS, SEGMENTS

#: Minimum number of files per second and core.
GOAL = 1_800
RATE, SECONDS = 20_000, 0.5
#: Recordings in the first row of the memory table, and factors for all rows.
FEWEST, TIMES = 1_000, (1, 5, 25)


def main() -> int:
    """Print both tables; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--tree", type=Path, help="a TIDIGITS tree to use instead of noise")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)  # one row of the table
    given = parser.parse_args()
    if given.memory:
        return print_memory(given.tree, given.memory)
    with tempfile.TemporaryDirectory(prefix="ima-mfcc-") as folder:
        tree = given.tree or make_files(Path(folder, "tree"), given.files)
        fast = compare(tree, Path(folder), given.turns)
        print("\n| recordings | peak memory, MB | more than the first row, MB |\n|---|---|---|")
        first = None
        for times in TIMES:
            peak = peak_memory(tree, times * FEWEST)
            first = peak if first is None else first
            print(f"| {times * FEWEST:,} | {peak:.0f} | {peak - first:.0f} |", flush=True)
    return int(not fast)


def make_files(tree: Path, count: int) -> Path:
    """Write half-second recordings into a TIDIGITS tree, 1,331 per speaker."""
    rng = np.random.default_rng(0)
    digits = "123456789zo"
    names = [a + b + c for a in digits for b in digits for c in digits]
    for i in range(count):
        speaker = "".join(chr(ord("a") + n) for n in divmod(i // len(names), 26))
        file = tree / f"train/man/{speaker}/{names[i % len(names)]}a.wav"
        file.parent.mkdir(parents=True, exist_ok=True)
        wave = 0.1 * rng.standard_normal(round(SECONDS * RATE))
        soundfile.write(file, wave, RATE, "PCM_16", format="NIST")
    return tree


def compare(tree: Path, folder: Path, turns: int) -> bool:
    """Print CPU times of both programs, alternating, and the difference of their vectors."""
    recordings, _ = tidigits.index(tree)
    count, mfcc = len(recordings), Mfcc()
    ways: dict[str, Callable] = {"plain": plain, "ima": ours}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for name, way in ways.items():  # warm-up: loads libraries, and files into the system's cache
        way(recordings.slice(0, 500), tree, mfcc, folder / f"{name}.parquet")
    for _ in range(turns):
        for name, way in ways.items():
            started = time.process_time()
            way(recordings, tree, mfcc, folder / f"{name}.parquet")
            spent[name].append(time.process_time() - started)
    print(f"{count} files, {turns} turns; vectors of {mfcc.width}")
    print("| | CPU s | range | files/s and core |\n|---|---|---|---|")
    medians = {name: statistics.median(times) for name, times in spent.items()}
    for name, times in spent.items():
        spread = f"{min(times):.2f}-{max(times):.2f}"
        print(f"| {name} | {medians[name]:.2f} | {spread} | {count / medians[name]:,.0f} |")
    print(f"\nima is {medians['plain'] / medians['ima']:.2f} times as fast; goal {GOAL:,} files/s.")
    x, y = (matrix(read_parquet(folder / f"{name}.parquet", FEATURES), "x") for name in ways)
    apart = np.abs(x - y).max(axis=0).max() / x.std()
    print(f"Largest difference between their vectors: {apart:.1e} standard deviations.")
    return count / medians["ima"] >= GOAL


def plain(recordings: pa.Table, tree: Path, mfcc: Mfcc, out: Path) -> None:
    """Compute vectors as one would without this project: a loop over files, one call each."""
    vectors = []
    for file in recordings["file"].to_pylist():
        wave, rate = soundfile.read(tree / file, dtype="float32")
        wave = soxr.resample(wave, rate, mfcc.rate)
        wave = librosa.util.fix_length(middle(wave, mfcc.samples), size=mfcc.samples)
        mel = librosa.feature.melspectrogram(
            y=wave,
            sr=mfcc.rate,
            n_fft=mfcc.n_fft,
            hop_length=mfcc.shift,
            win_length=mfcc.window,
            center=False,
            n_mels=mfcc.n_mels,
        )
        log_mel = librosa.power_to_db(mel, top_db=None)
        cepstrum = librosa.feature.mfcc(S=log_mel, n_mfcc=mfcc.n_mfcc + 1)[1:]
        vectors.append(cepstrum.T.ravel())
    items = pa.table(
        {
            "id": recordings["id"],
            "split": recordings["split"],
            "label": pa.array(np.zeros(len(recordings)), pa.int8()),
            "x": vector_column(np.stack(vectors)),
        }
    )
    write_parquet(items, out, FEATURES)


def middle(wave: np.ndarray, length: int) -> np.ndarray:
    """Pad or cut a waveform (n,) symmetrically to `length`."""
    if len(wave) >= length:
        first = (len(wave) - length) // 2
        return wave[first : first + length]
    return np.pad(wave, ((length - len(wave)) // 2, 0))


def ours(recordings: pa.Table, tree: Path, mfcc: Mfcc, out: Path) -> None:
    """Compute vectors as the workflow does, in one process."""
    path = out.with_suffix(".arrow")
    recordings, skipped = write_waves(recordings, {"tidigits": tree}, mfcc.rate, path, processes=1)
    if len(skipped):
        raise SystemExit(f"{len(skipped)} files skipped, the first: {skipped.slice(0, 1)}")
    waves = Waves(path, mfcc.rate)
    items, digits = spoken_digits(recordings, whole(recordings, waves), "zero", "keep")
    with ParquetStream(out, FEATURES) as stream:
        for x in extract(digits, waves, mfcc):
            stream.write(items.slice(stream.rows, len(x)), x=x)


def whole(recordings: pa.Table, waves: Waves) -> pa.Table:
    """Return one segment per recording; only the lengths of the waveforms are read."""
    with pa.memory_map(waves.path) as mapped, pa.ipc.open_file(mapped) as file:
        batches = (file.get_batch(i)["wave"] for i in range(file.num_record_batches))
        samples = np.concatenate([pc.list_value_length(batch).to_numpy() for batch in batches])
    count = len(recordings)
    columns = {
        "recording": recordings["id"],
        "position": np.zeros(count),
        "digit": ["1"] * count,
        "start_s": np.zeros(count),
        "end_s": samples / waves.rate,
        "loglik": np.zeros(count),
        "doubtful": [""] * count,
    }
    return pa.table(columns).cast(SEGMENTS)


def peak_memory(tree: Path, count: int) -> float:
    """Return the peak memory (MB) of a process that computes vectors of `count` recordings."""
    command = [sys.executable, __file__, "--tree", str(tree), "--memory", str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(tree: Path, count: int) -> int:
    """Compute vectors of `count` recordings, reusing files if needed; print the peak (MB)."""
    found, _ = tidigits.index(tree)
    rows = np.arange(count) % len(found)
    ids = [f"{id_}/{i}" for i, id_ in enumerate(found["id"].take(pa.array(rows)).to_pylist())]
    recordings = found.take(pa.array(rows)).set_column(0, RECORDINGS.field("id"), pa.array(ids))
    with tempfile.TemporaryDirectory(prefix="ima-mfcc-") as folder:
        ours(recordings, tree, Mfcc(), Path(folder, "ima.parquet"))
    print(peak_of_this_process())
    return 0


def peak_of_this_process() -> float:
    """Return this process's peak resident memory (MB).

    On Linux, `ru_maxrss` starts at the peak of the parent process, so VmHWM is read instead.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main())
