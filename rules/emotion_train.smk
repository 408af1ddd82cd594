"""Models of words and voices, and their scores (Sections 3, 5, 6.1 and 6.2)."""

EMOTION_MODEL = f"{SPOKEN}/models/latent{{latent}}/seed{{seed}}"
EMOTION_FEATURES = {
    "verbal": [rules.emotion_words.output.words],
    "acoustic": [rules.emotion_voices.output.voices],
}
EMOTION_SEEDS = EMOTION["seeds"] or config["seeds"]
#: The truth of the demo's corpus; none of a user's own.
EMOTION_TRUTH = [rules.demo_emotion.output.truth] if emotion_made() else []
#: Settings of stage 2 that the models and the sweep over rho share.
EMOTION_STAGE2 = {
    name: value
    for name, value in EMOTION["importance"].items()
    if name not in ("objective", "rho", "restarts")
}


rule emotion_autoencoder:
    """Stage 1 on words and voices (Eq. 2)."""
    input:
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        code=code("autoencoder.py"),
    output:
        model=f"{EMOTION_MODEL}/autoencoder.safetensors",
        history=f"{EMOTION_MODEL}/autoencoder_history.csv",
    log:
        f"{RUN}/logs/emotion_autoencoder_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_autoencoder_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        layers=EMOTION["model"],
        settings=EMOTION["autoencoder"],
    script:
        "../workflow/scripts/autoencoder.py"


rule emotion_importance:
    """Stage 2 on words and voices (Eqs. 3 and 4)."""
    input:
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        autoencoder=rules.emotion_autoencoder.output.model,
        code=code("importance.py"),
    output:
        model=f"{EMOTION_MODEL}/importance_{{objective}}.safetensors",
        history=f"{EMOTION_MODEL}/importance_{{objective}}_history.csv",
    log:
        f"{RUN}/logs/emotion_importance_{{objective}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_importance_{{objective}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        settings=EMOTION_STAGE2,
        rho=EMOTION["importance"]["rho"],
        restarts=EMOTION["importance"]["restarts"],
    script:
        "../workflow/scripts/importance.py"


rule emotion_rho_sweep:
    """Importance networks of every rho in one training, against lexicon, emotion and truth."""
    input:
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        tokens=rules.emotion_pairs.output.usable,
        lexicon=rules.emotion_words.output.lexicon,
        truth=EMOTION_TRUTH,
        autoencoder=rules.emotion_autoencoder.output.model,
        code=code("emotion_rho_sweep.py"),
    output:
        sweep=f"{EMOTION_MODEL}/rho_sweep.parquet",
    log:
        f"{RUN}/logs/emotion_rho_sweep_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_rho_sweep_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        rho=EMOTION["sweep"]["rho"],
        restarts=EMOTION["sweep"]["restarts"],
        objective=EMOTION["importance"]["objective"],
        settings=EMOTION_STAGE2,
    script:
        "../workflow/scripts/emotion_rho_sweep.py"


rule emotion_baselines:
    """JMVAE-KL, MVAE and the denoising autoencoder on words and voices, of every seed."""
    input:
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        code=code("emotion_baselines.py"),
    output:
        models=expand(
            f"{SPOKEN}/models/latent{{{{latent}}}}/{{baseline}}.safetensors",
            baseline=list(EMOTION["baselines"]),
        ),
    log:
        f"{RUN}/logs/emotion_baselines_latent{{latent}}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_baselines_latent{{latent}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        layers=EMOTION["model"],
        baselines=EMOTION["baselines"],
        training={
            name: value
            for name, value in EMOTION["autoencoder"].items()
            if not name.startswith("lambda")
        },
        seeds=EMOTION_SEEDS,
    script:
        "../workflow/scripts/emotion_baselines.py"


rule emotion_scores:
    """Utterances' representations of every model: retrieval, classification, and anchors."""
    input:
        **EMOTION_FEATURES,
        tokens=rules.emotion_pairs.output.usable,
        utterances=rules.emotion_corpus.output.utterances,
        autoencoder=rules.emotion_autoencoder.output.model,
        importance=rules.emotion_importance.output.model.replace(
            "{objective}", EMOTION["importance"]["objective"]
        ),
        baselines=rules.emotion_baselines.output.models,
        code=code("emotion_scores.py"),
    output:
        scores=f"{EMOTION_MODEL}/scores.json",
        representations=f"{EMOTION_MODEL}/utterances.parquet",
        importances=f"{EMOTION_MODEL}/importances.parquet",
    log:
        f"{RUN}/logs/emotion_scores_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_scores_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        k=EMOTION["retrieval"]["k"],
        classifier=EMOTION["classifier"],
    script:
        "../workflow/scripts/emotion_scores.py"
