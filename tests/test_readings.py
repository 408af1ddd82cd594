"""The multiverse of readings: a balanced design, shares by hand, effects that are and are not."""

import itertools
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import yaml

from ima.errors import InputError
from ima.figures import save
from ima.figures_readings import draw
from ima.readings import (
    FACTORS,
    STAGE1,
    STAGE2,
    balanced,
    blocks,
    correlation,
    design,
    of_block,
    rho,
)
from ima.readings_claims import (
    CLAIMS,
    claims_of,
    deciding,
    effect_of,
    mean_scores,
    readings_of,
    shares,
    told,
)
from ima.schema import READINGS
from tests.workflow import ROOT

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
    # 12 combinations of stage 1, each with six readings, two of each rho.
    counts = Counter((*(r[f] for f in STAGE1), r["rho"]) for r in drawn)
    assert len(counts) == 36 and set(counts.values()) == {2}


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
    assert sorted(map(len, parts)) == [6] * 12 and sum(parts, []) == drawn


def test_levels_say_what_is_set():
    assert correlation("raw-1") == {"corr_scale": "raw", "lambda_corr": 1}
    assert correlation("initial-2.5") == {"corr_scale": "initial", "lambda_corr": 2.5}
    assert rho("0.8/0.3") == {"image": 0.8, "speech": 0.3}


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ({"colour": ["red"]}, r"readings\.factors: expected levels of each of .*found .*'colour'"),
        ({"activation": ["sine"]}, r"factors\.activation: expected levels out of .*found 'sine'"),
        ({"correlation": ["raw"]}, r"correlation: expected scale-lambda.*found 'raw'"),
        ({"rho": ["0.8"]}, r"rho: expected image/speech in \(0, 1\).*found '0\.8'"),
        ({"rho": ["0.8/1.0"]}, r"rho: expected .*found '0\.8/1\.0'"),
        ({"epochs": [0]}, r"epochs: expected whole numbers from 1, found '0'"),
        ({"z": []}, r"z: expected one or more different levels, found '?\[\]"),
        ({"z": ["joint", "joint"]}, r"z: expected one or more different levels"),
    ],
)
def test_unknown_readings(factors, said):
    with pytest.raises(InputError, match=said):
        design({**GRID, **factors}, 4)


def test_a_missing_factor_and_a_sample_larger_than_the_grid():
    with pytest.raises(InputError, match=r"readings\.factors: expected levels of each of"):
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


def made_up(change, seeds=(0,), latents=(2,)):
    """Return mean scores of all readings of SMALL: LOW, and what `change` makes of a reading."""
    readings = [dict(zip(SMALL, of, strict=True)) for of in itertools.product(*SMALL.values())]
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
    assert "weighted > unweighted (2-D) 160/256" in told(table)


def test_a_factor_that_decides_has_effect_1_and_one_that_does_not_0():
    table = shares(made_up(lambda r: {"weighted": 0.9 if r["z"] == "joint" else 0.4}))
    for claim in set(CLAIMS) - {"noise found in both modalities"}:
        rows = {f: [*by_level(table, claim, f).values()] for f in FACTORS}
        assert all(row["effect"] == 1 and row["p"] < 0.01 for row in rows.pop("z"))
        for others in rows.values():
            assert all(row["effect"] == 0 and row["p"] == 1 for row in others)
    assert {row["factor"] for row in deciding(table)} == {"z"}


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


def test_what_stage_1_decides_by_lot_is_not_taken_for_an_effect():
    """All readings of a stage 1 stand or fall together: they are no evidence each of its own."""
    rng, lots, low = np.random.default_rng(0), {}, 0
    for _ in range(20):
        lots = {}

        def change(r, lots=lots):
            of = tuple(r[name] for name in STAGE1)
            return {"weighted": lots.setdefault(of, rng.choice([0.4, 0.9]))}

        rows = shares(made_up(change), shuffles=200).to_pylist()
        low += any(
            row["p"] < 0.05
            for row in rows
            if row["claim"] == "weighted > unweighted" and row["factor"] == "activation"
        )
    assert low <= 3  # of 20, at a level of .05


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
    with pytest.raises(InputError, match="expected as many seeds of each"):
        mean_scores(lacking, "lacking")


def test_effect_by_hand():
    held = np.array([True, True, False, False, False, True])
    assert effect_of(held, np.array([0, 0, 0, 1, 1, 1])) == pytest.approx(1 / 3)
    assert effect_of(held, np.array([0, 0, 1, 1, 2, 2])) == 1
    assert effect_of(held, np.zeros(6, int)) == 0


def test_figure_has_a_curve_and_a_strip_for_each_claim_and_latent_size(tmp_path):
    change = lambda r: {"weighted": 0.5 + 0.01 * (len(r["z"]) + len(r["rho"])) * r["latent"]}  # noqa: E731
    means = made_up(change, latents=(2, 50))
    figure = draw(means, shares(means))
    assert len(figure.axes) == 2 * 2 * len(CLAIMS) + 1
    save(figure, tmp_path / "readings.png", tmp_path / "readings.pdf")
    assert (tmp_path / "readings.png").stat().st_size > 20_000
    assert len(readings_of(means)) == 2**8


@pytest.mark.parametrize("name", ["config", "open"])
def test_readings_of_the_configs_are_a_sample_of_their_grid(name):
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())["readings"]
    config |= yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())["readings"]
    drawn = design(config["factors"], config["sample"], config["blocks"], config["seed"])
    assert len(drawn) == config["sample"] and (name == "config" or len(drawn) >= 64)
