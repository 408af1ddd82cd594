"""Callbacks see every epoch of every stage, and trackers write what they see."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from ima import IMA
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.training import trackers
from ima.training.callbacks import callbacks, report
from ima.utils.errors import InputError
from ima.workflow import script

RNG = np.random.default_rng(0)
X = {"a": RNG.normal(size=(40, 3)), "b": RNG.normal(size=(40, 2))}
X["b"][:, 0] = X["a"][:, 0]


def model(**stage2):
    settings = {"objective": "mixture", "steps": 4, "rounds": 2, "folds": 3, "batch_size": 20}
    return IMA(latent=2, stage1=Stage1(epochs=2), stage2=Stage2(**settings | stage2))


@pytest.fixture
def seen():
    """Rows by stage, and the callback that keeps them."""
    rows = {}
    return rows, lambda stage, row: rows.setdefault(stage, []).append(row)


def test_every_epoch_of_the_history_is_reported(seen):
    rows, follow = seen
    fitted = model().fit(X, callbacks=[follow])
    history = fitted.history_
    assert rows["stage 1"] == history["autoencoder"]
    assert [row["epoch"] for row in rows["stage 1, fold 2"]] == [1, 2]
    for m in X:
        name = f"corr_{m}"
        expected = [row[name] for row in history["importance"] if name in row]
        assert [row[name] for row in rows[f"stage 2, {m}"]] == expected and expected
    assert set(rows) == {*("stage 1", "stage 1, fold 2", "stage 1, fold 3")} | {
        f"stage 2, {m}" for m in X
    }


def test_each_copy_of_the_papers_objective_is_reported(seen):
    rows, follow = seen
    fitted = model(objective="paper", restarts=2).fit(X, callbacks=[follow])
    assert rows["stage 2"] == fitted.history_["importance"]
    assert {row["copy"] for row in rows["stage 2"]} == {0, 1}


def test_a_callback_changes_nothing(seen):
    fitted = model(objective="paper").fit(X, callbacks=[lambda stage, row: row.clear()])
    plain = model(objective="paper").fit(X)
    assert fitted.history_ == plain.history_
    assert (fitted.transform(X) == plain.transform(X)).all()


def test_callbacks_end_with_their_context(seen):
    rows, follow = seen
    with pytest.raises(ValueError, match="enough"), callbacks([follow]):
        report("s", {"epoch": 1})
        raise ValueError("enough")
    report("s", {"epoch": 2})
    model(objective="paper").fit(X)
    assert rows == {"s": [{"epoch": 1}]}


def test_an_error_of_a_callback_ends_training():
    def stop(stage, row):
        raise KeyError(stage)

    with pytest.raises(KeyError, match="stage 1"):
        model().fit(X, callbacks=[stop])


class Writer:
    """Stands for TensorBoard's."""

    def __init__(self, folder):
        self.folder, self.scalars, self.closed = folder, [], False

    def add_scalar(self, *scalar):
        self.scalars.append(scalar)

    def close(self):
        self.closed = True


@pytest.fixture
def writers(monkeypatch):
    made = []
    new = SimpleNamespace(SummaryWriter=lambda folder: made.append(Writer(folder)) or made[-1])
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", new)
    monkeypatch.setattr(torch.utils, "tensorboard", new, raising=False)
    return made


def test_steps_go_on_where_epochs_start_again(writers):
    write = trackers.TensorBoard("f")
    for row in (
        {"epoch": 1, "round": 0, "copy": 0, "loss": 2.0},
        {"epoch": 1, "round": 0, "copy": 1, "loss": 3.0},
        {"epoch": 1, "round": 1, "copy": 0, "loss": 1.0, "corr": 0.5},
    ):
        write("stage 2, a", row)
    assert writers[0].scalars == [
        ("stage 2/a/loss", 2.0, 1),
        ("stage 2/a/copy 1/loss", 3.0, 1),
        ("stage 2/a/loss", 1.0, 2),
        ("stage 2/a/corr", 0.5, 2),
    ]


def test_a_job_is_tracked_if_the_variable_says_where(writers, tmp_path, monkeypatch):
    def main(job):
        report("stage 1", {"epoch": 1, "loss": 2.0})

    job = SimpleNamespace(log=[str(tmp_path / "log")], rule="train", wildcards={"seed": 3})
    script.run(main, job)
    assert writers == []
    monkeypatch.setenv(trackers.VARIABLE, f"tensorboard:{tmp_path}")
    script.run(main, job)
    (writer,) = writers
    assert writer.folder == str(tmp_path / "train seed=3")
    assert writer.scalars == [("stage 1/loss", 2.0, 1)] and writer.closed
    monkeypatch.setenv(trackers.VARIABLE, "elsewhere")
    with pytest.raises(SystemExit):
        script.run(main, job)
    with pytest.raises(InputError, match="IMA_TRACKER: expected tensorboard:FOLDER or mlflow"):
        trackers.tracked("tensorboard", "x").__enter__()


def test_what_is_missing_is_named(monkeypatch):
    for module in ("mlflow", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    for tracker, extra in (
        (trackers.MLflow, "mlflow"),
        (lambda: trackers.TensorBoard("f"), "tens"),
    ):
        with pytest.raises(ImportError, match=rf"is missing. Install it .*ima\[{extra}"):
            tracker()


def test_tensorboard_reads_what_was_written(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    writer = trackers.TensorBoard(tmp_path)
    fitted = model(objective="paper").fit(X, callbacks=[writer])
    writer.close()
    events = EventAccumulator(str(tmp_path)).Reload()
    losses = [event.value for event in events.Scalars("stage 1/loss")]
    expected = [row["loss"] for row in fitted.history_["autoencoder"]]
    assert losses == pytest.approx(expected, rel=1e-6)


def test_names_are_those_that_mlflow_allows(monkeypatch):
    logged = []
    fake = SimpleNamespace(log_metrics=lambda metrics, step: logged.append((metrics, step)))
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    trackers.MLflow()("stage 2, a,b", {"epoch": 7, "loss": 2})
    assert logged == [({"stage 2/a_b/loss": 2.0}, 1)]


def test_mlflow_has_what_was_logged(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # a database needs more packages
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow = pytest.importorskip("mlflow")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    with trackers.tracked("mlflow", "toy"):
        report("stage 2, a,b", {"epoch": 1, "loss": 2.0})
        report("stage 2, a,b", {"epoch": 2, "loss": 1.0})
    (run,) = mlflow.search_runs(output_format="list")
    assert run.data.metrics == {"stage 2/a_b/loss": 1.0}
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "stage 2/a_b/loss")
    assert [(metric.step, metric.value) for metric in history] == [(1, 2.0), (2, 1.0)]
