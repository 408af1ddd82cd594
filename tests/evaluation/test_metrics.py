"""Scores against values counted by hand, against brute force, and against chance."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
import torch
from scipy.spatial.distance import cdist

from ima.evaluation import metrics
from ima.evaluation.metrics import (
    f1,
    fused,
    importance_scores,
    modalities_of,
    noise_scores,
    precision_at_k,
    retrieval_rows,
    score_model,
    score_views,
    subsets,
)
from ima.evaluation.neighbours import neighbours
from ima.evaluation.represent import joint
from ima.pairing.by_label import is_noise, noise_type
from ima.pairing.shared_items import most_neighbours
from ima.utils.arrow import conform, matrix, vector_column
from ima.utils.errors import InputError
from ima.utils.schemas import pairs_schema, representations_schema

#: On a line: 0 1 3 7 of classes a a b b.
LINE = np.array([[0.0], [1.0], [3.0], [7.0]])
LABELS = np.array([0, 0, 1, 1])


def test_neighbours_of_points_on_a_line():
    assert neighbours(LINE, 3).tolist() == [[1, 2, 3], [0, 2, 3], [1, 0, 3], [2, 1, 0]]


def test_precision_by_hand():
    scores = precision_at_k(LINE, LABELS, [1, 2, 3])
    # nearest others: a b b | a b b | a a b | b a a
    assert scores[1].tolist() == [1, 1, 0, 1]
    assert scores[2].tolist() == [1 / 2, 1 / 2, 0, 1 / 2]
    assert scores[3].tolist() == [1 / 3] * 4
    assert scores[1].mean() == Fraction(3, 4) and scores[2].mean() == Fraction(3, 8)


def test_neighbours_that_share_an_item_are_excluded():
    clip = np.array([0, 0, 1, 2])
    assert neighbours(LINE, 2, [clip]).tolist() == [[2, 3], [2, 3], [1, 0], [2, 1]]
    image = np.array([0, 1, 0, 2])
    assert neighbours(LINE, 1, [clip, image]).tolist() == [[3], [2], [1], [2]]
    scores = precision_at_k(LINE, LABELS, [1], [clip])
    assert scores[1].tolist() == [0, 0, 0, 1]  # was 1 1 0 1: the first two were one clip


def test_reused_clips_make_speech_look_good_and_leaving_them_out_does_not():
    """Random vectors, a clip in ten pairs each: the trap that `shared` is for."""
    rng = np.random.default_rng(0)
    clip = np.repeat(np.arange(100), 10)
    z, labels = rng.normal(size=(100, 5))[clip], rng.integers(0, 10, 100)[clip]
    assert precision_at_k(z, labels, [9])[9].mean() == 1
    honest = precision_at_k(z, labels, [9], [clip])[9].mean()
    chance = (np.bincount(labels) / 1000) @ (np.bincount(labels) / 1000)
    assert honest < chance + 0.1


def test_too_few_are_left():
    clip = np.array([0, 0, 0, 1])
    assert neighbours(LINE, 1, [clip])[:3].tolist() == [[3]] * 3
    with pytest.raises(InputError, match=r"2 samples that share no item .*fewer for sample 0"):
        neighbours(LINE, 2, [clip])


@pytest.mark.parametrize("k", [0, -1, 4, 100])
def test_k_out_of_range(k):
    with pytest.raises(InputError, match=f"K: expected 1 to 3 for 4 samples, found {k}"):
        neighbours(LINE, k)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_representations_are_numbers(bad):
    z = LINE.copy()
    z[2] = bad
    with pytest.raises(InputError, match="representations: expected finite numbers"):
        precision_at_k(z, LABELS, [1])


@pytest.mark.parametrize("shift", [0, 1e5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbours_are_those_of_brute_force(dtype, shift):
    """1,100 points are three blocks; far from the origin nothing is lost."""
    z = (np.random.default_rng(1).normal(size=(1100, 7)) + shift).astype(dtype)
    distance = cdist(z.astype(np.float64), z.astype(np.float64), "sqeuclidean")
    np.fill_diagonal(distance, np.inf)
    expected = np.sort(distance, axis=1)[:, :50]
    found = neighbours(z, 50)
    np.testing.assert_allclose(
        np.take_along_axis(distance, found, 1), expected, rtol=1e-9, atol=1e-12
    )
    if shift == 0:  # no ties, so the rows themselves are the same
        assert (found == np.argsort(distance, axis=1)[:, :50]).all()


def test_neighbours_in_exact_arithmetic():
    """Small integers: distances have no rounding at all, and many ties."""
    z = np.random.default_rng(2).integers(-3, 4, (600, 3))
    clip = np.random.default_rng(3).integers(0, 200, 600)
    distance = cdist(z, z, "sqeuclidean")
    np.fill_diagonal(distance, np.inf)
    expected = np.argsort(distance, axis=1, kind="stable")[:, :20]
    assert (neighbours(z, 20) == expected).all()
    distance[clip[:, None] == clip] = np.inf
    expected = np.argsort(distance, axis=1, kind="stable")[:, :20]
    assert (neighbours(z, 20, [clip]) == expected).all()


def test_copies_of_a_point_come_in_their_order():
    """As the representations of a recording that is in many pairs."""
    rng = np.random.default_rng(7)
    points, of = rng.normal(size=(33, 50)), rng.integers(0, 33, 1003)
    distance = cdist(points, points, "sqeuclidean")[of][:, of]
    np.fill_diagonal(distance, np.inf)
    expected = np.argsort(distance, axis=1, kind="stable")[:, :50]
    assert (neighbours(points[of].astype(np.float64), 50) == expected).all()


def test_precision_of_random_labels_is_chance():
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(10), 100)
    z = np.eye(10)[labels] + 0.05 * rng.normal(size=(1000, 10))
    assert precision_at_k(z, labels, [50])[50].mean() == 1
    shuffled = precision_at_k(z, rng.permutation(labels), [10, 50])
    assert shuffled[10].mean() == pytest.approx(0.1, abs=0.02)
    assert shuffled[50].mean() == pytest.approx(0.1, abs=0.02)


# Detection of noise


def test_f1_by_hand():
    predicted = np.array([1, 1, 1, 0, 0, 0], bool)
    actual = np.array([1, 0, 0, 1, 0, 0], bool)
    scores = f1(predicted, actual)
    assert scores == {"precision": 1 / 3, "recall": 1 / 2, "f1": 2 / 5}  # 2 x 1 / (3 + 2)


def test_f1_of_a_single_item():
    one = np.array([True, False])
    assert f1(one, one) == {"precision": 1, "recall": 1, "f1": 1}


@pytest.mark.parametrize(("predicted", "actual"), [([1, 1], [0, 0]), ([0, 0], [1, 1])])
def test_f1_where_it_is_undefined(predicted, actual):
    scores = f1(np.array(predicted, bool), np.array(actual, bool))
    assert scores == {"precision": 0, "recall": 0, "f1": 0}


def test_noise_scores_by_hand():
    y = np.array([0.1, 0.4, 0.5, 0.9, 0.2])
    noise = np.array([1, 0, 1, 0, 1], bool)
    scores = noise_scores(y, noise)  # .5 is not below the threshold: called important
    assert scores["precision_noise"] == 2 / 3 and scores["recall_noise"] == 2 / 3
    assert scores["f1_noise"] == 2 / 3 and scores["accuracy"] == 3 / 5
    assert noise_scores(y, noise, threshold=0.3)["precision_noise"] == 1


def test_importances_that_know_nothing():
    rng = np.random.default_rng(6)
    noise = np.arange(20_000) < 4_000
    scores = noise_scores(rng.random(20_000), noise)
    assert scores["precision_noise"] == pytest.approx(0.2, abs=0.02)
    assert scores["recall_noise"] == pytest.approx(0.5, abs=0.04)
    assert noise_scores(np.ones(20_000), noise)["f1_noise"] == 0  # all important
    assert noise_scores(np.ones(20_000), noise)["accuracy"] == 0.8  # as accuracy doesn't show


def test_importance_scores_by_hand():
    """Noise is said of the first and third, and is the first and last."""
    y = np.array([0.2, 0.6, 0.4, 0.9, 0.5])
    found = importance_scores(y, np.array([True, False, False, False, True]))
    # noise: 1 hit of 2 said and 2 there; important: said of 2nd, 4th, 5th, 2 hits, 3 there
    assert found == {
        "precision_noise": 1 / 2,
        "recall_noise": 1 / 2,
        "f1_noise": 1 / 2,
        "f1_shuffled": pytest.approx(2 / 5),
        "f1_important": 2 / 3,
        "mean_importance": pytest.approx(2.6 / 5),
    }


@pytest.mark.parametrize("share", [0.0, 0.1, 0.6])
def test_shuffled_importances_have_the_f1_that_shuffling_gives(share):
    """The mean over permutations is exact; without any item called noise it is 0."""
    rng = np.random.default_rng(0)
    noise, y = np.arange(60) < 12, (np.arange(60) >= 60 * share).astype(float)
    found = importance_scores(y, noise)["f1_shuffled"]
    drawn = [importance_scores(rng.permutation(y), noise)["f1_noise"] for _ in range(2000)]
    assert found == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 2000**0.5)
    assert importance_scores(np.ones(4), np.zeros(4, bool))["f1_shuffled"] == 0


# Rows of a table


KINDS = np.array(["clean", "image_noise", "clean", "speech_noise"])


def test_subsets_of_queries():
    masks = {name: mask.tolist() for name, mask in subsets(KINDS).items()}
    assert masks == {
        "all": [True] * 4,
        "image_noise": [False, True, False, False],
        "speech_noise": [False, False, False, True],
    }
    assert list(subsets(np.array(["clean"]))) == ["all"]
    both = subsets(np.array(["image_noise+speech_noise", "speech_noise", "clean"]))
    assert {name: mask.tolist() for name, mask in both.items()} == {
        "all": [True] * 3,
        "image_noise": [True, False, False],
        "speech_noise": [True, True, False],
    }


def test_pairs_without_a_label_are_neither_queries_nor_neighbours():
    """Of 0 1 3 7, a ? b b: b of a, then b of b and b of b."""
    items = [np.arange(4), np.arange(4)]
    rows = retrieval_rows(LINE, np.array([0, -1, 1, 1]), KINDS, items, [1])
    assert {row["precision"] for row in rows if row["subset"] == "all"} == {1 / 3}  # 7's is 3
    both = retrieval_rows(LINE, np.array([-1, -1, 1, 1]), KINDS, items, [1])
    assert {row["precision"] for row in both} == {1}


def test_k_is_lowered_to_the_number_of_other_pairs(caplog):
    """Pairs 0 and 1 share an item: they have two others each, as `distinct` counts them."""
    items = [np.array([0, 1, 2, 3]), np.array([5, 5, -1, -1])]
    assert most_neighbours(items, 4) == 2 and most_neighbours(items[:1], 4) == 3
    rows = retrieval_rows(LINE, LABELS, KINDS, items, [1, 3, 9])
    lowered = "Precision@K: K of [1, 3, 9] is lowered to 2, as there are too few pairs"
    assert {row["k"] for row in rows} == {1, 2} and caplog.messages == [lowered]
    retrieval_rows(LINE, LABELS, KINDS, items, [1, 2])
    assert len(caplog.messages) == 1  # nothing to lower
    assert retrieval_rows(LINE[:1], LABELS[:1], KINDS[:1], [of[:1] for of in items], [3]) == []


def test_retrieval_rows_by_hand():
    items = [np.array([0, 1, 2, 3]), np.array([5, 5, 6, 7])]
    rows = retrieval_rows(LINE, LABELS, KINDS, items, [1, 2])
    found = {(r["k"], r["neighbours"], r["subset"]): r["precision"] for r in rows}
    assert len(rows) == 12
    assert found == {
        (1, "all", "all"): 3 / 4,
        (1, "all", "image_noise"): 1,
        (1, "all", "speech_noise"): 1,
        (2, "all", "all"): 3 / 8,
        (2, "all", "image_noise"): 1 / 2,
        (2, "all", "speech_noise"): 1 / 2,
        # without the first two for each other: b | b | a | b, then bb | bb | aa | ba
        (1, "distinct", "all"): 1 / 4,
        (1, "distinct", "image_noise"): 0,
        (1, "distinct", "speech_noise"): 1,
        (2, "distinct", "all"): 1 / 8,
        (2, "distinct", "image_noise"): 0,
        (2, "distinct", "speech_noise"): 1 / 2,
    }


def test_errors_of_retrieval_are_over_images_and_recordings():
    """Precision 1 1 0 1: by recording, errors 1/4 + 1/4, -3/4 and 1/4 of three."""
    items = [np.array([0, 1, 2, 3]), np.array([5, 5, 6, 7])]
    rows = retrieval_rows(LINE, LABELS, KINDS, items, [1])
    by_subset = {row["subset"]: row for row in rows if row["neighbours"] == "all"}
    whole, noise = by_subset["all"], by_subset["image_noise"]
    assert whole["df_items"] == 2
    assert whole["se_items"] == pytest.approx((3 / 2 * (1 / 4 + 9 / 16 + 1 / 16)) ** 0.5 / 4)
    assert (noise["se_items"], noise["df_items"]) == (None, 0)  # a single pair
    apart = retrieval_rows(LINE, LABELS, KINDS, [items[0], items[0]], [1])
    naive = np.std([1, 1, 0, 1], ddof=1) / 2
    assert apart[0]["se_items"] == pytest.approx(naive) != whole["se_items"]
    alone = retrieval_rows(LINE, LABELS, KINDS, items, [1], grouping=items[:1])
    assert alone[0] == apart[0]


def test_modalities_that_a_representation_is_computed_from():
    names = ["a", "b", "c"]
    of = {"a": ["a"], "shared_b": ["b"], "contrastive_c": ["c"], "without b": ["a", "c"]}
    of |= dict.fromkeys(("weighted", "joint", "shared", "contrastive_unweighted"), names)
    assert {view: modalities_of(view, names) for view in of} == of


def tables():
    representations = pa.table(
        {
            "z": vector_column(LINE),
            "z_unweighted": vector_column(LINE[[0, 2, 1, 3]]),  # a b a b along the line
            "u_image": vector_column(LINE),
            "u_speech": vector_column(LINE),
            "y_image": pa.array([0.9, 0.1, 0.9, 0.9], pa.float32()),
            "y_speech": pa.array([0.1, 0.9, 0.9, 0.9], pa.float32()),
        }
    )
    pairs = pa.table(
        {
            "item_image": [0, 9, 2, 3],
            "item_speech": [0, 1, 2, 9],
            "label": LABELS,
            "pair_type": KINDS,
        }
    )
    names = ["image", "speech"]
    return conform(representations, representations_schema(names), "z"), conform(
        pairs, pairs_schema(names), "pairs"
    )


def test_scores_of_a_model():
    scores = score_model(*tables(), k=[1])
    precision = {
        row["representation"]: row["precision"]
        for row in scores["retrieval"]
        if row["neighbours"] == "all" and row["subset"] == "all"
    }
    # unweighted: a at 0 and 3, b at 1 and 7; nearest others 1 | 1 | 0 | 3: b a' a a
    # by labels: both latents are alike, and of each pair at least one is no noise
    alike = dict.fromkeys(("weighted", "image", "speech", "oracle"), 3 / 4)
    assert precision == {**alike, "unweighted": 0}
    assert scores["noise"]["image"]["f1_noise"] == 1
    assert scores["noise"]["speech"] == {
        "precision_noise": 0,
        "recall_noise": 0,
        "f1_noise": 0,
        "accuracy": 1 / 2,
    }


def test_scores_of_tables_that_do_not_belong_together():
    representations, pairs = tables()
    with pytest.raises(InputError, match="representations: expected 3 rows, found 4"):
        score_model(representations, pairs.slice(1), k=[1])
    with pytest.raises(InputError, match="representations: expected 4 rows, found 3"):
        score_views({"z": LINE, "u": LINE[:3]}, pairs, [1])


def test_other_latents_are_scored_as_the_models_own():
    """By their own name; with the model's latents in their place, the scores are the same."""
    representations, pairs = tables()
    u = {m: matrix(representations, f"u_{m}") for m in ("image", "speech")}
    rows = score_model(representations, pairs, [1], {"mine": u, "none": {m: 0 * u[m] for m in u}})
    by_view = {}
    for row in rows["retrieval"]:
        by_view.setdefault(row.pop("representation"), []).append(row)
    assert by_view["mine"] == by_view["weighted"] != by_view["none"]
    # Both modalities have the same latents here, so that their plain mean is each of them.
    assert by_view["mine_unweighted"] == by_view["mine_image"] == by_view["image"]


def test_oracle_weights_exclude_noise():
    """Where one modality is noise z is the other's latent, and else their mean; as true y give."""
    representations, pairs = tables()
    noise = is_noise(pairs)
    u = {"image": np.random.default_rng(0).random((4, 2)), "speech": LINE[:, [0, 0]] * [1, 2]}
    z = fused(u, {m: ~of for m, of in noise.items()})
    for i in range(4):
        own = [u[m][i] for m in u if not noise[m][i]]
        assert z[i] == pytest.approx(np.mean(own, axis=0))
    views = {row["representation"] for row in score_model(representations, pairs, [1])["retrieval"]}
    clean = pairs.set_column(pairs.column_names.index("pair_type"), "pair_type", [["clean"] * 4])
    without = {
        row["representation"] for row in score_model(representations, clean, [1])["retrieval"]
    }
    assert views - without == {"oracle"}


def test_fused_equals_the_models_joint_representation_bit_for_bit():
    """Eq. 1 is computed here in NumPy, because scoring tables needs no torch; once in torch."""
    rng = np.random.default_rng(0)
    names = ("a", "b", "c")
    has = {m: rng.random(200) < 0.7 for m in names}
    y = {m: rng.random(200, np.float32) * (rng.random(200) < 0.8) for m in names}
    u = {m: rng.normal(size=(200, 3)).astype(np.float32) * has[m][:, None] for m in names}
    as_tensors = [{m: torch.from_numpy(v) for m, v in part.items()} for part in (u, y, has)]
    expected = joint(*as_tensors[:2], {m: flags.float() for m, flags in as_tensors[2].items()})
    assert fused(u, y, has).tobytes() == expected.numpy().tobytes()
    assert fused(u, y).tobytes() == joint(*as_tensors[:2]).numpy().tobytes()
    one = {"a": u["a"]}  # also where y is 0
    assert fused(one, y).tobytes() == fused(one, y, has).tobytes() == u["a"].tobytes()


# Three modalities, of which pairs lack some

U = {
    "a": [0.0, 1, 3, 7, None, 9],
    "b": [5.0, None, 6, 8, None, 1],
    "c": [None, 4.0, 4, 0, 3, None],
}
Y = {
    "a": [0.5, 0.25, 1, 0, None, 1],
    "b": [1.0, None, 0.5, 0.5, None, 0],
    "c": [None, 0.75, 0, 1, 1, None],
}


def three():
    """Return tables of six pairs with one latent value; the last has no label."""
    names, has = [*U], {m: [v is not None for v in of] for m, of in U.items()}
    vectors = {m: np.array([[v or 0.0] for v in of]) for m, of in U.items()}
    columns = {"z": vector_column(np.arange(6.0)[:, None])}
    columns["z_unweighted"] = vector_column(np.arange(6.0)[::-1, None])
    columns |= {f"u_{m}": vector_column(vectors[m], np.array(has[m])) for m in names}
    columns |= {f"y_{m}": pa.array(of, pa.float32()) for m, of in Y.items()}
    pairs = {f"item_{m}": [i if h else None for i, h in enumerate(has[m])] for m in names}
    pairs |= {"label": [0, 0, 1, 1, 0, -1], "pair_type": ["clean"] * 6}
    return (
        conform(pa.table(columns), representations_schema(names), "z"),
        pa.table(pairs, pairs_schema(names)),
    )


def weighted_mean(i, names, weights):
    """Return z of a pair: of one modality its latent, of several their weighted mean."""
    here = [m for m in names if U[m][i] is not None]
    if len(here) == 1:
        return U[here[0]][i]
    total = sum(weights[m][i] for m in here)
    return sum(weights[m][i] * U[m][i] for m in here) / total if total else 0.0


def test_representations_without_a_modality_and_other_latents():
    representations, pairs = three()
    twice = {m: np.array([[2 * (v or 0.0)] for v in of]) for m, of in U.items()}
    found = score_model(representations, pairs, [1, 2], {"twice": twice})["retrieval"]
    by_view = {}
    for row in found:
        by_view.setdefault(row.pop("representation"), []).append(row)
    labels, kinds = pairs["label"].to_numpy(), np.full(6, "clean")
    items = [np.array([-1 if v is None else i for i, v in enumerate(of)]) for of in U.values()]

    def rows(z, names):
        has = np.array([any(U[m][i] is not None for m in names) for i in range(6)])
        return retrieval_rows(np.array(z, float)[:, None], labels, kinds, items, [1, 2], has)

    equal = {m: [1.0] * 6 for m in U}
    for m in U:
        rest = [n for n in U if n != m]
        z = [weighted_mean(i, rest, Y) if any(U[n][i] is not None for n in rest) else 0
             for i in range(6)]  # fmt: skip
        assert by_view[f"without {m}"] == rows(z, rest)
        assert by_view[m] == by_view[f"twice_{m}"] == rows([v or 0 for v in U[m]], [m])
    assert by_view["twice"] == rows([weighted_mean(i, [*U], Y) for i in range(6)], [*U])
    plain = rows([weighted_mean(i, [*U], equal) for i in range(6)], [*U])
    assert by_view["twice_unweighted"] == plain
    assert by_view["weighted"] == rows(range(6), [*U]) != by_view["without a"]
    assert "oracle" not in by_view  # there is no noise


def test_a_single_modality_is_the_representation_whatever_its_weight(monkeypatch):
    """Pair 0 lacks c, and b's importance is 0; pair 1 has a alone, noise of importance 0."""
    scored = {}
    monkeypatch.setattr(metrics, "score_views", lambda views, *_: scored.update(views) or [])
    u = {"a": [2.0, 5.0, 1.0], "b": [3.0, None, 3.0], "c": [None, None, 7.0]}
    y = {"a": [0.5, 0.0, 1.0], "b": [0.0, None, 1.0], "c": [None, None, 1.0]}
    columns = dict.fromkeys(("z", "z_unweighted"), vector_column(np.zeros((3, 1))))
    for m, of in u.items():
        has = np.array([v is not None for v in of])
        columns[f"u_{m}"] = vector_column(np.array([[v or 0.0] for v in of]), has)
    columns |= {f"y_{m}": pa.array(of, pa.float32()) for m, of in y.items()}
    pairs = {f"item_{m}": [None if v is None else i for i, v in enumerate(u[m])] for m in u}
    pairs |= {"label": [0, 1, 1], "pair_type": ["clean", *map(noise_type, "ab")]}
    tables = (
        conform(pa.table(columns), representations_schema([*u]), "z"),
        pa.table(pairs, pairs_schema([*u])),
    )
    latents = {m: np.array([[10 * (v or 0.0)] for v in of]) for m, of in u.items()}
    score_model(*tables, [1], {"ten": latents})
    found = {name: z.flatten().tolist()[:2] for name, z in scored.items()}
    assert found["without a"] == [3, 0] and found["without b"] == found["without c"] == [2, 5]
    assert found["oracle"] == [2.5, 5] and found["ten"] == [20, 50]
    assert scored["oracle"][2] == [4]  # without b
    assert found["ten_unweighted"] == [25, 50]


def test_errors_of_a_view_are_over_the_items_that_it_is_computed_from():
    """Of eight images, four in one recording each: errors of images know nothing of recordings."""
    z = np.random.default_rng(0).random((8, 2))
    names = ["image", "speech"]
    columns = {"item_image": range(8), "item_speech": np.arange(8) // 2}
    columns |= {"label": np.arange(8) % 2, "pair_type": ["clean"] * 8}
    pairs = pa.table({k: list(v) for k, v in columns.items()}).cast(pairs_schema(names))
    rows = score_views({"image": z, "speech": z, "joint": z}, pairs, [1])
    df = {row["representation"]: row["df_items"] for row in rows if row["subset"] == "all"}
    assert df == {"image": 7, "speech": 3, "joint": 3}


def test_unlabelled_pairs_do_not_count_where_a_modality_is_absent():
    z, items = np.arange(5.0)[:, None], [np.arange(5)]
    labels, kinds = np.array([0, -1, 1, 0, 1]), np.full(5, "clean")
    has = np.array([True, True, True, True, False])
    rows = retrieval_rows(z, labels, kinds, items, [1], has)  # 0 2 3 of a b a
    assert {row["precision"] for row in rows} == {0} and rows[0]["df_items"] == 2


def test_representations_and_pairs_must_lack_the_same_items():
    representations, pairs = three()
    other = pairs.set_column(0, "item_a", pa.array([0, 1, 2, None, None, 5], pa.int32()))
    expected = r"column 'u_a': expected nothing where the pair lacks a, and nowhere else"
    with pytest.raises(
        InputError, match=rf"{expected}.*1 rows that differ, the first 3.*Recompute"
    ):
        score_model(representations, other, [1])
