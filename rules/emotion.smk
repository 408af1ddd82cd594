"""Words and voices of emotional utterances: features, pairs and training (Section 4, A.2)."""

if emotion_made():

    rule demo_emotion:
        """Demo emotion corpus: dialogues by espeak-ng as an IEMOCAP tree, with ground truth."""
        output:
            tree=directory(f"{RUN}/raw/iemocap"),
            manifest=f"{RUN}/raw/iemocap.json",
            truth=f"{RUN}/raw/iemocap_truth.parquet",
        log:
            f"{RUN}/logs/demo_emotion.log",
        benchmark:
            f"{RUN}/benchmarks/demo_emotion.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=2000,
        params:
            code=code("demo_emotion.py"),
            demo=EMOTION["demo"],
        script:
            "../workflow/scripts/demo_emotion.py"


#: Settings that only one corpus has.
CORPUS_SETTINGS = {
    "iemocap": ("excited_as_happy", "silence", "fillers"),
    "ravdess_meld": ("calm_as_neutral", "seed"),
}


rule emotion_corpus:
    """Utterances with class and split, their tokens, and the audio span of each token."""
    input:
        *(file for corpus in EMOTION_CORPORA for file in made_by_rule(corpus)),
        require_corpora(EMOTION_CORPORA, **EMOTION_FILES),
    output:
        **EMOTION_CORPUS_WORDS,
        utterances=f"{SPOKEN}/utterances.parquet",
        tokens=f"{SPOKEN}/tokens.parquet",
        spans=f"{SPOKEN}/spans.parquet",
        skipped=f"{SPOKEN}/skipped.csv",
        counts=f"{SPOKEN}/counts.csv",
    log:
        f"{RUN}/logs/emotion_corpus{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_corpus{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 1 if VOICED == "iemocap" else 4  # words of RAVDESS may have to be aligned
    resources:
        mem_mb=2000,
    params:
        code=code("emotion_corpus.py"),
        corpus=EMOTION["corpus"],
        roots={name: corpus_root(name) for name in EMOTION_CORPORA},
        fingerprints={name: fingerprint(name) for name in EMOTION_CORPORA},
        nominal=not emotion_made(),
        settings={
            name: EMOTION[name]
            for name in ("others", "classes", "max_skipped", *CORPUS_SETTINGS[EMOTION["corpus"]])
        },
        fold=emotion_fold,
    script:
        "../workflow/scripts/emotion_corpus.py"


rule emotion_voices:
    """Voice features of every audio span, measured once for all folds and z-scored in each."""
    input:
        made_by_rule(VOICED),
        utterances=expand(rules.emotion_corpus.output.utterances, fold=EMOTION_FOLDS),
        spans=expand(rules.emotion_corpus.output.spans, fold=EMOTION_FOLDS),
        shards=shards("voices/{scatteritem}.npy"),
    output:
        voices=expand(f"{SPOKEN}/voices.parquet", fold=EMOTION_FOLDS),
    log:
        f"{RUN}/logs/emotion_voices.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_voices.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=3000,
    params:
        code=code("emotion_voices.py"),
        root=lambda wildcards: corpus_root(VOICED),
        recordings=fingerprint(VOICED),
        voice={name: EMOTION["voice"][name] for name in ("features", "remove_offset", "scale")},
    script:
        "../workflow/scripts/emotion_voices.py"


rule voice_agreement:
    """Agreement of our voice features with openSMILE's: table, figure."""
    input:
        made_by_rule(VOICED),
        spans=of_shown_fold(rules.emotion_corpus.output.spans),
        corpora=emotion_manifests(),
    output:
        table=reported("results/tables/voice_agreement.csv", "Section 4"),
        pdf=reported("results/figures/voice_agreement.pdf", "Section 4"),
        png=reported("results/figures/voice_agreement.png", "Section 4"),
    log:
        f"{RUN}/logs/voice_agreement.log",
    benchmark:
        f"{RUN}/benchmarks/voice_agreement.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=3000,
    params:
        code=code("voice_agreement.py"),
        run=config["run"],
        corpus=EMOTION_NAME,
        root=lambda wildcards: corpus_root(VOICED),
        recordings=fingerprint(VOICED),
        remove_offset=EMOTION["voice"]["remove_offset"],
    script:
        "../workflow/scripts/voice_agreement.py"


rule emotion_words:
    """Vocabulary with word vectors, word counts of the corpus, and words in the lexicon."""
    input:
        tokens=rules.emotion_corpus.output.tokens,
    output:
        words=f"{SPOKEN}/words.parquet",
        lexicon=f"{SPOKEN}/lexicon.parquet",
        vocabulary=f"{SPOKEN}/vocabulary.csv",
        broken=f"{SPOKEN}/lexicon_broken.csv",
    log:
        f"{RUN}/logs/emotion_words{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_words{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("emotion_words.py"),
        words=EMOTION["words"],
        fingerprints={name: file_fingerprint(file) for name, file in EMOTION_FILES.items()},
    script:
        "../workflow/scripts/emotion_words.py"


rule emotion_pairs:
    """Pairs of every token with every voice of its utterance, for training and early stopping."""
    input:
        utterances=rules.emotion_corpus.output.utterances,
        tokens=rules.emotion_corpus.output.tokens,
        words=rules.emotion_words.output.words,
    output:
        usable=f"{SPOKEN}/items.parquet",
        train=f"{SPOKEN}/pairs/train.parquet",
        stopping=f"{SPOKEN}/pairs/stopping.parquet",
    log:
        f"{RUN}/logs/emotion_pairs{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_pairs{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("emotion_pairs.py"),
        pairs=EMOTION["pairs"],
    script:
        "../workflow/scripts/emotion_pairs.py"


EMOTION_MODEL = f"{SPOKEN}/models/{{variant}}/latent{{latent}}/seed{{seed}}"
EMOTION_FEATURES = {
    "verbal": [rules.emotion_words.output.words],
    "acoustic": [f"{SPOKEN}/voices.parquet"],
}
EMOTION_SEEDS = EMOTION["seeds"] or config["seeds"]
#: Ground truth of the demo's corpus; empty for a user's corpus.
EMOTION_TRUTH = [rules.demo_emotion.output.truth] if emotion_made() else []


rule emotion_autoencoder:
    """Stage 1 on words and voices (Eq. 2)."""
    input:
        unpack(emotion_round_before),
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        networks=lambda wildcards: emotion_networks(wildcards.variant),
    output:
        model=f"{EMOTION_MODEL}/autoencoder_round{{round}}.safetensors",
        history=f"{EMOTION_MODEL}/autoencoder_round{{round}}_history.csv",
    log:
        f"{RUN}/logs/emotion_autoencoder_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_autoencoder_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    threads: config["training_processes"]
    resources:
        mem_mb=3000 * config["training_processes"],
    params:
        code=code("autoencoder.py"),
        layers=lambda wildcards: with_networks(EMOTION["model"], EMOTION["ima"][wildcards.variant]),
        settings=lambda wildcards: emotion_stage1(wildcards.variant),
        hidden=lambda wildcards: of_untrained(
            emotion_stage1(wildcards.variant), EMOTION["importance"], "hidden"
        ),
        rho=lambda wildcards: of_untrained(
            emotion_stage1(wildcards.variant),
            emotion_importance_settings(wildcards.variant),
            "rho",
        ),
        processes=config["training_processes"],
    script:
        "../workflow/scripts/autoencoder.py"


rule emotion_importance:
    """Stage 2 on words and voices (Eqs. 3 and 4)."""
    input:
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        autoencoder=rules.emotion_autoencoder.output.model,
    output:
        model=f"{EMOTION_MODEL}/importance_round{{round}}.safetensors",
        history=f"{EMOTION_MODEL}/importance_round{{round}}_history.csv",
    log:
        f"{RUN}/logs/emotion_importance_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_importance_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    threads: config["training_processes"]
    resources:
        mem_mb=3000 * config["training_processes"],
    params:
        code=code("importance.py"),
        settings=lambda wildcards: emotion_stage2(wildcards.variant),
        hidden=EMOTION["importance"]["hidden"],
        rho=lambda wildcards: emotion_importance_settings(wildcards.variant)["rho"],
        restarts=lambda wildcards: emotion_importance_settings(wildcards.variant)["restarts"],
        processes=config["training_processes"],
    script:
        "../workflow/scripts/importance.py"


rule emotion_rho_sweep:
    """Importance networks for every rho in one training, scored on lexicon, emotion and truth."""
    input:
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        tokens=rules.emotion_pairs.output.usable,
        lexicon=rules.emotion_words.output.lexicon,
        truth=EMOTION_TRUTH,
        autoencoder=emotion_last_round(rules.emotion_autoencoder.output.model),
    output:
        sweep=f"{EMOTION_MODEL}/rho_sweep.parquet",
    log:
        f"{RUN}/logs/emotion_rho_sweep_{{variant}}_latent{{latent}}_seed{{seed}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_rho_sweep_{{variant}}_latent{{latent}}_seed{{seed}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("emotion_rho_sweep.py"),
        rho=EMOTION["sweep"]["rho"],
        restarts=EMOTION["sweep"]["restarts"],
        settings=lambda wildcards: emotion_stage2(wildcards.variant),
        hidden=EMOTION["importance"]["hidden"],
    script:
        "../workflow/scripts/emotion_rho_sweep.py"


rule emotion_importance_anchors:
    """Baselines of importances: random classifiers, rarity, distance from the mean, lexicons."""
    input:
        **EMOTION_FEATURES,
        tokens=rules.emotion_pairs.output.usable,
        lexicon=rules.emotion_words.output.lexicon,
        truth=EMOTION_TRUTH,
    output:
        anchors=f"{SPOKEN}/importance_anchors.parquet",
    log:
        f"{RUN}/logs/emotion_importance_anchors{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_importance_anchors{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("emotion_importance_anchors.py"),
        rho=EMOTION["sweep"]["rho"],
    script:
        "../workflow/scripts/emotion_importance_anchors.py"


#: Settings of training that the baselines and other methods share with IMA.
EMOTION_TRAINING = {
    name: value
    for name, value in EMOTION["autoencoder"].items()
    if name != "importances" and not name.startswith("lambda")
}


rule emotion_baseline:
    """Train JMVAE-KL, MVAE or the denoising autoencoder on words and voices, for several seeds."""
    input:
        **EMOTION_FEATURES,
        pairs=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
    output:
        model=f"{SPOKEN}/models/{{kind}}_latent{{latent}}_seeds{{seeds}}.safetensors",
    log:
        f"{RUN}/logs/emotion_baseline_{{kind}}_latent{{latent}}_seeds{{seeds}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_baseline_{{kind}}_latent{{latent}}_seeds{{seeds}}{FOLD}.tsv"
    wildcard_constraints:
        kind="|".join(EMOTION["baselines"]),
    conda:
        "../envs/ima.yaml"
    threads: config["training_processes"]
    resources:
        mem_mb=3000 * config["training_processes"],
    params:
        code=code("emotion_baseline.py"),
        layers=EMOTION["model"],
        training=EMOTION_TRAINING,
        own=lambda wildcards: EMOTION["baselines"][wildcards.kind],
        processes=config["training_processes"],
    script:
        "../workflow/scripts/emotion_baseline.py"


rule emotion_peer:
    """Train another method on words and voices, and score its representations of utterances."""
    input:
        **EMOTION_FEATURES,
        train=rules.emotion_pairs.output.train,
        validation=rules.emotion_pairs.output.stopping,
        tokens=rules.emotion_pairs.output.usable,
        utterances=rules.emotion_corpus.output.utterances,
    output:
        scores=f"{SPOKEN}/peers/{{peer}}_latent{{latent}}_seed{{seed}}.json",
    log:
        f"{RUN}/logs/emotion_peer_{{peer}}_latent{{latent}}_seed{{seed}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_peer_{{peer}}_latent{{latent}}_seed{{seed}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("emotion_peer.py"),
        layers=EMOTION["model"],
        training=EMOTION_TRAINING,
        k=EMOTION["retrieval"]["k"],
        classifier=EMOTION["classifier"],
    script:
        "../workflow/scripts/emotion_peer.py"


rule emotion_shared_encoders:
    """Encoders of what words and voices share, trained on means of a few tokens."""
    input:
        **EMOTION_FEATURES,
        tokens=rules.emotion_pairs.output.usable,
        utterances=rules.emotion_corpus.output.utterances,
    output:
        model=f"{SPOKEN}/models/shared_encoders_latent{{latent}}_seed{{seed}}.safetensors",
        history=f"{SPOKEN}/models/shared_encoders_latent{{latent}}_seed{{seed}}_history.csv",
    log:
        f"{RUN}/logs/emotion_shared_encoders_latent{{latent}}_seed{{seed}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_shared_encoders_latent{{latent}}_seed{{seed}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("emotion_shared_encoders.py"),
        layers=EMOTION["model"],
        training=EMOTION_TRAINING,
        pairs={name: EMOTION["pairs"][name] for name in ("validation_share", "seed")},
    script:
        "../workflow/scripts/emotion_shared_encoders.py"


rule emotion_scores:
    """IMA's utterance representations, weighted and unweighted: retrieval and classification."""
    input:
        **EMOTION_FEATURES,
        tokens=rules.emotion_pairs.output.usable,
        utterances=rules.emotion_corpus.output.utterances,
        autoencoder=emotion_last_round(rules.emotion_autoencoder.output.model),
        importance=emotion_last_round(rules.emotion_importance.output.model),
    output:
        scores=f"{EMOTION_MODEL}/scores.json",
        representations=f"{EMOTION_MODEL}/utterances.parquet",
        importances=f"{EMOTION_MODEL}/importances.parquet",
    log:
        f"{RUN}/logs/emotion_scores_{{variant}}_latent{{latent}}_seed{{seed}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_scores_{{variant}}_latent{{latent}}_seed{{seed}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("emotion_scores.py"),
        label=lambda wildcards: EMOTION["ima"][wildcards.variant]["label"],
        k=EMOTION["retrieval"]["k"],
        classifier=EMOTION["classifier"],
    script:
        "../workflow/scripts/emotion_scores.py"


rule emotion_baseline_scores:
    """Retrieval and classification of utterances by baselines, mean raw features and references."""
    input:
        **EMOTION_FEATURES,
        tokens=rules.emotion_pairs.output.usable,
        utterances=rules.emotion_corpus.output.utterances,
        baselines=emotion_baselines_of,
        shared_encoders=(
            rules.emotion_shared_encoders.output.model if config["shared_encoders"] else []
        ),
    output:
        scores=f"{SPOKEN}/baselines/latent{{latent}}/seed{{seed}}/scores.json",
    log:
        f"{RUN}/logs/emotion_baseline_scores_latent{{latent}}_seed{{seed}}{FOLD}.log",
    benchmark:
        f"{RUN}/benchmarks/emotion_baseline_scores_latent{{latent}}_seed{{seed}}{FOLD}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("emotion_baseline_scores.py"),
        layers=EMOTION["model"],
        k=EMOTION["retrieval"]["k"],
        classifier=EMOTION["classifier"],
    script:
        "../workflow/scripts/emotion_baseline_scores.py"
