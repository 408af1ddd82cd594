"""representations.parquet of a model's test pairs, by `ima.represent.represent` (5.3)."""

from ima import data, job
from ima.io import read_tensors, write_parquet
from ima.represent import as_table, represent
from ima.schema import representations_schema
from ima.train import device


def main(snakemake):
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state)
    state, config = read_tensors(snakemake.input.importance)
    model = data.build_ima(autoencoder, config, state).to(device())
    pairs = data.load_pairs(snakemake.input.pairs)
    x = data.load_features({name: snakemake.input[name] for name in pairs}, device())
    table = as_table(**represent(model, x, pairs))
    write_parquet(table, snakemake.output.representations, representations_schema(pairs))
    means = ", ".join(f"{m} {table[f'y_{m}'].to_numpy().mean():.2f}" for m in pairs)
    print(f"{len(table)} pairs, mean importance {means}")


if __name__ == "__main__":
    job.run(main, snakemake)
