"""The demo corpora: deterministic, in the original formats, with correct ground truth."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits

from ima.audio import sphere
from ima.datasets import mnist, ti46, tidigits
from ima.datasets.synthetic import digits as demo
from ima.utils.io import read_parquet
from ima.utils.schemas import TRUTH
from ima.utils.trees import tree_digest

SPEAKERS = {"man": 2, "woman": 2, "boy": 2, "girl": 2}


def write(root, seed=0):
    demo.write_images(root / "mnist", test_share=0.25, seed=seed)
    truth = demo.write_tidigits(root / "tidigits", SPEAKERS, strings=5, seed=seed)
    words = demo.write_ti46(root / "ti46", train_tokens=2, test_tokens=1, seed=seed)
    return truth, words


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo")
    return root, *write(root)


@pytest.mark.slow
def test_corpora_depend_only_on_the_seed(made, tmp_path):
    root, truth, words = made
    again, more = write(tmp_path / "elsewhere")
    assert tree_digest(tmp_path / "elsewhere") == tree_digest(root)
    assert again.equals(truth) and more.equals(words)


def test_corpora_differ_between_seeds(tmp_path):
    one = {"man": 1}
    other = demo.write_tidigits(tmp_path / "a", one, strings=1, seed=1)
    same = demo.write_tidigits(tmp_path / "b", one, strings=1, seed=1)
    base = demo.write_tidigits(tmp_path / "c", one, strings=1, seed=0)
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b") and other.equals(same)
    assert tree_digest(tmp_path / "a") != tree_digest(tmp_path / "c") and not other.equals(base)


def headers(root):
    return [sphere.read_header(path) for path in sorted(root.rglob("*.wav"))]


def test_both_byte_orders_occur_but_only_one_per_speaker(made):
    root = made[0]
    for corpus in ("tidigits", "ti46"):
        orders = {str(header["sample_byte_format"]) for header in headers(root / corpus)}
        assert orders == {"01", "10"}
    for folder in (root / "tidigits").glob("*/*/*"):
        assert len({str(header["sample_byte_format"]) for header in headers(folder)}) == 1


@pytest.mark.parametrize(("corpus", "rate"), [("tidigits", 20_000), ("ti46", 12_500)])
def test_sampling_rates_match_the_corpora(made, corpus, rate):
    assert {header["sample_rate"] for header in headers(made[0] / corpus)} == {rate}


def test_every_tidigits_file_is_indexed(made):
    items, skipped = tidigits.index(made[0] / "tidigits")
    assert len(skipped) == 0
    assert len(items) == 8 * (22 + 5)  # 11 digits twice and 5 strings a speaker
    lengths = np.bincount([len(digits) for digits in items["digits"].to_pylist()])
    assert lengths.tolist() == [0, 8 * 22, 8, 8, 8, 8, 0, 8]
    assert set("".join(items["digits"].to_pylist())) == set("zo123456789")
    groups = set(zip(items["split"].to_pylist(), items["group"].to_pylist(), strict=True))
    assert groups == {(split, group) for split in ("train", "test") for group in SPEAKERS}


def test_tidigits_speakers_are_in_one_split(made):
    items, _ = tidigits.index(made[0] / "tidigits")
    speakers = {"train": set(), "test": set()}
    for row in items.to_pylist():
        speakers[row["split"]].add(row["speaker"])
    assert len(speakers["train"]) == len(speakers["test"]) == 4
    assert not speakers["train"] & speakers["test"]


def test_every_ti46_file_is_indexed(made):
    items, skipped = ti46.index(made[0] / "ti46")
    assert len(skipped) == 0
    assert len(items) == 16 * 10 * (2 + 1)
    by = {(row["split"], row["speaker"], row["digits"]): row["file"] for row in items.to_pylist()}
    assert len(by) == 2 * 16 * 10  # each digit of each speaker in each split
    assert by["train", "ti46_f3", "z"].startswith("train/f3/00f3set")


def test_all_ti46_file_names_are_valid(tmp_path, monkeypatch):
    """All names at full size, without synthesis: 10 and 16 tokens."""
    names = []
    monkeypatch.setattr(demo, "_record", lambda takes, *rest: names.extend(t.file for t in takes))
    demo.write_ti46(tmp_path, train_tokens=10, test_tokens=16, seed=0)
    assert len(set(names)) == 4160
    assert not [name for name in names if not isinstance(ti46._row(name), dict)]


def truths(made):
    root, truth, words = made
    for corpus, table in (("tidigits", truth), ("ti46", words)):
        by_file = {}
        for row in table.to_pylist():
            by_file.setdefault(root / corpus / row["file"], []).append(row)
        yield from by_file.items()


def test_truth_lists_every_file_and_digit(made):
    files = dict(truths(made))
    assert set(files) == set(made[0].rglob("*.wav"))
    for path, rows in files.items():
        assert [row["position"] for row in rows] == list(range(len(rows)))
        if path.is_relative_to(made[0] / "tidigits"):
            assert "".join(row["digit"] for row in rows) == path.stem[:-1]
        else:
            assert [row["digit"] for row in rows] == [path.stem[1].replace("0", "z")]


def test_truth_is_ordered_and_within_its_recording(made):
    for path, rows in truths(made):
        header = sphere.read_header(path)
        seconds = header["sample_count"] / header["sample_rate"]
        starts, ends = [row["start_s"] for row in rows], [row["end_s"] for row in rows]
        assert starts[0] >= 0.1 and ends[-1] <= seconds - 0.09
        assert all(a < b for a, b in zip(starts, ends, strict=True))
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


def test_truth_matches_the_audible_speech(made):
    """Digits are louder than the silence around them; control: the reverse comparison."""
    louder, control = [], []
    for path, rows in truths(made):
        wave, rate = sphere.read_audio(path)
        first, last = round(rows[0]["start_s"] * rate), round(rows[-1]["end_s"] * rate)
        inside = np.mean(wave[first:last] ** 2)
        outside = np.mean(np.concatenate([wave[: first - 200], wave[last + 200 :]]) ** 2)
        louder.append(inside > 20 * outside)
        control.append(outside > 20 * inside)
    assert np.mean(louder) > 0.98 and not any(control)


def test_no_recording_is_clipped_or_faint(made):
    for path, _ in truths(made):
        peak = np.abs(sphere.read_audio(path)[0]).max()
        assert 0.01 < peak < 1


def test_truth_follows_its_schema(made, tmp_path):
    _, truth, words = made
    demo.write_truth([truth, words], tmp_path / "truth.parquet")
    table = read_parquet(tmp_path / "truth.parquet", TRUTH)
    assert len(table) == len(truth) + len(words)
    assert table["digit"].to_pylist() == pa.concat_tables([truth, words])["digit"].to_pylist()


# Images


def images(made):
    items, skipped = mnist.index(made[0] / "mnist")
    assert len(skipped) == 0
    return items, mnist.read_images(made[0] / "mnist", items)


def test_all_images_keep_their_labels(made):
    items, pixels = images(made)
    _, labels = load_digits(return_X_y=True)
    assert len(items) == 1797
    found = np.bincount(items["label"].to_numpy(), minlength=10)
    assert found.tolist() == np.bincount(labels).tolist()
    # The nearest class mean is mostly right; with shuffled labels, for hardly more than a tenth.
    x, y = pixels.reshape(1797, -1).astype(float), items["label"].to_numpy()

    def accuracy(y):
        means = np.stack([x[y == c].mean(0) for c in range(10)])
        return (((x[:, None] - means) ** 2).sum(-1).argmin(1) == y).mean()

    assert accuracy(y) > 0.85
    assert accuracy(np.random.default_rng(0).permutation(y)) < 0.25


def test_images_are_centred_as_in_mnist(made):
    _, pixels = images(made)
    assert pixels.shape == (1797, 28, 28) and pixels.dtype == np.uint8
    frame = np.ones((28, 28), bool)
    frame[4:24, 4:24] = False
    assert (pixels[:, frame] == 0).all()
    assert pixels.max() == 255 and (pixels.reshape(1797, -1).max(1) > 100).all()


def test_image_splits_are_disjoint(made):
    """The digits of scikit-learn are all different, so the images in the files must be, too."""
    source = load_digits(return_X_y=True)[0]
    assert len(np.unique(source, axis=0)) == 1797
    items, pixels = images(made)
    split = np.array(items["split"].to_pylist())
    train, test = ({p.tobytes() for p in pixels[split == s]} for s in ("train", "test"))
    assert len(train) + len(test) == 1797 and not train & test
    assert len(test) == 450  # a quarter, rounded up


def test_image_split_is_stratified(made):
    items, _ = images(made)
    split, label = np.array(items["split"].to_pylist()), items["label"].to_numpy()
    share = np.array([(split[label == c] == "test").mean() for c in range(10)])
    assert np.abs(share - 0.25).max() < 0.01
