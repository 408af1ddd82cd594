"""Tables 2 and 6, the table of importances over rho, Figures 3 and 5 (Sections 6.1 to 6.3)."""

#: Variants in the order in which figures show them, and their labels.
EMOTION_DRAWN_VARIANTS = drawn_first(EMOTION["variants"])
EMOTION_DRAWN_LABELS = [EMOTION["ima"][name]["label"] for name in EMOTION_DRAWN_VARIANTS]
#: The model of each variant that figures show, with the first seed.
EMOTION_DRAWN_MODELS = [
    {
        "variant": name,
        "latent": EMOTION["latent"],
        "seed": EMOTION_SEEDS[0],
        "fold": EMOTION_SHOWN,
    }
    for name in EMOTION_DRAWN_VARIANTS
]
EMOTION_DRAWN = EMOTION_DRAWN_MODELS[0]
#: All models of IMA in the fold that figures show; and the scores of IMA, baselines and references
#: by seed and fold.
EMOTION_MODELS = {
    "variant": EMOTION["variants"],
    "latent": EMOTION["latent"],
    "seed": EMOTION_SEEDS,
    "fold": EMOTION_SHOWN,
}
EMOTION_SCORES = [
    *expand(rules.emotion_scores.output.scores, **EMOTION_MODELS | {"fold": EMOTION_FOLDS}),
    *expand(
        rules.emotion_baseline_scores.output.scores,
        latent=EMOTION["latent"],
        seed=EMOTION_SEEDS,
        fold=EMOTION_FOLDS,
    ),
    *expand(rules.emotion_peer.output.scores, **EMOTION_PEERS, fold=EMOTION_FOLDS),
]


rule table2:
    """Table 2: Precision@10 of utterance representations, with the paper's values."""
    input:
        scores=EMOTION_SCORES,
        paper=shipped("config/paper_values.csv"),
        corpora=emotion_manifests(),
    output:
        table=reported("results/tables/table2.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/table2.log",
    benchmark:
        f"{RUN}/benchmarks/table2.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("table2.py"),
        run=config["run"],
        about=emotion_about(EMOTION_FOLDS),
    script:
        "../workflow/scripts/table2.py"


rule table6:
    """Table 6: classification accuracy of utterance representations, with the paper's values."""
    input:
        scores=EMOTION_SCORES,
        paper=shipped("config/paper_values.csv"),
        corpora=emotion_manifests(),
    output:
        table=reported("results/tables/table6.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/table6.log",
    benchmark:
        f"{RUN}/benchmarks/table6.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("table6.py"),
        run=config["run"],
        about=emotion_about(EMOTION_FOLDS),
    script:
        "../workflow/scripts/table6.py"


rule emotion_importance_table:
    """F1 of importances over rho on lexicon, emotion and truth, with that of their baselines."""
    input:
        sweeps=expand(rules.emotion_rho_sweep.output.sweep, **EMOTION_MODELS),
        anchors=of_shown_fold(rules.emotion_importance_anchors.output.anchors),
        paper=shipped("config/paper_values.csv"),
        corpora=emotion_manifests(),
    output:
        table=reported("results/tables/emotion_importance.csv", "Section 6.1"),
    log:
        f"{RUN}/logs/emotion_importance_table.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_importance_table.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("emotion_importance_table.py"),
        run=config["run"],
        about=emotion_about([EMOTION_SHOWN]),
        # The variant of each sweep, in the same order.
        variants=[name for name in EMOTION["variants"] for _ in EMOTION_SEEDS],
    script:
        "../workflow/scripts/emotion_importance_table.py"


rule figure3:
    """Figure 3: utterances with words shaded by importance."""
    input:
        utterances=of_shown_fold(rules.emotion_corpus.output.utterances),
        tokens=of_shown_fold(rules.emotion_corpus.output.tokens),
        importances=[
            rules.emotion_scores.output.importances.format(**model)
            for model in EMOTION_DRAWN_MODELS
        ],
    output:
        pdf=figure_files("results/figures/figure3.pdf", EMOTION_DRAWN_VARIANTS, "Section 6.1"),
        png=figure_files("results/figures/figure3.png", EMOTION_DRAWN_VARIANTS, "Section 6.1"),
    log:
        f"{RUN}/logs/figure3.log",
    benchmark:
        f"{RUN}/benchmarks/figure3.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("figure3.py"),
        corpus=f"{EMOTION_NAME}{EMOTION_ONE}",
        classes=EMOTION["classes"],
        labels=EMOTION_DRAWN_LABELS,
    script:
        "../workflow/scripts/figure3.py"


rule emotion_tsne:
    """t-SNE coordinates of the latents of words, and of voices in the validation part."""
    input:
        **EMOTION_FEATURES,
        tokens=rules.emotion_pairs.output.usable,
        lexicon=rules.emotion_words.output.lexicon,
        autoencoder=rules.emotion_scores.input.autoencoder,
        importance=rules.emotion_scores.input.importance,
    output:
        embeddings=f"{EMOTION_MODEL}/tsne.parquet",
    log:
        f"{RUN}/logs/emotion_tsne_{{variant}}_latent{{latent}}_seed{{seed}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_tsne_{{variant}}_latent{{latent}}_seed{{seed}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("emotion_tsne.py"),
        settings=EMOTION["figures"],
    script:
        "../workflow/scripts/emotion_tsne.py"


rule figure5:
    """Figure 5: t-SNE of words and voices, by emotion and by importance."""
    input:
        embeddings=[
            rules.emotion_tsne.output.embeddings.format(**model) for model in EMOTION_DRAWN_MODELS
        ],
    output:
        pdf=figure_files("results/figures/figure5.pdf", EMOTION_DRAWN_VARIANTS, "Section 6.3"),
        png=figure_files("results/figures/figure5.png", EMOTION_DRAWN_VARIANTS, "Section 6.3"),
    log:
        f"{RUN}/logs/figure5.log",
    benchmark:
        f"{RUN}/benchmarks/figure5.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("figure5.py"),
        corpus=f"{EMOTION_NAME}{EMOTION_ONE}",
        labels=EMOTION_DRAWN_LABELS,
        palette=config["figures"]["palette"],
    script:
        "../workflow/scripts/figure5.py"


rule emotion:
    """Target: the emotion experiment: voice features, Tables 2 and 6, importances, Figures 3, 5."""
    input:
        rules.table2.output.table,
        rules.table6.output.table,
        rules.emotion_importance_table.output.table,
        list(rules.voice_agreement.output),
        list(rules.figure3.output),
        list(rules.figure5.output),
