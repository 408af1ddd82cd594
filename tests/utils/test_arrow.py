"""Conforming tables to schemas, and converting vector columns to matrices."""

import numpy as np
import pyarrow as pa
import pytest

from ima.utils.arrow import conform, matrix
from ima.utils.errors import InputError
from ima.utils.schemas import FEATURES, VECTOR
from tests.problems import features

SMALL = pa.schema([pa.field("n", pa.int8(), nullable=False), pa.field("s", pa.string())])


# Schemas


def test_conform_orders_columns_and_drops_others():
    table = pa.table({"more": [1], "s": ["x"], "n": [3]})
    assert conform(table, SMALL, "here").to_pydict() == {"n": [3], "s": ["x"]}
    assert conform(table, SMALL, "here").column_names == ["n", "s"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"s": ["x"]}, r"here: expected a column 'n', found columns \['s'\]"),
        ({"n": [128], "s": ["x"]}, "here, column 'n': expected int8, found"),  # too large
        ({"n": [1.5], "s": ["x"]}, "here, column 'n': expected int8, found"),  # would be cut
        ({"n": ["one"], "s": ["x"]}, "here, column 'n': expected int8, found"),
        ({"n": [1, None], "s": ["x", "y"]}, "column 'n': expected no missing values, found 1"),
    ],
)
def test_conform_rejects_missing_and_lossy_columns(columns, message):
    with pytest.raises(InputError, match=message):
        conform(pa.table(columns), SMALL, "here")


def test_conform_accepts_nulls_in_nullable_columns():
    assert conform(pa.table({"n": [1], "s": [None]}), SMALL, "here")["s"].null_count == 1


def test_conform_rejects_lists_of_varying_length():
    table = features(np.ones((2, 3))).set_column(3, "x", pa.array([[1.0], [2.0, 3.0]]))
    with pytest.raises(InputError, match=r"column 'x': expected vectors .*found list<"):
        conform(table, FEATURES, "here")


def test_conform_casts_float64_vectors():
    doubles = pa.FixedSizeListArray.from_arrays(pa.array([0.5, 1.5]), 2)
    table = conform(pa.table({"x": doubles}), pa.schema([pa.field("x", VECTOR)]), "here")
    assert table["x"].type == pa.list_(pa.float32(), 2)
    assert matrix(table, "x").tolist() == [[0.5, 1.5]]


# Matrices


def test_matrix_joins_chunks():
    parts = [np.full((2, 3), i, np.float32) for i in range(3)]
    table = pa.concat_tables([features(part) for part in parts])
    assert table["x"].num_chunks == 3
    np.testing.assert_array_equal(matrix(table, "x"), np.concatenate(parts))
    np.testing.assert_array_equal(matrix(table.slice(1, 2), "x"), [[0] * 3, [1] * 3])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_matrix_rejects_nan_and_infinity(bad):
    x = np.zeros((2, 3))
    x[1, 2] = bad
    with pytest.raises(InputError, match="column 'x': expected finite numbers only"):
        matrix(features(x), "x")


def test_matrix_rejects_missing_vectors_by_default():
    column = pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2))
    with pytest.raises(InputError, match="finite numbers only"):
        matrix(pa.table({"x": column}), "x")
