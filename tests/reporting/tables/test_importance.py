"""Tables of importances: means, least values and counts of seeds by hand."""

import math

import pyarrow as pa
import pytest

from ima.reporting.tables.importance import by_seed, noises
from ima.utils.schemas import NOISE_STUDY


def row(seed, f1, variant="ima+", latent=50, modality="image"):
    model = {"variant": variant, "latent": latent, "seed": seed, "modality": modality}
    error = {"se_items": f1 / 100, "df_items": 5}
    return {**model, "f1_noise": f1, "f1_shuffled": f1 / 5, "f1_important": 1 - f1 / 10} | error


def test_by_seed_by_hand():
    rows = [row(3, 0.5), row(0, 1.0), row(1, 0.98), row(0, 0.25, "paper", 2)]
    ours, paper = by_seed(rows, "demo").to_pylist()
    assert (ours["run"], ours["variant"], ours["latent"], ours["seeds"]) == (
        "demo",
        "ima+",
        50,
        3,
    )
    assert ours["f1_noise"] == pytest.approx(2.48 / 3) and ours["f1_noise_min"] == 0.5
    assert ours["seeds_at_0.98"] == 2
    assert ours["f1_shuffled"] == pytest.approx(2.48 / 15)
    assert ours["f1_noise_ci_items"] == pytest.approx(2.57058 * 2.48 / 300, rel=1e-5)
    assert ours["f1_important"] == pytest.approx(1 - 2.48 / 30)
    assert [ours[f"f1_seed{seed}"] for seed in (0, 1, 3)] == [1.0, 0.98, 0.5]
    assert (paper["f1_noise"], paper["f1_noise_sd"], paper["seeds_at_0.98"]) == (0.25, None, 0)
    assert paper["f1_seed1"] is None


def test_noises_by_hand():
    head = {"noise_type": "mispaired", "R": 0.1, "modality": "image", "precision_noise": 1.0}
    rows = [
        {**head, "seed": 0, "detector": "ima+", "recall_noise": 0.5, "f1_noise": 0.25},
        {**head, "seed": 1, "detector": "ima+", "recall_noise": 0.5, "f1_noise": 0.75},
        {**head, "seed": 0, "detector": "random", "recall_noise": 0.0, "f1_noise": 0.125},
    ]
    ours, random = noises(pa.Table.from_pylist(rows, schema=NOISE_STUDY), "demo").to_pylist()
    assert (ours["seeds"], ours["f1_noise"]) == (2, 0.5)
    assert ours["f1_noise_sd"] == pytest.approx(math.sqrt(1 / 8))
    assert (ours["recall_noise"], ours["recall_noise_sd"]) == (0.5, 0)
    assert (random["seeds"], random["f1_noise"], random["f1_noise_sd"]) == (1, 0.125, None)
