"""The steps of the command `ima` after `init`. Each returns the lines to print."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from ima.command.config import standardizes
from ima.command.counts import counted
from ima.command.data import Data, fitted_pairs, new_pairs, paired, read_all
from ima.command.folder_lock import alone_in
from ima.command.guess import refuse_existing
from ima.datasets.splits import SPLITS
from ima.estimator import IMA
from ima.estimator.inputs import check_columns
from ima.estimator.model import SIZED
from ima.models.concordance import fusion_weights
from ima.pairing.by_label import ABSENT
from ima.reporting.tables.user import importances_table
from ima.reporting.user import advice
from ima.reporting.user.trust import trust_tables
from ima.training import distributed
from ima.utils.arrow import vector_column
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError
from ima.utils.io import write_csv, write_parquet
from ima.utils.schemas import own_representations_schema

#: Files that `fit` writes: the first seed's model, the pairs, and the models of further seeds.
MODEL, PAIRS, MORE = "model.safetensors", "pairs.parquet", "model_seed{}.safetensors"
#: Files that the steps after `fit` write.
DERIVED = ("representations.*", "importances.*", "concordance.*", "trust.*", "weighting.csv")
#: Importance below which an item counts as unimportant.
DOUBT = 0.5


def check(config: Mapping) -> list[str]:
    """Read the files, pair the items, and report their numbers.

    Args:
        config: result of `ima.command.config.read_config`, as for the other steps.

    Raises:
        InputError: as `read_all`, `paired` or `standardizes`.
    """
    items = read_all(config)
    standardizes(config["model"])
    data, lines = paired(config, items), []
    for m, table in items.items():
        labels = set(table["label"].to_pylist()) - {""}
        noise = sum(table["noise"].to_pylist())
        unpaired = len(table) - len(np.unique(data.rows[m][data.rows[m] != ABSENT]))
        lines.append(
            f"{m}: {counted(len(table), 'item')}, {counted(data.x[m].shape[1], 'dimension')}"
            + (f", {counted(len(labels), 'class')}" if labels else ", no labels")
            + (f", {noise:,} known to be noise" if noise else "")
            + (f", {unpaired:,} in no pair" if unpaired else "")
        )
    splits = Counter(data.pairs["split"].to_pylist())
    lacking = int((sum(rows == ABSENT for rows in data.rows.values()) > 0).sum())
    lines.append(
        f"pairs by {config['own']['pairs']['by']}: {len(data.pairs):,}, of which "
        + ", ".join(f"{splits[split]:,} {split}" for split in SPLITS)
        + f"; {lacking:,} {'lacks' if lacking == 1 else 'lack'} a modality"
    )
    return lines


def fit(config: Mapping, folder: Path, force: bool) -> list[str]:
    """Train a model per seed and write the models, and the pairs with their concordance.

    The concordance of training and validation pairs is that of models not trained on them; it is
    null for test pairs.

    Args:
        config: as in `check`.
        folder: folder to write to.
        force: whether to overwrite the files of an earlier call.

    Raises:
        InputError: as `check`, or a file exists.
    """
    refuse_existing(_of_fit(folder), force)
    data = paired(config, read_all(config))
    split = np.array(data.pairs["split"].to_pylist())
    learned = data.where(split != "test")
    layers = {m: dict(values) for m, values in config["model"].items()}
    for values in layers.values():
        values.pop("standardize", None)
    settings = {
        "layers": layers,
        "latent": config["latents"][0],
        "stage1": replace(SIZED, **config["autoencoder"]),
        "standardize": standardizes(config["model"]),
        "verbose": sys.stderr.isatty(),
    }
    validation = np.flatnonzero(split[split != "test"] == "validation")

    def train() -> list[IMA]:
        """Return a model for each seed."""
        models = [IMA(**settings, random_state=seed) for seed in config["seeds"]]
        for model in models:
            model.fit(data.x, pairs=learned.rows, validation=validation)
            model.feature_names_in_ = {m: names for m, names in data.columns.items() if names}
        return models

    models = distributed.run(train, config["training_processes"])
    pairs = _with_concordance(data, split != "test", models[0].concordance_)
    with alone_in(folder, create=True):
        _clear(_of_fit(folder), force)
        write_parquet(pairs, folder / PAIRS)
        for model in models[1:]:
            model.save(folder / MORE.format(model.seed_))
        models[0].save(folder / MODEL)
    sizes = f"{counted(len(models), 'seed')}, {counted(len(learned.pairs), 'pair')}, "
    sizes += f"{int((split == 'test').sum()):,} more for the report"
    old = sorted(path for pattern in DERIVED for path in folder.glob(pattern))
    return [f"{folder / MODEL}: {sizes}"] + [
        f"{path}: not of this model; write it again with --force" for path in old
    ]


def _of_fit(folder: Path) -> list[Path]:
    """Return the files of a fit: the model first, without which no step uses the others."""
    return [folder / MODEL, folder / PAIRS, *sorted(folder.glob(MORE.format("*")))]


def _clear(paths: Sequence[Path], force: bool) -> None:
    """Remove files before new ones are written, so that those of two calls are never together.

    Raises:
        InputError: one exists, which another command may have written in the meantime, and is not
            to be overwritten.
    """
    refuse_existing(paths, force)
    for path in paths:
        path.unlink(missing_ok=True)


def _with_concordance(
    data: Data, learned: np.ndarray, concordance: Mapping[str, np.ndarray]
) -> pa.Table:
    """Return pairs with the concordance `c_<modality>` of those that were learned from (N,).

    It is null where a pair has no item of the modality, or no other item.
    """
    pairs = data.pairs
    for m, values in concordance.items():
        column = np.full(len(pairs), np.nan)
        column[learned] = values
        column[~data.partnered(m)] = np.nan
        pairs = pairs.append_column(f"c_{m}", pa.array(column, pa.float32(), from_pandas=True))
    return pairs


def embed(
    config: Mapping, folder: Path, force: bool, model: Path | None = None, format: str = "parquet"
) -> list[str]:
    """Write the representations of pairs, as a table of `own_representations_schema`.

    Args:
        config, folder, force: as in `fit`.
        model: a model for new data; None for that in `folder`, with the data of `fit`.
        format: `parquet`, or `csv` with a column for each dimension of the vectors.

    Raises:
        InputError: as `read_all`; the model is missing or has other modalities; or a file exists.
    """
    path = folder / f"representations.{format}"
    refuse_existing([path], force)
    fitted, data, table = _loaded(config, folder, model)
    representations = _representations(fitted, data, table, config["own"]["fusion"])
    with alone_in(folder, create=True):
        _clear([path], force)
        _write(representations, path)
    return [f"{path}: {counted(len(representations), 'pair')}"]


def importance(
    config: Mapping, folder: Path, force: bool, model: Path | None = None, format: str = "parquet"
) -> list[str]:
    """Write the importance of each item and, if there are partners, the concordance of each pair.

    Args:
        config, folder, force, model, format: as in `embed`.

    Raises:
        InputError: as `embed`.
    """
    paths = [folder / f"{name}.{format}" for name in ("importances", "concordance")]
    refuse_existing(paths, force)
    fitted, data, table = _loaded(config, folder, model)
    y = fitted.importance(data.x)
    importances = importances_table(data.ids, y)
    concordance = _concordance(fitted, data, table)
    with alone_in(folder, create=True):
        _clear(paths, force)
        _write(importances, paths[0])
        if concordance:
            _write(_with_columns(data.pairs, data, concordance), paths[1])
    lines = [f"{paths[0]}: {counted(len(importances), 'item')}"]
    lines += [f"  {m}: {(values < DOUBT).mean():.1%} below {DOUBT}" for m, values in y.items()]
    if concordance:
        lines.append(f"{paths[1]}: {counted(len(data.pairs), 'pair')}")
        lines.append(f"  {_doubted(data, concordance)}")
    return lines


def _doubted(data: Data, concordance: Mapping[str, np.ndarray]) -> str:
    """Return how many pairs are doubted, as a phrase."""
    judged = {m: data.partnered(m) for m in data.rows}
    low = np.any([judged[name[2:]] & (c < DOUBT) for name, c in concordance.items()], axis=0)
    share = low.sum() / max(np.any([*judged.values()], axis=0).sum(), 1)
    return f"{share:.1%} of pairs with two or more items have a concordance below {DOUBT}"


def report(config: Mapping, folder: Path, force: bool) -> list[str]:
    """Judge whether the importances can be trusted; write the advice and two tables.

    Args:
        config, folder, force: as in `fit`, which must have been called.

    Raises:
        InputError: as `embed`.
    """
    paths = [folder / name for name in ("trust.md", "trust.csv", "weighting.csv")]
    refuse_existing(paths, force)
    first, data, fitted = _loaded(config, folder, None)
    models = [first, *map(IMA.load, sorted(folder.glob(MORE.format("*"))))]
    test = data.where(np.array(data.pairs["split"].to_pylist()) == "test")
    trust, weighting = trust_tables(
        lambda number: _representations(models[number], data, None, "importance"),
        [{"latent": model.latent, "seed": model.seed_} for model in models],
        [model.folds_ for model in models],
        any(test.pairs["label"].to_pylist()),
        min(config["retrieval"]["k"]),
        config["run"],
    )
    rows, effects = trust.to_pylist(), weighting.to_pylist()
    concordance = _concordance(first, data, fitted)
    pairs = f"{_doubted(data, concordance)} (`ima importance`)" if concordance else ""
    with alone_in(folder, create=True):
        _clear(paths, force)
        write_csv(trust, paths[1])
        write_csv(weighting, paths[2])
        with whole_file(paths[0]) as temporary:
            text = advice.report(rows, effects, config["run"], pairs)
            temporary.write_text(text, encoding="utf-8")
    return [f"{paths[0]}: {advice.advice(rows, effects, pairs)}"]


def _loaded(config: Mapping, folder: Path, path: Path | None) -> tuple:
    """Return a fitted model, the data of the config, and the table of `fit`; None for new data."""
    new = path is not None
    path = path or folder / MODEL
    if not path.is_file():
        do = "Correct the path." if new else "Run `ima fit` first."
        raise InputError(path, expected="a model", found="no file", do=do)
    model, items = IMA.load(path), read_all(config)
    if not new and model.latent != config["latents"][0]:
        expected = f"{model.latent}, the latent size of {path}"
        do = "Restore it, or fit again with --force."
        raise InputError("latents", expected=expected, found=config["latents"][0], do=do)
    if set(items) - set(model.n_features_in_):
        known = f"modalities of the model, {list(model.n_features_in_)}"
        raise InputError("own.modalities", expected=known, found=list(items))
    data, table = (new_pairs(config, items), None) if new else fitted_pairs(items, folder / PAIRS)
    for m, x in data.x.items():
        file = config["own"]["modalities"][m]["file"]
        check_columns(model.feature_names_in_.get(m), data.columns[m], file)
        if x.shape[1] != model.n_features_in_[m]:
            raise InputError(
                file,
                expected=f"{counted(model.n_features_in_[m], 'dimension')}, as in {path}",
                found=x.shape[1],
                do="Restore the columns of `ima fit`, or fit again.",
            )
    return model, data, table


def _representations(model, data: Data, table: pa.Table | None, fusion: str) -> pa.Table:
    """Return a table of `own_representations_schema`: z, latents, importances, concordance."""
    x, items = data.of_pairs(), model.importance(data.x)
    z = {"z": model.transform(x), "z_unweighted": model.transform(x, weights="equal")}
    u, y = {}, {}
    for m, rows in data.rows.items():
        present = rows != ABSENT
        u[f"u_{m}"] = np.full((len(rows), model.latent), np.nan, np.float32)
        u[f"u_{m}"][present] = model.transform({m: x[m][present]})
        y[f"y_{m}"] = items[m][rows]
    concordance = _concordance(model, data, table)
    output = _with_columns(data.pairs, data, z | u | y | concordance)
    if fusion != "importance":
        fused = _fused(model, x, y, concordance, fusion)
        output = _with_columns(output, data, {f"z_{fusion}": fused})
    schema = own_representations_schema(data.x, bool(concordance), fusion)
    return output.select(schema.names)


def _fused(model, x: Mapping, y: Mapping, concordance: Mapping, fusion: str) -> np.ndarray:
    """Return z (N, L) weighted by concordance, or by importance times concordance.

    Raises:
        InputError: the model has no concordance.
    """
    if not concordance and len(x) > 1:
        raise InputError(
            "own.fusion",
            expected="importance, for a model without concordance",
            found=fusion,
            do="Only the objective `mixture` learns it.",
        )
    y, c = ({n[2:]: torch.from_numpy(v) for n, v in part.items()} for part in (y, concordance))
    return model.transform(
        x, weights={m: w.numpy() for m, w in fusion_weights(fusion, y, c).items()}
    )


def _concordance(model, data: Data, table: pa.Table | None) -> dict[str, np.ndarray]:
    """Return `c_<modality>` (N,), out of fold where `table` of `fit` has it; empty without."""
    if len(data.x) < 2 or not model.concordance_models_:
        return {}
    concordance = {}
    for m, values in model.pair_concordance(data.of_pairs()).items():
        name = f"c_{m}"
        if table is not None and name in table.column_names:
            known = table[name].to_numpy()
            values = np.where(np.isnan(known), values, known)
        concordance[name] = values.astype(np.float32)
    return concordance


def _with_columns(pairs: pa.Table, data: Data, columns: Mapping[str, np.ndarray]) -> pa.Table:
    """Return pairs with columns (N,) or (N, L); those of a modality are null if it is absent.

    Concordance is also null where the pair has no other item.
    """
    for name, values in columns.items():
        m = name.partition("_")[2]
        present = data.rows[m] != ABSENT if name[0] in "uy" else np.ones(len(pairs), bool)
        present = data.partnered(m) if name[0] == "c" else present
        column = (
            pa.array(values, mask=~present) if values.ndim == 1 else vector_column(values, present)
        )
        pairs = pairs.append_column(name, column)
    return pairs


def _write(table: pa.Table, path: Path) -> None:
    """Write a table; as CSV, with a column for each dimension of a vector."""
    if path.suffix == ".parquet":
        write_parquet(table, path)
        return
    columns = {}
    for name in table.column_names:
        column = table[name].combine_chunks()
        if not pa.types.is_fixed_size_list(column.type):
            columns[name] = column
            continue
        for i in range(column.type.list_size):
            columns[f"{name}_{i}"] = pc.list_element(column, i)
    write_csv(pa.table(columns), path)
