"""The page's script reads what the run wrote, also of unusual data."""

import numpy as np
import pyarrow as pa

from ima.utils.arrow import vector_column
from ima.utils.io import write_json, write_parquet
from ima.utils.schemas import labelled
from tests.workflow.test_folds import script
from tests.workflow.test_user_data import Y, embeddings


def test_maps_have_any_number_of_classes(tmp_path):
    """Labels above 127 do not fit the type that those of digits have."""
    table = embeddings(2, "ab")
    label = pa.array([150 + n % 2 for n in range(len(table))], pa.int32())
    table = table.set_column(table.column_names.index("label"), "label", label)
    write_parquet(table, tmp_path / "embeddings", labelled(table.schema, table))
    vectors = {
        name: vector_column(np.zeros((60, 2))) for name in ("z", "z_unweighted", "u_a", "u_b")
    }
    y = {f"y_{m}": pa.array(Y[m], pa.float32()) for m in "ab"}
    write_parquet(pa.table(vectors | y), tmp_path / "representations")
    write_json([f"class {n}" for n in range(152)], tmp_path / "classes")
    files = {name: tmp_path / name for name in ("embeddings", "representations", "classes")}
    (found,) = script("index").maps_of(files, "ab", True)
    assert set(found.panels[0].columns["label"]) == {"class 150", "class 151"}
