"""Modalities that pairs lack (Section 3, y_j = 0 in Eq. 1): tables, losses, models, scores."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from ima import IMA as Estimator
from ima.evaluation.classifier import Classifier, accuracy_rows
from ima.evaluation.fusion import distances, mean_weights
from ima.evaluation.metrics import fused, score_model
from ima.evaluation.neighbours import neighbours
from ima.evaluation.reference import JOINT, only, views
from ima.evaluation.represent import as_table, joint, represent
from ima.evaluation.rho_sweep import sweep
from ima.evaluation.tsne import View, embed_views
from ima.models import baselines, checkpoints
from ima.models.autoencoder import Stage1
from ima.models.baselines.absent import completed
from ima.models.baselines.denoising import DenoisingSettings
from ima.models.baselines.gaussian import Gaussian, kl, product
from ima.models.baselines.jmvae import JMVAESettings
from ima.models.baselines.mvae import (
    MVAE,
    MVAESettings,
    counted_subsets,
    fixed_subsets,
    mvae_losses,
)
from ima.models.ima import Autoencoder, IMANetwork, Modality
from ima.models.importance import Stage2
from ima.models.objectives import autoencoder_ima_plus, autoencoder_paper, masked_importances
from ima.pairing.by_label import ABSENT, is_noise, item_column, noise_count, read_pairs, row_numbers
from ima.training.loop import gather
from ima.utils.arrow import matrix, present, vector_column
from ima.utils.errors import InputError
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas import pairs_schema, representations_schema

TWO = {"a": Modality(3, 4, activation="tanh"), "b": Modality(2, 4, "sse", "tanh")}
THREE = {**TWO, "c": Modality(2, 3)}
#: Three samples: complete, without b, without a.
ROWS = {"a": torch.tensor([0, 1, ABSENT]), "b": torch.tensor([1, ABSENT, 0])}
NAN = float("nan")


def inputs(modalities=TWO, n=6, seed=0):
    torch.manual_seed(seed)
    return {m: torch.rand(n, of.dimension) for m, of in modalities.items()}


def model(modalities=TWO, seed=0):
    torch.manual_seed(seed)
    return IMANetwork.of(modalities, 2, 4, {m: [0.6] for m in modalities})


def pair_table(**columns):
    """Return a table of pairs; None is absent."""
    names = [m for m in columns if m not in ("label", "pair_type")]
    count = len(columns[names[0]])
    table = {f"item_{m}": columns[m] for m in names}
    table["label"] = columns.get("label", [0] * count)
    table["pair_type"] = columns.get("pair_type", ["clean"] * count)
    return pa.table(table).cast(pairs_schema(names))


# Tables of pairs


def test_missing_items_are_null_in_files_and_absent_in_tensors(tmp_path):
    path = tmp_path / "pairs.parquet"
    table = pair_table(a=[0, None, 2], b=[None, 1, 0])
    write_parquet(table, path, pairs_schema("ab"))
    assert read_pairs(path).equals(table)
    found = checkpoints.load_pairs(path)
    assert found["a"].tolist() == [0, ABSENT, 2] and found["b"].tolist() == [ABSENT, 1, 0]
    assert all(rows.dtype == torch.int64 for rows in found.values())
    assert item_column(row_numbers(table, "a")).to_pylist() == [0, None, 2]


def test_a_table_that_lacks_nothing_has_the_same_bytes_as_before(tmp_path):
    table = pair_table(a=[0, 1], b=[1, 0])
    write_parquet(table, tmp_path / "now", pairs_schema("ab"))
    required = pa.schema([field.with_nullable(False) for field in pairs_schema("ab")])
    write_parquet(table, tmp_path / "before", required)
    assert (tmp_path / "now").read_bytes() == (tmp_path / "before").read_bytes()


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"a": [0, 1], "b": [None, None]}, "an item of b in some of the pairs, found none in 2"),
        ({"a": [0, None], "b": [1, None]}, "found 1 pairs without any, the first in row 1"),
    ],
)
def test_a_table_that_cannot_be(tmp_path, columns, says):
    path = tmp_path / "pairs.parquet"
    write_parquet(pair_table(**columns), path, pairs_schema("ab"))
    with pytest.raises(InputError) as error:
        read_pairs(path)
    assert str(path) in str(error.value) and says in str(error.value) and error.value.do


def test_absent_items_are_not_noise(tmp_path):
    pair_type = ["a_noise", "a_noise", "clean"]
    table = pair_table(a=[5, None, 1], b=[0, 1, None], pair_type=pair_type)
    assert is_noise(table)["a"].tolist() == [True, False, False]
    path = tmp_path / "pairs.parquet"
    write_parquet(table, path, pairs_schema("ab"))
    assert noise_count("a", 5, [path]) == 1 and noise_count("b", 5, [path]) == 0


def test_vectors_that_are_missing(tmp_path):
    values = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    table = pa.table({"u": vector_column(values, np.array([True, False, True]))})
    write_parquet(table, tmp_path / "u.parquet")
    table = read_parquet(tmp_path / "u.parquet")
    assert table["u"].to_pylist() == [[1, 2], None, [5, 6]]
    assert present(table, "u").tolist() == [True, False, True]
    assert matrix(table, "u", absent=True).tolist() == [[1, 2], [0, 0], [5, 6]]
    assert matrix(table.slice(1), "u", absent=True).tolist() == [[0, 0], [5, 6]]
    with pytest.raises(InputError, match="missing"):
        matrix(table, "u")


# Losses of stage 1


def test_eq_2_is_the_sum_over_what_is_there():
    """By numpy, term by term: three samples, complete, without b, without a."""
    net, x = Autoencoder(TWO, 2), inputs()
    batch = gather(x, ROWS)
    terms = autoencoder_paper(net, batch.x, None, batch.present)
    terms = {name: value.item() for name, value in terms.items()}
    u = {m: of.detach().numpy() for m, of in net.encode(batch.x).items()}
    z = np.stack([(u["a"][0] + u["b"][0]) / 2, u["a"][1], u["b"][2]])
    has = {"a": [0, 1], "b": [0, 2]}
    for m, of in TWO.items():
        decoded = net.decoders[m](torch.from_numpy(z)).detach()
        rec = 0.0
        for i in has[m]:
            x_i = x[m][ROWS[m][i]]
            if of.loss == "bce":
                rec += float(binary_cross_entropy_with_logits(decoded[i], x_i, reduction="sum"))
            else:
                rec += float(((decoded[i] - x_i) ** 2).sum())
        assert terms[f"rec_{m}"] == pytest.approx(rec / 3, rel=1e-5)
        align = sum(((z[i] - u[m][i]) ** 2).sum() for i in has[m])
        assert terms[f"align_{m}"] == pytest.approx(align / 3, rel=1e-5)
    assert terms["glob"] == pytest.approx((z**2).sum() / 3, rel=1e-5)


@pytest.mark.parametrize("objective", [autoencoder_paper, autoencoder_ima_plus])
def test_the_encoder_of_what_is_absent_learns_nothing_from_that_row(objective):
    net, x = Autoencoder(TWO, 2), inputs()
    batch = gather(x, ROWS)
    given = {m: of.clone().requires_grad_() for m, of in batch.x.items()}
    terms = objective(net, given, None, batch.present)
    sum(v for t, v in terms.items() if not t.startswith("norm")).backward()
    for m, rows in ROWS.items():
        for i, row in enumerate(rows.tolist()):
            assert (given[m].grad[i].abs().sum() > 0) == (row != ABSENT)
    # Of a batch without b, b's networks get no gradient at all.
    net.zero_grad()
    lone = gather(x, {"a": torch.tensor([0, 1]), "b": torch.tensor([ABSENT, ABSENT])})
    terms = objective(net, lone.x, None, lone.present)
    sum(v for t, v in terms.items() if not t.startswith("norm")).backward()
    for part in (net.encoders, net.decoders):
        assert all(not p.grad.any() for p in part["b"].parameters() if p.grad is not None)
        assert any(p.grad.any() for p in part["a"].parameters())


# Representations


def test_z_of_a_single_modality_is_its_latent():
    net, x = model(), inputs()
    found = represent(net, x, ROWS)
    table = as_table(**found)
    for column in ("z", "z_unweighted"):
        z = matrix(table, column)
        assert (z[1] == found["u"]["a"][1].numpy()).all()
        assert (z[2] == found["u"]["b"][2].numpy()).all()
    y = {m: net.importance[m](x[m])[0, rows[0]].item() for m, rows in ROWS.items()}
    u = {m: found["u"][m][0].numpy() for m in TWO}
    both = (y["a"] * u["a"] + y["b"] * u["b"]) / (y["a"] + y["b"])
    np.testing.assert_allclose(matrix(table, "z")[0], both, rtol=1e-5, atol=1e-6)
    assert present(table, "u_a").tolist() == [True, True, False]
    assert table["y_b"].to_pylist()[1] is None and table["u_b"].to_pylist()[1] is None
    assert table["y_a"].to_pylist()[0] == pytest.approx(y["a"])


def test_weights_of_samples_that_lack_modalities_by_hand():
    """Of one modality 1, whatever its importance; of more, their importances; 0 if absent."""
    present = {"a": torch.tensor([1.0, 1, 0]), "b": torch.tensor([1.0, 0, 0])}
    y = {"a": torch.tensor([[0.2, 0.0, 0.5]]), "b": torch.tensor([[0.7, 0.9, 0.5]])}
    found = masked_importances(y, y, present)
    assert {m: w.tolist() for m, w in found.items()} == {
        "a": [pytest.approx([0.2, 1, 0])],
        "b": [pytest.approx([0.7, 0, 0])],
    }


def test_dropping_a_modality_gives_exactly_the_others_latent():
    net, x = model(), inputs()
    whole = {"a": torch.tensor([3, 4]), "b": torch.tensor([2, 5])}
    lone = {"a": whole["a"], "b": torch.full((2,), ABSENT)}
    found = represent(net, x, lone)
    u = represent(net, x, whole)["u"]["a"]
    assert torch.equal(joint(found["u"], found["y"], found["present"]), u)
    assert torch.equal(joint(found["u"], None, found["present"]), u)
    # Even where its importance is 0.
    zero = {m: torch.zeros(2) for m in TWO}
    assert torch.equal(joint(found["u"], zero, found["present"]), u)


def test_z_ignores_an_absent_modality():
    u = {m: torch.tensor([[float(i + 1)]]) for i, m in enumerate("abc")}
    y = {"a": torch.tensor([0.25]), "b": torch.tensor([0.75]), "c": torch.tensor([0.5])}
    here = {"a": torch.ones(1), "b": torch.ones(1), "c": torch.zeros(1)}
    u["c"] = torch.zeros(1, 1)
    assert joint(u, y, here).item() == pytest.approx(1.75)
    assert joint(u, None, here).item() == pytest.approx(1.5)
    plain = {m: of.numpy() for m, of in u.items()}
    weights, flags = ({m: of.numpy() for m, of in part.items()} for part in (y, here))
    assert fused(plain, weights, {m: of > 0 for m, of in flags.items()}) == pytest.approx(1.75)


def test_a_table_of_representations_goes_through_its_file(tmp_path):
    table = as_table(**represent(model(), inputs(), ROWS))
    schema = representations_schema("ab")
    write_parquet(table, tmp_path / "r.parquet", schema)
    back = read_parquet(tmp_path / "r.parquet", schema)
    assert back.to_pylist() == table.to_pylist()
    full = as_table(**represent(model(), inputs(), {m: torch.tensor([0, 1]) for m in "ab"}))
    write_parquet(full, tmp_path / "full.parquet", schema)
    assert not any(f.nullable for f in pa.parquet.read_schema(tmp_path / "full.parquet"))


# Scores


def test_two_absent_items_are_not_the_same_item():
    z = np.array([[0.0], [0.1], [0.2], [5.0]])
    item = np.array([ABSENT, ABSENT, 3, 3])
    assert neighbours(z, 1, [item])[:, 0].tolist() == [1, 0, 1, 2 - 1]
    # Control: as identifiers they would leave each other out.
    assert neighbours(z, 1, [np.array([9, 9, 3, 3])])[0, 0] == 2


def scored():
    """Return representations and pairs: on a line, the second and last pair without b."""
    pairs = pair_table(
        a=[0, 1, 2, 3],
        b=[0, None, 1, None],
        label=[0, 0, 1, 1],
        pair_type=["clean"] * 3 + ["a_noise"],
    )
    u = {"a": np.array([[0.0], [1], [9], [10]]), "b": np.array([[0.0], [7], [0], [7]])}
    here = {"a": np.ones(4, bool), "b": np.array([True, False, True, False])}
    y = {"a": [0.9, 0.9, 0.2, 0.2], "b": [0.5, None, 0.1, None]}
    table = {"z": vector_column(u["a"]), "z_unweighted": vector_column(u["a"])}
    table |= {f"u_{m}": vector_column(u[m], here[m]) for m in "ab"}
    table |= {f"y_{m}": pa.array(y[m], pa.float32()) for m in "ab"}
    return pa.table(table).cast(representations_schema_of(1)), pairs


def representations_schema_of(width):
    return pa.schema(
        [
            f.with_type(pa.list_(pa.float32(), width)) if pa.types.is_fixed_size_list(f.type) else f
            for f in representations_schema("ab")
        ]
    )


def test_a_modality_is_scored_over_the_pairs_that_have_it():
    representations, pairs = scored()
    scores = score_model(representations, pairs, k=[1])
    of = {
        (row["representation"], row["subset"]): row["precision"]
        for row in scores["retrieval"]
        if row["neighbours"] == "all"
    }
    assert of["a", "all"] == 1 and of["a", "a_noise"] == 1
    assert of["b", "all"] == 0  # the two pairs that have it are of two classes
    assert ("b", "a_noise") not in of  # no such query has b
    # Of a: noise is the last, taken for noise are the last two. Of b: none is, one of two is taken.
    assert scores["noise"]["a"]["precision_noise"] == 1 / 2
    assert scores["noise"]["a"]["recall_noise"] == 1
    assert scores["noise"]["b"] == {
        "precision_noise": 0,
        "recall_noise": 0,
        "f1_noise": 0,
        "accuracy": 1 / 2,
    }


def test_rejects_representations_of_other_pairs():
    representations, pairs = scored()
    other = pairs.set_column(1, "item_b", pa.array([0, 1, None, None], pa.int32()))
    with pytest.raises(InputError, match=r"column 'u_b': expected nothing where the pair lacks b"):
        score_model(representations, other, k=[1])


def test_k_is_lowered_to_the_pairs_with_the_modality(caplog):
    representations, pairs = scored()
    scores = score_model(representations, pairs, k=[2])["retrieval"]
    assert {row["k"] for row in scores if row["representation"] == "b"} == {1}
    assert "K of [2] is lowered to 1" in caplog.text


def test_views_of_tsne_have_no_absent_items():
    rng = np.random.default_rng(0)
    items = [i if i % 3 else None for i in range(90)]
    pairs = pair_table(a=items, b=list(range(90)), label=[i % 5 for i in range(90)])
    shown = {"u_a": View(["a"], rng.random((90, 4))), "z": View(["a", "b"], rng.random((90, 4)))}
    table = embed_views(pairs, [shown], perplexity=5, theta=0.5, seed=0)
    drawn = table.filter(pa.compute.equal(table["view"], "u_a"))["pair"].to_pylist()
    assert drawn == [i for i in range(90) if i % 3] and len(table) == 60 + 90


def test_classifiers_see_only_what_is_there():
    """Rows that lack the view hold the other class' place: taken along, they would mislead."""
    rng = np.random.default_rng(0)
    labels = np.arange(80) % 2
    here = rng.random(80) < 0.5
    z = np.where(here, labels * 4.0, (1 - labels) * 4.0)[:, None] + rng.normal(0, 0.1, (80, 1))
    settings = Classifier(epochs=150, learning_rate=1e-2, hidden=8)
    pairs = pair_table(a=list(range(80)))
    given = ({"a": z}, {"a": z}, [labels, labels], pairs, settings, 0)
    (row,) = accuracy_rows(*given, [{"a": here}, {"a": here}])
    assert row["accuracy"] == 1
    assert accuracy_rows(*given)[0]["accuracy"] < 0.8  # control


def test_raw_views_have_the_mean_of_training_items():
    x = {"a": np.array([[0.0], [1], [5]]), "b": np.array([[2.0], [4]])}
    train = {"a": np.array([0, 1, 1, ABSENT]), "b": np.array([0, 1, 0, 1])}
    test = {"a": np.array([2, ABSENT]), "b": np.array([ABSENT, 1])}
    assert views(x, train)[JOINT].tolist() == [[0, 2], [1, 4], [1, 2], [0.5, 4]]
    assert views(x, test, train)[JOINT].tolist() == [[5, 3], [0.5, 4]]
    assert only(views(x, train), train)["a"].tolist() == [[0], [1], [1]]


def test_sweep_counts_only_present_items():
    """Importances of absent items are 0: counted, they would be unimportant, and noise."""
    x = {m: of.repeat(20, 1) for m, of in inputs(n=4).items()}
    rows = torch.arange(80)
    lone = {"a": rows, "b": torch.where(rows % 2 == 0, rows, ABSENT)}
    noise = {"a": np.zeros(80, bool), "b": np.zeros(80, bool)}
    torch.manual_seed(0)
    net = Autoencoder(TWO, 2)
    settings = Stage2(objective="paper", steps=1, restarts=1, learning_rate=1e-6)
    table = sweep("v", net, x, lone, lone, noise, lone, [0.9, 0.95], 4, settings, 0)
    assert all(row["mean_importance"] > 0.8 for row in table.to_pylist())
    assert all(row["agreement"] == 0 for row in table.to_pylist())  # nothing is unimportant


# Baselines


def test_product_of_present_experts():
    one = Gaussian(torch.tensor([[2.0], [2.0]]), torch.zeros(2, 1))
    two = Gaussian(torch.tensor([[8.0], [8.0]]), torch.zeros(2, 1))
    both, lone = torch.tensor([1.0, 1.0]), torch.tensor([1.0, 0.0])
    q = product([one, two], prior=True, present=[both, lone])
    assert q.mean.flatten().tolist() == pytest.approx([10 / 3, 1])
    assert q.log_variance.exp().flatten().tolist() == pytest.approx([1 / 3, 1 / 2])
    assert product([one, two], prior=False, present=[both, lone]).mean[1] == 2
    by_hand = (kl(Gaussian(q.mean[:1], q.log_variance[:1])) / 2).item()
    assert kl(q, counted=lone).item() == pytest.approx(by_hand)


def test_which_subsets_count_by_hand():
    """Of three modalities; samples with all, with a and b, with a alone."""
    here = {"a": torch.ones(3), "b": torch.tensor([1.0, 1, 0]), "c": torch.tensor([1.0, 0, 0])}
    chosen = [*fixed_subsets("abc"), ("a", "b"), ("b", "c")]
    assert chosen[:4] == [("a", "b", "c"), ("a",), ("b",), ("c",)]
    found = [of.tolist() for of in counted_subsets(chosen, here)]
    assert found == [[1, 1, 0], [1, 1, 1], [1, 1, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]]
    # Of all, and each alone: as often as the sample has modalities, and once more where several.
    assert torch.tensor(found[:4]).sum(0).tolist() == [4, 3, 1]


def test_mvae_is_the_sum_of_what_is_there():
    """A batch of four samples has the mean of their own losses, each of the model it sees."""
    torch.manual_seed(0)
    net, x = MVAE(THREE, 2), inputs(THREE, n=4)
    has = [("a", "b", "c"), ("a", "c"), ("b",), ("c",)]
    here = {m: torch.tensor([float(m in some) for some in has]) for m in THREE}
    given = {m: of * here[m][:, None] for m, of in x.items()}
    eps = torch.randn(4, 4, 2)  # subsets: all, a, b, c
    terms = mvae_losses(net, given, eps, 0.7, (), here)
    total = 0.0
    for i, some in enumerate(has):
        part = MVAE({m: THREE[m] for m in some}, 2)
        kept = [k for k in net.state_dict() if k.split(".")[1] in some]
        part.load_state_dict({k: net.state_dict()[k] for k in kept})
        drawn = [0, *(1 + list(THREE).index(m) for m in some)] if len(some) > 1 else []
        drawn = drawn or [1 + list(THREE).index(some[0])]
        row = {m: x[m][i : i + 1] for m in some}
        total += mvae_losses(part, row, eps[drawn, i : i + 1], 0.7)["loss"].item()
    assert terms["loss"].item() == pytest.approx(total / 4, rel=1e-5)


def test_mvae_with_all_present_is_unchanged():
    net, x = MVAE(TWO, 2), inputs(n=5)
    eps = torch.randn(3, 5, 2)
    before = mvae_losses(net, x, eps, 0.5)
    ones = {m: torch.ones(5) for m in TWO}
    after = mvae_losses(net, x, eps, 0.5, (), ones)
    assert before.keys() == after.keys()
    for name, value in before.items():
        torch.testing.assert_close(after[name], value)


def test_mvae_learns_nothing_from_what_is_absent():
    net, x = MVAE(TWO, 2), inputs(n=2)
    given = {m: of.clone().requires_grad_() for m, of in x.items()}
    here = {"a": torch.ones(2), "b": torch.tensor([1.0, 0])}
    mvae_losses(net, given, torch.randn(3, 2, 2), 1.0, (), here)["loss"].backward()
    assert given["b"].grad[0].any() and not given["b"].grad[1].any()
    assert all(p.grad is None or p.grad.isfinite().all() for p in net.parameters())


PAIRS = {"a": torch.tensor([0, 1, 2, ABSENT]), "b": torch.tensor([0, 1, ABSENT, 3])}
HELD = {"a": torch.tensor([4, ABSENT]), "b": torch.tensor([4, 5])}


@pytest.mark.parametrize("name", ["jmvae", "denoising"])
def test_incomplete_pairs_need_a_choice(name):
    settings = baselines.baseline(name).settings(epochs=1)
    net = baselines.build(name, TWO, 2, settings)
    for pairs, held in ((PAIRS, None), ({m: r[:2] for m, r in PAIRS.items()}, HELD)):
        with pytest.raises(InputError, match=r"absent` to drop .* or impute") as error:
            baselines.baseline(name).fit(net, inputs(), pairs, settings, 0, held)
        assert "pairs that lack one" in str(error.value)
    with pytest.raises(InputError, match="absent: expected one of"):
        baselines.baseline(name).settings(absent="guess")


@pytest.mark.parametrize("settings", [JMVAESettings, DenoisingSettings])
def test_drop_and_impute_by_hand(settings):
    name = {JMVAESettings: "jmvae", DenoisingSettings: "denoising"}[settings]
    x = inputs()
    whole = {m: rows[:2] for m, rows in PAIRS.items()}
    held = {m: rows[:1] for m, rows in HELD.items()}

    def trained(pairs, held, absent, x=x):
        torch.manual_seed(0)
        net = baselines.build(name, TWO, 2, settings(epochs=2, absent=absent))
        baselines.baseline(name).fit(net, x, pairs, settings(epochs=2, absent=absent), 0, held)
        return net.state_dict()

    dropped, before = trained(PAIRS, HELD, "drop"), trained(whole, held, None)
    assert all(torch.equal(dropped[k], before[k]) for k in before)
    means = {"a": x["a"][:3].mean(0), "b": x["b"][[0, 1, 3]].mean(0)}
    longer = {m: torch.cat((x[m], means[m][None])) for m in x}
    filled = [
        {m: torch.where(r == ABSENT, 6, r) for m, r in some.items()} for some in (PAIRS, HELD)
    ]
    imputed, before = trained(PAIRS, HELD, "impute"), trained(*filled, None, longer)
    assert all(torch.allclose(imputed[k], before[k], atol=1e-6) for k in before)
    assert not all(torch.allclose(imputed[k], dropped[k]) for k in before)


def test_complete_pairs_need_no_choice():
    x, whole = inputs(), {m: torch.tensor([0, 1]) for m in TWO}
    for absent in (None, "drop", "impute"):
        found = completed(x, whole, None, absent)
        assert found[0] is x and found[1] is whole and found[2] is None


def test_rejects_training_without_complete_pairs():
    lone = {"a": torch.tensor([0, ABSENT]), "b": torch.tensor([ABSENT, 0])}
    with pytest.raises(InputError, match=r"training pairs: .* none of 2.*absent` to impute"):
        completed(inputs(), lone, None, "drop")


@pytest.mark.parametrize("name", ["jmvae", "mvae", "denoising"])
def test_baselines_represent_what_is_there(name):
    settings = baselines.baseline(name).settings()
    torch.manual_seed(0)
    net, x = baselines.build(name, THREE, 2, settings), inputs(THREE)
    rows = {
        "a": torch.tensor([0, 1, ABSENT, 2, ABSENT]),
        "b": torch.tensor([3, ABSENT, 2, 5, 1]),
        "c": torch.tensor([1, ABSENT, ABSENT, 4, 0]),
    }
    z = baselines.represent(net, x, rows)
    assert list(z) == ["joint", "a", "b", "c"]
    for i in range(5):
        own = {m: of[i : i + 1] for m, of in rows.items() if of[i] != ABSENT}
        alone = baselines.represent(net, x, own)
        torch.testing.assert_close(z["joint"][i : i + 1], alone["joint"])
        for m in rows:
            expected = alone.get(m, torch.zeros(1, 2))
            torch.testing.assert_close(z[m][i : i + 1], expected)
    with pytest.raises(InputError, match="at least one modality in each"):
        baselines.represent(net, x, {m: torch.tensor([0, ABSENT]) for m in THREE})


def test_mvae_trains_on_incomplete_pairs():
    x, settings = inputs(n=6), MVAESettings(epochs=3, batch_size=2)
    net = baselines.build("mvae", TWO, 2, settings)
    history = baselines.baseline("mvae").fit(net, x, PAIRS, settings, 0, HELD)
    assert len(history) == 3 and all(np.isfinite(row["loss"]) for row in history)


def test_checkpoint_omits_settings_that_are_none():
    settings = JMVAESettings()
    net = baselines.build("jmvae", TWO, 2, settings)
    assert "absent" not in baselines.checkpoint_config("jmvae", net, settings, [0])["settings"]
    chosen = baselines.checkpoint_config("jmvae", net, JMVAESettings(absent="drop"), [0])
    assert chosen["settings"]["absent"] == "drop"
    assert baselines.rebuild(chosen, net.state_dict()).latent == 2


# The estimator

LAYERS = {
    "a": {"hidden": 8, "loss": "bce"},
    "b": {"hidden": 6, "loss": "bce"},
    "c": {"hidden": 6, "loss": "sse"},
}
QUICK = {"stage1": Stage1(epochs=2), "stage2": Stage2(rounds=1, steps=3, restarts=1)}


def samples(n=90, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.random((n, 2))
    return {m: shared @ rng.random((2, d)) / 2 for m, d in zip("abc", (7, 5, 4), strict=True)}


def with_gaps(n=90):
    x = samples(n)
    for place, m in enumerate(x):
        x[m][place::5] = NAN
    return x


@pytest.fixture(scope="module")
def fitted():
    return Estimator(LAYERS, latent=2, **QUICK).fit(with_gaps())


def test_rows_of_nan_are_row_numbers_of_minus_one(fitted):
    """Whatever stands in the rows that no pair names."""
    x, gaps = samples(), with_gaps()
    pairs = {m: np.where(np.isnan(of).all(1), -1, np.arange(90)) for m, of in gaps.items()}
    zeros = {m: np.where(np.isnan(of), 0, of) for m, of in gaps.items()}
    same = Estimator(LAYERS, latent=2, **QUICK).fit(zeros, pairs=pairs)
    named = Estimator(LAYERS, latent=2, **QUICK).fit(
        gaps, pairs=dict.fromkeys("abc", np.arange(90))
    )
    for other in (same, named):
        np.testing.assert_array_equal(fitted.transform(x), other.transform(x))


def test_transform_of_rows_that_lack_some(fitted):
    x = samples(4, 1)
    full = fitted.transform(x)
    gaps = {m: of.copy() for m, of in x.items()}
    gaps["a"][1], gaps["b"][2], gaps["c"][2] = NAN, NAN, NAN
    z = fitted.transform(gaps)
    # Sums of latents of about 1 in single precision, which may cancel.
    np.testing.assert_allclose(z[[0, 3]], full[[0, 3]], rtol=1e-5, atol=1e-6)
    two = fitted.transform({m: x[m] for m in "bc"})
    np.testing.assert_allclose(z[1], two[1], rtol=1e-5, atol=1e-6)
    alone = fitted.transform({"a": x["a"]}, weights="equal")
    np.testing.assert_allclose(z[2], alone[2], rtol=1e-5, atol=1e-6)
    assert np.abs(z[1] - full[1]).max() > 1e-4  # control


def test_the_importance_of_an_absent_row_is_0(fitted):
    x = samples(3)["a"]
    x[1] = NAN
    y = fitted.importance({"a": x})["a"]
    assert y[1] == 0 and (y[[0, 2]] > 0).all() and y.dtype == np.float32


def broken(**changes):
    x = samples()
    for m, (rows, columns, value) in changes.items():
        x[m][rows, columns] = value
    return x


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (broken(a=(3, 2, NAN)), r"X\['a'\]: expected .*a missing item is all NaN.*1 not finite"),
        (broken(a=(3, slice(None), np.inf)), "7 not finite"),
        (broken(**{m: (5, slice(None), NAN) for m in "abc"}), "at least one modality in each"),
        (broken(b=(slice(None), slice(None), NAN)), "pairs: expected an item of b in some"),
    ],
    ids=["part", "infinite", "pair", "modality"],
)
def test_what_cannot_be_fitted(x, says):
    with pytest.raises(InputError, match=says):
        Estimator(LAYERS, latent=2, **QUICK).fit(x)


def test_modalities_that_never_come_together():
    x = samples()
    x["a"][::2], x["b"][1::2], x["c"][1::2] = NAN, NAN, NAN
    with pytest.raises(InputError, match="expected at least one pair with a and another modality"):
        Estimator(LAYERS, latent=2, **QUICK).fit(x)


def test_what_cannot_be_transformed(fitted):
    x = samples(3)
    for m in x:
        x[m][2] = NAN
    with pytest.raises(InputError, match="at least one modality in each row, found 1 rows"):
        fitted.transform(x)
    with pytest.raises(InputError, match="found 3 rows"):
        fitted.transform({"a": np.full((3, 7), NAN)})


def test_weights_and_distances_count_what_is_there():
    """By hand: two pairs with both, one without b; of b's importances the absent one is 0."""
    y = {"a": np.array([0.5, 0.2, 0.4]), "b": np.array([0.5, 0.6, 0.0])}
    here = {"a": np.ones(3, bool), "b": np.array([True, True, False])}
    found = {row["modality"]: row for row in mean_weights(y, np.full(3, "clean"), here)}
    assert found["a"]["importance"] == pytest.approx(1.1 / 3)
    assert found["b"]["importance"] == pytest.approx(0.55)
    assert found["a"]["weight"] == pytest.approx((0.5 + 0.25 + 1) / 3)
    assert found["b"]["weight"] == pytest.approx((0.5 + 0.75 + 0) / 3)
    z = np.array([[0.0], [2.0], [4.0]])
    u = {"a": z + 1, "b": np.array([[1.0], [2.0], [0.0]])}
    own = {
        row["modality"]: row["distance"] for row in distances(z, u, here) if row["pairs"] == "own"
    }
    assert own["a"] == pytest.approx(1 / (8 / 3)) and own["b"] == pytest.approx(0.5 / (8 / 3))
