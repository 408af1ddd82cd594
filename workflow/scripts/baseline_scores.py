"""A baseline's Precision@K for several seeds, by `ima.evaluation.metrics.score_views` (5.4)."""

from ima.evaluation.metrics import score_views
from ima.models import checkpoints
from ima.models.baselines import represent
from ima.models.baselines.seeds import rebuild_seeds
from ima.pairing.by_label import read_pairs
from ima.training.loop import device
from ima.utils.io import read_tensors, write_json
from ima.workflow import script, summary


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    pairs = read_pairs(given.pairs)
    x, (items,) = checkpoints.load_data(given, ("pairs",), device())
    state, config = read_tensors(given.model)
    scores = []
    for seed, model in rebuild_seeds(config, state).items():
        views = represent(model.to(device()), x, items)
        views = {name: z.cpu().numpy() for name, z in views.items()}
        of = {"model": params.label, "latent": model.latent, "seed": seed}
        scores.append({**of, "retrieval": score_views(views, pairs, params.k)})
    write_json(scores, snakemake.output.scores)
    print(summary.precisions(row for one in scores for row in one["retrieval"]))


if __name__ == "__main__":
    script.run(main, snakemake)
