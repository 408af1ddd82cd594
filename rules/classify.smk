"""Classifiers of representations (Tables 3 and 5): one job a model, latent size and batch of seeds."""

from types import SimpleNamespace


rule classify:
    """Accuracy of classifiers of IMA's representations."""
    input:
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
        autoencoders=lambda wildcards: expand(
            AUTOENCODER,
            variant=wildcards.variant,
            latent=wildcards.latent,
            seed=wildcards.seeds.split("-"),
        ),
        importances=lambda wildcards: [
            importance_checkpoint(
                SimpleNamespace(variant=wildcards.variant, latent=wildcards.latent, seed=seed)
            )
            for seed in wildcards.seeds.split("-")
        ],
        code=code("classify.py"),
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
        label=lambda wildcards: VARIANTS[wildcards.variant]["label"],
        settings=config["classifier"],
    script:
        "../workflow/scripts/classify.py"


rule baseline_classify:
    """Accuracy of classifiers of a baseline's representations."""
    input:
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
        model=rules.baseline.output.model,
        code=code("baseline_classify.py"),
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
        label=lambda wildcards: MODELS[wildcards.baseline]["label"],
        settings=config["classifier"],
    script:
        "../workflow/scripts/baseline_classify.py"


rule anchors_classify:
    """Accuracy on raw features and PCA, of chance, and of a network that is taught the labels."""
    input:
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
        code=code("anchors_classify.py"),
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
        latents=config["latents"],
        layers=LAYERS,
        settings=config["classifier"],
    script:
        "../workflow/scripts/anchors_classify.py"


#: Anchors have no training of their own: a few seeds of the classifier tell its spread.
ANCHOR_SEEDS = seed_batches((config["baselines"]["seeds"] or config["seeds"])[:3])


rule table3:
    """Table 3: settings of the classifier of each data set."""
    input:
        code=code("table3.py"),
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
        run=config["run"],
        settings={
            "digits": config["classifier"],
            "emotion": config["emotion"]["classifier"],
        },
    script:
        "../workflow/scripts/table3.py"


rule table5:
    """Table 5: accuracy of classifiers of joint and unimodal representations."""
    input:
        accuracies=expand(
            rules.classify.output.accuracy,
            variant=VARIANTS,
            latent=config["latents"],
            seeds=seed_batches(config["seeds"]),
        )
        + expand(rules.baseline_classify.output.accuracy, **TRAINED)
        + expand(rules.anchors_classify.output.accuracy, seeds=ANCHOR_SEEDS),
        paper="config/paper_values.csv",
        code=code("table5.py"),
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
        run=config["run"],
    script:
        "../workflow/scripts/table5.py"


rule digits:
    """Target: models compared on digits: Tables 1, 3, 4 and 5, and how they were trained."""
    input:
        "results/tables/table1.csv",
        rules.table3.output,
        rules.table4.output,
        rules.table5.output,
        rules.convergence.output,
        rules.complexity.output,
