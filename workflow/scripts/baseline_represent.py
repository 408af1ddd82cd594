"""A baseline's representations of the test pairs, by `ima.models.baselines.represent` (5.3)."""

import pyarrow as pa

from ima.models import checkpoints
from ima.models.baselines import represent
from ima.models.baselines.seeds import rebuild_seeds
from ima.training.loop import device
from ima.utils.arrow import vector_column
from ima.utils.io import read_tensors, write_parquet
from ima.utils.schemas import baseline_schema
from ima.workflow import script


def main(snakemake):
    state, config = read_tensors(snakemake.input.model)
    pairs = checkpoints.load_pairs(snakemake.input.pairs)
    x = checkpoints.load_features({name: snakemake.input[name] for name in pairs}, device())
    there = {m: (rows >= 0).cpu().numpy() for m, rows in pairs.items()}
    tables = []
    for seed, model in rebuild_seeds(config, state).items():
        z = represent(model.to(device()), x, pairs)
        names = {"z": "joint", **{f"u_{m}": m for m in pairs}}
        columns = {
            column: vector_column(z[name].cpu().numpy(), there.get(name))
            for column, name in names.items()
        }
        seeds = pa.array([seed] * len(z["joint"]), pa.int32())
        tables.append(pa.table({"seed": seeds, **columns}))
    table = pa.concat_tables(tables)
    write_parquet(table, snakemake.output.representations, baseline_schema(pairs))
    print(f"{len(table)} rows: all test pairs for {len(tables)} seeds")


if __name__ == "__main__":
    script.run(main, snakemake)
