"""results/claims.csv: the paper's claims on this run, by `ima.reporting.claims.audit.audit`."""

from ima.reporting.claims import scores as of
from ima.reporting.claims import scores_emotion as spoken
from ima.reporting.claims.audit import audit, summary
from ima.reporting.claims.spec import read_claims
from ima.reporting.tables import read_paper_values
from ima.utils.errors import within
from ima.utils.io import read_csv, read_json, read_parquet, read_rows, write_csv
from ima.utils.schemas import MISSING_STUDY, NOISE_STUDY, RHO_SWEEP
from ima.utils.schemas_emotion import (
    CORPUS_WORDS,
    EMBEDDINGS_EMOTION,
    EMOTION_UTTERANCES,
    IMPORTANCE_EMOTION,
    LEXICON,
    TOKEN_IMPORTANCES,
    WORD_VECTORS,
)
from ima.workflow import script


def main(snakemake):
    given, params = snakemake.input, snakemake.params
    scores = digits(given, params) if given.scores else []
    scores += emotion(given, params) if given.emotion_scores else []
    claims, paper = read_claims(given.claims), read_paper_values(given.paper)
    found = audit(claims, scores, paper, params.data, params.run)
    write_csv(found, snakemake.output.table)
    print(summary(found))


def digits(given, params):
    """Return the scores of digits and the costs of models."""
    files = [read_json(path, ["model", "latent", "seed", "retrieval"]) for path in given.scores]
    models = [model for file in files for model in (file if isinstance(file, list) else [file])]
    sweeps = [read_parquet(path, RHO_SWEEP, rows=True) for path in given.sweeps]
    studies = [read_parquet(path, NOISE_STUDY, rows=True) for path in given.studies]
    incomplete = [read_parquet(path, MISSING_STUDY, rows=True) for path in given.missing]
    trained = [
        {"of": "digits", "model": model, "latent": latent, "seed": seed}
        for model, latent, seed in params.models
    ]
    return [
        *of.retrieval(models, read_json(given.anchors, ["model", "precision"])),
        *of.accuracies(row for path in given.accuracies for row in read_rows(path)),
        *of.generated(read_rows(given.generation)),
        *of.fallen(histories(trained, given.histories)),
        *of.swept(zip(params.sweep_seeds, sweeps, strict=True), params.labels),
        *(row for study in studies for row in of.studied(study, params.labels)),
        *(row for study in incomplete for row in of.incomplete(study)),
        *of.costs(read_csv(given.table4, [*of.COST_KEYS, *of.COSTS]).to_pylist()),
    ]


def emotion(given, params):
    """Return the scores of words and voices."""

    def tables(paths, schema):
        """Return the name, seed and table of every model."""
        found = (read_parquet(path, schema, rows=True) for path in paths)
        return [(*model, table) for model, table in zip(params.emotion_models, found, strict=True)]

    trained = [
        {"of": "emotion", "model": model, "seed": seed} for model, seed in params.emotion_models
    ]
    lexicon = read_parquet(given.lexicon, LEXICON, rows=True)
    return [
        *spoken.utterances(read_json(path, ["seed", "scores"]) for path in given.emotion_scores),
        *of.fallen(histories(trained, given.emotion_histories)),
        *spoken.swept_emotion(tables(given.emotion_sweeps, IMPORTANCE_EMOTION)),
        *spoken.guessed(read_parquet(given.emotion_anchors, IMPORTANCE_EMOTION, rows=True)),
        *spoken.mapped(tables(given.emotion_maps, EMBEDDINGS_EMOTION)),
        *spoken.worded(tables(given.importances, TOKEN_IMPORTANCES), lexicon),
        *counts_of_corpus(given, params),
    ]


def counts_of_corpus(given, params):
    """Return the numbers of utterances and words of IEMOCAP, or of a constructed corpus."""
    if file := given.get("corpus_words"):
        words = read_parquet(file, CORPUS_WORDS, rows=True)
        counts = read_csv(given.emotion_counts, ["emotion", "labelled"]).to_pylist()
        with within(given.emotion_counts):
            return [*spoken.iemocap_counts(counts, words, params.min_count)]
    utterances = read_parquet(given.utterances, EMOTION_UTTERANCES, rows=True)
    return spoken.corpus_counts(utterances, read_parquet(given.words, WORD_VECTORS, rows=True))


def histories(models, paths):
    """Return the keys of every model with its training history."""
    rows = (read_csv(path, ["epoch", "validation"]).to_pylist() for path in paths)
    return zip(models, rows, strict=True)


if __name__ == "__main__":
    script.run(main, snakemake)
