"""Retrieval and noise scores of a model, by `ima.evaluation.metrics.precision_at_k` (5.4)."""

from ima.evaluation.fusion import fusion_scores
from ima.evaluation.metrics import score_model
from ima.pairing.by_label import modalities, read_pairs
from ima.utils.errors import InputError
from ima.utils.io import read_parquet, write_json
from ima.utils.schemas import representations_schema
from ima.workflow import script, summary


def main(snakemake):
    pairs = read_pairs(snakemake.input.pairs)
    schema = representations_schema(modalities(pairs))
    representations = read_parquet(snakemake.input.representations, schema)
    model = {name: int(snakemake.wildcards[name]) for name in ("latent", "seed")}
    width = representations["z"].type.list_size
    if width != model["latent"]:
        expected, found = f"vectors of {model['latent']} values", width
        raise InputError(snakemake.input.representations, expected=expected, found=found)
    scores = score_model(representations, pairs, snakemake.params.k)
    scores |= fusion_scores(representations, pairs)
    write_json({"model": snakemake.params.label, **model, **scores}, snakemake.output.scores)
    print(summary.precisions(scores["retrieval"]))


if __name__ == "__main__":
    script.run(main, snakemake)
