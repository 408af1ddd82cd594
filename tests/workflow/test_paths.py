"""Checkouts, data and results in places of any name."""

import numpy as np
import pandas as pd
import pytest

from tests.checkout import Checkout, merged, plans

#: What shells, Snakemake and encodings may take for something else.
ODD = "a b'c é$HOME;&#%"
TARGETS = ["results/odd/own/pairs/train.parquet", "results/odd/own/scaled/a.arrow"]


def checkout(folder, place="."):
    """Return a checkout in a folder, with data of its own in a place below it."""
    made = Checkout(folder)
    rng, files = np.random.default_rng(0), {}
    (folder / place).mkdir(parents=True, exist_ok=True)
    for name in "ab":
        frame = pd.DataFrame(rng.normal(size=(30, 3)), columns=["é.1", "x/y", "ı\n"])
        frame["id"] = [f"ß{i}" for i in range(30)]
        files[name] = f"{place}/{name}.csv"
        frame.to_csv(folder / files[name], index=False)
    pairs = pd.DataFrame(dict.fromkeys("ab", frame["id"]))
    pairs.to_csv(folder / place / "pairs.csv", index=False)
    made.config = {
        "run": "odd",
        "own": {
            "modalities": {
                name: {"file": file, "vector": {"all_but": "id"}} for name, file in files.items()
            },
            "pairs": {"by": "file", "file": f"{place}/pairs.csv"},
        },
    }
    return made


def test_braces_in_paths_of_data_are_no_wildcards(tmp_path):
    """Such files cannot be inputs, but what they hold is a param of the rule."""
    made = checkout(tmp_path / "checkout", "{run}/{x} {}")
    before = plans([(made.folder, made.config)], TARGETS)[0].of_rules(["own_features", "own_pairs"])
    for name in ("a", "b", "pairs"):
        made.edit(f"{{run}}/{{x}} {{}}/{name}.csv")
    after = plans([(made.folder, made.config)], TARGETS)[0].of_rules(["own_features", "own_pairs"])
    prints = [{job["params"]["fingerprint"] for job in jobs} for jobs in (before, after)]
    assert len(prints[0]) == 3 and not prints[0] & prints[1]


def test_braces_in_the_path_of_a_checkout(tmp_path):
    made = checkout(tmp_path / "{x}")
    with pytest.raises(RuntimeError, match=r"expected paths without braces, .* Rename the folder"):
        plans([(made.folder, made.config)], TARGETS)


@pytest.mark.slow
def test_odd_places_give_the_same_bytes(tmp_path):
    plain = checkout(tmp_path / "plain")
    odd = checkout(tmp_path / (ODD + '"'), f"{ODD}{{x}}")
    odd.config = merged(odd.config, {"latents": [2]})
    (odd.folder / "elsewhere").mkdir()
    (odd.folder / "results").symlink_to("elsewhere")
    for made in (plain, odd):
        made.snakemake(*TARGETS)
    for target in TARGETS:
        assert (plain.folder / target).read_bytes() == (odd.folder / target).read_bytes()
