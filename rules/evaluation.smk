"""Representations of the test pairs, scores of models, classifiers, and checks of the features."""


rule represent:
    """Joint and unimodal representations and importances of the test pairs."""
    input:
        **FEATURES,
        pairs=PAIRS.test,
        autoencoder=AUTOENCODER,
        importance=importance_checkpoint,
    output:
        representations=f"{MODEL}/representations.parquet",
    log:
        f"{RUN}/logs/represent_{{variant}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/represent_{{variant}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("represent.py"),
    script:
        "../workflow/scripts/represent.py"


rule scores:
    """Precision@K of every representation, and noise detection by importances, for each seed."""
    input:
        unpack(seeds_of_model),
        **FEATURES,
        pairs=PAIRS.test,
        train=PAIRS.train,
        validation=PAIRS.validation,
        shared_encoders=shared_encoders,
    output:
        scores=f"{RUN}/models/{{variant}}/latent{{latent}}/scores_seeds{{seeds}}.json",
    log:
        f"{RUN}/logs/scores_{{variant}}_latent{{latent}}_seeds{{seeds}}.log",
    benchmark:
        f"{RUN}/benchmarks/scores_{{variant}}_latent{{latent}}_seeds{{seeds}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("scores.py"),
        label=lambda wildcards: VARIANTS[wildcards.variant]["label"],
        k=config["retrieval"]["k"],
    script:
        "../workflow/scripts/scores.py"


rule anchors:
    """Precision@K of raw features, PCA and CCA, and at chance level with shuffled labels."""
    input:
        **FEATURES,
        train=PAIRS.train,
        validation=PAIRS.validation,
        test=PAIRS.test,
    output:
        scores=f"{RUN}/anchors.json",
    log:
        f"{RUN}/logs/anchors.log",
    benchmark:
        f"{RUN}/benchmarks/anchors.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("anchors.py"),
        latents=config["latents"],
        k=config["retrieval"]["k"],
    script:
        "../workflow/scripts/anchors.py"


rule classify:
    """Classification accuracy of IMA's representations."""
    input:
        unpack(seeds_of_model),
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
        shared_encoders=shared_encoders,
    output:
        accuracy=f"{RUN}/models/{{variant}}/latent{{latent}}/accuracy_seeds{{seeds}}.json",
    log:
        f"{RUN}/logs/classify_{{variant}}_latent{{latent}}_seeds{{seeds}}.log",
    benchmark:
        f"{RUN}/benchmarks/classify_{{variant}}_latent{{latent}}_seeds{{seeds}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("classify.py"),
        label=lambda wildcards: VARIANTS[wildcards.variant]["label"],
        settings=config["classifier"],
    script:
        "../workflow/scripts/classify.py"


rule baseline_classify:
    """Classification accuracy of a baseline's representations."""
    input:
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
        model=rules.baseline.output.model,
    output:
        accuracy=f"{BASELINE}/accuracy.json",
    log:
        f"{RUN}/logs/baseline_classify_{{baseline}}_latent{{latent}}_seeds{{seeds}}.log",
    benchmark:
        f"{RUN}/benchmarks/baseline_classify_{{baseline}}_latent{{latent}}_seeds{{seeds}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("baseline_classify.py"),
        label=lambda wildcards: MODELS[wildcards.baseline]["label"],
        settings=config["classifier"],
    script:
        "../workflow/scripts/baseline_classify.py"


rule anchors_classify:
    """Classification accuracy of raw features and PCA, at chance, and of a supervised network."""
    input:
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
    output:
        accuracy=f"{RUN}/anchors_accuracy_seeds{{seeds}}.json",
    log:
        f"{RUN}/logs/anchors_classify_seeds{{seeds}}.log",
    benchmark:
        f"{RUN}/benchmarks/anchors_classify_seeds{{seeds}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("anchors_classify.py"),
        latents=config["latents"],
        layers=LAYERS,
        settings=config["classifier"],
    script:
        "../workflow/scripts/anchors_classify.py"


#: References are not trained, so a few seeds of the classifier suffice to show its spread.
ANCHOR_SEEDS = seed_batches((config["baselines"]["seeds"] or config["seeds"])[:3])


rule table3:
    """Table 3: settings of the classifier of each data set."""
    input:
        corpora=manifests(DIGIT_CORPORA),
    output:
        table=reported("results/tables/table3.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/table3.log",
    benchmark:
        f"{RUN}/benchmarks/table3.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("table3.py"),
        run=config["run"],
        settings={
            "digits": config["classifier"],
            "emotion": config["emotion"]["classifier"],
        },
    script:
        "../workflow/scripts/table3.py"


rule table5:
    """Table 5: classification accuracy of joint and unimodal representations."""
    input:
        accuracies=expand(
            rules.classify.output.accuracy,
            variant=VARIANTS,
            latent=config["latents"],
            seeds=seed_batches(config["seeds"]),
        )
        + expand(rules.baseline_classify.output.accuracy, **TRAINED)
        + expand(rules.anchors_classify.output.accuracy, seeds=ANCHOR_SEEDS),
        peers=PEER_SCORES,
        paper=shipped("config/paper_values.csv"),
    output:
        table=reported("results/tables/table5.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/table5.log",
    benchmark:
        f"{RUN}/benchmarks/table5.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("table5.py"),
        run=config["run"],
    script:
        "../workflow/scripts/table5.py"


rule digits:
    """Target: comparison of models on digits: Tables 1, 3, 4 and 5, convergence and complexity."""
    input:
        "results/tables/table1.csv",
        rules.table3.output,
        rules.table4.output,
        rules.table5.output,
        rules.convergence.output,
        rules.complexity.output,


rule feature_checks:
    """Digit accuracy of logistic regression on variants of the speech features: table, figure."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
    output:
        table=reported("results/tables/feature_checks.csv", "Section 4"),
        pdf=reported("results/figures/feature_checks.pdf", "Section 4"),
        png=reported("results/figures/feature_checks.png", "Section 4"),
    log:
        f"{RUN}/logs/feature_checks.log",
    benchmark:
        f"{RUN}/benchmarks/feature_checks.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=6000,
    params:
        code=code("feature_checks.py"),
        run=config["run"],
        mfcc=config["speech"]["mfcc"],
        mapping=config["speech"]["mapping"],
        segmentation=config["speech"]["segmentation"],
        oh=config["speech"]["oh"],
        doubtful=config["speech"]["doubtful"],
    script:
        "../workflow/scripts/feature_checks.py"


rule segmentation_example:
    """Digit boundaries over the waveform and spectrogram of a recording, for any recording's id."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
    output:
        png=f"{RUN}/figures/segmentation/{{recording}}.png",
        pdf=f"{RUN}/figures/segmentation/{{recording}}.pdf",
    log:
        f"{RUN}/logs/segmentation_example/{{recording}}.log",
    benchmark:
        f"{RUN}/benchmarks/segmentation_example/{{recording}}.tsv"
    wildcard_constraints:
        recording=r"\w+(/[\w.-]+)+",
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("segmentation_example.py"),
        rate=config["speech"]["mfcc"]["rate"],
    script:
        "../workflow/scripts/segmentation_example.py"


rule segmentation_examples:
    """Digit boundaries in some recordings: for each group, the longest and the most doubtful."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
    output:
        figures=reported(
            f"{RUN}/figures/segmentation_examples",
            "Section 4",
            patterns=["{figure}.png"],
            labels={"result": "{figure}", "format": "png"},
        ),
        chosen=f"{RUN}/figures/segmentation_examples.csv",
    log:
        f"{RUN}/logs/segmentation_examples.log",
    benchmark:
        f"{RUN}/benchmarks/segmentation_examples.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("segmentation_examples.py"),
        rate=config["speech"]["mfcc"]["rate"],
    script:
        "../workflow/scripts/segmentation_examples.py"


rule checks:
    """Target: checks of features and digit boundaries, before any training."""
    input:
        list(rules.feature_checks.output),
        list(rules.segmentation_examples.output),
