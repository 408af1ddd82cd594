"""tsne.parquet of a model, the data of Figures 2 (6.1) and 4 (6.3), by
`ima.evaluation.tsne.embed_views`.
"""

import torch

from ima.evaluation.tsne import embed_views, spaces_of
from ima.models import checkpoints
from ima.pairing.by_label import read_pairs
from ima.training.loop import device
from ima.utils.arrow import matrix
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas import EMBEDDINGS, labelled, representations_schema
from ima.workflow import script, summary


def main(snakemake):
    settings = dict(snakemake.params.settings)
    points = settings.pop("points")
    # Pairs are in random order, so the first rows are a random sample.
    pairs = read_pairs(snakemake.input.pairs).slice(0, points)
    rows = {m: v[:points] for m, v in checkpoints.load_pairs(snakemake.input.pairs).items()}
    given = snakemake.input
    model = checkpoints.load_ima(given.autoencoder, given.importance, device())
    x = checkpoints.load_features({name: snakemake.input[name] for name in rows}, device())
    with torch.no_grad():
        # Where a pair lacks the modality, any item will do, as it is not drawn.
        shown = {m: of.clamp_min(0) for m, of in rows.items()}
        hidden = {m: model.importance[m].hidden(x[m][shown[m]])[0].cpu().numpy() for m in rows}
    table = read_parquet(snakemake.input.representations, representations_schema(rows))
    vectors = ("z", *(f"u_{name}" for name in rows))
    representations = {name: matrix(table, name, absent=True)[:points] for name in vectors}
    spaces = spaces_of(pairs, hidden, representations)
    seed = int(snakemake.wildcards.seed)
    table = embed_views(pairs, spaces, seed=seed, **settings)
    write_parquet(table, snakemake.output[0], labelled(EMBEDDINGS, table))
    print(summary.points(table))


if __name__ == "__main__":
    script.run(main, snakemake)
