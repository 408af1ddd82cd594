"""tsne.parquet of a model, which Figures 2 and 4 draw, by `ima.tsne.embed_views` (6.1)."""

import torch

from ima import data, job, told
from ima.columns import matrix
from ima.io import read_parquet, read_tensors, write_parquet
from ima.pairing import read_pairs
from ima.schema import EMBEDDINGS, representations_schema
from ima.train import device
from ima.tsne import embed_views, spaces_of


def main(snakemake):
    settings = dict(snakemake.params.settings)
    points = settings.pop("points")
    # Pairs are in random order, so the first of them are a sample.
    pairs = read_pairs(snakemake.input.pairs).slice(0, points)
    rows = {m: v[:points] for m, v in data.load_pairs(snakemake.input.pairs).items()}
    state, config = read_tensors(snakemake.input.autoencoder)
    autoencoder = data.build_autoencoder(config, state)
    state, config = read_tensors(snakemake.input.importance)
    model = data.build_ima(autoencoder, config, state).to(device())
    x = data.load_features({name: snakemake.input[name] for name in rows}, device())
    with torch.no_grad():
        hidden = {m: model.importance[m].hidden(x[m][rows[m]])[0].cpu().numpy() for m in rows}
    table = read_parquet(snakemake.input.representations, representations_schema(rows))
    vectors = ("z", *(f"u_{name}" for name in rows))
    representations = {name: matrix(table, name)[:points] for name in vectors}
    spaces = spaces_of(pairs, hidden, representations)
    seed = int(snakemake.wildcards.seed)
    table = embed_views(pairs, spaces, seed=seed, **settings)
    write_parquet(table, snakemake.output[0], EMBEDDINGS)
    print(told.points(table))


if __name__ == "__main__":
    job.run(main, snakemake)
