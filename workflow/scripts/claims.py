"""results/claims.csv and .html: the paper's claims on this run, by `ima.claims_audit.audit`."""

from ima import claims_scores as of
from ima import job
from ima.claims import read_claims
from ima.claims_audit import audit, summary
from ima.claims_page import page
from ima.files import whole_file
from ima.io import read_json, read_parquet, read_rows, write_csv
from ima.schema import NOISE_STUDY, RHO_SWEEP
from ima.schema_emotion import (
    EMBEDDINGS_EMOTION,
    EMOTION_UTTERANCES,
    IMPORTANCE_EMOTION,
    WORD_VECTORS,
)
from ima.tables import read_columns, read_paper_values


def main(snakemake):
    given, params = snakemake.input, snakemake.params
    scores = digits(given, params) if given.scores else []
    scores += emotion(given, params) if given.emotion_scores else []
    claims, paper = read_claims(given.claims), read_paper_values(given.paper)
    found = audit(claims, scores, paper, params.data, params.run)
    write_csv(found, snakemake.output.table)
    with whole_file(snakemake.output.page) as temporary:
        temporary.write_text(page(found, params.run))
    print(summary(found))


def digits(given, params):
    """Return the scores of digits and what models cost."""
    files = [read_json(path, ["latent", "seed", "retrieval"]) for path in given.scores]
    models = [model for file in files for model in (file if isinstance(file, list) else [file])]
    sweeps = [read_parquet(path, RHO_SWEEP, rows=True) for path in given.sweeps]
    studies = [read_parquet(path, NOISE_STUDY, rows=True) for path in given.studies]
    return [
        *of.retrieval(models, read_json(given.anchors, ["model", "precision"])),
        *of.accuracies(row for path in given.accuracies for row in read_rows(path)),
        *of.swept(zip(params.sweep_seeds, sweeps, strict=True)),
        *(row for study in studies for row in of.studied(study)),
        *of.costs(read_columns(given.table4, [*of.COST_KEYS, *of.COSTS])),
    ]


def emotion(given, params):
    """Return the scores of words and voices."""
    sweeps = [read_parquet(path, IMPORTANCE_EMOTION, rows=True) for path in given.emotion_sweeps]
    maps = [read_parquet(path, EMBEDDINGS_EMOTION, rows=True) for path in given.emotion_maps]
    utterances = read_parquet(given.utterances, EMOTION_UTTERANCES, rows=True)
    return [
        *of.utterances(read_json(path, ["seed", "scores"]) for path in given.emotion_scores),
        *of.swept_emotion(zip(params.emotion_seeds, sweeps, strict=True)),
        *of.mapped(zip(params.emotion_seeds, maps, strict=True)),
        *of.corpus_counts(utterances, read_parquet(given.words, WORD_VECTORS, rows=True)),
    ]


if __name__ == "__main__":
    job.run(main, snakemake)
