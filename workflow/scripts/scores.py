"""Retrieval and noise scores of a model for several seeds, by
`ima.evaluation.metrics.precision_at_k` (5.4).
"""

from ima.evaluation.fusion import fusion_scores
from ima.evaluation.metrics import score_model
from ima.evaluation.represent import as_table, represent
from ima.models import checkpoints
from ima.models.shared import shared_parts_of
from ima.models.shared_encoders import latents_of
from ima.pairing.by_label import read_pairs
from ima.training.loop import device
from ima.utils.io import write_json
from ima.workflow import script, summary


def main(snakemake):
    params, given = snakemake.params, snakemake.input
    pairs = read_pairs(given.pairs)
    x, (items, *known) = checkpoints.load_data(given, ("pairs", "train", "validation"), device())
    seeds = [int(seed) for seed in snakemake.wildcards.seeds.split("-")]
    scores = []
    for seed, *stages in zip(seeds, given.autoencoders, given.importances, strict=True):
        model = checkpoints.load_ima(*stages, device())
        of = {"model": params.label, "latent": model.autoencoder.latent, "seed": seed}
        represented = represent(model, x, items)
        table, parts = as_table(**represented), shared_parts_of(model, x, *known)
        others = {"shared": {m: parts[m].of(u) for m, u in represented["u"].items()}}
        if files := given.get("shared_encoders"):
            encoders = checkpoints.load_shared_encoders(files[seeds.index(seed)], model)
            others["contrastive"] = latents_of(encoders, x, items)
        others = {name: {m: g.cpu().numpy() for m, g in of.items()} for name, of in others.items()}
        retrieval = score_model(table, pairs, params.k, others)
        scores.append({**of, **retrieval, **fusion_scores(table, pairs)})
    write_json(scores, snakemake.output.scores)
    print(summary.precisions(row for one in scores for row in one["retrieval"]))


if __name__ == "__main__":
    script.run(main, snakemake)
