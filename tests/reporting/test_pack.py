"""A pack holds what a run has made, and one that was tampered with is refused."""

import json
import stat
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from ima.reporting import pack
from ima.utils.errors import InputError
from ima.utils.io import write_csv, write_json, write_parquet


@pytest.fixture
def run(tmp_path):
    """The results of a run: two tables, features, pairs and checkpoints of two seeds."""
    folder = tmp_path / "results"
    rows = {"run": ["toy"] * 2, "model": ["A", "B"], "seeds": [2, 2]}
    scores = pa.table({**rows, "f1": [0.5, 0.75], "f1_sd": [0.1, 0.0]})
    write_csv(scores, folder / "tables/scores.csv")
    write_csv(pa.table({"run": ["toy"], "id": ["first"], "ours": [1]}), folder / "claims.csv")
    facts = {
        "config": {"run": "toy", "raw": "/home/me", "own": {"file": "/home/me/x.csv"}},
        "code": {"revision": "abc", "dirty": False},
        "corpora": {"mnist": {"sha256": "1", "files": 1, "bytes": 1}},
        "python": "3",
        "packages": {"torch": "2"},
    }
    write_json(facts, folder / "tables/scores.provenance.json")
    items = {"id": ["a", 'b,"'], "split": ["train", "test"], "label": [1, 2], "x": [0.5, 0.5]}
    write_parquet(pa.table(items), folder / "toy/features/image.parquet")
    pairs = {"item_image": [0, None], "label": [1, 2], "pair_type": ["clean", "image_noise"]}
    write_parquet(pa.table(pairs), folder / "toy/pairs/test.parquet")
    for seed, size in ((0, 10), (1, 5)):
        (folder / f"toy/models/seed{seed}").mkdir(parents=True)
        (folder / f"toy/models/seed{seed}/m.safetensors").write_bytes(bytes(size))
    return folder


def rewritten(path: Path, to: Path, change) -> Path:
    """Write a copy of a pack whose files (a dict) `change` has changed."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(to, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return to


def test_a_pack_is_what_the_run_is(run, tmp_path):
    written = pack.write_pack(run, tmp_path / "p.zip")
    read = pack.read_results(tmp_path / "p.zip")
    for name in ("run", "facts", "tables", "ids", "checkpoints"):
        assert getattr(read, name) == getattr(written, name)
    assert read.tables["scores"][1]["f1"] == "0.75" and set(read.tables) == {"scores", "claims"}
    assert read.facts["config"] == {"run": "toy", "own": {"file": "x.csv"}}  # no place of this disk
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert archive.read("ids/features/image.csv") == b'id,split\na,train\n"b,""",test\n'
        assert (
            archive.read("ids/pairs/test.csv") == b"item_image,pair_type\n0,clean\n,image_noise\n"
        )
        assert archive.read("checkpoints/models/seed0/m.safetensors") == bytes(10)
        assert "checkpoints/models/seed1/m.safetensors" not in archive.namelist()


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    for name in ("a.zip", "b.zip"):
        pack.write_pack(run, tmp_path / name, tables_only=True)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    known = pack.read_results(tmp_path / "a.zip")
    assert known.ids == pack.read_results(run).ids  # checksums are there, files are not
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == [
            *("manifest.json", "croissant.json", "tables/claims.csv", "tables/scores.csv")
        ]


def test_ids_do_not_depend_on_features(run):
    before = pack.read_results(run).ids
    items = {"id": ["a", 'b,"'], "split": ["train", "test"], "label": [3, 3], "x": [0.1, 0.2]}
    write_parquet(pa.table(items), run / "toy/features/image.parquet")
    assert pack.read_results(run).ids == before
    items["split"] = ["test", "test"]
    write_parquet(pa.table(items), run / "toy/features/image.parquet")
    assert pack.read_results(run).ids != before


def test_tables_of_two_runs_are_refused(run):
    write_csv(pa.table({"run": ["other"], "x": [1]}), run / "tables/more.csv")
    with pytest.raises(InputError, match=r"tables of one run .*found \['other', 'toy'\]"):
        pack.read_results(run)


def test_a_table_with_another_config_is_named(run):
    write_csv(pa.table({"run": ["toy"], "x": [1]}), run / "tables/more.csv")
    of = json.loads((run / "tables/scores.provenance.json").read_text())
    write_json(of, run / "tables/another.provenance.json")
    write_json({**of, "config": {"run": "toy"}}, run / "tables/more.provenance.json")
    assert pack.read_results(run).other_config == ("more",)


def change_table(files):
    files["tables/scores.csv"] = files["tables/scores.csv"].replace(b"0.5", b"0.6")


def deep_manifest(files):
    files["manifest.json"] = b"[" * 100_000


def old_format(files):
    files["manifest.json"] = files["manifest.json"].replace(b'"format": 1', b'"format": 0')


def escapes(files):
    files["manifest.json"] = b'{"format": "\\u001b[31m"}'


def list_for_ids(files):
    manifest = json.loads(files["manifest.json"])
    files["manifest.json"] = json.dumps({**manifest, "ids": ["x"]}).encode()


def ragged(files):
    content = b"a,b\n1\n"
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["tables/scores.csv"] = pack._digest(content)
    files |= {"tables/scores.csv": content, "manifest.json": json.dumps(manifest).encode()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (change_table, r"tables/scores.csv: expected \w{64}, found"),
        (lambda files: files.pop("tables/claims.csv"), "expected the file tables/claims.csv"),
        (lambda files: files.pop("manifest.json"), "expected the file manifest.json"),
        (deep_manifest, "RecursionError"),
        (old_format, "expected format 1, found 0"),
        (escapes, r"found \?\[31m"),
        (list_for_ids, "expected 'ids'"),
        (ragged, "a CSV table with rows"),
        *(
            (lambda files, name=name: files.update({name: b""}), "plain files below its root")
            for name in ("../x", "/x", "a/../../x", "C:/x", "a\\x", "a//x", "folder/")
        ),
    ],
)
def test_a_pack_that_was_tampered_with_is_refused(run, tmp_path, change, message):
    pack.write_pack(run, tmp_path / "p.zip")
    bad = rewritten(tmp_path / "p.zip", tmp_path / "bad.zip", change)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError, match=message):
        pack.read_results(bad)
    assert sorted(tmp_path.rglob("*")) == before  # nothing was unpacked


def test_an_unchanged_copy_is_accepted(run, tmp_path):
    pack.write_pack(run, tmp_path / "p.zip")
    copy = rewritten(tmp_path / "p.zip", tmp_path / "copy.zip", lambda files: None)
    assert pack.read_results(copy).tables == pack.read_results(run).tables


def test_links_bombs_and_repeated_names_are_refused(tmp_path, monkeypatch):
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="plain files"):
        pack.read_results(tmp_path / "link.zip")

    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", bytes(10_000_000))
    monkeypatch.setattr(pack, "MAX_BYTES", 1_000_000)
    with pytest.raises(InputError, match="found 1 files, 10,000,000 bytes"):
        pack.read_results(tmp_path / "bomb.zip")

    # A directory that states a smaller size than the file has.
    content = (tmp_path / "bomb.zip").read_bytes()
    size, lie = (n.to_bytes(4, "little") for n in (10_000_000, 10))
    (tmp_path / "lie.zip").write_bytes(content.replace(size, lie))
    with pytest.raises(InputError, match=r"lie\.zip"):
        pack.read_results(tmp_path / "lie.zip")

    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(InputError, match="names that occur twice"):
        pack.read_results(tmp_path / "twice.zip")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no zip file"])
def test_what_is_no_zip_file_is_refused(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"x.zip: expected a pack"):
        pack.read_results(tmp_path / "x.zip")
    with pytest.raises(InputError, match="no such file"):
        pack.read_results(tmp_path / "y.zip")


def test_damage_anywhere_is_an_input_error(run, tmp_path):
    """Each of 60 flipped bytes is refused, or leaves the tables as they were."""
    pack.write_pack(run, tmp_path / "p.zip", tables_only=True)
    whole, expected = (tmp_path / "p.zip").read_bytes(), pack.read_results(run).tables
    refused = 0
    for at in range(0, len(whole), len(whole) // 60):
        damaged = whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
        (tmp_path / "bad.zip").write_bytes(damaged)
        try:
            assert pack.read_results(tmp_path / "bad.zip").tables == expected
        except InputError:
            refused += 1
    assert refused > 30
