"""What any representation must beat: raw features and PCA above chance, chance at 1/classes."""

import numpy as np
import pyarrow as pa
import pytest

from ima.evaluation.reference import cca, pca, score_anchors, views
from ima.utils.errors import InputError
from ima.utils.schemas import pairs_schema


def test_views_by_hand():
    x = {"image": np.array([[1.0, 2.0], [3.0, 4.0]]), "speech": np.array([[5.0], [6.0], [7.0]])}
    items = {"image": np.array([1, 0, 1]), "speech": np.array([0, 2, 2])}
    found = views(x, items)
    assert list(found) == ["joint", "image", "speech"]
    assert found["image"].tolist() == [[3, 4], [1, 2], [3, 4]]
    assert found["speech"].tolist() == [[5], [7], [7]]
    assert found["joint"].tolist() == [[3, 4, 5], [1, 2, 7], [3, 4, 7]]
    assert list(views(x, {"speech": np.array([1])})) == ["joint", "speech"]


def test_pca_by_hand():
    """Along (3, 4) / 5; the mean and the axis are those of the training pairs."""
    train = {"joint": np.array([[-3.0, -4.0], [0.0, 0.0], [3.0, 4.0]]) + 10}
    test = {"joint": np.array([[16.0, 18.0], [10.0, 10.0], [14.0, 7.0]])}
    found = pca(train, test, 1)
    assert found.keys() == {"joint"} and found["joint"].shape == (3, 1)
    sign = np.sign(found["joint"][0, 0])  # an axis has two directions
    np.testing.assert_allclose(sign * found["joint"][:, 0], [10, 0, 0], atol=1e-9)


CLASSES = 10


def problem(seed, spread):
    """Return features around 10 centres, and tables of 400 pairs of them to fit and to test."""
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(CLASSES), 80)
    x, tables = {}, []
    for name, width in (("image", 8), ("speech", 6)):
        centres = rng.normal(size=(CLASSES, width))
        x[name] = centres[label] + spread * rng.normal(size=(len(label), width))
    for part in np.array_split(rng.permutation(len(label)), 2):
        pair_type = np.where(np.arange(len(part)) % 4, "clean", "speech_noise")
        columns = {
            "item_image": part,
            "item_speech": part,
            "label": label[part],
            "pair_type": pair_type,
        }
        tables.append(pa.table(columns).cast(pairs_schema(x)))
    return x, *tables


@pytest.fixture(scope="module")
def scored():
    x, train, test = problem(0, spread=0.3)
    rows = score_anchors(x, train, train, test, [2, 5], [1, 10])
    names = ("model", "latent", "representation", "k", "neighbours", "subset")
    found = {tuple(row[name] for name in names): row["precision"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_rows(scored):
    views_of = ("joint", "image", "speech")
    models = [("raw", None, view) for view in views_of]
    models += [("pca", latent, view) for latent in (2, 5) for view in views_of]
    models += [("cca", latent, view) for latent in (2, 5) for view in views_of]
    models += [("chance", None, "joint")]
    assert scored.keys() == {
        (*one, k, neighbours, subset)
        for one in models
        for k in (1, 10)
        for neighbours in ("all", "distinct")
        for subset in ("all", "speech_noise")
    }


def test_chance_is_one_in_ten(scored):
    chance = [value for key, value in scored.items() if key[0] == "chance" and key[-1] == "all"]
    assert chance == pytest.approx([1 / CLASSES] * 4, abs=0.04)


def test_separable_data_are_far_above_chance(scored):
    for key, value in scored.items():
        if key[0] != "chance" and key[-1] == "all":
            assert value > (0.9 if key[0] == "raw" and key[2] == "joint" else 0.35)
    joint = ("joint", 10, "all", "all")
    assert scored["pca", 5, *joint] > 0.9 and scored["pca", 5, *joint] > scored["pca", 2, *joint]
    # every item is in one pair, so that nothing is left out
    assert all(value == scored[*key[:4], "all", key[5]] for key, value in scored.items())


def test_pca_knows_nothing_of_the_test_pairs():
    x, train, test = problem(0, spread=0.3)
    items = [{m: t[f"item_{m}"].to_numpy() for m in x} for t in (train, test)]
    fit, raw = (views(x, one) for one in items)
    first = {name: values[:10] for name, values in raw.items()}
    np.testing.assert_allclose(pca(fit, first, 2)["joint"], pca(fit, raw, 2)["joint"][:10])


def test_more_components_than_dimensions():
    x, train, test = problem(0, spread=0.3)
    items = {m: train[f"item_{m}"].to_numpy() for m in x}
    with pytest.raises(InputError, match="PCA of speech: expected 1 to 6 components, found 7"):
        pca({"speech": views(x, items)["speech"]}, {}, 7)
    # A table has the latent sizes that there can be.
    found = score_anchors(x, train, train, test, [6, 7], [1])
    assert {row["latent"] for row in found} == {None, 6}


def test_cca_finds_the_shared_direction_by_hand():
    """Of two directions of each modality, one is shared: its mean over modalities is 2 s / 2."""
    rng = np.random.default_rng(0)
    s = rng.normal(size=6000)
    x = {
        "a": np.stack([s, 5 * rng.normal(size=6000)], 1),
        "b": np.stack([3 * s, s + rng.normal(size=6000)], 1),
    }
    parts = [{m: of[i * 2000 : (i + 1) * 2000] for m, of in x.items()} for i in range(3)]
    found = cca(*parts, 1)
    for z in found.values():
        assert z.shape == (2000, 1)
        assert abs(np.corrcoef(z[:, 0], s[4000:])[0, 1]) > 0.999
    shuffled = {m: rng.permutation(of) for m, of in parts[1].items()}
    assert np.abs(cca(parts[0], shuffled, parts[2], 1)["joint"]).mean() < 0.3  # 0.8 if shared
