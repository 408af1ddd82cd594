"""Own data that lack modalities: an outer join of ids, null cells of a pairs file, all results."""

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import yaml

from ima.datasets.splits import linked
from ima.pairing.by_label import ABSENT, read_pairs, row_numbers
from ima.pairing.user import by_id, pair_own
from ima.pairing.user_listed import read_listed
from ima.utils.errors import InputError
from ima.workflow.user_example import write_example
from tests.checkout import ROOT, Checkout, merged
from tests.workflow.test_user_data import SHARES, TINY, items, pairs_file


def rows_of(pairs, m):
    return row_numbers(pairs, m)


def test_an_outer_join_by_hand():
    tables = {"a": items("uvw"), "b": items("wxu"), "c": items("yu")}
    found = by_id(tables)
    # u v w x y: those of a in their order, then what b has beside them, then c.
    assert found["a"].tolist() == [0, 1, 2, ABSENT, ABSENT]
    assert found["b"].tolist() == [2, ABSENT, 0, 1, ABSENT]
    assert found["c"].tolist() == [1, ABSENT, ABSENT, ABSENT, 0]


def gapped(n=100, share=0.25, **given):
    """Return three modalities of ids 0 to n - 1, of class i % 5, each without a share of them."""
    rng, tables = np.random.default_rng(0), {}
    for place, m in enumerate("abc"):
        ids = [i for i in rng.permutation(n).tolist() if i % 8 != place or share == 0]
        noise = [i % 10 == place for i in ids] if given.get("noise") else None
        tables[m] = items(ids, [i % 5 for i in ids], noise=noise)
    return tables


def test_pairs_keep_what_their_items_say():
    tables = gapped(noise=True)
    pairs, classes = pair_own(tables, "id", SHARES, seed=0)
    assert sum(map(len, pairs.values())) == 100 and classes == list("01234")
    for table in pairs.values():
        rows = {m: rows_of(table, m) for m in tables}
        for i in range(len(table)):
            own = {m: tables[m]["id"][int(r[i])].as_py() for m, r in rows.items() if r[i] >= 0}
            (number,) = {int(name) for name in own.values()}
            assert set("abc") - set(own) == {m for p, m in enumerate("abc") if number % 8 == p}
            assert table["label"][i].as_py() == number % 5
            noisy = [f"{m}_noise" for p, m in enumerate("abc") if number % 10 == p and m in own]
            assert table["pair_type"][i].as_py() == ("+".join(noisy) or "clean")


def test_missing_pairs_can_be_dropped():
    pairs, _ = pair_own(gapped(), "id", SHARES, seed=0, missing="drop")
    whole = sum(i % 8 > 2 for i in range(100))
    assert sum(map(len, pairs.values())) == whole
    assert all(t[f"item_{m}"].null_count == 0 for t in pairs.values() for m in "abc")


def test_nothing_absent_is_the_inner_join():
    one, two = (pair_own(gapped(share=0), "id", SHARES, 0, missing=how) for how in ("keep", "drop"))
    assert all(one[0][split].equals(two[0][split]) for split in one[0])


def test_absent_items_hang_no_pairs_together():
    a, b = np.array([0, ABSENT, ABSENT, 1]), np.array([ABSENT, 0, 1, 1])
    assert linked([a, b]).tolist() == [0, 1, 2, 2]


def test_a_pairs_file_with_null_cells(tmp_path):
    tables = {"a": items(range(30)), "b": items(range(30))}
    path = pairs_file(
        tmp_path,
        a=[i if i % 3 else None for i in range(30)],
        b=[str(i) if i % 6 != 1 else None for i in range(30)],
        k=["clean"] * 30,
    )
    listed = read_listed(path, {"pair_type": "k"}, tables)
    assert listed["a"][:3].tolist() == [ABSENT, 1, 2] and listed["b"][:3].tolist() == [0, ABSENT, 2]
    pairs, _ = pair_own(tables, "file", SHARES, 0, listed)
    assert sum(map(len, pairs.values())) == 30
    dropped, _ = pair_own(tables, "file", SHARES, 0, listed, missing="drop")
    kept = [i for t in dropped.values() for i in rows_of(t, "a").tolist()]
    assert sorted(kept) == [i for i in range(30) if i % 3 and i % 6 != 1]
    assert all(set(t["pair_type"].to_pylist()) == {"clean"} for t in dropped.values())


def split_table(tables, m, split):
    return tables[m].set_column(1, "split", pa.array(split))


@pytest.mark.parametrize(
    ("a", "b", "missing", "says"),
    [
        # No test pair has b; in test no pair has both; nothing is left.
        ("0123456789", "23456789", "keep", "split 'test': expected an item of b in some"),
        ("023456789", "123456789", "keep", "split 'test': expected some with at least two"),
        ("01", "12", "drop", "at least three pairs"),
    ],
)
def test_splits_that_cannot_be_learnt_from(a, b, missing, says):
    tables = {"a": items(a), "b": items(b)}
    for m, ids in (("a", a), ("b", b)):
        split = ["test" if i in "01" else "validation" if i in "23" else "train" for i in ids]
        tables[m] = split_table(tables, m, split)
    with pytest.raises(InputError) as error:
        pair_own(tables, "id", SHARES, 0, missing=missing)
    assert says in str(error.value) and error.value.do


def test_drop_where_no_pair_is_complete():
    tables = {"a": items("01"), "b": items("12"), "c": items("02")}
    with pytest.raises(InputError, match=r"missing: drop.*none of 3.*own.pairs.missing to keep"):
        pair_own(tables, "id", SHARES, 0, missing="drop")


# The workflow


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return the example of own data run to its end, an eighth of each modality missing."""
    checkout = Checkout(tmp_path_factory.mktemp("absent"))
    folder = checkout.folder / "given"
    write_example(folder, 200, seed=0)
    rng = np.random.default_rng(0)
    place = None
    for name in ("left", "right", "spoken"):
        table = pq.read_table(folder / f"{name}.parquet")
        place = rng.integers(0, 8, len(table)) if place is None else place
        lacks = {"left": 0, "right": 1, "spoken": 2}[name]
        pq.write_table(table.filter(pa.array(place != lacks)), folder / f"{name}.parquet")
    config = merged(yaml.safe_load((ROOT / "config/own.yaml").read_text()), TINY)
    for name, options in config["own"]["modalities"].items():
        options["file"] = f"given/{name}.parquet"
        options |= {"label": "digit", "split": "split"}
    checkout.config = config | {"run": "gaps"}
    checkout.snakemake("own", "results/index.html", forked=True)
    return checkout


@pytest.mark.slow
class TestWorkflow:
    def test_pairs_and_representations(self, finished):
        run = finished.folder / "results/gaps"
        pairs = read_pairs(run / "own/pairs/train.parquet")
        assert all(pairs[f"item_{m}"].null_count > 10 for m in ("left", "right", "spoken"))
        rows = pq.read_table(run / "own/latent3_seed0/representations.parquet")
        for m in ("left", "right", "spoken"):
            gaps = rows[f"id_{m}"].is_null()
            assert 0 < rows[f"id_{m}"].null_count < len(rows)
            assert gaps.equals(rows[f"u_{m}"].is_null()) and gaps.equals(rows[f"y_{m}"].is_null())
        assert rows["z"].null_count == 0
        assert np.isfinite(np.array(rows["z"].to_pylist())).all()

    def test_tables_and_figures(self, finished):
        run = finished.folder / "results/gaps"
        for name in ("rho", "importances", "representations"):
            for form in ("pdf", "png"):
                assert (run / f"figures/own_{name}.{form}").stat().st_size > 5_000
        for name in ("importance", "retrieval", "classifier", "rho", "rho_sweep"):
            table = pyarrow.csv.read_csv(run / f"tables/{name}.csv")
            assert len(table) >= 3
            for column in table.columns:
                if pa.types.is_floating(column.type):
                    values = column.drop_null().to_numpy()
                    assert np.isfinite(values).all()
        scores = pyarrow.csv.read_csv(run / "tables/retrieval.csv").to_pylist()
        of = {(r["model"], r["representation"]): r["precision_no_shared"] for r in scores}
        assert of["chance", "joint"] < 0.25 < of["raw", "joint"]
        assert (finished.folder / "results/index.html").exists()

    def test_the_library_gives_the_same(self, finished):
        from ima import IMA

        run = finished.folder / "results/gaps/own/latent3_seed0"
        pairs, x = pq.read_table(run / "representations.parquet").slice(0, 60), {}
        for m in ("left", "right", "spoken"):
            table = pq.read_table(finished.folder / f"given/{m}.parquet")
            vectors = dict(zip(table["id"].to_pylist(), table["x"].to_pylist(), strict=True))
            none = [float("nan")] * table["x"].type.list_size
            x[m] = np.array([vectors.get(i, none) for i in pairs[f"id_{m}"].to_pylist()])
        z = IMA.load(run / "model.safetensors").transform(x)
        np.testing.assert_allclose(z, np.array(pairs["z"].to_pylist()), rtol=1e-3, atol=1e-4)
