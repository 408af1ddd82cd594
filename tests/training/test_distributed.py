"""Training by several processes gives the loss curve and the weights of one, up to rounding.

In float64, u = 1.1e-16. A gradient is a sum over at most 64 pairs of terms below 1, so another
order of summation changes it by less than 64 u = 7e-15. Adam divides it by at least 1e-8 (its eps)
and multiplies by the learning rate, at most .01: a step changes a weight by less than 7e-9 through
rounding, however small the gradient is. 20 steps stay below TOLERANCE, in weights and losses. In
float32, the loss of a batch is a sum of at most 160 terms and errs by at most 160 u = 1e-5.
"""

import logging
import os
import signal
import subprocess
import sys
from ipaddress import ip_address

import psutil
import pytest
import torch

from ima import IMA
from ima.models.autoencoder import Stage1, fit_autoencoder
from ima.models.baselines import BASELINES, baseline, build
from ima.models.contrastive import Contrastive, fit_contrastive
from ima.models.importance import Stage2, train_importance
from ima.training import distributed
from ima.training.distributed import Share
from ima.training.loop import Training
from ima.utils.errors import InputError
from tests.problems import MODALITIES, related, same, small, weights

TOLERANCE = 1e-6
#: The last of four batches has a single pair: fewer than there are processes.
PAIRS, BATCH = 49, 16
SHORT = {"epochs": 5, "batch_size": BATCH, "learning_rate": 1e-2}


@pytest.fixture
def doubles():
    """Compute in float64."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def first_stage(objective, absent=False):
    model, x, items = small()
    if absent:
        items["a"][:9] = items["b"][9:18] = -1
    pairs, held = ({m: rows[part] for m, rows in items.items()} for part in PARTS)
    settings = Stage1(objective=objective, **SHORT)
    y = {m: torch.linspace(0.2, 1, len(x_m)).to(x_m) for m, x_m in x.items()}
    history = fit_autoencoder(model.autoencoder, x, pairs, settings, 0, held, y)
    return weights(model.autoencoder), history


PARTS = slice(0, PAIRS), slice(PAIRS, None)


def of_baseline(name, **own):
    _, x, items = small()
    pairs, held = ({m: rows[part] for m, rows in items.items()} for part in PARTS)
    settings = baseline(name).settings(**SHORT, **own)
    torch.manual_seed(0)
    model = build(name, MODALITIES, 3, settings)
    history = baseline(name).fit(model, x, pairs, settings, 0, held)
    return weights(model), history


def second_stage(objective, absent=False):
    model, x, train, held = related()
    if absent:
        train, held = ({m: rows.clone() for m, rows in of.items()} for of in (train, held))
        train["a"][:20] = held["b"][:9] = -1
    settings = Stage2(objective=objective, steps=12, batch_size=33, restarts=2, learning_rate=1e-2)
    rho = {"a": 0.8, "b": 0.7}
    networks, history, _ = train_importance(model.autoencoder, x, train, rho, 5, settings, 0, held)
    return weights(networks), history


TRAININGS = {
    "stage 1, paper": lambda: first_stage("paper"),
    "stage 1, ima+": lambda: first_stage("ima+"),
    "stage 1, absent": lambda: first_stage("ima+", absent=True),
    **{name: lambda name=name: of_baseline(name) for name in BASELINES},
    "denoising, modalities": lambda: of_baseline("denoising", corruption="modalities"),
    "stage 2, paper": lambda: second_stage("paper"),
    "stage 2, ima+": lambda: second_stage("ima+"),
    "stage 2, absent": lambda: second_stage("paper", absent=True),
    "stage 2, mixture": lambda: second_stage("mixture"),
}


def difference(one, other):
    """Return the largest difference of the weights, and that of the histories."""
    assert one[0].keys() == other[0].keys() and len(one[1]) == len(other[1]) > 0
    pairs = [
        (row[term], again[term])
        for row, again in zip(*(of[1] for of in (one, other)), strict=True)
        for term in row
    ]
    return (
        max(float((one[0][name] - other[0][name]).abs().max()) for name in one[0]),
        max(abs(first - second) for first, second in pairs),
    )


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_train_as_one(name, doubles):
    one = TRAININGS[name]()
    two = distributed.run(TRAININGS[name], 2)
    assert max(difference(one, two)) < TOLERANCE
    assert all(torch.isfinite(value).all() for value in two[0].values())


@pytest.mark.parametrize("name", ["stage 1, ima+", "mvae", "stage 2, paper"])
def test_gradients_that_are_not_added_are_noticed(name, doubles, monkeypatch):
    """The control: each process then trains on its own share alone."""
    one = TRAININGS[name]()
    monkeypatch.setattr(distributed, "add_gradients", lambda *_: None)
    assert max(difference(one, distributed.run(TRAININGS[name], 2))) > 1000 * TOLERANCE


def test_noise_of_its_own_share_is_noticed(doubles, monkeypatch):
    """Another control: each process takes the first of the numbers drawn for the batch."""
    one = TRAININGS["jmvae"]()

    def first(self, values, dim=0):
        return (
            values.narrow(dim, 0, max(self.size, 1))
            if values.is_floating_point()
            else of(self, values, dim)
        )

    of = Share.of
    monkeypatch.setattr(Share, "of", first)
    assert max(difference(one, distributed.run(TRAININGS["jmvae"], 2))) > 1000 * TOLERANCE


def test_loss_curve_in_float32():
    one, three = first_stage("ima+"), distributed.run(TRAININGS["stage 1, ima+"], 3)
    assert not same(one[0], three[0])  # another order of summation
    for row, again in zip(one[1], three[1], strict=True):
        assert again == pytest.approx(row, rel=1e-5)


def test_shares_have_every_pair_once():
    for total in (1, 2, 7, 64):
        values = torch.arange(total)
        shares = [Share(r * total // 3, (r + 1) * total // 3, total) for r in range(3)]
        assert torch.cat([s.of(values)[: s.size] for s in shares]).tolist() == values.tolist()
        assert all(len(s.of(values)) >= 1 for s in shares)


def test_one_process_is_this_one(monkeypatch):
    monkeypatch.setattr(torch.distributed, "init_process_group", None)
    assert distributed.run(os.getpid, 1) == os.getpid() and distributed.is_first()


def test_the_estimator_and_its_callbacks():
    """Folds, both stages and the rest of `fit`; what is called after epochs is called once each."""
    _, x, *_ = related()
    settings = {"stage1": Stage1(epochs=2), "stage2": Stage2(objective="mixture", folds=3, steps=2)}
    rows = {"one": [], "two": []}

    def train(name):
        model = IMA(latent=3, **settings)
        return model.fit(x, callbacks=[lambda stage, row: rows[name].append((stage, row))])

    one, two = train("one"), distributed.run(lambda: train("two"), 2)
    assert [stage for stage, _ in rows["one"]] == [stage for stage, _ in rows["two"]]
    for (_, row), (_, again) in zip(*rows.values(), strict=True):
        assert again == pytest.approx(row, rel=1e-4, abs=1e-4)
    assert two.transform(x) == pytest.approx(one.transform(x), abs=1e-4)


def test_others_say_nothing(capfd, caplog):
    def say():
        print("said")
        logging.getLogger("ima").warning("logged")
        return os.getpid()

    assert distributed.run(say, 2) == os.getpid()
    assert capfd.readouterr().out == "said\n" and caplog.messages == ["logged"]


def test_no_other_machine_can_connect():
    """Processes of one machine listen on its loopback interface only."""

    def listen():
        torch.distributed.barrier()  # connects the processes
        here = psutil.Process().net_connections("inet")
        return {c.laddr.ip for c in here if c.status == psutil.CONN_LISTEN}

    addresses = distributed.run(listen, 2)
    assert addresses and all(ip_address(address).is_loopback for address in addresses)


# Refusals and failures


def test_losses_that_compare_pairs_are_refused():
    _, x, items = small()
    model = Contrastive(MODALITIES)
    settings = Training(epochs=1, batch_size=BATCH)
    with pytest.raises(InputError, match=r"contrastive, trained by .* compares pairs"):
        distributed.run(lambda: fit_contrastive(model, x, items, settings, 0), 2)


def test_dropout_within_a_layer_is_found():
    layers = torch.nn.GRU, torch.nn.MultiheadAttention
    assert [distributed._mixes(layer(4, 2, dropout=0.1)) for layer in layers] == [True, True]
    assert [distributed._mixes(layer(4, 2)) for layer in layers] == [False, False]


@pytest.mark.parametrize("layer", [torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.1)])
def test_layers_that_mix_pairs_are_refused(layer):
    x = {m: torch.rand(40, 4) for m in "ab"}
    own = {"a": {"encoder": torch.nn.Sequential(torch.nn.Linear(4, 3), layer)}}
    model = IMA(own, 3, stage1=Stage1(epochs=1))
    with pytest.raises(InputError, match=f"stage 1, .* found {type(layer).__name__}"):
        distributed.run(lambda: model.fit(x), 2)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def fails():
    raise OSError("no such features")


@pytest.mark.parametrize(("end", "match"), [(killed, "SIGKILL"), (fails, "no such features")])
def test_a_process_that_fails_ends_all(end, match):
    def train():
        if not distributed.is_first():
            end()
        return first_stage("ima+")

    with pytest.raises(Exception, match=match):
        distributed.run(train, 2)
    assert distributed.is_first() and not torch.distributed.is_initialized()


def test_the_first_process_ends_the_others():
    others, before = [], set(torch.multiprocessing.active_children())

    def train():
        if distributed.is_first():
            others.extend(set(torch.multiprocessing.active_children()) - before)
            raise InputError("x", expected="y", found="z")
        signal.pause()

    with pytest.raises(InputError, match="x: expected y"):
        distributed.run(train, 2)
    assert len(others) == 1 and not others[0].is_alive()


# torchrun

SCRIPT = """
from ima.training import distributed
from tests.training.test_distributed import first_stage
_, history = distributed.run(lambda: first_stage("ima+"), 2)
print(history[-1]["loss"])
"""


@pytest.mark.slow
def test_torchrun(tmp_path):
    (tmp_path / "train.py").write_text(SCRIPT)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command.append(str(tmp_path / "train.py"))
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, history = first_stage("ima+")
    assert float(done.stdout) == pytest.approx(history[-1]["loss"], rel=1e-5)  # of the first alone


def test_torchrun_with_another_number_of_processes(monkeypatch):
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(
        InputError, match="the 2 processes of torchrun, found training_processes: 3"
    ):
        distributed.run(os.getpid, 3)
    assert distributed.run(os.getpid, 1) == os.getpid()
