"""Representations of the test pairs and their scores (Sections 5.2 to 5.4)."""


rule represent:
    """Joint and unimodal representations and importances of the test pairs."""
    input:
        **FEATURES,
        pairs=PAIRS.test,
        autoencoder=AUTOENCODER,
        importance=importance_checkpoint,
        code=code("represent.py"),
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
    script:
        "../workflow/scripts/represent.py"


rule scores:
    """Precision@K of every representation, and how well importances find the noise."""
    input:
        representations=rules.represent.output.representations,
        pairs=PAIRS.test,
        code=code("scores.py"),
    output:
        scores=f"{MODEL}/scores.json",
    log:
        f"{RUN}/logs/scores_{{variant}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/scores_{{variant}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        label=lambda wildcards: VARIANTS[wildcards.variant]["label"],
        k=config["retrieval"]["k"],
    script:
        "../workflow/scripts/scores.py"


rule anchors:
    """Precision@K of raw features and PCA, and of a representation under shuffled labels."""
    input:
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
        code=code("anchors.py"),
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
        latents=config["latents"],
        k=config["retrieval"]["k"],
    script:
        "../workflow/scripts/anchors.py"
