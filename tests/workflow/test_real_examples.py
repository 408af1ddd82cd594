"""benchmarks/real_examples.py: loaders on tiny data, faults, scores and the command line."""

import csv
import io
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from ima.utils.errors import InputError

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import example_data
import peers
import real_examples
from example_data import Example

MICE = 12


def write(path, header, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.fixture
def mice(tmp_path):
    """A folder of two views, and two labels, of mice."""
    rng = np.random.default_rng(0)
    for name, width in (("gene", 5), ("lipid", 3)):
        write(tmp_path / f"{name}.csv", range(width), rng.random((MICE, width)))
    write(tmp_path / "diet.csv", ["diet"], [["fish"], ["lin"], ["sun"]] * (MICE // 3))
    write(tmp_path / "genotype.csv", ["genotype"], [["wt"], ["ppar"]] * (MICE // 2))
    return tmp_path


def shapes(example):
    return {name: of.shape for name, of in example.views.items()}


def test_mice(mice):
    example = example_data.load("nutrimouse", mice)
    assert shapes(example) == {"gene": (MICE, 5), "lipid": (MICE, 3)}
    assert example.labels["diet"][:4].tolist() == ["fish", "lin", "sun", "fish"]
    assert example.labels["genotype"].tolist() == ["wt", "ppar"] * 6
    (mice / "diet.csv").unlink()
    with pytest.raises(InputError, match=r"diet\.csv: expected a CSV file"):
        example_data.load("nutrimouse", mice)


@pytest.mark.parametrize(
    ("name", "items", "widths"),
    [
        ("digits", 1797, {"left": 32, "right": 32}),
        ("breast_cancer", 569, {"mean": 10, "error": 10, "worst": 10}),
        ("wine", 178, {"minerals": 6, "phenols": 7}),
    ],
)
def test_tables_of_scikit_learn(name, items, widths):
    example = example_data.load(name, None)
    assert shapes(example) == {view: (items, width) for view, width in widths.items()}
    assert [len(of) for of in example.labels.values()] == [items]


def test_the_halves_of_digits_are_an_image():
    from sklearn.datasets import load_digits

    views = example_data.digits().views
    halves = [views[name][7].reshape(8, 4) for name in ("left", "right")]
    np.testing.assert_array_equal(np.hstack(halves), load_digits().images[7])


def test_recordings_and_their_cache(tmp_path):
    rng, rate = np.random.default_rng(0), 16_000
    (tmp_path / "audio").mkdir()
    rows = []
    for i in range(2):
        tone = np.sin(2 * np.pi * 150 * (i + 1) * np.arange(rate // 2) / rate)
        wave = 0.3 * tone + 0.01 * rng.standard_normal(len(tone))
        soundfile.write(tmp_path / f"audio/{i}.flac", wave, rate)
        rows.append([f"audio/{i}.flac", "sad", i])
    write(tmp_path / "manifest.csv", ["file", "emotion", "actor"], rows)
    cache = tmp_path / "cache/kept.npz"
    made = example_data.load("ravdess", tmp_path, cache)
    assert shapes(made) == {"mfcc": (2, 36), "egemaps": (2, 88)}
    pitch = made.views["egemaps"][:, 0]  # the mean, in semitones above 27.5 Hz
    np.testing.assert_allclose(pitch, 12 * np.log2(150 * np.arange(1, 3) / 27.5), atol=0.5)
    kept = example_data.load("ravdess", None, cache)
    np.testing.assert_array_equal(kept.views["mfcc"], made.views["mfcc"])
    assert (kept.labels["emotion"] == "sad").all() and (kept.k, kept.folds) == (10, 0)
    assert kept.groups.tolist() == ["0", "1"]


def test_turns_of_a_dialogue(tmp_path):
    said = ["how are you", "fine", "go away", "no"] * 5
    rows = [[text, "joy" if text == "fine" else "anger", i // 4] for i, text in enumerate(said)]
    write(tmp_path / "train_sent_emo.csv", ["Utterance", "Emotion", "Dialogue_ID"], rows)
    example = example_data.load("meld", tmp_path)
    assert {len(of) for of in example.views.values()} == {15}  # each last turn has no reply
    assert sorted(example.groups.tolist()) == sorted([str(i) for i in range(5)] * 3)
    assert (example.labels["emotion"] == "joy").sum() == 5
    texts, replies = (np.unique(of.round(6), axis=0) for of in example.views.values())
    assert len(texts) == len(replies) == 3


def test_data_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="data of meld: expected a folder, found none"):
        example_data.load("meld", None)


def test_splits_part_no_group():
    groups = np.repeat(np.arange(10), 3)
    example = Example({}, {}, groups)
    ((fitted, new),) = real_examples.splits(example, 0)
    assert len(new) == 6 and not set(groups[fitted]) & set(groups[new])
    parts = list(real_examples.splits(example._replace(folds=5), 0))
    assert sorted(np.concatenate([new for _, new in parts])) == list(range(30))


def test_faults():
    rng = np.random.default_rng(0)
    x = {"a": rng.random((50, 2)), "b": rng.random((50, 3))}
    for case, share in zip(real_examples.CASES, (0, 0.1, 0.1, 1, 1), strict=True):
        spoilt, view, wrong = real_examples.spoil(case, x, np.random.default_rng(1))
        assert wrong.mean() == share and list(spoilt)[-1] == view
        np.testing.assert_array_equal(spoilt["a"], x["a"])
        source = x.get(view, x["b"])
        np.testing.assert_array_equal(spoilt[view][~wrong], source[~wrong])
        same = np.sort(spoilt[view], 0) == np.sort(source, 0)
        assert same.all() == (case != "white noise in a tenth")  # else the same items


def test_neighbours_are_fitted_items():
    z = np.array([[0.0], [1.0], [5.0]]), np.array([[4.0], [0.6]])
    np.testing.assert_array_equal(real_examples.neighbours(z, 2), [[2, 1], [1, 0]])


def test_rivals_see_white_noise_and_no_other():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 2)) @ rng.standard_normal((2, 12))
    noise = np.arange(300) % 10 == 0
    x[noise] = rng.standard_normal((30, 12))
    found = real_examples.rivals(x[:200], x[200:], 0.1, 0)
    at = noise[200:]
    assert found["mixture"][at].min() > 0.9 > 0.1 > found["mixture"][~at].max()
    assert found["forest"][at].mean() > found["forest"][~at].mean()


def test_linear_representations_are_of_the_size():
    rng = np.random.default_rng(0)
    fitted, new = ({"a": rng.random((n, 6)), "b": rng.random((n, 4))} for n in (20, 5))
    found = real_examples.linear(fitted, new, 4)
    sizes = {name: [of.shape for of in z] for name, z in found.items()}
    assert sizes["raw"] == [(20, 10), (5, 10)]
    assert all(sizes[name] == [(20, 4), (5, 4)] for name in set(sizes) - {"raw"})
    assert {"pca", "pca_each"} < set(sizes)  # those of cca-zoo where it is installed


def test_faults_are_scored():
    rng = np.random.default_rng(0)
    views = {"a": rng.random((60, 3)), "b": rng.random((60, 4))}
    example = Example(views, {"label": np.arange(60) % 2}, np.arange(60), k=3)
    (row,) = real_examples.score("random", example, "white noise in a tenth", 0)
    assert set(row) <= set(real_examples.FIELDS)
    assert (row["fitted"], row["new"], row["view"]) == (48, 12, "b")
    assert (row["importance"], row["f1"], row["auc"]) == (1, 0, 0.5)  # nothing is shared
    assert all(0 <= row[name] <= 1 for name in real_examples.NUMBERS if name in row)


def test_the_command_line(mice, monkeypatch, capsys):
    case = "nothing wrong"
    words = ["nutrimouse", "--data", str(mice), "--seeds", "2", "--case", case]
    monkeypatch.setattr(real_examples.torch, "set_num_threads", lambda n: None)
    monkeypatch.setattr(sys, "argv", ["real_examples.py", *words])
    real_examples.main()
    out = capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(r["seed"], r["label"]) for r in rows] == [
        (seed, label) for seed in "12" for label in ("diet", "genotype")
    ]
    assert all(0 <= float(r["weighted"]) <= 1 and r["new"] == str(MICE) for r in rows)
    (mice / "found.csv").write_text(out)
    monkeypatch.setattr(sys, "argv", ["real_examples.py", "--table", str(mice / "found.csv")])
    real_examples.main()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4 and lines[2].startswith(f"| nutrimouse | {case} | diet | 2 |")


def test_the_table_is_of_means():
    row = dict.fromkeys(real_examples.FIELDS, "") | {"example": "e", "case": "c", "label": "l"}
    found = real_examples.table([{**row, "raw": ".5"}, {**row, "raw": ".7"}]).splitlines()
    assert found[0] == "| example | case | label | seeds | raw |"
    assert found[2] == "| e | c | l | 2 | 0.600 (0.141) |"


@pytest.mark.parametrize("words", [[], ["nothing"], ["meld", "--case", "nothing"]])
def test_wrong_words(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["real_examples.py", *words])
    with pytest.raises(SystemExit):
        real_examples.main()


def test_table_of_peers_by_hand():
    row = {"case": "nothing wrong", "method": "PCA", "precision_noise": "", "unimodal": "0.5"}
    row |= {"accuracy": "1", "parameters": "7"}
    rows = [{**row, "precision": str(p), "cpu_seconds": str(s)} for p, s in ((0.4, 1), (0.6, 2.2))]
    last = peers.table(rows).splitlines()[-1]
    values = "0.500 (0.141) |  | 0.500 (0.000) | 1.000 (0.000) | 2 | 7"
    assert last == f"| nothing wrong | PCA | {values} |"
