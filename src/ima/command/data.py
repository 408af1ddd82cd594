"""Items and pairs of a config's files, for the command `ima`."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ima.command.counts import counted
from ima.datasets.splits import SPLITS
from ima.datasets.user import read_items
from ima.datasets.user_vectors import names_of
from ima.pairing.by_label import ABSENT, row_numbers
from ima.pairing.user import by_id, handle_missing, labels_of_items, pair_own
from ima.pairing.user_ids import warn_of_items
from ima.pairing.user_listed import read_listed
from ima.pairing.user_scaled import scale_items
from ima.utils.arrow import matrix
from ima.utils.errors import InputError
from ima.utils.io import read_parquet
from ima.workflow.user_config import standardized

#: Columns of a table of pairs before those of modalities, as in representations.parquet.
ABOUT = ("split", "label", "pair_type")


class Data(NamedTuple):
    """Items of modalities and their N pairs.

    Attributes:
        x: by modality, vectors (n_m, D_m) of its items.
        ids: by modality, ids (n_m,) of its items.
        rows: by modality, the row number (N,) of each pair's item, ABSENT if it lacks the modality.
        pairs: ABOUT and `id_<modality>` of each pair, null if it lacks the modality.
        columns: by modality, the names of the D_m columns that the vectors come from; empty if
            they have none.
    """

    x: dict[str, np.ndarray]
    ids: dict[str, pa.ChunkedArray]
    rows: dict[str, np.ndarray]
    pairs: pa.Table
    columns: dict[str, list[str]]

    def where(self, chosen: np.ndarray) -> "Data":
        """Return the pairs for which a mask (N,) is true, of all items."""
        rows = {m: numbers[chosen] for m, numbers in self.rows.items()}
        return self._replace(rows=rows, pairs=self.pairs.filter(pa.array(chosen)))

    def partnered(self, modality: str) -> np.ndarray:
        """Return whether each pair has an item of a modality and of another one (N,)."""
        several = sum((rows != ABSENT).astype(int) for rows in self.rows.values()) > 1
        return several & (self.rows[modality] != ABSENT)

    def of_pairs(self) -> dict[str, np.ndarray]:
        """Return the vectors (N, D_m) of the pairs' items, NaN if a pair lacks the modality."""
        vectors = {}
        for m, rows in self.rows.items():
            vectors[m] = self.x[m][rows]
            vectors[m][rows == ABSENT] = np.nan
        return vectors


def read_all(config: Mapping) -> dict[str, pa.Table]:
    """Return the items of each modality, checked (`ima.datasets.user.read_items`).

    Raises:
        InputError: as `read_items`.
    """
    tables = {}
    for name, options in config["own"]["modalities"].items():
        columns = {key: value for key, value in options.items() if key not in ("file", "show")}
        layers = config["model"][name]
        tables[name] = read_items(options["file"], columns, layers["loss"], standardized(layers))
    return tables


def paired(config: Mapping, items: Mapping[str, pa.Table]) -> Data:
    """Pair items and split the pairs, as the workflow does, for `fit`.

    Raises:
        InputError: as `ima.pairing.user.pair_own`, or a modality is constant in training pairs.
    """
    own = config["own"]
    by, missing, listed = own["pairs"]["by"], own["pairs"]["missing"], _listed(config, items)
    tables, classes = pair_own(items, by, own["shares"], own["seed"], listed, missing)
    learned = pa.concat_tables([tables["train"], tables["validation"]])
    for m, table in items.items():  # warns of constant dimensions
        scale_items(table, row_numbers(learned, m), standardized(config["model"][m]), m)
    rows = {m: np.concatenate([row_numbers(t, m) for t in tables.values()]) for m in items}
    together = pa.concat_tables(tables.values())
    about = {
        "split": np.repeat(SPLITS, [len(tables[split]) for split in SPLITS]),
        "label": np.array([*classes, ""], str)[together["label"].to_numpy()],  # -1 gives ''
        "pair_type": np.array(together["pair_type"].to_pylist(), str),
    }
    return _data(items, rows, about)


def new_pairs(config: Mapping, items: Mapping[str, pa.Table]) -> Data:
    """Pair items that a model was not fitted to, without drawing splits.

    Raises:
        InputError: they are paired by label, or no id occurs in two modalities.
    """
    by = config["own"]["pairs"]["by"]
    if by == "label":
        do = "Pair new data by id or from a file."
        raise InputError("own.pairs.by", expected="id or file for new data", found=by, do=do)
    if len(items) == 1:
        columns = {m: np.arange(len(table)) for m, table in items.items()}
    else:
        columns = by_id(items) if by == "id" else dict(_listed(config, items) or {})
        columns = handle_missing(columns, [*items], config["own"]["pairs"]["missing"])
        warn_of_items(items, columns, by)
    rows = {m: columns[m] for m in items}
    return _data(items, rows, {**labels_of_items(items, rows, columns), **columns})


def fitted_pairs(items: Mapping[str, pa.Table], path: Path) -> tuple[Data, pa.Table]:
    """Return the pairs that `fit` wrote, of the same items, and their table.

    Raises:
        InputError: the file is missing, or names other modalities or unknown items.
    """
    table = read_parquet(path)
    names = [n.removeprefix("id_") for n in table.column_names if n.startswith("id_")]
    do = "Run `ima fit` on these files, or use --model for new data."
    if set(names) != set(items):
        raise InputError(path, expected=f"modalities {list(items)}", found=names, do=do)
    rows = {}
    for m in names:
        row = {i: number for number, i in enumerate(items[m]["id"].to_pylist())}
        ids = table[f"id_{m}"].to_pylist()
        unknown = [i for i in ids if i is not None and i not in row]
        if unknown:
            found = f"{counted(len(unknown), 'other')}, such as '{unknown[0]}'"
            raise InputError(path, expected=f"ids of the items of {m}", found=found, do=do)
        rows[m] = np.array([ABSENT if i is None else row[i] for i in ids])
    return _data(items, rows, {name: table[name] for name in ABOUT}), table


def _listed(config: Mapping, items: Mapping[str, pa.Table]) -> dict[str, np.ndarray] | None:
    options = config["own"]["pairs"]
    return read_listed(options["file"], options, items) if options["by"] == "file" else None


def _data(items: Mapping[str, pa.Table], rows: Mapping[str, np.ndarray], about: Mapping) -> Data:
    ids = {m: table["id"] for m, table in items.items()}
    id_columns = {f"id_{m}": ids[m].take(_indices(rows[m])) for m in items}
    pairs = pa.table({**{name: about[name] for name in ABOUT}, **id_columns})
    x = {m: matrix(table, "x") for m, table in items.items()}
    columns = {m: names_of(table) for m, table in items.items()}
    return Data(x, ids, dict(rows), pairs, columns)


def _indices(rows: np.ndarray) -> pa.Array:
    return pa.array(rows, mask=rows == ABSENT)
