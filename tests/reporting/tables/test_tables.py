"""Table 1 from scores small enough to count by hand."""

import math
from pathlib import Path

import pyarrow as pa
import pytest

from ima.evaluation.seeds import mean_sd, over_seeds
from ima.reporting.tables import merge_paper_values, read_paper_values, table1
from ima.utils.errors import InputError

PAPER = Path(__file__).parents[3] / "config" / "paper_values.csv"


def score(representation, k, neighbours, subset, precision):
    return {
        "representation": representation,
        "k": k,
        "neighbours": neighbours,
        "subset": subset,
        "precision": precision,
    }


def model(latent, seed, weighted, unweighted, distinct, noisy):
    retrieval = [
        score("weighted", 10, "all", "all", weighted),
        score("weighted", 10, "distinct", "all", distinct),
        score("weighted", 10, "all", "image_noise", noisy),
        score("weighted", 10, "distinct", "image_noise", noisy / 2),
        score("unweighted", 10, "all", "all", unweighted),
    ]
    return {"model": "IMA", "latent": latent, "seed": seed, "retrieval": retrieval, "noise": {}}


MODELS = [
    model(50, 0, weighted=0.875, unweighted=0.5, distinct=0.75, noisy=0.5),
    model(2, 1, weighted=0.75, unweighted=0.5, distinct=0.5, noisy=0.25),
    model(2, 0, weighted=0.25, unweighted=0.5, distinct=0.25, noisy=0.25),
    model(2, 2, weighted=0.5, unweighted=0.5, distinct=0.0, noisy=0.25),
]
ANCHORS = [
    {"model": "raw", "latent": None, **score("joint", 10, "all", "all", 0.5)},
    {"model": "chance", "latent": None, **score("joint", 10, "all", "all", 0.125)},
    {"model": "pca", "latent": 2, **score("joint", 10, "all", "all", 0.25)},
]


def rows_of(table):
    names = ("model", "representation", "latent", "k")
    rows = table.to_pylist()
    found = {tuple(row[name] for name in names): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_mean_and_sd_by_hand():
    mean, sd = mean_sd([0.25, 0.75, 0.5])
    assert mean == 0.5 and sd == 0.25  # sqrt((1/16 + 1/16 + 0) / 2)
    mean, sd = mean_sd([1, 2, 3, 4])
    assert mean == 2.5 and sd == pytest.approx(math.sqrt(5 / 3))
    assert mean_sd([0.3]) == (0.3, None)
    assert mean_sd([0.5, 0.5]) == (0.5, 0)


def test_a_row_is_the_mean_over_seeds():
    rows = rows_of(table1(MODELS, [], [], "demo"))
    assert list(rows) == [
        ("IMA", "weighted", 2, 10),
        ("IMA", "unweighted", 2, 10),
        ("IMA", "weighted", 50, 10),
        ("IMA", "unweighted", 50, 10),
    ]
    assert rows["IMA", "weighted", 2, 10] == {
        "run": "demo",
        "model": "IMA",
        "representation": "weighted",
        "latent": 2,
        "k": 10,
        "seeds": 3,
        "paper": None,
        "precision": 0.5,
        "precision_sd": 0.25,
        "precision_no_shared": 0.25,
        "precision_no_shared_sd": 0.25,
        "precision_image_noise": 0.25,
        "precision_image_noise_sd": 0,
        "precision_no_shared_image_noise": 0.125,
        "precision_no_shared_image_noise_sd": 0,
    }
    one_seed = rows["IMA", "weighted", 50, 10]
    assert one_seed["seeds"] == 1
    assert one_seed["precision"] == 0.875 and one_seed["precision_sd"] is None
    unweighted = rows["IMA", "unweighted", 2, 10]
    assert unweighted["precision"] == 0.5 and unweighted["precision_sd"] == 0
    assert unweighted["precision_no_shared"] is None and unweighted["precision_image_noise"] is None


def test_intervals_over_items_are_means_over_seeds():
    errors = ({"se_items": 0.01, "df_items": 5}, {"se_items": 0.03, "df_items": 5})
    models = [
        {"model": "IMA", "latent": 2, "seed": seed, "retrieval": [
            {**score("weighted", 10, "all", "all", 0.5), **error}
        ]}
        for seed, error in enumerate(errors)
    ]  # fmt: skip
    table = table1(models, [], [], "demo")
    (row,) = table.to_pylist()
    assert row["precision_ci_items"] == pytest.approx(2.57058 * 0.02, rel=1e-5)
    assert table.column_names[-3:] == ["precision", "precision_sd", "precision_ci_items"]
    models[1]["retrieval"][0]["se_items"] = None
    assert table1(models, [], [], "demo").to_pylist()[0]["precision_ci_items"] is None


def test_columns_and_types():
    table = table1(MODELS, ANCHORS, [], "demo")
    head = ["run", "model", "representation", "latent", "k", "seeds", "paper"]
    assert table.column_names[:9] == [*head, "precision", "precision_sd"]
    assert [str(table.schema.field(name).type) for name in head] == [
        *["string"] * 3,
        *["int32"] * 3,
        "double",
    ]
    assert {table.schema.field(name).type for name in table.column_names[6:]} == {pa.float64()}


def test_anchors_have_their_rows():
    rows = rows_of(table1(MODELS, ANCHORS, [], "demo"))
    assert len(rows) == 4 + 3
    for key, precision in (
        (("raw", "joint", None, 10), 0.5),
        (("chance", "joint", None, 10), 0.125),
        (("pca", "joint", 2, 10), 0.25),
    ):
        assert rows[key]["precision"] == precision
        assert rows[key]["seeds"] == 1 and rows[key]["precision_sd"] is None
        assert rows[key]["run"] == "demo" and rows[key]["paper"] is None


def test_paper_values_have_a_column():
    """Its denoising autoencoder, in 6.2; nothing of another data set or quantity."""
    values = read_paper_values(PAPER)
    (example,) = [row for row in values if row["value"] == 0.5975]
    other = {**example, "dataset": "IEMOCAP", "k": 20}
    rows = rows_of(table1(MODELS, ANCHORS, [*values, other], "demo"))
    assert len(rows) == 7 + 4
    paper = {key[2:]: row for key, row in rows.items() if row["paper"] is not None}
    assert {key: row["paper"] for key, row in paper.items()} == {
        (2, 10): 0.5975,
        (2, 50): 0.5488,
        (50, 10): 0.8968,
        (50, 50): 0.7818,
    }
    for row in paper.values():
        assert row["model"] == "denoising autoencoder" and row["representation"] == "joint"
        assert row["run"] == "demo" and row["seeds"] == 0
        assert row["precision"] is None and row["precision_sd"] is None


# The paper's values


def test_paper_values_are_read():
    rows = read_paper_values(PAPER)
    assert len(rows) == len(PAPER.read_text().splitlines()) - 1
    (best,) = [r for r in rows if r["quantity"] == "best rho" and r["modality"] == "speech"]
    assert best["where"] == "6.1" and float(best["value"]) == 0.3 and best["latent"] is None
    gains = [r["value"] for r in rows if r["quantity"] == "gain of precision@10 from importances"]
    assert [float(value) for value in gains] == [2.67]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("latent", "L", 1),
        lambda text: text.replace("where,dataset", "dataset,where", 1),
        lambda text: "\n".join(line.rpartition(",")[0] for line in text.splitlines()),
    ],
)
def test_paper_values_of_other_columns(tmp_path, change):
    path = tmp_path / "values.csv"
    path.write_text(change(PAPER.read_text()))
    with pytest.raises(InputError, match=r"values.csv: expected columns \['where', .* found \["):
        read_paper_values(path)


# Baselines


def test_baselines_follow_in_the_order_given_and_the_paper_stands_beside():
    def baseline(name, seed, precision):
        retrieval = [score("joint", 10, "all", "all", precision)]
        return {"model": name, "latent": 2, "seed": seed, "retrieval": retrieval}

    scores = [
        *MODELS,
        baseline("MVAE", 0, 0.25),
        baseline("denoising autoencoder", 1, 0.5),
        baseline("denoising autoencoder", 0, 1.0),
    ]
    table = table1(scores, ANCHORS, read_paper_values(PAPER), "demo")
    rows = rows_of(table)
    models = list(dict.fromkeys(key[0] for key in rows))
    assert models == ["IMA", "MVAE", "denoising autoencoder", "raw", "chance", "pca"]
    ours = rows["denoising autoencoder", "joint", 2, 10]
    assert ours["precision"] == 0.75 and ours["seeds"] == 2
    assert ours["precision_sd"] == pytest.approx(0.125**0.5)
    assert ours["paper"] == 0.5975  # in our row, not in one of its own
    assert rows["MVAE", "joint", 2, 10]["paper"] is None
    untrained = rows["denoising autoencoder", "joint", 50, 10]
    assert untrained["paper"] == 0.8968 and untrained["precision"] is None
    assert untrained["seeds"] == 0 and untrained["run"] == "demo"


def test_over_seeds_and_merge_paper_values_by_hand():
    rows = [{"m": "a", "v": 1.0}, {"m": "a", "v_x": 3.0}]
    (row,) = over_seeds(rows, ("m",), "run", paper=None)
    assert row == {"run": "run", "m": "a", "seeds": 1, "paper": None} | {
        "v": 1.0,
        "v_sd": None,
        "v_x": 3.0,
        "v_x_sd": None,
    }
    first, second = merge_paper_values(
        [row], [{"m": "a", "paper": 7.0}, {"m": "b", "paper": 8.0}], ("m",)
    )
    assert first == {**row, "paper": 7.0} and row["paper"] is None
    assert second == dict.fromkeys(row) | {"run": "run", "m": "b", "seeds": 0, "paper": 8.0}
    assert merge_paper_values([], [{"m": "b", "paper": 8.0}], ("m",)) == [
        {"m": "b", "seeds": 0, "paper": 8.0}
    ]
