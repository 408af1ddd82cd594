"""Text as it is on disks: encodings, byte order marks, gzip, line ends, csv."""

import gzip
import os

import pytest

from ima.utils.errors import InputError
from ima.utils.text_files import lines_of, open_plain, read_records, read_text, repair

TEXT = "I\N{RIGHT SINGLE QUOTATION MARK}m \N{LATIN SMALL LETTER E WITH ACUTE}\n"


@pytest.mark.parametrize(
    "raw",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-32"),
        TEXT.encode("cp1252"),
        TEXT.encode("cp1252").decode("latin-1").encode(),  # C1: U+0092 for the quotation mark
        gzip.compress(TEXT.encode("utf-8-sig")),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-32", "cp1252", "c1", "gzip"],
)
def test_text_is_the_same_in_every_encoding(tmp_path, raw):
    path = tmp_path / "x"
    path.write_bytes(raw)
    assert read_text(path) == TEXT


def test_lines_of_mixed_encodings_are_read_and_logged(tmp_path, caplog):
    path = tmp_path / "x.txt"
    path.write_bytes("é\n".encode() + "é\n".encode("cp1252"))
    assert read_text(path) == "é\né\n" and "x.txt: 1 lines are not UTF-8" in caplog.text
    with pytest.raises(InputError, match=r"x\.txt: expected a list in UTF-8.*save it as UTF-8"):
        read_text(path, "a list", strict=True)


def test_all_assigned_c1_characters_are_those_of_windows():
    raw = bytes(set(range(0x80, 0xA0)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D})
    assert repair(raw.decode("latin-1")) == raw.decode("cp1252")
    assert repair("é\u2019 \x81") == "é\u2019 \x81"  # others stay


def test_lines_end_at_line_ends_only():
    text = "a\r\n\r\nb\u2028c\x0cd\re \n"
    assert lines_of(text) == [(1, "a"), (3, "b\u2028c\x0cd"), (4, "e")]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(gzip.compress(b"text" * 99)[:-9]), "damaged data"),
        (lambda path: path.write_bytes(b"\x1f\x8bnothing"), "whole gzip data"),
        (lambda path: path.mkdir(), "expected a list, found Is a directory"),
        (os.mkfifo, "expected a list, found a pipe"),
        (lambda path: None, "expected a list, found No such file"),
        (lambda path: path.write_bytes(b"\xff\xfex"), "a list in UTF-8, found 'utf-16"),
    ],
)
def test_unreadable_files_are_named(tmp_path, spoil, message):
    spoil(tmp_path / "list.txt")
    with pytest.raises(InputError, match=rf"list\.txt: .*{message}"):
        read_text(tmp_path / "list.txt", "a list")


def test_errors_of_the_block_are_not_those_of_the_file(tmp_path):
    (tmp_path / "x").write_text("x")
    with pytest.raises(ZeroDivisionError), open_plain(tmp_path / "x", "x"):
        _ = 1 / 0


def test_records(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b'\xef\xbb\xbfa, b\n1,"two\nlines",more\n3\n')
    assert read_records(path, ["a", "b"]) == [
        (3, {"a": "1", "b": "two\nlines"}),
        (4, {"a": "3", "b": ""}),
    ]
    path.write_text("a;b\n1;2\n")
    with pytest.raises(
        InputError, match=r"expected columns a, b, found a;b\. Separate .* not by ';'"
    ):
        read_records(path, ["a", "b"])
    path.write_text("a,b\n1," + "x" * 200_000)
    with pytest.raises(InputError, match="expected csv, found field larger"):
        read_records(path, ["a", "b"])
