"""Which files of a folder count, and what changes the fingerprint of a user's files."""

import os
import time

import pytest

from ima.utils import trees
from ima.utils.trees import (
    content_fingerprint,
    disc_name,
    files_below,
    is_hidden,
    tree_digest,
    tree_fingerprint,
)

LEFT_BEHIND = ["._a.wav", ".DS_Store", ".git/config", "__MACOSX/sub/._a.wav", "sub/Thumbs.db"]
LEFT_BEHIND += ["lost+found/x", "$RECYCLE.BIN/a.wav", "@eaDir/a.wav", "Icon\r", "sub/.b/a.wav"]


def tree(root, *files):
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(file)
    return root


def test_system_files_are_skipped(tmp_path):
    plain = tree(tmp_path / ".cache/plain", "a.wav", "sub/b.wav")  # the way to it may be hidden
    for file in ("a.wav", "sub/b.wav"):
        os.utime(plain / file, (1e9, 1e9))
    before = tree_fingerprint(plain), tree_digest(plain), content_fingerprint([plain])
    tree(plain, *LEFT_BEHIND)
    assert list(files_below(plain)) == ["a.wav", "sub/b.wav"]
    assert (tree_fingerprint(plain), tree_digest(plain), content_fingerprint([plain])) == before
    tree(plain, "sub/c.wav")
    assert tree_fingerprint(plain) != before[0] and content_fingerprint([plain]) != before[2]


@pytest.mark.parametrize("name", ["a.wav", "recordings", "_a", "macosx", "Icon"])
def test_other_names_are_not_hidden(name):
    assert not is_hidden(name)


def test_names_of_iso_discs():
    names = {
        "d/1A.WAV;1": "d/1A.WAV",
        "README.;1": "README",
        "a;b.wav": "a;b.wav",
        "a.wav": "a.wav",
    }
    assert {name: disc_name(name) for name in names} == names


@pytest.mark.parametrize("small", [True, False])
def test_other_content_changes_the_fingerprint_whatever_its_time(tmp_path, monkeypatch, small):
    if not small:
        monkeypatch.setattr(trees, "SMALL", 0)
    file, link = tmp_path / "a", tmp_path / "link"
    file.write_text("one")
    (tmp_path / "b").write_text("two")
    link.symlink_to(file)
    seen = [content_fingerprint([link])]
    assert content_fingerprint([link]) == seen[0]
    os.utime(file)
    assert (
        content_fingerprint([link]) == seen[0]
    ) == small  # only the content of small ones counts
    seen = [content_fingerprint([link])]
    before = file.stat().st_mtime_ns
    time.sleep(0.02)  # file systems count time in steps of milliseconds
    file.write_text("six")
    os.utime(file, ns=(before, before))  # as `cp -p` does with another file
    seen.append(content_fingerprint([link]))
    link.unlink()
    link.symlink_to(tmp_path / "b")
    seen.append(content_fingerprint([link]))
    link.unlink()
    seen.append(content_fingerprint([link]))
    assert len(set(seen)) == 4


def test_parts_of_a_folder_count(tmp_path):
    tree(tmp_path, "f/0.parquet", "f/1.parquet")
    before = content_fingerprint([tmp_path / "f"])
    (tmp_path / "f/1.parquet").write_text("other")
    assert content_fingerprint([tmp_path / "f"]) != before
