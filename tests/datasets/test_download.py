"""Downloads, which are correct or rejected whatever a server sends; fingerprints of folders."""

import dataclasses
import gzip
import hashlib
import io
import os
import stat
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ima.datasets import download, fsdd, mnist
from ima.datasets.download import File, fetch
from ima.utils.errors import InputError
from ima.utils.trees import tree_digest, tree_fingerprint

CONTENT = {"a.gz": b"images", "b.gz": b"labels of them"}
MIRRORS = ("https://one.example/", "https://two.example/")
ZIPS = ("https://one.example/x.zip", "https://two.example/x.zip")
WAVS = {"0_ann_0.wav": b"zero", "1_ann_0.wav": b"one"}


def packed(content):
    return gzip.compress(content, mtime=0)


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:  # stored: the bytes are in it as they are
        for name, data in members.items():
            file.writestr(name, data)
    return buffer.getvalue()


SPOKEN = {
    "Actor_01/03-01-05-01-01-01-01.wav": b"angry",
    "Actor_02/03-01-04-01-01-01-02.wav": b"sad",
}
ACTORS = zipped({"Actor_01/": b"", **SPOKEN, "readme.txt": b"read me"})
LINES = {"train_sent_emo.csv": b"lines", "dev_sent_emo.csv": b"more"}


def digest_of(files):
    lines = (f"{name} {hashlib.sha256(files[name]).hexdigest()}\n" for name in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Server:
    """Replaces pooch: returns prepared data for a URL and records the requests."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def __call__(self, url, path, limit):
        self.asked.append(url)
        answer = self.answers.get(url, ConnectionError("no route"))
        if isinstance(answer, Exception):
            raise answer
        path.write_bytes(answer)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small substitutes for the corpora."""
    idx = [File(n, len(c), hashlib.sha256(c).hexdigest()) for n, c in CONTENT.items()]
    monkeypatch.setattr(download, "MNIST", tuple(idx))
    monkeypatch.setattr(download, "MNIST_MIRRORS", MIRRORS)
    fsdd = dataclasses.replace(
        download.FSDD, urls=ZIPS, members=len(WAVS), size=100, digest=digest_of(WAVS)
    )
    monkeypatch.setattr(download, "FSDD", fsdd)
    ravdess = dataclasses.replace(
        download.RAVDESS, urls=ZIPS, members=2, size=100, md5=hashlib.md5(ACTORS).hexdigest()
    )
    monkeypatch.setattr(download, "RAVDESS", ravdess)
    lines = [File(n, len(c), hashlib.sha256(c).hexdigest()) for n, c in LINES.items()]
    monkeypatch.setattr(download, "MELD", tuple(lines))
    monkeypatch.setattr(download, "MELD_MIRRORS", MIRRORS)


def mnist_server(**changes):
    right = {MIRRORS[0] + name: packed(content) for name, content in CONTENT.items()}
    return Server(right | changes)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_fetch_mnist_adds_exactly_its_files(tmp_path):
    folder = tmp_path / "raw" / "mnist"
    server = mnist_server()
    assert fetch("mnist", folder, server) == [folder / "a.gz", folder / "b.gz"]
    assert names(folder) == ["a.gz", "b.gz"]
    assert gzip.decompress((folder / "a.gz").read_bytes()) == b"images"
    assert server.asked == ["https://one.example/a.gz", "https://one.example/b.gz"]


def test_correct_files_are_kept_however_they_were_compressed(tmp_path):
    other = gzip.compress(b"images", compresslevel=1, mtime=12345)
    assert other != packed(b"images")
    (tmp_path / "a.gz").write_bytes(other)
    server = mnist_server()
    assert fetch("mnist", tmp_path, server) == [tmp_path / "b.gz"]
    assert server.asked == ["https://one.example/b.gz"]
    assert (tmp_path / "a.gz").read_bytes() == other
    assert fetch("mnist", tmp_path, Server({})) == []  # the second time, nothing is requested


BAD = {
    "wrong content": (packed(b"imagez"), "sha256"),
    "shorter content": (packed(b"image"), "5 bytes of content"),
    "longer content": (packed(b"images and more"), "more than 6 bytes of content"),
    "truncated": (packed(b"images")[:-3], "damaged gzip data"),
    "a page that says no": (b"<html>not found</html>", "damaged gzip data"),
    "nothing": (b"", "0 bytes of content"),
    "no connection": (ConnectionError("no route"), "no route"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_download_leaves_existing_files_unchanged(tmp_path, case):
    answer, message = BAD[case]
    (tmp_path / "b.gz").write_bytes(packed(CONTENT["b.gz"]))
    before = tree_fingerprint(tmp_path)
    server = Server({mirror + "a.gz": answer for mirror in MIRRORS})
    with pytest.raises(InputError, match=message) as caught:
        fetch("mnist", tmp_path, server)
    assert tree_fingerprint(tmp_path) == before
    assert server.asked == [mirror + "a.gz" for mirror in MIRRORS]  # both were tried
    assert f"Put a.gz in {tmp_path} manually, from {MIRRORS[0]}a.gz" in str(caught.value)


@pytest.mark.parametrize("case", BAD)
def test_mnist_falls_back_to_the_next_mirror(tmp_path, case):
    server = Server(
        {MIRRORS[0] + "a.gz": BAD[case][0]}
        | {MIRRORS[1] + name: packed(content) for name, content in CONTENT.items()}
    )
    fetch("mnist", tmp_path, server)
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == b"images"


def test_differing_file_is_reported_and_not_changed(tmp_path):
    mine = packed(b"my own digits")
    (tmp_path / "b.gz").write_bytes(mine)
    server = mnist_server()
    with pytest.raises(InputError, match=r"b\.gz: .*13 bytes of content.*Move it away"):
        fetch("mnist", tmp_path, server)
    assert (tmp_path / "b.gz").read_bytes() == mine
    assert not server.asked and names(tmp_path) == ["b.gz"]


def test_http_is_rejected_without_a_request(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MNIST_MIRRORS", ("http://one.example/", "ftp://two.example/"))
    server = Server({"http://one.example/a.gz": packed(b"images")})
    with pytest.raises(InputError, match=r"https address, found http\..*https address, found ftp"):
        fetch("mnist", tmp_path, server)
    assert not server.asked and not names(tmp_path)


def test_unknown_corpus_is_rejected(tmp_path):
    with pytest.raises(
        InputError, match="expected one of mnist, fsdd, ravdess, meld, found tidigits"
    ):
        fetch("tidigits", tmp_path)


def test_unusable_folder_is_rejected(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a readable and writable folder"):
        fetch("mnist", tmp_path / "file" / "mnist", mnist_server())


# FSDD: a zip


def fsdd_zip(**changes):
    members = {f"fsdd-1.0/recordings/{name}": data for name, data in WAVS.items()}
    return zipped({"fsdd-1.0/README.md": b"read me", **members, **changes})


def test_only_the_recordings_are_unpacked(tmp_path):
    server = Server({ZIPS[0]: fsdd_zip(**{"fsdd-1.0/recordings/notes.txt": b"x"})})
    assert fetch("fsdd", tmp_path, server) == [
        tmp_path / "recordings" / "0_ann_0.wav",
        tmp_path / "recordings" / "1_ann_0.wav",
    ]
    assert names(tmp_path) == ["recordings", "recordings/0_ann_0.wav", "recordings/1_ann_0.wav"]
    assert (tmp_path / "recordings" / "1_ann_0.wav").read_bytes() == b"one"
    assert fetch("fsdd", tmp_path, Server({})) == []


def test_recordings_in_the_root_folder_are_found(tmp_path):
    for name, data in WAVS.items():
        (tmp_path / name).write_bytes(data)
    assert fetch("fsdd", tmp_path, Server({})) == []


def test_missing_recordings_are_added(tmp_path):
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "0_ann_0.wav").write_bytes(b"zero")
    (tmp_path / "recordings" / ".timestamp").touch()
    new = fetch("fsdd", tmp_path, Server({ZIPS[0]: fsdd_zip()}))
    assert new == [tmp_path / "recordings" / "1_ann_0.wav"]


@pytest.mark.parametrize("name", ["0_ann_0.wav", "9_me_0.wav"])
def test_differing_recordings_are_reported_and_not_changed(tmp_path, name):
    (tmp_path / "recordings").mkdir()
    mine = tmp_path / "recordings" / name
    mine.write_bytes(b"mine")
    with pytest.raises(InputError, match=rf"{name}: .*Move it away"):
        fetch("fsdd", tmp_path, Server({ZIPS[0]: fsdd_zip()}))
    assert mine.read_bytes() == b"mine"
    assert names(tmp_path) == ["recordings", f"recordings/{name}"]


def symlink_zip():
    buffer = io.BytesIO(fsdd_zip())
    with zipfile.ZipFile(buffer, "a") as file:
        link = zipfile.ZipInfo("fsdd-1.0/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc")
    return buffer.getvalue()


BAD_ZIPS = {
    "not a zip": (b"<html>", "a damaged zip file"),
    "cut": (fsdd_zip()[:-30], "a damaged zip file"),
    "wrong content": (fsdd_zip(**{"fsdd-1.0/recordings/1_ann_0.wav": b"ONE"}), "with digest"),
    "one too many": (fsdd_zip(**{"fsdd-1.0/recordings/2_ann_0.wav": b"two"}), "3 recordings, not"),
    "one too few": (zipped({"x/recordings/0_ann_0.wav": b"zero"}), "1 recordings, not 2"),
    "leads upwards": (fsdd_zip(**{"x/recordings/../../../evil.wav": b"!"}), "outside the"),
    "absolute": (fsdd_zip(**{"/tmp/recordings/evil.wav": b"!"}), "outside the archive"),
    "backslash": (fsdd_zip(**{"x/recordings/..\\evil.wav": b"!"}), "outside the archive"),
    "link": (symlink_zip(), "outside the archive, 'fsdd-1.0/link'"),
    "bomb": (fsdd_zip(**{"fsdd-1.0/recordings/1_ann_0.wav": bytes(98)}), "102 bytes, more than"),
    "damaged member": (fsdd_zip().replace(b"zero", b"zerO"), "damaged"),
}


@pytest.mark.parametrize("case", BAD_ZIPS)
def test_bad_archive_leaves_no_files(tmp_path, case):
    answer, message = BAD_ZIPS[case]
    folder = tmp_path / "deep" / "fsdd"
    server = Server(dict.fromkeys(ZIPS, answer))
    with pytest.raises(InputError, match=message) as caught:
        fetch("fsdd", folder, server)
    assert names(tmp_path) == ["deep", "deep/fsdd"]
    assert server.asked == list(ZIPS)
    assert f"Put recordings in {folder} manually, from {ZIPS[0]}" in str(caught.value)


@pytest.mark.parametrize("case", BAD_ZIPS)
def test_fsdd_falls_back_to_the_next_address(tmp_path, case):
    fetch("fsdd", tmp_path, Server({ZIPS[0]: BAD_ZIPS[case][0], ZIPS[1]: fsdd_zip()}))
    assert names(tmp_path) == ["recordings", "recordings/0_ann_0.wav", "recordings/1_ann_0.wav"]


# RAVDESS: a zip whose own checksum is known. MELD: plain files


def test_ravdess_is_unpacked_into_the_folders_of_its_actors(tmp_path):
    new = fetch("ravdess", tmp_path, Server({ZIPS[1]: ACTORS}))
    assert new == [tmp_path / name for name in SPOKEN]
    assert names(tmp_path) == sorted([*SPOKEN, "Actor_01", "Actor_02"])
    assert new[1].read_bytes() == b"sad"
    new[0].unlink()
    assert fetch("ravdess", tmp_path, Server({ZIPS[0]: ACTORS})) == new[:1]
    new[0].write_bytes(b"calm")
    with pytest.raises(InputError, match=r"01-01\.wav: .*files of ravdess, or none, found another"):
        fetch("ravdess", tmp_path, Server({ZIPS[0]: ACTORS}))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ACTORS[:-1], "bytes with MD5"),
        (zipped(SPOKEN), "bytes with MD5"),  # the same recordings in another archive
        (b"<html>", "6 bytes with MD5"),
    ],
)
def test_other_archives_than_the_owners_are_rejected(tmp_path, data, message):
    with pytest.raises(InputError, match=message):
        fetch("ravdess", tmp_path, Server(dict.fromkeys(ZIPS, data)))
    assert names(tmp_path) == []


def test_meld_adds_plain_files(tmp_path):
    (tmp_path / "dev_sent_emo.csv").write_bytes(b"more")
    server = Server(
        {
            MIRRORS[0] + "train_sent_emo.csv": b"LINES",
            MIRRORS[1] + "train_sent_emo.csv": b"lines",
        }
    )
    assert fetch("meld", tmp_path, server) == [tmp_path / "train_sent_emo.csv"]
    assert (tmp_path / "train_sent_emo.csv").read_bytes() == b"lines"
    (tmp_path / "dev_sent_emo.csv").write_bytes(b"MORE")
    with pytest.raises(InputError, match=r"dev_sent_emo\.csv: .*files of meld.*Move it away"):
        fetch("meld", tmp_path, server)


# The real corpora


def test_local_meld_matches_the_checksums(shared, monkeypatch):
    monkeypatch.undo()
    assert fetch("meld", shared("data/meld"), Server({})) == []


def test_checksums_of_the_owners_are_complete(monkeypatch):
    monkeypatch.undo()
    assert len(download.RAVDESS.md5) == 32 and len(download.FSDD.digest) == 64
    assert download.RAVDESS.member.fullmatch("Actor_24/03-01-08-02-02-02-24.wav")
    assert not download.RAVDESS.member.fullmatch("Actor_24/03-02-01-01-01-01-24.wav")  # a song
    assert all(
        len(url.split("/MELD/")[1].replace("raw/", "")) > 40 for url in download.MELD_MIRRORS
    )


def test_local_mnist_matches_the_checksums(shared, monkeypatch):
    monkeypatch.undo()
    assert fetch("mnist", shared("data/mnist"), Server({})) == []
    assert {mnist._NAME.fullmatch(idx.name)[1] for idx in download.MNIST} == {"train", "t10k"}


@pytest.mark.slow
def test_local_fsdd_matches_the_digest(shared, monkeypatch, tmp_path):
    monkeypatch.undo()
    recordings = shared("data/fsdd/recordings")
    assert fetch("fsdd", recordings.parent, Server({})) == []
    members = {f"x-1.0/recordings/{p.name}": p.read_bytes() for p in recordings.iterdir()}
    new = fetch("fsdd", tmp_path, Server({download.FSDD.urls[0]: zipped(members)}))
    assert len(new) == 3000 and len(fsdd.index(tmp_path)[0]) == 3000


# The transport, with a local server


@pytest.fixture
def address():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/elsewhere":
                self.send_response(302)
                self.send_header("Location", "/data")
                self.end_headers()
                return
            self.send_response(404 if self.path == "/none" else 200)
            self.end_headers()
            self.wfile.write(b"0123456789")

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_download_stops_at_the_size_limit(address, tmp_path):
    download._retrieve(f"{address}/data", tmp_path / "ten", 10)
    assert (tmp_path / "ten").read_bytes() == b"0123456789"
    with pytest.raises(InputError, match="at most 9 bytes, found more"):
        download._retrieve(f"{address}/data", tmp_path / "nine", 9)
    assert names(tmp_path) == ["ten"]


def test_redirection_away_from_https_is_not_followed(address, tmp_path):
    with pytest.raises(InputError, match=r"/data: expected an https address, found http"):
        download._retrieve(f"{address}/elsewhere", tmp_path / "file", 10)


def test_server_error_is_reported_by_fetch(address, tmp_path):
    with pytest.raises(OSError, match="404"):
        download._retrieve(f"{address}/none", tmp_path / "file", 10)


def test_downloaded_file_has_the_permissions_of_the_umask(address, tmp_path, monkeypatch):
    idx = File("data", 10, hashlib.sha256(b"0123456789").hexdigest())
    monkeypatch.setattr(download, "MNIST", (idx,))
    monkeypatch.setattr(download, "MNIST_MIRRORS", (f"{address}/",))
    monkeypatch.setattr(download, "_require_https", lambda url: None)
    monkeypatch.setattr(download, "_wrong_file", lambda path, file: "")
    fetch("mnist", tmp_path)
    (tmp_path / "other").touch()
    assert (tmp_path / "data").stat().st_mode == (tmp_path / "other").stat().st_mode


# Fingerprints


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(b"1")
    (tmp_path / "sub" / "b").write_bytes(b"22")
    return tmp_path


def test_fingerprint_detects_every_change(tree):
    seen = {tree_fingerprint(tree)}
    assert tree_fingerprint(str(tree)) in seen

    def changed():
        new = tree_fingerprint(tree)
        fresh = new not in seen
        seen.add(new)
        return fresh

    status = (tree / "a").stat()
    os.utime(tree / "a", ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert changed()  # one nanosecond
    (tree / "sub" / "b").write_bytes(b"333")
    os.utime(tree / "sub" / "b", ns=(0, 0))
    assert changed()
    (tree / "sub" / "b").write_bytes(b"4444")
    os.utime(tree / "sub" / "b", ns=(0, 0))
    assert changed()  # the size alone
    (tree / "sub" / "b").rename(tree / "b")
    assert changed()
    (tree / "new").touch()
    assert changed()
    (tree / "new").unlink()
    assert not changed()  # as before


def test_fingerprint_does_not_depend_on_the_location(tree, tmp_path_factory):
    before = tree_fingerprint(tree)
    moved = tree.rename(tmp_path_factory.mktemp("other") / "place")
    assert tree_fingerprint(moved) == before


def test_fingerprint_follows_links(tree):
    plain = tree_fingerprint(tree)
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    assert tree_fingerprint(tree) == plain  # a folder counts once
    (tree / "nowhere").symlink_to(tree / "missing")
    dangling = tree_fingerprint(tree)
    assert dangling != plain
    (tree / "missing").write_bytes(b"found")
    assert tree_fingerprint(tree) != dangling


def test_fingerprint_of_a_missing_folder_is_that_of_an_empty_one(tree):
    (tree / "empty").mkdir()
    assert tree_fingerprint(tree / "empty") == tree_fingerprint(tree / "none")
    with pytest.raises(InputError, match="a readable folder, found Not a directory"):
        tree_fingerprint(tree / "a")


def test_digest_depends_only_on_content(tree):
    one, two = hashlib.sha256(b"1").hexdigest(), hashlib.sha256(b"22").hexdigest()
    assert tree_digest(tree) == hashlib.sha256(f"a {one}\nsub/b {two}\n".encode()).hexdigest()
    assert tree_digest(tree, "b") == hashlib.sha256(f"sub/b {two}\n".encode()).hexdigest()
    os.utime(tree / "a", ns=(0, 0))
    assert tree_digest(tree) == digest_of({"a": b"1", "sub/b": b"22"})
    (tree / "a").write_bytes(b"2")
    assert tree_digest(tree) != digest_of({"a": b"1", "sub/b": b"22"})
