"""scores.json of a model: retrieval and noise, by `ima.metrics.precision_at_k` (5.4)."""

from ima import job, told
from ima.errors import InputError
from ima.fusion_scores import fusion_scores
from ima.io import read_parquet, write_json
from ima.metrics import score_model
from ima.pairing import modalities, read_pairs
from ima.schema import representations_schema


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
    print(told.precisions(scores["retrieval"]))


if __name__ == "__main__":
    job.run(main, snakemake)
