"""Combined speech corpora: index, file of waveforms, and spoken digits."""

import pickle

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from ima.datasets import digit_recordings
from ima.datasets.base import skipped_table
from ima.datasets.counts import COUNTS, CountWarning
from ima.datasets.digit_recordings import Waves, check_skipped, spoken_digits, write_waves
from ima.utils.arrow import conform
from ima.utils.errors import InputError
from ima.utils.schemas import ITEMS, RECORDINGS, SEGMENTS, SKIPPED

TIDIGITS = ["train/man/ae/6za.wav", "train/woman/bc/o1b.wav", "test/girl/zz/9a.wav"]
TI46 = ["TRAIN/F1/03F1SET0.WAV", "TEST/M2/00M2S1T1.WAV"]
TIDIGITS_IDS = [
    "tidigits/test/girl/zz/9a",
    "tidigits/train/man/ae/6za",
    "tidigits/train/woman/bc/o1b",
]
TI46_IDS = ["ti46/test/m2/00m2s1t1", "ti46/train/f1/03f1set0"]


def wave_of(seed, n=400):
    """Return int16 noise that includes both ends of the range."""
    wave = np.random.default_rng(seed).integers(-32768, 32768, n).astype(np.int16)
    wave[:2] = -32768, 32767
    return wave


def write(path, wave, rate):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate, format="NIST", subtype="PCM_16")


@pytest.fixture
def corpora(tmp_path):
    """Write two small corpora at 20 kHz and 12.5 kHz; return their folders and index."""
    roots = {"tidigits": str(tmp_path / "tidigits"), "ti46": str(tmp_path / "ti46")}
    for i, file in enumerate(TIDIGITS):
        write(tmp_path / "tidigits" / file, wave_of(i, 4000 + i), 20_000)
    for i, file in enumerate(TI46):
        write(tmp_path / "ti46" / file, wave_of(10 + i, 500 + i), 12_500)
    return roots


def indexed(roots, **options):
    with pytest.warns(CountWarning):  # a few files are not the whole corpus
        return digit_recordings.index(roots, options)


# The index


def test_index_of_two_corpora(corpora):
    recordings, skipped, counts = indexed(corpora)
    assert recordings["id"].to_pylist() == TIDIGITS_IDS + TI46_IDS
    assert recordings["corpus"].to_pylist() == ["tidigits"] * 3 + ["ti46"] * 2
    assert recordings["digits"].to_pylist() == ["9", "6z", "o1", "z", "3"]
    assert recordings["split"].to_pylist() == ["test", "train", "train", "test", "train"]
    assert recordings.schema == RECORDINGS and skipped.schema == SKIPPED and len(skipped) == 0
    assert counts.schema == COUNTS
    in_all = {
        r["corpus"]: r
        for r in counts.to_pylist()
        if (r["level"], r["unit"]) == ("corpus", "recordings")
    }
    assert (in_all["tidigits"]["found"], in_all["tidigits"]["expected"]) == (3, 25_102)
    assert (in_all["ti46"]["found"], in_all["ti46"]["expected"]) == (2, 4_160)


def test_index_follows_the_order_of_its_corpora(corpora):
    recordings, _, _ = indexed({"ti46": corpora["ti46"]})
    assert recordings["id"].to_pylist() == TI46_IDS
    recordings, _, _ = indexed({name: corpora[name] for name in ("ti46", "tidigits")})
    assert recordings["id"].to_pylist() == TI46_IDS + TIDIGITS_IDS


def test_options_are_passed_to_their_corpus(tmp_path):
    for name in ("1_ann_0", "1_ann_7", "0_bob_7"):
        (tmp_path / f"{name}.wav").touch()
    roots = {"fsdd": str(tmp_path)}
    takes, skipped, counts = digit_recordings.index(roots, {})
    assert takes["split"].to_pylist() == ["train", "test", "train"]
    assert len(counts) == 0 and counts.schema == COUNTS and len(skipped) == 0  # no nominal numbers
    by_speaker = {"split": "speaker", "test_speakers": ("bob",)}
    speakers, _, _ = digit_recordings.index(roots, {"fsdd": by_speaker, "ti46": {"unused": 1}})
    assert speakers["id"].to_pylist() == ["fsdd/0_bob_7", "fsdd/1_ann_0", "fsdd/1_ann_7"]
    assert speakers["split"].to_pylist() == ["test", "train", "train"]


def test_skipped_files_are_listed_with_their_corpus(corpora, tmp_path):
    write(tmp_path / "tidigits" / "train/man/ae/hello.wav", wave_of(0), 20_000)
    (tmp_path / "ti46" / "TRAIN/F1/odd.xyz").touch()
    _, skipped, _ = indexed(corpora)
    assert [(row["corpus"], row["file"]) for row in skipped.to_pylist()] == [
        ("tidigits", "train/man/ae/hello.wav"),
        ("ti46", "TRAIN/F1/odd.xyz"),
    ]


# Waves


def test_waves_are_exact_without_resampling(corpora, tmp_path):
    recordings, _, _ = indexed({"ti46": corpora["ti46"]})
    kept, skipped = write_waves(recordings, corpora, 12_500, tmp_path / "w.arrow", 1)
    assert kept == recordings and len(skipped) == 0 and skipped.schema == SKIPPED
    waves = Waves(tmp_path / "w.arrow", 12_500)
    for name, expected in zip(TI46_IDS, (wave_of(11, 501), wave_of(10, 500)), strict=True):
        wave, rate = waves(name)
        assert rate == 12_500 and wave.dtype == np.float32
        assert (wave * 32768 == expected).all()  # from -1 to 32767/32768
        assert wave.min() == -1 and wave.max() == 32767 / 32768


def test_waves_are_resampled(corpora, tmp_path):
    """4,000 samples at 20 kHz become 2,500 at 12.5 kHz, and a tone keeps its frequency."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(4000) / 20_000)
    write(tmp_path / "tidigits" / TIDIGITS[0], (0.5 * 32767 * tone).astype(np.int16), 20_000)
    recordings, _, _ = indexed(corpora)
    kept, skipped = write_waves(recordings, corpora, 12_500, tmp_path / "w.arrow", 1)
    assert len(kept) == 5 and len(skipped) == 0
    waves = Waves(tmp_path / "w.arrow", 12_500)
    lengths = {name: len(waves(name)[0]) for name in TIDIGITS_IDS + TI46_IDS}
    for name, n in zip(TIDIGITS_IDS, (4002, 4000, 4001), strict=True):
        assert abs(lengths[name] - n * 12_500 / 20_000) < 1
    assert [lengths[name] for name in TI46_IDS] == [501, 500]
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(2500) / 12_500)
    found = waves("tidigits/train/man/ae/6za")[0]
    np.testing.assert_allclose(found[200:2300], expected[200:2300], atol=1e-3)


def test_overshoot_of_resampling_is_clipped(tmp_path):
    """A full-scale square wave rings when resampled; int16 must not wrap around."""
    square = np.where(np.arange(4000) % 200 < 100, 32767, -32768).astype(np.int16)
    write(tmp_path / "tidigits" / TIDIGITS[0], square, 20_000)
    roots = {"tidigits": str(tmp_path / "tidigits")}
    recordings, _, _ = indexed(roots)
    write_waves(recordings, roots, 12_500, tmp_path / "w.arrow", 1)
    wave = Waves(tmp_path / "w.arrow", 12_500)(TIDIGITS_IDS[1])[0]
    assert wave.max() == 32767 / 32768 and wave.min() == -1
    assert np.abs(np.diff(wave)).max() < 1.9  # wrapped, a step would be 2 between neighbours
    assert (np.sign(wave[10:50]) == 1).all()


def test_waves_do_not_depend_on_the_number_of_processes(tmp_path):
    """300 recordings fill several batches."""
    root = tmp_path / "tidigits"
    for i in range(300):
        name = np.base_repr(i, 9).translate(str.maketrans("012345678", "123456789"))
        write(root / f"train/man/ae/{name}a.wav", wave_of(i, 50 + i), 20_000)
    (root / "train/man/ae/99a.wav").write_bytes(b"cut")
    roots = {"tidigits": str(root)}
    recordings, _, _ = indexed(roots)
    assert len(recordings) == 300
    tables = []
    for processes in (1, 2):
        tables.append(write_waves(recordings, roots, 12_500, tmp_path / f"{processes}", processes))
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert tables[0] == tables[1]
    kept, skipped = tables[0]
    ids = recordings["id"].to_pylist()
    bad = ids.index("tidigits/train/man/ae/99a")
    assert bad > 2 * digit_recordings.BATCH  # not in the first batch
    assert kept["id"].to_pylist() == ids[:bad] + ids[bad + 1 :]
    assert skipped["file"].to_pylist() == ["train/man/ae/99a.wav"]


def test_undecodable_files_are_listed_and_others_kept(corpora, tmp_path):
    text = (tmp_path / "tidigits" / TIDIGITS[1]).read_bytes()
    (tmp_path / "tidigits" / TIDIGITS[1]).write_bytes(text[:-100])
    (tmp_path / "ti46" / TI46[0]).write_bytes(b"not audio at all")
    recordings, _, _ = indexed(corpora)
    kept, skipped = write_waves(recordings, corpora, 12_500, tmp_path / "w.arrow", 1)
    assert kept["id"].to_pylist() == [*TIDIGITS_IDS[:2], TI46_IDS[0]]
    assert kept.schema == RECORDINGS and skipped.schema == SKIPPED
    cut, other = skipped.to_pylist()
    assert (cut["corpus"], cut["file"]) == ("tidigits", TIDIGITS[1])
    assert cut["reason"].startswith("expected 8002 bytes of samples, as its header says, found 79")
    assert (other["corpus"], other["file"]) == ("ti46", TI46[0])
    assert (
        other["reason"].startswith("expected audio") and "found something else" in other["reason"]
    )
    waves = Waves(tmp_path / "w.arrow", 12_500)
    assert all(len(waves(name)[0]) for name in kept["id"].to_pylist())
    with pytest.raises(InputError, match="the recording ti46/train/f1/03f1set0, found none"):
        waves(TI46_IDS[1])


def test_all_files_may_be_undecodable(corpora, tmp_path):
    for file in TI46:
        (tmp_path / "ti46" / file).write_bytes(b"")
    roots = {"ti46": corpora["ti46"]}
    recordings, _, _ = indexed(roots)
    kept, skipped = write_waves(recordings, roots, 12_500, tmp_path / "w.arrow", 1)
    assert len(kept) == 0 and len(skipped) == 2
    with pytest.raises(InputError, match="the recording x, found none"):
        Waves(tmp_path / "w.arrow", 12_500)("x")


def test_waves_rejects_unknown_recordings_and_other_files(corpora, tmp_path):
    recordings, _, _ = indexed(corpora)
    write_waves(recordings, corpora, 12_500, tmp_path / "w.arrow", 1)
    waves = Waves(tmp_path / "w.arrow", 12_500)
    for unknown in ("tidigits/train/man/ae/6zb", ""):
        with pytest.raises(InputError, match=r"w\.arrow: expected the recording .*none"):
            waves(unknown)
    with pytest.raises(InputError, match="expected a file of waveforms"):
        Waves(tmp_path / "none.arrow", 12_500)("x")
    for content in (b"", b"text, not Arrow", (tmp_path / "w.arrow").read_bytes()[:-50]):
        (tmp_path / "bad.arrow").write_bytes(content)
        with pytest.raises(InputError, match="expected a file of waveforms"):
            Waves(tmp_path / "bad.arrow", 12_500)("x")


def test_waves_can_be_pickled(corpora, tmp_path):
    recordings, _, _ = indexed(corpora)
    write_waves(recordings, corpora, 12_500, tmp_path / "w.arrow", 1)
    waves = Waves(tmp_path / "w.arrow", 12_500)
    before = waves(TI46_IDS[0])[0]  # it is open now
    sent = pickle.dumps(waves)
    assert len(sent) < 1000  # the path, not the data
    again, rate = pickle.loads(sent)(TI46_IDS[0])
    assert rate == 12_500 and (again == before).all()


# How much may be missing


def tables(good, bad):
    rows = [
        {**dict.fromkeys(RECORDINGS.names, "x"), "corpus": corpus}
        for corpus, n in good.items()
        for _ in range(n)
    ]
    lost = [
        {"corpus": corpus, "file": f"{i}.wav", "reason": "cut"}
        for corpus, n in bad.items()
        for i in range(n)
    ]
    return (
        pa.Table.from_pylist(rows, schema=RECORDINGS),
        pa.Table.from_pylist(lost, schema=SKIPPED),
    )


def test_check_skipped_allows_a_share():
    check_skipped(*tables({"ti46": 99}, {"ti46": 1}), 0.01)  # 1 of 100
    check_skipped(*tables({"ti46": 10}, {}), 0)
    with pytest.raises(
        InputError, match=r"corpus ti46: expected at most 1.0% .*found 1 of 99, .*0.wav: cut"
    ):
        check_skipped(*tables({"ti46": 98}, {"ti46": 1}), 0.01)
    with pytest.raises(InputError, match=r"corpus fsdd: .* found 2 of 2"):
        check_skipped(*tables({}, {"fsdd": 2}), 0.5)


def test_tools_and_other_files_of_a_disc_are_not_faulty_audio():
    good, bad = tables({"ti46": 9}, {"ti46": 5})
    makefile = pa.array(["extension '' is not one of .wav"] * len(bad))
    check_skipped(good, bad.set_column(bad.column_names.index("reason"), "reason", makefile), 0)


def test_the_log_lists_what_stops_a_run(caplog):
    """As Snakemake removes skipped.csv with the other outputs of a failed job."""
    with pytest.raises(InputError, match="which the rule's log lists"):
        check_skipped(*tables({"ti46": 9}, {"ti46": 2}), 0)
    assert [r.getMessage() for r in caplog.records] == [
        "skipped: 0.wav: cut",
        "skipped: 1.wav: cut",
    ]


def test_check_skipped_applies_to_each_corpus():
    good, bad = tables({"tidigits": 1000, "ti46": 9}, {"ti46": 1})
    with pytest.raises(InputError, match=r"corpus ti46: .* found 1 of 10"):
        check_skipped(good, bad, 0.01)
    check_skipped(good, bad, 0.1)


# Digits


def recordings_and_segments():
    names = {"t/a": ("train", "z1"), "t/b": ("test", "o9o"), "t/c": ("train", "5")}
    recordings = [
        {**dict.fromkeys(RECORDINGS.names, "x"), "id": name, "split": split, "digits": digits}
        for name, (split, digits) in names.items()
    ]
    # not in the order of the index
    cuts = [("t/b", "o9o"), ("t/a", "z1"), ("t/c", "5")]
    segments = [
        {
            "recording": name,
            "position": i,
            "digit": digit,
            "start_s": i / 2,
            "end_s": i / 2 + 0.25,
            "loglik": -1.0,
            "doubtful": "short" if (name, i) in (("t/b", 1), ("t/b", 2), ("t/c", 0)) else "",
        }
        for name, digits in cuts
        for i, digit in enumerate(digits)
    ]
    return (
        pa.Table.from_pylist(recordings, schema=RECORDINGS),
        pa.Table.from_pylist(segments, schema=SEGMENTS),
    )


ALL = [
    ("t/b#0", "test", 0),
    ("t/b#1", "test", 9),
    ("t/b#2", "test", 0),
    ("t/a#0", "train", 0),
    ("t/a#1", "train", 1),
    ("t/c#0", "train", 5),
]


@pytest.mark.parametrize(
    ("oh", "doubtful", "kept"),
    [
        ("zero", "keep", [0, 1, 2, 3, 4, 5]),
        ("drop", "keep", [1, 3, 4, 5]),  # 'zero' stays
        ("zero", "drop", [0, 3, 4]),
        ("drop", "drop", [3, 4]),
    ],
)
def test_spoken_digits_options(oh, doubtful, kept):
    recordings, segments = recordings_and_segments()
    items, cuts = spoken_digits(recordings, segments, oh, doubtful)
    items = conform(items, ITEMS, "items")
    assert [tuple(row.values()) for row in items.to_pylist()] == [ALL[i] for i in kept]
    assert cuts == segments.take(kept)
    assert [f"{row['recording']}#{row['position']}" for row in cuts.to_pylist()] == items[
        "id"
    ].to_pylist()


def test_every_digit_has_its_label():
    digits = "z123456789o"
    assert [digit_recordings.LABELS[digit] for digit in digits] == [*range(10), 0]
    assert len(digit_recordings.LABELS) == 11


def test_spoken_digits_may_be_empty():
    recordings, segments = recordings_and_segments()
    items, cuts = spoken_digits(recordings, segments.slice(0, 0), "drop", "drop")
    assert len(conform(items, ITEMS, "items")) == 0 == len(cuts)


def test_check_skipped_ignores_copies_and_other_words():
    recordings = pa.Table.from_pylist(
        [dict.fromkeys(RECORDINGS.names, "x") | {"corpus": "ti46"}] * 9, schema=RECORDINGS
    )
    meant = [(f"{i}.wav", "a second copy of 1a.wav (ti46/1a)") for i in range(5)]
    meant.append(("yes.wav", "words that are not digits: 160 recording(s), of which ..."))
    check_skipped(recordings, skipped_table("ti46", meant), 0.01)
    with pytest.raises(InputError, match="1 of 10"):
        bad = skipped_table("ti46", [*meant, ("cut.wav", "expected 9 samples, found 8")])
        check_skipped(recordings, bad, 0.01)
