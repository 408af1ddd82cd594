"""Retrieval and noise scores of a model for several seeds, by
`ima.evaluation.metrics.precision_at_k` (5.4).
"""

from ima.evaluation.fusion import fusion_scores
from ima.evaluation.metrics import score_model
from ima.evaluation.represent import as_table, represent
from ima.models import checkpoints
from ima.pairing.by_label import read_pairs
from ima.training.loop import device
from ima.utils.io import write_json
from ima.workflow import script, summary


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    pairs = read_pairs(given.pairs)
    x, (items,) = checkpoints.load_data(given, ("pairs",), device())
    seeds = [int(seed) for seed in snakemake.wildcards.seeds.split("-")]
    scores = []
    for seed, *files in zip(seeds, given.autoencoders, given.importances, strict=True):
        model = checkpoints.load_ima(*files, device())
        of = {"model": params.label, "latent": model.autoencoder.latent, "seed": seed}
        table = as_table(**represent(model, x, items))
        scores.append({**of, **score_model(table, pairs, params.k), **fusion_scores(table, pairs)})
    write_json(scores, snakemake.output.scores)
    print(summary.precisions(row for one in scores for row in one["retrieval"]))


if __name__ == "__main__":
    script.run(main, snakemake)
