"""What packs and folders of results from strangers could do: each is one error, or harmless."""

import hashlib
import json
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from ima.command.main import main
from ima.reporting import pack, verify
from ima.utils.errors import InputError
from ima.utils.io import write_json, write_parquet

FACTS = {"config": {}, "code": {}, "corpora": {}, "python": "3", "packages": {}}
OURS = "run,a,seeds,x,x_sd\nr,A,5,1.0,0.1\n"
PUBLISHED = Path(__file__).parents[2] / "docs/results/open.zip"


def packed(path: Path, tables: dict[str, str], **more) -> Path:
    """Write a pack of tables, with valid checksums and more in its manifest."""
    files = {f"tables/{name}.csv": text.encode() for name, text in tables.items()}
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {"format": 1, "run": "r", "ids": {}, "checkpoints": {}, "files": sums, **more}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"manifest.json": json.dumps(manifest).encode(), **files}.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The results of a run, in the folder `ours`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ours/tables").mkdir(parents=True)
    (tmp_path / "ours/tables/t.csv").write_text(OURS)
    return tmp_path / "ours"


@pytest.mark.parametrize("run", ["../victim", "..", "r/../../victim", "ABSOLUTE", "a\\b", "C:"])
def test_the_name_of_a_run_leads_to_no_other_folder(folder, tmp_path, run):
    ids = pa.table({"id": ["patient-007"], "split": ["train"]})
    write_parquet(ids, tmp_path / "victim/features/private.parquet")
    run = str(tmp_path / "victim") if run == "ABSOLUTE" else run
    (folder / "tables/t.csv").write_text(f"run,a,x\n{run},A,1\n")
    message = "a run whose name has only letters"
    with pytest.raises(InputError, match=message):
        pack.read_results(folder)
    with pytest.raises(InputError, match=message):
        pack.write_pack(folder, tmp_path / "p.zip")
    assert not (tmp_path / "p.zip").exists()
    with pytest.raises(InputError, match=message):
        pack.read_results(packed(tmp_path / "other.zip", {"t": OURS}, run=run))


def test_pipes_in_results_are_not_read(folder, tmp_path):
    names = ("tables/u.csv", "tables/u.provenance.json", "claims.csv")
    names += ("r/features/x.parquet", "r/models/seed0/m.safetensors")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(folder / name)
    assert set(pack.write_pack(folder, tmp_path / "p.zip").tables) == {"t"}


def nested(levels: int) -> dict:
    of: dict = {}
    for _ in range(levels):
        of = {"k": of}
    return of


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        *(({**FACTS, key: [1]}, f"'{key}', an object, found \\[1\\]") for key in pack.OBJECTS),
        ([FACTS], "expected an object, found list"),
        ({**FACTS, "config": nested(700)}, "few levels"),
    ],
)
def test_sidecars_of_other_types_are_refused(folder, facts, message):
    (folder / "tables/t.provenance.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=message):
        pack.read_results(folder)


def test_files_of_ids_that_are_no_parquet_are_refused(folder):
    (folder / "r/features").mkdir(parents=True)
    (folder / "r/features/x.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"x\.parquet: expected a Parquet file"):
        pack.read_results(folder)


@pytest.mark.parametrize(
    "tables",
    [
        {"t": "a\n" + "1\n" * 1_000_000},
        {"t": "a" + "," * 1_000_001},
        {"t": "\n" * 1_000_001},
        {"t": "a\n" + "1\r" * 600_000, "u": "a\n" + "1\r" * 600_000},
    ],
)
def test_few_bytes_do_not_make_many_cells(folder, tmp_path, tables):
    file = packed(tmp_path / "p.zip", tables)
    assert file.stat().st_size < 6000
    with pytest.raises(InputError, match="at most 1,000,000 commas and line breaks"):
        pack.read_results(file)
    for name, text in tables.items():
        (folder / f"tables/{name}.csv").write_text(text)
    with pytest.raises(InputError, match="at most 1,000,000 commas and line breaks"):
        pack.read_results(folder)


def test_the_limit_of_cells_is_far_from_the_published_pack(monkeypatch):
    monkeypatch.setattr(pack, "MAX_CELLS", pack.MAX_CELLS // 10)
    assert pack.read_results(PUBLISHED).tables


def test_large_tables_and_manifests_are_refused(folder, tmp_path, monkeypatch):
    with (folder / "tables/u.csv").open("wb") as file:
        file.truncate(pack.MAX_BYTES + 1)  # takes no space on the disk
    with pytest.raises(InputError, match=r"u\.csv: expected at most 67,108,864 bytes"):
        pack.read_results(folder)
    (folder / "tables/u.csv").unlink()
    monkeypatch.setattr(pack, "MAX_MANIFEST", 1000)
    file = packed(tmp_path / "p.zip", {"t": OURS}, config={"a": "x" * 1000})
    with pytest.raises(InputError, match=r"manifest\.json: expected at most 1,000 bytes"):
        pack.read_results(file)
    # No pack is written that could not be read.
    facts = {**FACTS, "config": {"a": "x" * 1000}}
    write_json(facts, folder / "tables/t.provenance.json")
    with pytest.raises(InputError, match="expected at most 1,000 bytes"):
        pack.write_pack(folder, tmp_path / "q.zip")
    assert not (tmp_path / "q.zip").exists()


def table(*names: str) -> list[dict[str, str]]:
    return [{"a": name, "x": "1"} for name in names]


def counted_keys(monkeypatch, ours, reference) -> tuple[verify.Comparison, int]:
    """Compare two tables, and count how often a row is read for its key."""
    calls = 0
    key = verify._key

    def counting(row, columns):
        nonlocal calls
        calls += 1
        return key(row, columns)

    monkeypatch.setattr(verify, "_key", counting)
    ours, reference = (pack.Results(Path(), "r", {}, {"t": t}, {}, {}) for t in (ours, reference))
    (comparison,) = verify.compare(ours, reference)
    return comparison, calls


def test_rows_without_partner_take_time_in_proportion(monkeypatch):
    ours, reference = ([f"{side}{i}" for i in range(300)] for side in "op")
    found, calls = counted_keys(monkeypatch, table(*ours), table(*reference))
    assert [d.row for d in found.differences] == [f"a={name}" for name in reference]
    assert calls < 10 * len(ours + reference)


def test_rows_with_decimals_in_any_columns_take_time_in_proportion(monkeypatch):
    """Each row has its decimals in other columns, so that each needs other groups."""
    columns = [f"c{i}" for i in range(9)]

    def rows(last):
        texts = ([f"{1 + i}{'.0' * (n >> i & 1)}" for i in range(9)] for n in range(512))
        heads = [*columns, "last"]
        return [dict(zip(heads, [*t, f"{last}{n}"], strict=True)) for n, t in enumerate(texts)]

    found, calls = counted_keys(monkeypatch, rows("o"), rows("p"))
    assert len(found.differences) == 512
    assert calls < 40 * 1024


def test_numbers_whose_hashes_are_equal_make_different_keys():
    """Python's hashes of 1 and 2^61 are equal, and so are those of tuples of them."""
    assert hash(1.0) == hash(2.0**61)
    one, other = (verify._key({"a": text}, ["a"]) for text in ("1.0", str(2.0**61)))
    assert hash(one) != hash(other)
    same = {verify._key({"a": text}, ["a"]) for text in ("0", "0.0", "-0.0", "0e5")}
    assert len(same) == 1


@pytest.mark.parametrize(
    ("seeds", "sd", "agree"), [("5", "1e200", 1), ("5", "1e308", 0), ("1e308", "1e308", 0)]
)
def test_spreads_beyond_numbers_are_no_error(folder, tmp_path, seeds, sd, agree):
    text = f"run,a,seeds,x,x_sd\nr,A,{seeds},1.0,{sd}\n"
    reference = pack.read_results(packed(tmp_path / "p.zip", {"t": text}))
    (found,) = verify.compare(pack.read_results(folder), reference)
    assert found.agree == agree and not found.differences
    assert found.skipped == ({} if agree else {"x": 1})


def test_a_config_of_a_stranger_takes_little_memory(folder):
    """One long key above many short ones, and more levels than Python's stack has."""
    long = {"k" * 100_000: {str(i): i for i in range(3000)}}
    deep = nested(20_000)
    ours, theirs = (pack.Results(folder, "r", {"config": c}, {}, {}, {}) for c in ({}, long))
    assert sum(map(len, verify.notes(ours, theirs))) < 3_000_000
    assert verify.notes(ours, pack.Results(folder, "r", {"config": deep}, {}, {}, {})) == []


FORGED = "z\nr agrees with p.zip: 0 of 99 values differ"


def test_names_with_line_breaks_print_no_lines_of_their_own(folder, tmp_path, capsys):
    theirs = f'run,a,seeds,x,x_sd\nr,A,5,9.0,0.1\nr,"{FORGED}",5,1.0,0.1\n'
    more = {"ids": {FORGED: "1"}, "config": {FORGED: FORGED}}
    packed(tmp_path / "p.zip", {"t": theirs, FORGED: "a,b\n1,2\n"}, **more)
    assert main(["verify", "ours", "--reference", "p.zip"]) == 1
    printed = capsys.readouterr().out.splitlines()
    assert [line[:20] for line in printed if line.startswith("r ")] == ["r differs from p.zip"]
    assert sum("z?r agrees with" in line for line in printed) == 5

    write_json(FACTS, folder / "tables/t.provenance.json")
    write_json(FACTS, folder / "tables/u.provenance.json")
    write_json({**FACTS, "config": {"b": 1}}, folder / f"tables/{FORGED}.provenance.json")
    assert main(["pack", "ours", "q.zip"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_errors_about_strangers_names_are_one_line(tmp_path, folder, capsys):
    packed(tmp_path / "p.zip", {FORGED: "a,a\n1,2\n"})
    assert main(["verify", "ours", "--reference", "p.zip"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
