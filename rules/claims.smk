"""What the paper says, tested on this run (docs/claims.md)."""


rule claims:
    """Every claim of the paper with a verdict: a test over the seeds of this run."""
    input:
        claims="config/claims.yaml",
        paper="config/paper_values.csv",
        scores=of_digits(rules.table1.input.scores),
        anchors=of_digits(rules.table1.input.anchors),
        histories=of_digits(expand(AUTOENCODER_HISTORY, **TRAINED_IMA)),
        accuracies=of_digits(rules.table5.input.accuracies),
        table4=of_digits(rules.table4.output.table),
        sweeps=of_digits(SWEEPS),
        studies=of_digits(rules.noises.input.studies),
        missing=of_digits(rules.missing.input.studies),
        emotion_scores=of_emotion(EMOTION_SCORES),
        emotion_sweeps=of_emotion(expand(rules.emotion_rho_sweep.output.sweep, **EMOTION_MODELS)),
        emotion_anchors=of_emotion(rules.emotion_importance_anchors.output.anchors),
        emotion_maps=of_emotion(expand(rules.emotion_tsne.output.embeddings, **EMOTION_MODELS)),
        emotion_histories=of_emotion(
            expand(emotion_last_round(rules.emotion_autoencoder.output.history), **EMOTION_MODELS)
        ),
        importances=of_emotion(expand(rules.emotion_scores.output.importances, **EMOTION_MODELS)),
        lexicon=of_emotion(rules.emotion_words.output.lexicon),
        utterances=of_emotion(rules.emotion_corpus.output.utterances),
        words=of_emotion(rules.emotion_words.output.words),
        code=code("claims.py"),
    output:
        table=reported("results/claims.csv", "Claims"),
        page=reported("results/claims.html", "Claims"),
    log:
        f"{RUN}/logs/claims.log",
    benchmark:
        f"{RUN}/benchmarks/claims.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        run=config["run"],
        data=CLAIMED,
        # Seeds of the sweeps, in their order.
        sweep_seeds=[seed for seed in config["sweep"]["seeds"] or config["seeds"] for _ in VARIANTS],
        labels={name: VARIANTS[name]["label"] for name in VARIANTS},
        # Of every history, in their order: model, latent size and seed.
        models=[
            [VARIANTS[name]["label"], latent, seed]
            for name in VARIANTS
            for latent in config["latents"]
            for seed in config["seeds"]
        ],
        # Of every file of a model of words and voices, in their order: model and seed.
        emotion_models=[
            [EMOTION["ima"][name]["label"], seed]
            for name in EMOTION["variants"]
            for seed in EMOTION_SEEDS
        ],
    script:
        "../workflow/scripts/claims.py"
