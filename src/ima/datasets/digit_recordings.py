"""All speech corpora of a run as one: an index, one rate, and the digits in it.

Every recording is decoded and resampled once, into one file of waves (int16) that segmentation and
features read; what cannot be decoded is listed, not lost.
"""

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ima.audio.sphere import read_audio
from ima.datasets import fsdd, ti46, tidigits
from ima.datasets.base import COPY, OTHER_WORDS, skipped_table
from ima.datasets.counts import COUNTS
from ima.utils.errors import InputError
from ima.utils.io import whole_file
from ima.utils.parallel import imap
from ima.utils.progress import progress_bar
from ima.utils.schemas import WAVES

#: Rates (Hz) of recordings that are used; any other is taken for a broken header.
LOWEST_RATE, HIGHEST_RATE = 8_000, 48_000
#: Recordings decoded, written and read at a time: some MB.
BATCH = 64
_SAMPLES = WAVES.field("wave").type
_CORPORA = {"tidigits": tidigits, "ti46": ti46, "fsdd": fsdd}
#: 'zero' and 'oh' are one digit; `oh: drop` leaves the second out.
LABELS = {"z": 0, "o": 0, **{str(digit): digit for digit in range(1, 10)}}


def index(
    roots: Mapping[str, str], options: Mapping[str, Mapping]
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """List the recordings of several corpora.

    Args:
        roots: folder of each corpus, by name (tidigits, ti46, fsdd).
        options: further arguments of a corpus' own `index`, by name.

    Returns:
        RECORDINGS and SKIPPED as a corpus' own `index`, and COUNTS found beside those expected
        (of TIDIGITS and TI46, which have nominal numbers).

    Raises:
        InputError: as a corpus' own `index`.
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
    """Decode every recording, resample it and write all of them into one file.

    Args:
        recordings: RECORDINGS.
        roots: folder of each corpus.
        rate: Hz.
        path: the file of waves, for `Waves`.
        processes: that decode side by side. Memory does not grow with the number of recordings.

    Returns:
        the RECORDINGS that could be decoded, and SKIPPED with the reason why others could not.
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
        skipped_table(corpus, [(file, reason) for of, file, reason in skipped if of == corpus])
        for corpus in roots
    ]
    return recordings.filter(pa.array(usable)), pa.concat_tables(tables)


def _files(recordings: pa.Table, roots: Mapping[str, str]) -> list[Path]:
    names = zip(recordings["corpus"].to_pylist(), recordings["file"].to_pylist(), strict=True)
    return [Path(roots[corpus], file) for corpus, file in names]


def _decode(files: list[Path], rate: int) -> list[np.ndarray | str]:
    """Return each file's wave as int16 at `rate` Hz, or why it cannot be read."""
    from ima.audio.resample import resample

    waves: list[np.ndarray | str] = []
    for file in files:
        try:
            samples, own_rate = read_audio(file)
            _check_rate(file, own_rate)
        except InputError as error:
            waves.append(f"expected {error.expected}, found {error.found}")
        else:
            wave = resample(samples, own_rate, rate)
            waves.append(np.clip(np.rint(wave * 32768), -32768, 32767).astype(np.int16))
    return waves


def _check_rate(file: Path, rate: int) -> None:
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise InputError(
            file,
            expected=f"a sampling rate of {LOWEST_RATE}-{HIGHEST_RATE} Hz",
            found=f"{rate} Hz",
            do="Check its header: no speech corpus of digits has such a rate.",
        )


class Waves:
    """The waves that `write_waves` wrote, read on demand by recording id.

    It can be sent to other processes, each of which opens the file for itself. A batch of the file
    is in memory at a time: recordings are best asked for in the order they were written in.

    Args:
        path: the file.
        rate: Hz.
    """

    def __init__(self, path: str | Path, rate: int):
        self.path, self.rate = str(path), rate
        self._file: pa.ipc.RecordBatchFileReader | None = None

    def __getstate__(self):
        return {"path": self.path, "rate": self.rate, "_file": None}

    def _open(self) -> None:
        try:
            # Mapped only to see the ids: of a mapped file, every page once read counts as used.
            with pa.memory_map(self.path) as mapped, pa.ipc.open_file(mapped) as file:
                ids = [file.get_batch(i)["id"].to_pylist() for i in range(file.num_record_batches)]
            self._file = pa.ipc.open_file(pa.OSFile(self.path))
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise InputError(self.path, expected="a file of waves", found=error) from error
        self._rows = {name: row for row, name in enumerate(itertools.chain(*ids))}
        self._starts = np.cumsum([0, *map(len, ids)])  # the first row of each batch
        self._number, self._samples = -1, None

    def __call__(self, recording: str) -> tuple[np.ndarray, int]:
        """Return the wave of a recording, float32 (n,) in [-1, 1), and its rate in Hz.

        Raises:
            InputError: there is no such recording, or the file is not one of waves.
        """
        if self._file is None:
            self._open()
        row = self._rows.get(recording)
        if row is None:
            raise InputError(self.path, expected=f"the recording {recording}", found="no such one")
        number = int(np.searchsorted(self._starts, row, side="right")) - 1
        if number != self._number:
            self._samples, self._number = self._file.get_batch(number)["wave"], number
        samples = self._samples[row - self._starts[number]].values.to_numpy()
        return samples.astype(np.float32) / 32768, self.rate


def check_skipped(recordings: pa.Table, skipped: pa.Table, share: float) -> None:
    """Raise InputError when more than a share of a corpus' audio files cannot be used.

    Second copies and recordings of other words are not counted: nothing is wrong with them.

    Args:
        recordings: RECORDINGS that can.
        skipped: SKIPPED.
        share: in [0, 1].
    """
    meant = pc.match_substring_regex(skipped["reason"], f"^({COPY}|{OTHER_WORDS})")
    skipped = skipped.filter(pc.invert(meant))
    for corpus in sorted(set(recordings["corpus"].to_pylist() + skipped["corpus"].to_pylist())):
        bad = skipped.filter(pc.field("corpus") == corpus)
        good = recordings.filter(pc.field("corpus") == corpus)
        if len(bad) > share * (len(bad) + len(good)):
            first = bad.slice(0, 1).to_pylist()[0]
            raise InputError(
                f"corpus {corpus}",
                expected=f"at most {share:.1%} of its audio files unusable",
                found=f"{len(bad)} of {len(bad) + len(good)}, the first being "
                f"{first['file']}: {first['reason']}",
                do="Mend the files (all are listed beside the index), or raise max_skipped.",
            )


def spoken_digits(
    recordings: pa.Table, segments: pa.Table, oh: str, doubtful: str
) -> tuple[pa.Table, pa.Table]:
    """Return the items of the speech modality, and the segment of each, row for row.

    Args:
        recordings: RECORDINGS.
        segments: SEGMENTS, one recording's together.
        oh: `zero` or `drop`.
        doubtful: `keep` or `drop` segments that are doubtful.

    Returns:
        a table of `id` (recording#position), `split` and `label`, and the SEGMENTS kept.
    """
    keep = np.ones(len(segments), bool)
    digits = np.array(segments["digit"].to_pylist(), dtype=str)
    if oh == "drop":
        keep &= digits != "o"
    if doubtful == "drop":
        keep &= np.array(segments["doubtful"].to_pylist(), dtype=str) == ""
    kept = segments.filter(pa.array(keep))
    splits = dict(zip(recordings["id"].to_pylist(), recordings["split"].to_pylist(), strict=True))
    of, position = kept["recording"].to_pylist(), kept["position"].to_pylist()
    items = {
        "id": [f"{name}#{i}" for name, i in zip(of, position, strict=True)],
        "split": [splits[name] for name in of],
        "label": pa.array([LABELS[digit] for digit in digits[keep]], pa.int8()),
    }
    return pa.table(items), kept
