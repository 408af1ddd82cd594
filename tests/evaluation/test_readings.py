"""The multiverse of readings: a balanced design, shares by hand, effects that are and are not."""

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch
import yaml

from ima.evaluation.readings.claims import (
    CLAIMS,
    claims_of,
    effect_of,
    mean_scores,
    readings_of,
    shares,
    summary,
)
from ima.evaluation.readings.design import balanced, blocks, design, of_block
from ima.evaluation.readings.factors import (
    BLOCK,
    FACTORS,
    STAGE1,
    STAGE2,
    check_seeds,
    correlation,
    rho,
)
from ima.evaluation.readings.train import Data, Settings, features, train_block
from ima.reporting.figures import save
from ima.reporting.figures.readings import draw
from ima.utils.errors import InputError
from ima.utils.schemas import READINGS
from tests.checkout import ROOT, defaults, merged

GRID = {
    "activation": ["tanh", "relu"],
    "features": ["sigmoid", "binary", "binary-both"],
    "epochs": [12, 30],
    "importances": ["ones", "untrained"],
    "correlation": ["raw-1", "initial-10", "batch-10"],
    "rho": ["0.8/0.3", "0.8/0.8", "0.2/0.7"],
    "z": ["joint", "detached"],
    "neighbours": ["all", "distinct"],
}


def spread(drawn, *factors):
    """Return by how much the commonest combination of levels exceeds the rarest in a design."""
    combinations = itertools.product(*(map(str, GRID[factor]) for factor in factors))
    counts = Counter(tuple(reading[factor] for factor in factors) for reading in drawn)
    return max(counts.values()) - min(counts[c] for c in combinations)


@pytest.mark.parametrize("seed", range(5))
def test_design_is_balanced_in_the_grid_and_has_no_reading_twice(seed):
    drawn = design(GRID, 72, seed=seed)
    assert len({tuple(reading.items()) for reading in drawn}) == len(drawn) == 72
    for reading in drawn:
        assert [*reading] == [*STAGE1, *STAGE2]
        assert all(level in map(str, GRID[factor]) for factor, level in reading.items())
    assert all(spread(drawn, factor) == 0 for factor in drawn[0])  # 36 or 24 of each level
    assert all(spread(drawn, *two) <= 4 for two in itertools.combinations(drawn[0], 2))
    # 24 combinations of stage 1, each with three readings.
    assert set(Counter(tuple(r[f] for f in STAGE1) for r in drawn).values()) == {3}


@pytest.mark.parametrize("seed", range(3))
def test_design_of_few_blocks_shares_them(seed):
    drawn = design(GRID, 72, few=6, seed=seed)
    assert len(blocks(drawn)) == 6 and all(spread(drawn, factor) == 0 for factor in drawn[0])
    # 12 combinations of stage 1, each with six readings.
    assert set(Counter(tuple(r[f] for f in STAGE1) for r in drawn).values()) == {6}


def test_seeds_draw_other_readings_and_one_seed_the_same():
    assert design(GRID, 40, seed=1) == design(GRID, 40, seed=1) != design(GRID, 40, seed=2)


@pytest.mark.parametrize("n", [1, 5, 6, 11, 12])
def test_a_draw_is_balanced_at_any_size(n):
    codes = np.array([*itertools.product(range(2), range(3), range(2))])
    drawn = codes[balanced(codes, n, np.random.default_rng(0))]
    assert len(drawn) == n
    for column, levels in zip(drawn.T, (2, 3, 2), strict=True):
        counts = np.bincount(column, minlength=levels)
        assert counts.max() - counts.min() <= 1


def test_the_whole_grid_is_a_sample():
    small = {**GRID, "features": ["sigmoid"], "epochs": [2], "rho": ["0.8/0.3"]}
    assert len(design(small, 24)) == 24  # 2 * 2 * 3 * 2


def test_blocks_are_what_baselines_depend_on():
    drawn = design(GRID, 72)
    found = blocks(drawn)
    assert len(found) == 12 and set(found[0]) == {"activation", "features", "epochs"}
    parts = [of_block(drawn, {**block, "epochs": int(block["epochs"])}) for block in found]
    assert [len(part) for part in parts] == [6] * 12
    assert [reading for part in parts for reading in part] == drawn


def test_levels_map_to_settings():
    assert correlation("raw-1") == {"corr_scale": "raw", "lambda_corr": 1}
    assert correlation("initial-2.5") == {"corr_scale": "initial", "lambda_corr": 2.5}
    assert rho("0.8/0.3") == {"image": 0.8, "speech": 0.3}


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ({"colour": ["red"]}, r"readings\.factors: expected levels for each of .*found .*'colour'"),
        ({"activation": ["sine"]}, r"factors\.activation: expected levels from .*found 'sine'"),
        ({"correlation": ["raw"]}, r"correlation: expected scale-lambda.*found 'raw'"),
        ({"rho": ["0.8"]}, r"rho: expected image/speech in \(0, 1\).*found '0\.8'"),
        ({"rho": ["0.8/1.0"]}, r"rho: expected .*found '0\.8/1\.0'"),
        ({"epochs": [0]}, r"epochs: expected positive integers, found '0'"),
        ({"z": []}, r"z: expected one or more distinct levels, found '?\[\]"),
        ({"z": ["joint", "joint"]}, r"z: expected one or more distinct levels"),
    ],
)
def test_unknown_readings(factors, said):
    with pytest.raises(InputError, match=said):
        design({**GRID, **factors}, 4)


def test_no_seeds():
    with pytest.raises(InputError, match=r"readings\.seeds: expected one seed or more, found none"):
        check_seeds([])


def test_a_missing_factor_and_a_sample_larger_than_the_grid():
    with pytest.raises(InputError, match=r"readings\.factors: expected levels for each of"):
        design({name: GRID[name] for name in GRID if name != "z"}, 4)
    with pytest.raises(InputError, match=r"sample: expected 1 to 432, .*found 433"):
        design(GRID, 433)
    with pytest.raises(InputError, match=r"sample: expected 1 to 36, .*found 64"):
        design(GRID, 64, few=1)
    with pytest.raises(InputError, match=r"blocks: expected 1 to 12, .*found 13"):
        design(GRID, 64, few=13)


#: Scores under which no claim holds but the one on noise.
LOW = {
    **{"f1_image": 0.95, "f1_speech": 1.0},
    **{"weighted": 0.5, "oracle": 0.7, "unweighted": 0.6},
    **{"jmvae": 0.5, "mvae": 0.55, "denoising": 0.75},
}
SMALL = {factor: levels[:2] for factor, levels in GRID.items()}


def made_up(change, seeds=(0,), latents=(2,), levels=SMALL):
    """Return mean scores of all readings of levels: LOW, and what `change` makes of a reading."""
    readings = [dict(zip(levels, of, strict=True)) for of in itertools.product(*levels.values())]
    rows = [
        {**LOW, **{f: str(v) for f, v in r.items()}, "latent": latent, "seed": seed}
        | change({**r, "seed": seed, "latent": latent})
        for r in readings
        for latent in latents
        for seed in seeds
    ]
    return mean_scores(pa.Table.from_pylist(rows, schema=READINGS), "made up")


def by_level(table, claim, factor):
    rows = [r for r in table.to_pylist() if (r["claim"], r["factor"]) == (claim, factor)]
    return {row["level"]: row for row in rows}


def test_shares_by_hand():
    """With relu, and with tanh where z is joint and neighbours distinct, weighting gains."""

    def change(r):
        gains = r["activation"] == "relu" or (r["z"], r["neighbours"]) == ("joint", "distinct")
        return {"weighted": 0.62} if gains else {}

    table = shares(made_up(change))
    claim = "weighted > unweighted"
    every = by_level(table, claim, "all")[""]
    assert (every["readings"], every["held"], every["share"]) == (256, 160, 5 / 8)
    assert every["margin"] == pytest.approx(5 / 8 * 0.02 - 3 / 8 * 0.1)
    found = {f: by_level(table, claim, f) for f in FACTORS}
    assert {level: row["share"] for level, row in found["activation"].items()} == {
        "tanh": 1 / 4,
        "relu": 1,
    }
    assert found["activation"]["tanh"]["effect"] == 3 / 4
    assert found["activation"]["relu"]["margin"] == pytest.approx(0.02)
    assert found["z"]["joint"]["share"] == 3 / 4 and found["z"]["detached"]["share"] == 1 / 2
    assert found["neighbours"]["distinct"]["effect"] == 1 / 4
    assert found["rho"]["0.8/0.3"]["effect"] == 0
    # Equal scores don't hold a claim: .5 is not above JMVAE-KL's .5, .62 is.
    assert by_level(table, "IMA > JMVAE-KL", "all")[""]["share"] == 5 / 8
    assert by_level(table, "IMA > denoising autoencoder", "all")[""]["held"] == 0
    assert "weighted > unweighted (2-D) 160/256" in summary(table)


def test_a_factor_that_decides_has_effect_1_and_one_that_does_not_0():
    table = shares(made_up(lambda r: {"weighted": 0.9 if r["z"] == "joint" else 0.4}))
    for claim in set(CLAIMS) - {"noise found in both modalities"}:
        rows = {f: [*by_level(table, claim, f).values()] for f in FACTORS}
        assert all(row["effect"] == 1 and row["p"] < 0.01 for row in rows.pop("z"))
        for others in rows.values():
            assert all(row["effect"] == 0 and row["p"] == 1 for row in others)


@pytest.mark.parametrize("seed", range(3))
def test_no_factor_decides_what_is_drawn_by_lot(seed):
    """Claims that hold at random by model: effects are small, and rarely p below .05."""
    rng, lots = np.random.default_rng(seed), {}

    def change(r):
        model = tuple(r[name] for name in (*STAGE1, *STAGE2))
        return {"weighted": lots.setdefault(model, rng.choice([0.4, 0.9]))}

    table = shares(made_up(change))
    rows = [r for r in table.to_pylist() if r["claim"] == "weighted > unweighted" and r["level"]]
    assert max(row["effect"] for row in rows) < 0.3
    assert len({row["factor"] for row in rows if row["p"] < 0.05}) <= 1


@pytest.mark.parametrize("shared", [STAGE1, BLOCK])
def test_chance_differences_of_stage1_are_no_effect(shared):
    """Readings of a stage 1, or of a block, stand or fall together: they count as one."""
    rng, lots, low = np.random.default_rng(0), {}, 0
    for _ in range(8):
        lots = {}

        def change(r, lots=lots):
            of = tuple(r[name] for name in shared)
            return {"weighted": lots.setdefault(of, rng.choice([0.4, 0.9]))}

        rows = shares(made_up(change), shuffles=100).to_pylist()
        low += any(
            row["p"] < 0.05
            for row in rows
            if row["claim"] == "weighted > unweighted" and row["factor"] == "activation"
        )
    assert low <= 2  # of 8, at a level of .05


def test_chance_differences_of_autoencoders_are_no_effect_of_rho():
    """With untrained importances, each rho has an autoencoder of its own, which counts as one."""
    rng, low, levels = np.random.default_rng(0), 0, {**SMALL, "importances": ["untrained"]}
    for _ in range(20):
        lots = {}

        def change(r, lots=lots):
            autoencoder = tuple(r[name] for name in (*STAGE1, "rho"))
            return {"weighted": lots.setdefault(autoencoder, rng.choice([0.4, 0.9]))}

        rows = by_level(
            shares(made_up(change, levels=levels), shuffles=100), "weighted > unweighted", "rho"
        )
        low += rows["0.8/0.3"]["p"] < 0.05
    assert low <= 3  # of 20, at a level of .05


def test_rho_that_decides_has_effect_1_if_each_has_an_autoencoder():
    levels = {**SMALL, "importances": ["untrained"]}
    means = made_up(lambda r: {"weighted": 0.9 if r["rho"] == "0.8/0.3" else 0.4}, levels=levels)
    row = by_level(shares(means), "weighted > unweighted", "rho")["0.8/0.8"]
    assert row["effect"] == 1 and row["p"] < 0.02  # of 2^8 ways to exchange two rho in 8 blocks


def test_factors_with_one_level_are_not_adjusted_for():
    """Four factors of eight vary: their smallest p counts four times, not eight."""
    varying = ("correlation", "rho", "z", "neighbours")
    levels = {f: of if f in varying else of[:1] for f, of in SMALL.items()}
    table = shares(
        made_up(lambda r: {"weighted": 0.9 if r["z"] == "joint" else 0.4}, levels=levels)
    )
    rows = {f: [*by_level(table, "weighted > unweighted", f).values()] for f in FACTORS}
    assert [len(rows[f]) for f in FACTORS] == [1 if f not in varying else 2 for f in FACTORS]
    assert 0 < rows["z"][0]["p"] < 0.1
    assert rows["z"][0]["p_adjusted"] == pytest.approx(4 * rows["z"][0]["p"])
    assert {row["p_adjusted"] for f in FACTORS if f != "z" for row in rows[f]} == {1}


def test_noise_is_found_where_the_worse_modality_has_it():
    table = shares(made_up(lambda r: {"f1_speech": 0.89 if r["rho"] == "0.8/0.3" else 0.91}))
    found = by_level(table, "noise found in both modalities", "rho")
    assert found["0.8/0.3"]["share"] == 0 and found["0.8/0.8"]["share"] == 1
    assert found["0.8/0.3"]["margin"] == pytest.approx(-0.01)


def test_a_claim_is_of_the_mean_over_seeds():
    means = made_up(lambda r: {"weighted": (0.9, 0.5)[r["seed"]], "jmvae": None}, seeds=(0, 1))
    row = means.to_pylist()[0]
    assert row["seeds"] == 2 and row["weighted"] == pytest.approx(0.7)
    assert row["margin: weighted > unweighted"] == pytest.approx(0.1)
    # Without a baseline there is no such claim.
    assert row["jmvae"] is None and ("IMA > JMVAE-KL", 2) not in claims_of(means)
    lacking = pa.Table.from_pylist(
        [
            {**LOW, **{f: str(levels[i]) for f, levels in SMALL.items()}, "latent": 2, "seed": s}
            for i, s in ((0, 0), (0, 1), (1, 0))
        ],
        schema=READINGS,
    )
    with pytest.raises(InputError, match="expected the same number of seeds for each"):
        mean_scores(lacking, "lacking")


def test_effect_by_hand():
    held = np.array([True, True, False, False, False, True])
    assert effect_of(held, np.array([0, 0, 0, 1, 1, 1])) == pytest.approx(1 / 3)
    assert effect_of(held, np.array([0, 0, 1, 1, 2, 2])) == 1
    assert effect_of(held, np.zeros(6, int)) == 0


def data(seed=0, pairs=240):
    """Return features of two modalities that share ten classes, a tenth of the pairs with noise."""
    rng = np.random.default_rng(seed)
    label = np.arange(pairs) % 10
    pair_type = np.array(["clean"] * 8 + ["image_noise", "speech_noise"])[
        np.arange(pairs) // 10 % 10
    ]
    x = {}
    for m, width in (("image", 20), ("speech", 24)):
        made = (rng.random((10, width)) < 0.5)[label] ^ (rng.random((pairs, width)) < 0.05)
        made[pair_type == f"{m}_noise"] = (
            rng.random((pairs, width))[pair_type == f"{m}_noise"] < 0.5
        )
        x[m] = torch.from_numpy(made.astype(np.float32))
    parts = np.split(rng.permutation(pairs), (pairs // 2, 3 * pairs // 4))
    train, validation = ({m: torch.from_numpy(rows) for m in x} for rows in parts[:2])
    test = {f"item_{m}": parts[2].astype(np.int32) for m in x}
    test |= {"label": label[parts[2]].astype(np.int8), "pair_type": pair_type[parts[2]]}
    return Data(x, train, validation, pa.table(test))


SETTINGS = Settings(
    layers={m: {"hidden": 8, "loss": "bce"} for m in ("image", "speech")},
    stage1={2: {"objective": "paper"}, 3: {"objective": "paper", "learning_rate": 0.01}},
    stage2={"objective": "paper", "steps": 4, "batch_size": 64, "restarts": 2},
    hidden=6,
    baselines={name: {2: {}, 3: {}} for name in ("jmvae", "denoising")},
    k=5,
)
BLOCK_OF = {"activation": "relu", "features": "binary", "epochs": 2}


def trained(readings, seed=0):
    both = ("all", "distinct")
    return train_block(BLOCK_OF, readings, both, data(), SETTINGS, seed).to_pylist()


def test_a_block_trains_what_its_readings_share_once_and_what_differs_apart():
    readings = of_block(design({**GRID, "epochs": [2]}, 216), BLOCK_OF)
    chosen = [r for r in readings if r["importances"] == "ones"][:3]
    chosen += [r for r in readings if r["importances"] == "untrained"][:6]
    rows = trained(chosen)
    assert len(rows) == len(chosen) * 2 * 2
    of = {latent: [r for r in rows if r["latent"] == latent] for latent in (2, 3)}
    for some in of.values():
        distinct = [r for r in some if r["neighbours"] == "distinct"]
        assert len({r["jmvae"] for r in distinct}) == 1 and {r["mvae"] for r in some} == {None}
        assert len({r["unweighted"] for r in distinct if r["importances"] == "ones"}) == 1
        by_rho = {(r["rho"], r["unweighted"]) for r in distinct if r["importances"] != "ones"}
        assert len(by_rho) == len({rho for rho, _ in by_rho}) > 1
        assert all(0 <= r[name] <= 1 for r in some for name in ("f1_image", "weighted", "oracle"))
    # Whatever else is trained beside it, a reading's scores are its own.
    assert trained(chosen[-1:]) == [
        r
        for r in rows
        if all(r[f] == chosen[-1][f] for f in STAGE2) and r["importances"] == "untrained"
    ]
    assert trained(chosen[-1:], seed=1) != trained(chosen[-1:])


def test_features_of_each_level():
    image = np.array([[0, 0.5, 0.49, 1]], np.float32).repeat(4, 0)
    mfcc = np.array([[0, 0], [2, 2], [1, 4], [9, 9]], np.float32)
    made = {
        level: features(level, image, mfcc, np.arange(3), 2)
        for level in ("sigmoid", "binary", "binary-both")
    }
    assert made["binary"]["speech"].tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]  # medians 1 and 2
    assert made["binary-both"]["speech"].equal(made["binary"]["speech"])
    assert made["binary"]["image"].equal(torch.from_numpy(image))
    assert made["binary-both"]["image"].tolist() == [[0, 1, 0, 1]] * 4
    assert made["sigmoid"]["speech"][2, 0] == 0.5  # the mean of the three that it is fitted to


def test_figure_has_a_curve_and_a_strip_for_each_claim_and_latent_size(tmp_path):
    change = lambda r: {"weighted": 0.5 + 0.01 * (len(r["z"]) + len(r["rho"])) * r["latent"]}  # noqa: E731
    means = made_up(change, latents=(2, 50))
    means = means.filter(pc.equal(means["epochs"], "12"))  # a factor of one level is drawn, too
    table = shares(means, shuffles=400)
    small = pa.array([0.01] * len(table))  # p values that are not adjusted make nothing bold
    figure = draw(means, table.set_column(table.column_names.index("p"), "p", small))
    assert len(figure.axes) == 2 * 2 * len(CLAIMS) + 1
    bold = [text for axes in figure.axes for text in axes.texts if text.get_weight() == "bold"]
    assert len(bold) == pc.sum(pc.less(table["p_adjusted"], 0.05)).as_py() == 2
    save(figure, tmp_path / "readings.png", tmp_path / "readings.pdf")
    assert (tmp_path / "readings.png").stat().st_size > 20_000
    assert len(readings_of(means)) == 2**7


@pytest.mark.parametrize("name", ["config", "open", "paper"])
def test_readings_of_the_configs_are_a_sample_of_their_grid(name):
    own = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
    config = merged(defaults(), own)["readings"]
    drawn = design(config["factors"], config["sample"], config["blocks"], config["seed"])
    assert len(drawn) == config["sample"] and (name == "config" or len(drawn) >= 64)
