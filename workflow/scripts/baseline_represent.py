"""representations.parquet of a baseline's test pairs, by `ima.baselines.represent` (5.3)."""

import pyarrow as pa

from ima import data, job
from ima.baselines import represent
from ima.baselines.seeds import rebuild_seeds
from ima.columns import vector_column
from ima.io import read_tensors, write_parquet
from ima.schema import baseline_schema
from ima.train import device


def main(snakemake):
    state, config = read_tensors(snakemake.input.model)
    pairs = data.load_pairs(snakemake.input.pairs)
    x = data.load_features({name: snakemake.input[name] for name in pairs}, device())
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
    print(f"{len(table)} rows: {len(tables)} seeds of every test pair")


if __name__ == "__main__":
    job.run(main, snakemake)
