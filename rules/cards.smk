"""Cards of the corpora and of the model, filled with the run's own numbers."""

#: Corpora that have a card: those of the experiments whose data are there.
CARDED = [*of_digits(DIGIT_CORPORA), *of_emotion(EMOTION_CORPORA)]


rule cards:
    """A card for each corpus and one for the model: origin, licence, counts, scores, limits."""
    input:
        facts="config/corpora.yaml",
        manifests=manifests(CARDED),
        image=of_digits(rules.features_image.output.features),
        image_skipped=of_digits(rules.features_image.output.skipped),
        speech_counts=of_digits(rules.recordings.output.counts),
        speech_skipped=of_digits(rules.recordings.output.skipped),
        emotion_counts=of_emotion(rules.emotion_corpus.output.counts),
        emotion_skipped=of_emotion(rules.emotion_corpus.output.skipped),
        tables=of_digits(
            [
                rules.table1.output.table,
                rules.table4.output.table,
                rules.importance_table.output.table,
                rules.claims.output.table,
                *of_emotion([rules.table6.output.table]),
            ]
        ),
        sidecar=of_digits("results/tables/table1.provenance.json"),
        code=code("cards.py"),
    output:
        cards=[f"results/cards/{name}.md" for name in [*CARDED, *of_digits(["model"])]],
    log:
        f"{RUN}/logs/cards.log",
    benchmark:
        f"{RUN}/benchmarks/cards.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        run=config["run"],
        corpora=CARDED,
        # Whatever the demo makes in a corpus' place has a card of its own.
        facts={
            name: f"{name}_demo" if config["raw"] is None and made_by_rule(name) else name
            for name in CARDED
        },
        image=config["image"]["corpus"],
        speech=config["speech"]["corpora"],
    script:
        "../workflow/scripts/cards.py"
