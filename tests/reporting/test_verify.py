"""What agrees with a reference and what differs, by values computed by hand."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from ima.command.main import main
from ima.reporting import verify
from ima.reporting.pack import Results, read_results
from ima.utils.errors import InputError
from ima.utils.io import read_csv, write_csv

ROOT = Path(__file__).parents[2]


def results(**tables) -> Results:
    return Results(Path("x"), "toy", {}, tables, {}, {})


def row(mean, sd="0.1", seeds="2", **more):
    return {"run": "toy", "model": "A", "seeds": seeds, "f1": str(mean), "f1_sd": sd, **more}


def one(ours, reference, level=0.05):
    (comparison,) = verify.compare(results(t=[ours]), results(t=[reference]), level)
    return comparison


#: Student's t at 5 %, two-sided, for 1, 2 and 4 degrees of freedom, from a table.
T = {1: 12.7062, 2: 4.3027, 4: 2.7764}


@pytest.mark.parametrize(
    ("ours", "reference", "tolerance"),
    [
        # sd pooled over 2 and 2 seeds, sqrt((.01 + .01) / 2) = .1, times sqrt(1/2 + 1/2)
        (row(0), row(0), T[2] * 0.1),
        # sd of 3 and 3 seeds, sqrt((2 * .01 + 2 * .03) / 4) = sqrt(.02), times sqrt(2/3)
        (row(0, seeds="3"), row(0, sd=str(0.03**0.5), seeds="3"), T[4] * (0.02 * 2 / 3) ** 0.5),
        # one seed has no sd: that of the other, times sqrt(1 + 1/2)
        (row(0, sd="", seeds="1"), row(0), T[1] * 0.1 * 1.5**0.5),
    ],
)
def test_tolerance_by_hand(ours, reference, tolerance):
    for factor, differ in ((0.999, 0), (1.001, 1)):
        found = one({**ours, "f1": str(factor * tolerance)}, reference)
        assert (len(found.differences), found.agree, found.tested) == (differ, 1 - differ, 1)
    assert found.differences[0].tolerance == pytest.approx(tolerance, abs=2e-5)
    assert found.differences[0].excess == pytest.approx(1.001, abs=1e-3)


def test_a_smaller_level_allows_more():
    assert one(row(0.6), row(0)).differences and not one(row(0.6), row(0), 0.01).differences
    with pytest.raises(InputError, match="between 0 and 1"):
        one(row(0), row(0), 1)


def test_without_spread_two_thousandths_are_allowed():
    assert not one(row("0.5009", sd="0"), row("0.5", sd="0")).differences
    assert one(row("0.5011", sd="0"), row("0.5", sd="0")).differences
    assert one(row("0.000002", sd="0"), row("0.0", sd="0")).differences


def test_columns_of_single_seeds_are_counted_but_not_compared():
    comparison = one(row("0.5"), row("0.5", f1_seed3="0.7"))
    assert not comparison.differences and comparison.skipped == {"f1_seed3": 1}


def test_rows_that_differ_in_a_measured_key_are_compared():
    def table(*rhos):
        return [{"by": "outlier", "rho": rho, "f1": "0.5"} for rho in rhos]

    def found(ours, reference):
        (comparison,) = verify.compare(results(t=ours), results(t=reference))
        return [(of.column, of.ours, of.reference) for of in comparison.differences]

    assert found(table("0.41"), table("0.4105")) == []
    assert found(table("0.41"), table("0.42")) == [("rho", "0.41", "0.42")]
    assert found(table("0.3", "0.41"), table("0.3", "0.42")) == [("rho", "0.41", "0.42")]
    # Two rows of either side: none can be told from the other.
    missing = [("", "no row", "a row")] * 2
    assert found(table("0.41", "0.5"), table("0.42", "0.51")) == missing


def test_values_without_seeds():
    reference = {"id": "a", "count": "10", "share": "0.5", "name": "x", "none": ""}
    assert one(dict(reference), reference).agree == 4
    for column, value, differs in (
        ("count", "11", True),
        ("share", "0.5009", False),
        ("share", "0.5011", True),
        ("name", "y", True),
        ("none", "0", True),
        ("share", "", True),
    ):
        found = one({**reference, column: value}, reference)
        assert [d.column for d in found.differences] == [column] * differs
    # A row of one seed in both, as of raw features, is compared in the same way.
    assert one(row("0.502", "", "1"), row("0.5", "", "1")).differences


def test_what_varies_with_seeds_but_has_no_spread_is_counted():
    found = one(row(0, best="0.1"), row(0, best="0.9"))
    assert not found.differences and found.skipped == {"best": 1}


def test_times_sentences_and_verdicts_are_no_differences():
    base = {"microseconds": "1", "why": "x", "verdict": "holds"}
    found = one(row(0, microseconds="9", why="y", verdict="fails"), row(0, **base))
    assert not found.differences and found.changed == ["model=A"]


def test_keys_are_the_fewest_leading_columns():
    reference = [row(0, k=k) for k in ("10", "50")]
    reference = [{"model": r["model"], "k": r["k"], **r} for r in reference]
    ours = [{**reference[1], "f1": "9"}, {**reference[0], "k": "10.0"}]  # in another order
    (found,) = verify.compare(results(t=ours), results(t=reference))
    assert [d.row for d in found.differences] == ["model=A, k=50"]
    with pytest.raises(InputError, match="table t: expected leading columns that identify"):
        verify.compare(results(t=[row(0), row(0)]), results(t=[row(0)]))


def test_missing_rows_columns_and_tables_are_differences():
    reference = results(t=[row(0), {**row(0), "model": "B"}], u=[row(0)], resources=[row(0)])
    lacking = row(0)
    del lacking["f1"]
    t, u = verify.compare(results(t=[lacking], more=[row(0)]), reference)
    assert [(d.row, d.column, d.ours) for d in t.differences] == [
        ("model=A", "f1", "no column"),
        ("model=B", "", "no row"),
    ]
    assert [(d.table, d.ours) for d in u.differences] == [("u", "no table")]
    assert [c.table for c in verify.compare(results(), reference, tables=["u"])] == ["u"]
    with pytest.raises(InputError, match="tables: expected tables of x"):
        verify.compare(results(), reference, tables=["v"])


def test_notes_name_what_may_explain_a_difference():
    facts = {"config": {"pairs": {"train": 5}, "seeds": [0]}, "corpora": {"mnist": {"sha256": "a"}}}
    other = {"config": {"pairs": {"train": 9}, "seeds": [0]}, "corpora": {}, "packages": {"a": "1"}}
    ours, theirs = (Results(Path("x"), "toy", of, {}, {}, {"m": "1"}) for of in (facts, other))
    assert verify.notes(ours, theirs) == [
        "config pairs.train: 5, reference 9",
        "corpus mnist.sha256: a, reference none",
        "package a: none, reference 1",
        "checkpoints with the same bytes: 1 of 1",
    ]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [row(0.5), {**row(0.7), "model": "\x1b[31mB"}]
    write_csv(pa.Table.from_pylist(rows), "results/tables/t.csv")
    return tmp_path


def test_the_command_agrees_with_its_own_pack(run, capsys):
    assert main(["pack", "results", "p.zip"]) == 0
    assert main(["verify", "results", "--reference", "p.zip"]) == 0
    assert "toy agrees with p.zip: 0 of 2 values differ. 2 have a spread" in capsys.readouterr().out
    assert main(["pack", "results", "p.zip"]) == 1
    assert "Use --force" in capsys.readouterr().err


def test_the_command_fails_at_a_changed_number(run, capsys):
    assert main(["pack", "results", "p.zip"]) == 0
    table = Path("results/tables/t.csv")
    table.write_text(table.read_text().replace('"0.7"', '"7"').replace("0.7,", "7,"))
    assert main(["verify", "results", "--reference", "p.zip", "--out", "d.csv"]) == 1
    printed = capsys.readouterr().out
    assert "t (model=?[31mB) f1: 7, reference 0.7 ± " in printed and "\x1b" not in printed
    assert [r["ours"] for r in read_csv("d.csv").to_pylist()] == [7]
    assert main(["verify", "results", "--reference", "none.zip"]) == 1


def test_other_ids_fail(run, capsys):
    for split in ("train", "test"):
        items = pa.table({"id": ["a"], "split": [split]})
        Path("results/toy/features").mkdir(parents=True, exist_ok=True)
        pa.parquet.write_table(items, "results/toy/features/image.parquet")
        main(["pack", "results", f"{split}.zip"])
    assert main(["verify", "results", "--reference", "test.zip"]) == 0
    assert main(["verify", "results", "--reference", "train.zip"]) == 1
    assert "other ids of splits or pairs: features/image" in capsys.readouterr().out


def test_the_published_pack_is_small_and_agrees_with_itself():
    file = ROOT / "docs/results/open.zip"
    published = read_results(file)
    assert file.stat().st_size < 1 << 20 and published.run == "open"
    assert {"table1", "table2", "table5", "claims"} <= set(published.tables)
    assert not any(c.differences for c in verify.compare(published, published))


def test_a_run_with_newer_columns_agrees_with_an_older_pack():
    """Intervals and controls that the pack lacks, at the place where tables have them."""
    newer = read_results(ROOT / "docs/results/open.zip")

    def as_before(rows):
        new = {name for name in rows[0] if name.endswith("_ci_items")} | {"chance"}
        return [{name: of for name, of in row.items() if name not in new} for row in rows]

    older = replace(newer, tables={name: as_before(rows) for name, rows in newer.tables.items()})
    assert "precision_ci_items" in newer.tables["table1"][0]
    found = verify.compare(newer, older)
    assert not any(c.differences for c in found)
    same = verify.compare(older, older)
    assert [c.agree for c in found] == [c.agree for c in same]
    # The other way round, the columns are missing, and they have no spread over seeds.
    lacking = {d.column for c in verify.compare(older, newer) for d in c.differences}
    assert {"precision_ci_items", "chance"} <= lacking
    assert not any(c.differences for c in verify.compare(newer, newer))
