import itertools
import logging
import math
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from ima.alignment import __main__ as command
from ima.alignment import align, equal_split, hmm, read_ctm, read_truth, score, viterbi
from ima.alignment.evaluation import TRUTH
from ima.alignment.frontend import RATE, SHIFT, cepstra, fault
from ima.datasets import tidigits
from ima.reporting.figures.segmentation import plot_utterance
from ima.utils.errors import InputError
from ima.utils.schemas import RECORDINGS, SEGMENTS

WORDS = hmm.WORDS


def say(digits, rng, pitch=1.0, rate=RATE, pads=None):
    """Return samples of artificial words, each three chords, and their starts and ends (s)."""
    before, after = (rng.uniform(0.15, 0.35, 2)) if pads is None else pads
    parts, places = [np.zeros(round(before * rate))], []
    at = len(parts[0])
    for digit in digits:
        start, number = at, WORDS.index(digit)
        for third in range(3):
            length = round(rng.uniform(0.07, 0.13) * rate)
            t = np.arange(length) / rate
            low = 250 + 90 * ((number * 7 + third * 4) % 11)
            high = 1400 + 190 * ((number * 3 + third * 5) % 11)
            chord = sum(np.sin(2 * np.pi * pitch * f * t + rng.uniform(0, 6)) for f in (low, high))
            parts.append(0.2 * chord * rng.uniform(0.8, 1.2))
            at += length
        places.append((start / rate, at / rate))
        if rng.random() < 0.2:
            parts.append(np.zeros(round(0.1 * rate)))
            at += len(parts[-1])
    parts.append(np.zeros(round(after * rate)))
    x = np.concatenate(parts)
    return (x + 0.002 * rng.standard_normal(len(x))).astype(np.float32), places


class Corpus:
    """Recordings of artificial words by several speakers, with ground truth, in memory."""

    def __init__(self, strings=12, singles=2, speakers=3, seed=0, rate=RATE):
        rng = np.random.default_rng(seed)
        self.audio, rows, truth = {}, [], []
        for speaker in range(speakers):
            spoken = list(WORDS) * singles
            spoken += ["".join(rng.choice(list(WORDS), n)) for n in rng.integers(2, 6, strings)]
            for take, digits in enumerate(spoken):
                id_ = f"train/man/s{speaker}/{digits}{take}"
                x, places = say(digits, rng, 1 + 0.05 * speaker, rate)
                self.audio[id_] = x, rate
                rows.append((id_, "made", "train", f"s{speaker}", "man", digits, id_ + ".wav"))
                truth += [(id_, i, digits[i], *place) for i, place in enumerate(places)]
        self.rows = [dict(zip(RECORDINGS.names, row, strict=True)) for row in rows]
        self.truth = pa.Table.from_pylist(
            [dict(zip(TRUTH.names, row, strict=True)) for row in truth], schema=TRUTH
        )

    @property
    def recordings(self):
        return pa.Table.from_pylist(self.rows, schema=RECORDINGS)

    def read(self, path):
        return self.audio[str(path)]

    def align(self, **options):
        return align(self.recordings, str, read=self.read, **options)

    def add(self, id_, digits, samples, speaker="s0", rate=RATE):
        self.audio[id_] = samples, rate
        row = (id_, "made", "train", speaker, "man", digits, id_ + ".wav")
        self.rows.append(dict(zip(RECORDINGS.names, row, strict=True)))


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


@pytest.fixture(scope="module")
def cuts(corpus):
    return corpus.align()


def of(segments, id_):
    return [row for row in segments.to_pylist() if row["recording"] == id_]


# --- the inner loops -------------------------------------------------------------------------


def brute_force(score_, stay, leave, skip_from, first, last):
    """Find the best path by trying all of them."""
    frames, size = score_.shape
    best, best_path = -np.inf, None
    for path in itertools.product(range(size), repeat=frames):
        total = first[path[0]] + last[path[-1]] + sum(score_[t, n] for t, n in enumerate(path))
        for a, b in itertools.pairwise(path):
            if a == b:
                total += stay[a]
            elif b == a + 1 or skip_from[b] == a:
                total += leave[a]
            else:
                total = -np.inf
                break
        if total > best:
            best, best_path = total, path
    return best_path, best


@pytest.mark.parametrize("seed", range(4))
def test_best_path_matches_brute_force(seed):
    rng = np.random.default_rng(seed)
    size, frames = 5, 6
    score_ = rng.normal(0, 2, (frames, size))
    stay, leave = np.log(rng.uniform(0.2, 0.8, (2, size)))
    skip_from = np.array([-1, -1, -1, 1, -1], np.int32)
    first = np.array([0.0, 0.0, viterbi.NEVER, viterbi.NEVER, viterbi.NEVER])
    last = first[::-1].copy()
    path, total = viterbi.best_path(score_, stay, leave, skip_from, first, last)
    expected, expected_total = brute_force(score_, stay, leave, skip_from, first, last)
    assert tuple(path) == expected
    assert total == pytest.approx(expected_total)


def test_best_path_reports_that_there_is_none():
    score_ = np.zeros((2, 4))
    first = np.array([0.0, *[viterbi.NEVER] * 3])
    half = np.log(np.full(4, 0.5))
    _, total = viterbi.best_path(score_, half, half, np.full(4, -1, np.int32), first, first[::-1])
    assert total < viterbi.NEVER / 2


def test_emissions_are_log_densities():
    x = np.array([[0.0, 2.0]], np.float32)
    mean, variance = np.array([[1.0, 0.0]]), np.array([[1.0, 4.0]])
    factor = -0.5 * np.log(2 * np.pi * variance).sum(axis=1)
    got = viterbi.emissions(x, mean, 1 / variance, factor, np.array([0], np.int32))
    # -1/2 (2 log 2 pi + log 4) - 1/2 (1/1 + 4/4)
    assert got[0, 0] == pytest.approx(-math.log(2 * math.pi) - math.log(2) - 1)


def best_of_all_strings(score_, stay, leave, per_word, words, penalty, longest=3):
    """Try every string of words with `best_path`; the states after the words are silence."""
    silence = list(range(words * per_word, len(stay)))
    pause = len(silence)
    best, best_string = -np.inf, None
    for length in range(1, longest + 1):
        for string in itertools.product(range(words), repeat=length):
            states, skip = list(silence), [-1] * pause
            for i, word in enumerate(string):
                skip += [len(states) - 1 - pause if i else -1] + [-1] * (per_word - 1 + pause)
                states += [*range(word * per_word, (word + 1) * per_word), *silence]
            first = np.full(len(states), viterbi.NEVER)
            last = first.copy()
            first[[0, pause]] = last[[-1, -1 - pause]] = 0.0
            _, total = viterbi.best_path(
                score_[:, states],
                stay[states],
                leave[states],
                np.array(skip, np.int32),
                first,
                last,
            )
            if total + penalty * length > best:
                best, best_string = total + penalty * length, string
    return best_string, best


@pytest.mark.parametrize("pause", [1, 3])
@pytest.mark.parametrize("seed", range(8))
def test_best_string_matches_brute_force(seed, pause):
    rng = np.random.default_rng(seed)
    words, per_word, frames = 3, 2, 7  # at most 3 words fit into 7 frames
    size = words * per_word + pause
    score_ = rng.normal(0, 3, (frames, size))
    stay, leave = np.log(rng.uniform(0.2, 0.8, (2, size)))
    found, total = viterbi.best_string(score_, stay, leave, per_word, words, -1.0)
    expected, expected_total = best_of_all_strings(score_, stay, leave, per_word, words, -1.0)
    assert total == pytest.approx(expected_total)
    assert tuple(found) == expected


def test_statistics_count_frames_and_entries():
    sums = hmm.Statistics.zeros()
    x = np.zeros((4, hmm.N_CEPSTRA), np.float32)
    x[:, 0] = [1, 2, 3, 4]
    sums.add(x, np.array([0, 0, 1, 0], np.int32))
    assert sums.count[:2].tolist() == [3, 1]
    assert sums.total[:2, 0].tolist() == [7, 3]
    assert sums.square[:2, 0].tolist() == [21, 9]
    assert sums.entries[:2].tolist() == [2, 1]
    model = hmm.estimate(sums, hmm.estimate(hmm.Statistics.zeros()))
    assert model.mean[0, 0] == pytest.approx(7 / 3)
    assert model.variance[0, 0] == pytest.approx(7 - 49 / 9)
    assert model.stay[0] == pytest.approx(1 / 3)
    assert model.mean[1, 0] == 0  # one frame is too few: as before


def test_adaptation_weights_the_corpus_as_tau_frames():
    sums, corpus = hmm.Statistics.zeros(), hmm.estimate(hmm.Statistics.zeros())
    sums.add(np.full((30, hmm.N_CEPSTRA), 2, np.float32), np.zeros(30, np.int32))
    model = hmm.adapt(sums, corpus)  # corpus: mean 0, variance 1
    assert model.mean[0, 0] == pytest.approx((30 * 2 + 10 * 0) / 40)
    assert model.variance[0, 0] == pytest.approx((30 * 4 + 10 * 1) / 40 - 1.5**2)
    np.testing.assert_allclose(model.mean[1], corpus.mean[1])


def test_chain_of_two_digits():
    line = hmm.chain("2z")
    silence = [88, 89, 90]
    two, zero = list(range(8, 16)), list(range(72, 80))
    assert line.states.tolist() == [*silence, *two, *silence, *zero, *silence]
    assert line.word.tolist() == [-1] * 3 + [0] * 8 + [-1] * 3 + [1] * 8 + [-1] * 3
    assert {n: j for n, j in enumerate(line.skip_from) if j >= 0} == {14: 10}
    assert np.flatnonzero(line.first == 0).tolist() == [0, 3]
    assert np.flatnonzero(line.last == 0).tolist() == [21, 24]


# --- alignment -------------------------------------------------------------------------------


def test_align_finds_the_true_boundaries(corpus, cuts):
    assert cuts.schema == SEGMENTS
    got = score(cuts, corpus.truth).to_pylist()[0]
    assert got["missing"] == 0
    assert got["boundaries"] == 2 * len(cuts)
    assert got["mean_ms"] < 5
    assert got["within_50_pct"] > 99


def test_align_is_far_better_than_an_equal_split(corpus, cuts):
    split = equal_split(corpus.recordings, str, read=corpus.read)
    assert split.schema == SEGMENTS
    before = score(split, corpus.truth)["mean_ms"][0].as_py()
    assert before > 4 * score(cuts, corpus.truth)["mean_ms"][0].as_py()


def test_segments_are_ordered_and_within_the_recording(corpus, cuts):
    for row in corpus.rows:
        own = of(cuts, row["id"])
        times = [time for cut in own for time in (cut["start_s"], cut["end_s"])]
        assert times == sorted(times)
        assert times[0] >= 0
        assert times[-1] <= len(corpus.audio[row["id"]][0]) / RATE
        assert "".join(cut["digit"] for cut in own) == row["digits"]


@pytest.mark.slow
def test_align_is_deterministic_for_any_number_of_processes(corpus, cuts):
    assert corpus.align(processes=2).equals(cuts)
    small = Corpus(strings=2, singles=2, speakers=2)
    assert small.align().equals(small.align())


def test_wrong_strings_score_worse(corpus, cuts):
    """Negative control: each recording gets the string of another one of the same length."""
    wrong = Corpus()
    by_length = {}
    for row in wrong.rows:
        by_length.setdefault(len(row["digits"]), []).append(row)
    for rows in by_length.values():
        strings = [row["digits"] for row in rows]
        for row, digits in zip(rows, strings[1:] + strings[:1], strict=True):
            row["digits"] = digits
    # Only the times are compared, not the digits.
    moved = wrong.align()
    truth = corpus.truth.set_column(2, "digit", moved["digit"])
    right = score(cuts, corpus.truth).to_pylist()[0]
    assert score(moved, truth).to_pylist()[0]["mean_ms"] > 4 * right["mean_ms"]
    loglik = [np.mean(table["loglik"].to_numpy()) for table in (moved, cuts)]
    assert loglik[0] < loglik[1] - 1


@pytest.mark.parametrize(("said", "declared"), [("314", "3124"), ("3124", "314"), ("82", "85")])
def test_align_flags_wrong_digit_strings(said, declared):
    corpus = Corpus()
    samples, _ = say(said, np.random.default_rng(5))
    corpus.add("wrong", declared, samples)
    corpus.add("right", said, samples)
    found = corpus.align()
    assert any(f"sounds more like '{said}'" in cut["doubtful"] for cut in of(found, "wrong"))
    assert all(cut["doubtful"] == "" for cut in of(found, "right"))


def test_align_rarely_flags_correct_strings(cuts):
    assert np.mean([reason != "" for reason in cuts["doubtful"].to_pylist()]) < 0.03


def test_flat_start_without_one_digit_strings(caplog):
    corpus = Corpus(strings=60, singles=0, speakers=2)
    with caplog.at_level(logging.WARNING, "ima.alignment.hmm"):
        found = corpus.align()
    assert "Flat start" in caplog.text
    assert score(found, corpus.truth)["within_50_pct"][0].as_py() > 90


@pytest.mark.parametrize("rate", [8_000, 12_500, 20_000, 48_000])
def test_align_accepts_any_sampling_rate(rate):
    corpus = Corpus(strings=3, singles=2, speakers=2, rate=rate)
    assert score(corpus.align(), corpus.truth)["mean_ms"][0].as_py() < 12


def test_align_flags_recordings_that_cannot_be_aligned(caplog):
    corpus = Corpus(strings=2, singles=2, speakers=1)
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    corpus.add("zeros", "12", np.zeros(RATE, np.float32))
    corpus.add("steady", "12", np.full(RATE, 0.25, np.float32))
    corpus.add("nan", "1", np.where(np.arange(RATE) == 5, np.nan, noise))
    corpus.add("short", "1234567", 0.1 * noise[: RATE // 5])
    corpus.add("empty", "1", noise[:0])
    corpus.add("slow", "1", noise, rate=4000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = corpus.align()
    expected = {
        "zeros": "digital silence",
        "steady": "digital silence",
        "nan": "NaN",
        "short": "too short",
        "empty": "only 0 samples",
        "slow": "4000 Hz",
    }
    for id_, reason in expected.items():
        own = of(found, id_)
        assert all(reason in cut["doubtful"] and math.isnan(cut["loglik"]) for cut in own)
        lengths = [cut["end_s"] - cut["start_s"] for cut in own]
        assert lengths == pytest.approx([lengths[0]] * len(own))
        assert id_ in caplog.text or id_ == "short"
    assert of(found, "zeros")[1]["end_s"] == 1.0
    assert len(found) == sum(len(row["digits"]) for row in corpus.rows)


def test_align_flags_unreadable_files():
    corpus = Corpus(strings=2, singles=2, speakers=1)
    corpus.add("broken", "1", None)

    def read(path):
        if path == "broken":
            raise InputError(path, expected="audio", found="a truncated file")
        return corpus.audio[path]

    (cut,) = of(align(corpus.recordings, str, read=read), "broken")
    assert "unreadable" in cut["doubtful"]
    assert "truncated" in cut["doubtful"]


def test_align_handles_digital_silence_around_speech(recwarn):
    rng = np.random.default_rng(3)
    corpus = Corpus(strings=2, singles=2, speakers=1)
    samples, places = say("173", rng, pads=(0.3, 0.3))
    samples[: round(0.28 * RATE)] = 0
    samples[-round(0.28 * RATE) :] = 0
    corpus.add("edges", "173", samples)
    own = of(corpus.align(), "edges")
    assert own[0]["start_s"] == pytest.approx(places[0][0], abs=0.03)
    assert not [warning for warning in recwarn if warning.category is RuntimeWarning]


@pytest.mark.parametrize("digits", ["", "12x", "0", "1 2"])
def test_align_rejects_invalid_digits(corpus, digits):
    row = corpus.rows[0] | {"digits": digits}
    with pytest.raises(InputError, match="1-9, z"):
        align(pa.Table.from_pylist([row], schema=RECORDINGS), str, read=corpus.read)


def test_align_rejects_missing_duplicate_or_only_bad_recordings(corpus):
    with pytest.raises(InputError, match="at least one row"):
        align(corpus.recordings.slice(0, 0), str, read=corpus.read)
    with pytest.raises(InputError, match="twice"):
        align(pa.concat_tables([corpus.recordings.slice(0, 1)] * 2), str, read=corpus.read)
    bad = Corpus(strings=0, singles=0)
    bad.add("zeros", "1", np.zeros(RATE, np.float32))
    with pytest.raises(InputError, match="none of 1"):
        bad.align()


def test_features_do_not_depend_on_the_recording_level():
    samples, _ = say("12", np.random.default_rng(0))
    one, other = cepstra(samples, RATE), cepstra(0.01 * samples, RATE)
    np.testing.assert_allclose(one.x.astype(float), other.x.astype(float), atol=0.02)
    assert (one.first, one.last, one.speech) == (other.first, other.last, other.speech)
    assert len(one.x) == len(samples) // round(SHIFT * RATE) + 1
    assert fault(samples, RATE) == ""


# --- scores and truths -----------------------------------------------------------------------


def table(rows, schema):
    return pa.Table.from_pylist([dict(zip(schema.names, r, strict=True)) for r in rows], schema)


def test_score_by_hand():
    segments = table(
        [
            ("a", 0, "1", 0.10, 0.50, -1.0, ""),
            ("a", 1, "2", 0.50, 0.90, -1.0, ""),
            ("b", 0, "3", 0.20, 0.60, -1.0, ""),
        ],
        SEGMENTS,
    )
    truth = table(
        [
            ("a", 0, "1", 0.11, 0.48),
            ("a", 1, "2", 0.48, 1.00),
            ("b", 0, "3", 0.17, 0.55),
            ("b", 1, "4", 0.60, 0.80),
            ("c", 0, "5", 0.10, 0.20),
        ],
        TRUTH,
    )
    kinds = {"a": "man", "b": "woman", "c": "woman"}
    man, woman, both = score(segments, truth, kinds).to_pylist()
    # man: -10, +20, +20, -100; woman: +30, +50 (within 50 ms), two digits without a cut.
    assert (man["kind"], man["recordings"], man["boundaries"], man["missing"]) == ("man", 1, 4, 0)
    assert man["mean_ms"] == pytest.approx(150 / 4)
    assert man["median_ms"] == pytest.approx(20)
    assert man["within_50_pct"] == pytest.approx(75)
    assert man["bias_ms"] == pytest.approx((20 - 10) / 2)
    assert (woman["mean_ms"], woman["missing"]) == (pytest.approx(40), 2)
    assert (both["kind"], both["mean_ms"]) == ("all", pytest.approx(230 / 6))


def test_score_rejects_other_digits_and_recordings():
    segments = table([("a", 0, "1", 0.1, 0.5, -1.0, "")], SEGMENTS)
    with pytest.raises(InputError, match="'1' as in"):
        score(segments, table([("a", 0, "2", 0.1, 0.5)], TRUTH))
    with pytest.raises(InputError, match="recordings that were cut"):
        score(segments, table([("b", 0, "1", 0.1, 0.5)], TRUTH))


@pytest.fixture
def two():
    rows = [("t/man/ae/12a", "12", "AE/12A.WAV"), ("t/man/bc/za", "z", "BC/ZA.WAV")]
    return table(
        [(id_, "tidigits", "train", "ae", "man", digits, f"T/MAN/{f}") for id_, digits, f in rows],
        RECORDINGS,
    )


@pytest.mark.parametrize(
    "name", ["ae_12a", "T/MAN/AE/12A.WAV", "t/man/ae/12a", "man-ae-12a", "12a"]
)
def test_read_ctm_accepts_any_name_of_a_recording(tmp_path, two, name):
    path = tmp_path / "a.ctm"
    path.write_text(
        f";; a comment\n{name} 1 0.50 0.25 TWO\n\n{name} 1 0.10 0.30 one 0.98\n"
        f"{name} 1 0.75 0.20 <eps>\nelsewhere 1 0 1 house\n"
    )
    assert read_ctm(path, two).to_pylist() == [
        {"recording": "t/man/ae/12a", "position": 0, "digit": "1", "start_s": 0.1, "end_s": 0.4},
        {"recording": "t/man/ae/12a", "position": 1, "digit": "2", "start_s": 0.5, "end_s": 0.75},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ae_12a 1 0.5 0.2", "line 1: expected file channel"),
        ("ae_12a 1 0.5 long one", "a number"),
        ("ae_12a 1 nan 0.1 one", "a finite number"),
        ("ae_12a 1 -0.5 0.1 one", "times of 0 or more"),
        ("ae_12a 1 0.5 0.1 house", "a digit or a pause"),
        ("ae_12a 1 0.5 0.1 two", "digits '12', found '2'"),
    ],
)
def test_read_ctm_rejects_malformed_files(tmp_path, two, text, message):
    path = tmp_path / "a.ctm"
    path.write_text(text + "\n")
    with pytest.raises(InputError, match=message):
        read_ctm(path, two)


def test_read_truth_of_a_csv_file(tmp_path, two):
    path = tmp_path / "truth.csv"
    path.write_text("file,digit_index,digit,start_s,end_s\nt/man/bc/za.wav,0,z,0.25,0.5\n")
    assert read_truth(path, two).to_pylist() == [
        {"recording": "t/man/bc/za", "position": 0, "digit": "z", "start_s": 0.25, "end_s": 0.5}
    ]
    path.write_text("file,digit,start_s\n")
    with pytest.raises(InputError, match="columns"):
        read_truth(path, two)
    with pytest.raises(InputError, match=r"none\.csv: .*No such file"):
        read_truth(tmp_path / "none.csv", two)
    with pytest.raises(InputError, match=r"none\.ctm: .*No such file"):
        read_ctm(tmp_path / "none.ctm", two)


# --- figure, command, reference --------------------------------------------------------------


def test_figure_shows_every_boundary_and_doubt(corpus, cuts):
    id_ = next(row["id"] for row in corpus.rows if len(row["digits"]) == 3)
    own = of(cuts, id_)
    own[1]["doubtful"] = "too quiet"
    figure = plot_utterance(*corpus.audio[id_], own, title=id_)
    wave, spectrum = figure.axes
    names = [text.get_text() for text in wave.texts]
    assert names == [own[0]["digit"], own[1]["digit"] + "?", own[2]["digit"]]
    drawn = sorted(line.get_xdata()[0] for line in spectrum.lines)
    assert drawn == sorted(time for cut in own for time in (cut["start_s"], cut["end_s"]))
    assert spectrum.get_xlabel() == f"time (s)\n{own[1]['digit']}: too quiet"
    assert wave.get_xlim() == spectrum.get_xlim()
    figure.canvas.draw()


def test_command_groups_speakers_by_pattern(two):
    assert set(command.kinds_of(two, []).values()) == {"man"}
    assert set(command.kinds_of(two, ["x=^b", "y=^a"]).values()) == {"y"}
    assert set(command.kinds_of(two, ["x=^b"]).values()) == {"other"}
    for bad in ("x", "=a", "x=("):
        with pytest.raises(InputError, match="NAME=REGEX"):
            command.kinds_of(two, [bad])


def test_command_reports_errors(tmp_path, capsys):
    out = tmp_path / "out.parquet"
    assert command.main(["--root", str(tmp_path / "none"), "--out", str(out)]) == 2
    assert "error:" in capsys.readouterr().err
    assert not out.exists()


def test_reference_strings(shared, tmp_path, capsys):
    """Goals: 15 ms and 95 % within 50 ms, for joined recordings and for synthetic voices."""
    root = shared("reference", "tidigits_strings")
    out = tmp_path / "segments.parquet"
    arguments = ["--root", str(root), "--truth", str(root / "truth.csv"), "--out", str(out)]
    assert command.main([*arguments, "--kind", "espeak=^e"]) == 0
    assert "espeak" in capsys.readouterr().out
    recordings, _ = tidigits.index(root)
    kinds = command.kinds_of(recordings, ["espeak=^e", "joined=."])
    segments = pa.parquet.read_table(out)
    truth = read_truth(root / "truth.csv", recordings)
    for row in score(segments, truth, kinds).to_pylist():
        assert row["missing"] == 0
        assert row["mean_ms"] <= 15, row
        assert row["within_50_pct"] >= 95, row
