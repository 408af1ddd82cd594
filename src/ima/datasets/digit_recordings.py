"""Combine the speech corpora of a run: one index, one sampling rate, one table of spoken digits.

Every recording is decoded and resampled once into a single file of int16 waveforms, which
segmentation and feature extraction read. Files that cannot be decoded are listed as skipped.
"""

import itertools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.audio.sphere import read_audio
from ima.datasets import fsdd, ti46, tidigits
from ima.datasets.base import COPY, EXTENSION, OTHER_WORDS, skipped_table
from ima.datasets.counts import COUNTS
from ima.utils.errors import InputError, reason_of
from ima.utils.io import whole_file
from ima.utils.parallel import imap
from ima.utils.progress import progress_bar
from ima.utils.schemas import WAVES

logger = logging.getLogger(__name__)

#: Range of accepted sampling rates (Hz); a rate outside it indicates a broken header.
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000
#: Number of recordings decoded, written and read at a time (a few MB).
BATCH = 64
_SAMPLES = WAVES.field("wave").type
_CORPORA = {"tidigits": tidigits, "ti46": ti46, "fsdd": fsdd}
#: The label of each spoken digit. 'zero' and 'oh' share a label; `oh: drop` excludes 'oh'.
LABELS = {"z": 0, "o": 0, **{str(digit): digit for digit in range(1, 10)}}


def index(
    roots: Mapping[str, str], options: Mapping[str, Mapping]
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """List the recordings of several corpora.

    Args:
        roots: the folder of each corpus, by name (tidigits, ti46, fsdd).
        options: further arguments of the `index` function of a corpus, by name.

    Returns:
        RECORDINGS and SKIPPED of all corpora, and COUNTS of those with a nominal size (TIDIGITS
        and TI46).

    Raises:
        InputError: an error of the `index` function of a corpus.
    """
    recordings, skipped, counts = [], [], [COUNTS.empty_table()]
    for name, root in roots.items():
        corpus = _CORPORA[name]
        found, unused = corpus.index(root, **options.get(name, {}))
        recordings.append(found)
        skipped.append(unused)
        if hasattr(corpus, "expected_counts"):
            counts.append(corpus.expected_counts(found))
    return pa.concat_tables(recordings), pa.concat_tables(skipped), pa.concat_tables(counts)


def write_waves(
    recordings: pa.Table, roots: Mapping[str, str], rate: int, path: str | Path, processes: int
) -> tuple[pa.Table, pa.Table]:
    """Decode and resample all recordings into one file, with memory independent of their number.

    Args:
        recordings: RECORDINGS.
        roots: the folder of each corpus, by name.
        rate: the new sampling rate in Hz.
        path: the output file, read by `Waves`.
        processes: the number of processes that decode in parallel.

    Returns:
        RECORDINGS that were decoded, and SKIPPED with the reasons for the others.
    """
    usable, skipped = np.ones(len(recordings), bool), []
    starts = range(0, len(recordings), BATCH)
    batches = (recordings.slice(start, BATCH) for start in starts)
    tasks = ((_files(batch, roots), rate) for batch in batches)
    with (
        whole_file(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, WAVES) as writer,
    ):
        for start, waves in zip(
            progress_bar(starts, "decoding", "batch"), imap(_decode, tasks, processes), strict=True
        ):
            batch = recordings.slice(start, len(waves))
            good = np.array([isinstance(wave, np.ndarray) for wave in waves])
            for j in np.flatnonzero(~good).tolist():
                skipped.append((*(batch[name][j].as_py() for name in ("corpus", "file")), waves[j]))
            usable[start : start + len(waves)] = good
            ids = batch["id"].filter(pa.array(good)).combine_chunks()
            samples = pa.array([wave for wave in waves if isinstance(wave, np.ndarray)], _SAMPLES)
            writer.write_batch(pa.record_batch([ids, samples], schema=WAVES))
    tables = [
        skipped_table(corpus, [(file, reason) for name, file, reason in skipped if name == corpus])
        for corpus in roots
    ]
    return recordings.filter(pa.array(usable)), pa.concat_tables(tables)


def join_waves(files: Sequence[str | Path], path: str | Path) -> None:
    """Write the batches of several files of `write_waves` into one, in order."""
    with (
        whole_file(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, WAVES) as writer,
    ):
        for file in files:
            with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as part:
                for number in range(part.num_record_batches):
                    writer.write_batch(part.get_batch(number))


def _files(recordings: pa.Table, roots: Mapping[str, str]) -> list[Path]:
    names = zip(recordings["corpus"].to_pylist(), recordings["file"].to_pylist(), strict=True)
    return [Path(roots[corpus], file) for corpus, file in names]


def _decode(files: list[Path], rate: int) -> list[np.ndarray | str]:
    """Return the waveform of each file as int16 at `rate` Hz, or why it cannot be read."""
    from ima.audio.resample import resample

    waves: list[np.ndarray | str] = []
    for file in files:
        try:
            samples, own_rate = read_audio(file)
            _check_rate(file, own_rate)
            wave = resample(samples, own_rate, rate)
            waves.append(np.clip(np.rint(wave * 32768), -32768, 32767).astype(np.int16))
        except Exception as error:
            waves.append(reason_of(error))
    return waves


def _check_rate(file: Path, rate: int) -> None:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(
            file,
            expected=f"a sampling rate of {LOWEST_RATE}-{HIGHEST_RATE} Hz",
            found=f"{rate} Hz",
            do="Check its header: no digit corpus has such a rate.",
        )


class Waves:
    """Read waveforms written by `write_waves` on demand, by recording id.

    Instances can be pickled; each process opens the file itself. One batch of the file is in
    memory at a time, so reading in the order of writing is fastest.

    Args:
        path: the file.
        rate: its sampling rate in Hz.
    """

    def __init__(self, path: str | Path, rate: int):
        self.path, self.rate = str(path), rate
        self._file: pa.ipc.RecordBatchFileReader | None = None

    def __getstate__(self):
        return {"path": self.path, "rate": self.rate, "_file": None}

    def _open(self) -> None:
        try:
            # Memory-map only to read the ids: every page read from a map counts as used memory.
            with pa.memory_map(self.path) as mapped, pa.ipc.open_file(mapped) as file:
                ids = [file.get_batch(i)["id"].to_pylist() for i in range(file.num_record_batches)]
            self._file = pa.ipc.open_file(pa.OSFile(self.path))
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise InputError(self.path, expected="a file of waveforms", found=error) from error
        self._rows = {name: row for row, name in enumerate(itertools.chain(*ids))}
        self._starts = np.cumsum([0, *map(len, ids)])  # the first row of each batch
        self._number, self._samples = -1, None

    def __call__(self, recording: str) -> tuple[np.ndarray, int]:
        """Return the waveform of a recording, float32 (n,) in [-1, 1), and its rate in Hz.

        Raises:
            InputError: the file does not contain the recording, or is not a file of waveforms.
        """
        if self._file is None:
            self._open()
        row = self._rows.get(recording)
        if row is None:
            raise InputError(self.path, expected=f"the recording {recording}", found="none")
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        if number != self._number:
            self._samples, self._number = self._file.get_batch(number)["wave"], number
        samples = self._samples[row - self._starts[number]].values.to_numpy()
        return samples.astype(np.float32) / 32768, self.rate


def check_skipped(recordings: pa.Table, skipped: pa.Table, share: float) -> None:
    """Check that at most a given share of the audio files of each corpus is unusable.

    Duplicates, recordings of other words and files with extensions of no audio do not count,
    because they are not faulty. The log lists the others.

    Args:
        recordings: RECORDINGS that are usable.
        skipped: SKIPPED.
        share: the maximum share, in [0, 1].

    Raises:
        InputError: the share is exceeded.
    """
    not_faulty = pc.match_substring_regex(skipped["reason"], f"^({COPY}|{OTHER_WORDS}|{EXTENSION})")
    skipped = skipped.filter(pc.invert(not_faulty))
    for corpus in sorted(set(recordings["corpus"].to_pylist() + skipped["corpus"].to_pylist())):
        bad = skipped.filter(pc.field("corpus") == corpus)
        good = recordings.filter(pc.field("corpus") == corpus)
        if len(bad) > share * (len(bad) + len(good)):
            for row in bad.to_pylist():
                logger.error("skipped: %s: %s", row["file"], row["reason"])
            first = bad.slice(0, 1).to_pylist()[0]
            raise InputError(
                f"corpus {corpus}",
                expected=f"at most {share:.1%} of its audio files unusable",
                found=f"{len(bad)} of {len(bad) + len(good)}, the first being "
                f"{first['file']}: {first['reason']}",
                do="Repair the files, which the rule's log lists, or raise max_skipped.",
            )


def spoken_digits(
    recordings: pa.Table, segments: pa.Table, oh: str, doubtful: str
) -> tuple[pa.Table, pa.Table]:
    """Return the items of the speech modality and the segment of each, row for row.

    Args:
        recordings: RECORDINGS.
        segments: SEGMENTS; the rows of a recording are consecutive.
        oh: `zero` labels 'oh' as 0, `drop` excludes it.
        doubtful: whether to `keep` or `drop` doubtful segments.

    Returns:
        A table of `id` (recording#position), `split` and `label`, and the SEGMENTS kept.
    """
    keep = np.ones(len(segments), bool)
    digits = np.array(segments["digit"].to_pylist(), dtype=str)
    if oh == "drop":
        keep &= digits != "o"
    if doubtful == "drop":
        keep &= np.array(segments["doubtful"].to_pylist(), dtype=str) == ""
    kept = segments.filter(pa.array(keep))
    splits = dict(zip(recordings["id"].to_pylist(), recordings["split"].to_pylist(), strict=True))
    names, positions = kept["recording"].to_pylist(), kept["position"].to_pylist()
    items = {
        "id": [f"{name}#{i}" for name, i in zip(names, positions, strict=True)],
        "split": [splits[name] for name in names],
        "label": pa.array([LABELS[digit] for digit in digits[keep]], pa.int8()),
    }
    return pa.table(items), kept
