"""What the paper says, tested on this run (docs/claims.md)."""


rule claims:
    """Every claim of the paper with a verdict: a test over the seeds of this run."""
    input:
        claims="config/claims.yaml",
        paper="config/paper_values.csv",
        scores=of_digits(rules.table1.input.scores),
        anchors=of_digits(rules.table1.input.anchors),
        accuracies=of_digits(rules.table5.input.accuracies),
        table4=of_digits(rules.table4.output.table),
        sweeps=of_digits(SWEEPS),
        studies=of_digits(rules.noises.input.studies),
        emotion_scores=of_emotion(EMOTION_SCORES),
        emotion_sweeps=of_emotion(
            expand(rules.emotion_rho_sweep.output.sweep, **EMOTION_MODELS | {"variant": "ima+"})
        ),
        emotion_maps=of_emotion(
            expand(
                rules.emotion_tsne.output.embeddings,
                variant="ima+",
                latent=EMOTION["latent"],
                seed=EMOTION_SEEDS,
            )
        ),
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
        sweep_seeds=[
            seed for seed in config["sweep"]["seeds"] or config["seeds"] for _ in VARIANTS
        ],
        emotion_seeds=EMOTION_SEEDS,
    script:
        "../workflow/scripts/claims.py"
