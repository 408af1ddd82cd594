"""Leaderboard: which models are best, by hand, and no difference where there is none."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp, ttest_ind

from ima.reporting.results import costs, leaders
from ima.reporting.tables.leaderboard import Score, costs_table, leaderboard, p_value


def retrieval(model, view, value, sd=0.01, seeds=5, k=10, latent=50):
    scores = {
        "precision_no_shared": value,
        "precision_no_shared_sd": sd,
        "precision_no_shared_ci_items": value / 10,
    }
    scores |= {
        "precision_no_shared_image_noise": value / 2,
        "precision_no_shared_image_noise_sd": sd,
    }
    keys = {"model": model, "representation": view, "latent": latent, "k": k, "seeds": seeds}
    return {**keys, **scores}


ROWS = [
    retrieval("IMA+", "weighted", 0.90),
    retrieval("IMA+", "oracle", 0.99),
    retrieval("IMA+", "image", 0.70),
    retrieval("IMA+", "weighted", 0.10, k=50),
    retrieval("MVAE", "joint", 0.895),
    retrieval("JMVAE-KL", "joint", 0.80),
    retrieval("raw", "joint", 0.85, sd=None, seeds=1, latent=None),
    retrieval("chance", "joint", 0.995),
    retrieval("paper only", "joint", 0.99, seeds=0),
]


def test_best_models_by_hand():
    accuracy = [{"model": "supervised", "representation": "joint", "latent": 50, "seeds": 5,
                 "accuracy": 1.0, "accuracy_sd": 0.0}]  # fmt: skip
    importance = [{"variant": "ima+", "modality": "image", "latent": 50, "seeds": 5,
                   "f1_noise": 1.0, "f1_noise_sd": 0.0, "f1_shuffled": 0.1}]  # fmt: skip
    generation = [{"model": "MVAE", "given": "image", "generated": "speech", "latent": 50,
                   "subset": subset, "seeds": 1, "coherence": 0.5, "coherence_sd": None,
                   "chance": 0.2}
                  for subset in ("clean", "image_noise")]  # fmt: skip
    table = leaderboard(ROWS, accuracy, importance, generation, {"ima+": "IMA+"}, "r").to_pylist()
    by_task = {}
    for row in table:
        by_task.setdefault((row["task"], row["latent"]), []).append(
            (row["model"], row["best"] == "yes")
        )
    assert by_task == {
        # .895 against .9 with sd .01 and five seeds: t = .79; .8: t = 15.8
        ("P@10", 50): [("IMA+", True), ("MVAE", True), ("JMVAE-KL", False)],
        ("P@10, pairs with image noise", 50): [
            ("IMA+", True),
            ("MVAE", True),
            ("JMVAE-KL", False),
        ],
        ("P@10", None): [("raw", True)],
        ("P@10, pairs with image noise", None): [("raw", True)],
        ("P@10, image alone", 50): [("IMA+", True)],
        ("F1 of image noise", 50): [("IMA+", True)],
        ("speech from image", 50): [("MVAE", True)],
    }
    rows = {(row["task"], row["model"]): row for row in table}
    best = rows["P@10", "IMA+"]
    # With shuffled labels, as the row of chance says, which has no place of its own here.
    assert (best["score_ci_items"], best["chance"]) == (pytest.approx(0.09), 0.995)
    assert rows["P@10, pairs with image noise", "MVAE"]["chance"] == pytest.approx(0.995 / 2)
    assert rows["P@10, image alone", "IMA+"]["chance"] == 0.995
    assert rows["F1 of image noise", "IMA+"]["chance"] == 0.1
    assert rows["speech from image", "MVAE"]["chance"] == 0.2
    assert rows["speech from image", "MVAE"]["score_ci_items"] is None


def test_p_values_match_tests_of_the_values():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0.9, 0.01, 5), rng.normal(0.88, 0.03, 4)
    one, two = (Score("t", 2, "m", len(x), x.mean(), x.std(ddof=1)) for x in (a, b))
    assert p_value(one, two) == pytest.approx(ttest_ind(a, b, equal_var=False).pvalue)
    known = Score("t", 2, "raw", 1, 0.88, None)
    assert p_value(one, known) == pytest.approx(ttest_1samp(a, 0.88).pvalue, rel=1e-6)
    assert p_value(known, one) == p_value(one, known)
    assert p_value(known, known) == 1 and p_value(known, known._replace(score=0.5)) == 0
    # A single training says nothing of others, nor does a single classifier.
    trained = known._replace(model="MVAE")
    classified = known._replace(task="accuracy")
    for unknown in (trained, classified):
        assert p_value(one, unknown) == p_value(unknown, known) == 1


@pytest.mark.parametrize("seeds", [(5, 5, 5, 5, 5), (3, 3, 1, 1)])
def test_models_without_a_difference_are_seldom_told_apart(seeds):
    """The control: models with the same mean. The best is chosen after the fact."""
    rng, wrong = np.random.default_rng(1), 0
    for _ in range(200):
        drawn = [rng.normal(0.9, 0.01, n) for n in seeds]
        rows = [
            retrieval(f"m{i}", "joint", x.mean(), x.std(ddof=1) if len(x) > 1 else None, len(x))
            for i, x in enumerate(drawn)
        ]
        table = leaderboard(rows, [], [], [], {}, "r").to_pylist()
        wrong += any(row["best"] == "no" for row in table if row["task"] == "P@10")
    assert wrong <= 25  # 10 are expected if the best is chosen before; 25: +4.9 standard errors


def test_leaders_by_hand():
    keys = ("task", "latent", "model", "score", "best")
    rows = [dict(zip(keys, row, strict=True)) for row in (
        ("P@10", 2, "pca", 0.5, "yes"), ("P@10", 2, "IMA+", 0.4, "no"),
        ("P@10", 50, "IMA+", 0.9, "yes"), ("P@10", 50, "MVAE", 0.89, "yes"),
        ("P@10", None, "raw", 0.8, "yes"),
    )]  # fmt: skip
    assert leaders(rows).splitlines()[2:] == [
        "| task | latent | best models, and those not told apart from them |",
        "|---|---|---|",
        "| P@10 | 50 | IMA+ 0.900; MVAE 0.890 |",
        "| P@10 | 2 | PCA 0.500 |",
    ]


def test_missing_modalities_by_hand():
    def row(model, share, test="complete", precision=0.5, **of):
        about = {"model": model, "share": share, "test": test, "precision": precision, "k": 10}
        about |= {"representation": "joint", "absent": "drop", "neighbours": "distinct"}
        return {**about, "latent": 50, "seeds": 3, "precision_sd": 0.01, **of}

    missing = [
        row("IMA+", 0.25, representation="weighted", absent="learn", precision=0.7),
        row("IMA+", 0.25, representation="unweighted", absent="learn"),
        row("IMA+", 0, representation="weighted", absent="learn", precision=0.8),
        row("IMA+", 0, "incomplete", representation="weighted", absent="learn"),
        row("IMA+", 0.25, "incomplete", representation="weighted", absent="learn"),
        row("MVAE", 0.25, precision=0.6),
        row("MVAE", 0.25, precision=0.9, neighbours="all"),
        row("raw features", 0.25, absent="impute", precision=0.9),
        row("chance", 0, precision=0.11, neighbours="all"),
        row("chance", 0, precision=0.12),
        row("chance", 0.25, precision=0.1),
        row("chance", 0.25, "incomplete", precision=0.2),
    ]
    table = leaderboard([], [], [], [], {}, "r", missing).to_pylist()
    assert [r["chance"] for r in table] == [0.1, 0.1, 0.1, 0.12, 0.2, 0.1]
    assert [(r["task"], r["latent"], r["model"], r["score"], r["best"]) for r in table] == [
        ("P@10, 25% of training pairs incomplete", 50, "IMA+ (learn)", 0.7, "yes"),
        ("P@10, 25% of training pairs incomplete", 50, "MVAE (drop)", 0.6, "no"),
        ("P@10, 25% of training pairs incomplete", 50, "IMA+, unweighted (learn)", 0.5, "no"),
        ("P@10, 0% of training pairs incomplete", 50, "IMA+ (learn)", 0.8, "yes"),
        ("P@10, 25% of training and test pairs incomplete", 50, "IMA+ (learn)", 0.5, "yes"),
        ("P@10, 25% of training pairs incomplete", None, "raw features (impute)", 0.9, "yes"),
    ]


def test_costs_by_hand():
    def of(model, view, parameters, seconds, latent=50):
        about = {"model": model, "latent": latent, "representation": view}
        return {**about, "parameters": parameters, "cpu_seconds": seconds}

    table = costs_table(
        [
            *(of("IMA+", "weighted", 8, seconds) for seconds in (10.0, 20.0)),
            *(of("IMA+", "unweighted", 6, seconds) for seconds in (7.0, None)),
            of("MVAE", "joint", 5, 3.0),
            of("MVAE", "joint", 4, 2.0, 2),
            of("raw", "joint", 0, 0.0, None),
        ],
        "r",
    )
    rows = [tuple(row.values())[1:] for row in table.to_pylist()]
    assert table.column_names == ["run", "model", "latent", "seeds", "parameters", "cpu_seconds"]
    assert rows == [
        ("IMA+", 50, 2, 8, 15.0),
        ("IMA+, shared parts", 50, 2, 8, 15.0),  # taken from the same networks
        ("IMA+, unweighted", 50, 2, 6, None),  # not measured of all seeds
        ("IMA+, shared parts, unweighted", 50, 2, 6, None),
        ("MVAE", 50, 1, 5, 3.0),
        ("MVAE", 2, 1, 4, 2.0),
        ("raw", None, 1, 0, 0.0),
    ]
    assert costs(table.to_pylist()).splitlines()[2:] == [
        "|  | parameters, latent 50 | parameters, latent 2 | CPU s, latent 50 | CPU s, latent 2 |",
        "|---|---|---|---|---|",
        "| IMA+ | 8 |  | 15 |  |",
        "| IMA+, shared parts | 8 |  | 15 |  |",
        "| IMA+, unweighted | 6 |  |  |  |",
        "| IMA+, shared parts, unweighted | 6 |  |  |  |",
        "| MVAE | 5 | 4 | 3 | 2 |",
        "| raw | 0 |  | 0 |  |",
    ]
