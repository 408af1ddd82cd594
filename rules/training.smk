"""Both stages of IMA (Section 3)."""

MODEL = f"{RUN}/models/{{variant}}/latent{{latent}}/seed{{seed}}"


rule autoencoder:
    """Stage 1: encoders and decoders (Eq. 2)."""
    input:
        unpack(round_before),
        **FEATURES,
        pairs=PAIRS.train,
        validation=PAIRS.validation,
        networks=lambda wildcards: files_of_networks([wildcards.variant]),
    output:
        model=f"{MODEL}/autoencoder_round{{round}}.safetensors",
        history=f"{MODEL}/autoencoder_round{{round}}_history.csv",
    log:
        f"{RUN}/logs/autoencoder_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}.log",
    benchmark:
        f"{RUN}/benchmarks/autoencoder_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}.tsv"
    conda:
        "../envs/ima.yaml"
    threads: config["training_processes"]
    resources:
        mem_mb=3000 * config["training_processes"],
    params:
        code=code("autoencoder.py"),
        layers=lambda wildcards: with_networks(LAYERS, VARIANTS[wildcards.variant]),
        settings=stage1,
        hidden=lambda wildcards: of_untrained(stage1(wildcards), config["importance"], "hidden"),
        rho=lambda wildcards: of_untrained(
            stage1(wildcards), importance_settings(wildcards.variant), "rho"
        ),
        processes=config["training_processes"],
    script:
        "../workflow/scripts/autoencoder.py"


rule importance:
    """Stage 2: importance networks (Eqs. 3 and 4), the best of several restarts."""
    input:
        unpack(importances_of_folds),
        **FEATURES,
        pairs=PAIRS.train,
        validation=PAIRS.validation,
        autoencoder=rules.autoencoder.output.model,
    output:
        model=f"{MODEL}/importance_round{{round}}.safetensors",
        history=f"{MODEL}/importance_round{{round}}_history.csv",
    log:
        f"{RUN}/logs/importance_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}.log",
    benchmark:
        f"{RUN}/benchmarks/importance_{{variant}}_latent{{latent}}_seed{{seed}}_round{{round}}.tsv"
    conda:
        "../envs/ima.yaml"
    threads: config["training_processes"]
    resources:
        mem_mb=3000 * config["training_processes"],
    params:
        code=code("importance.py"),
        settings=lambda wildcards: stage2(wildcards.variant),
        stage1=stage1_of_folds,
        hidden=config["importance"]["hidden"],
        rho=lambda wildcards: importance_settings(wildcards.variant)["rho"],
        restarts=lambda wildcards: importance_settings(wildcards.variant)["restarts"],
        processes=config["training_processes"],
    script:
        "../workflow/scripts/importance.py"


#: A model's autoencoder and its training history, from the last round.
AUTOENCODER = last_round(rules.autoencoder.output.model)
AUTOENCODER_HISTORY = last_round(rules.autoencoder.output.history)


rule shared_encoders:
    """Encoders of what modalities share, trained on pairs weighted by a model's importances."""
    input:
        **FEATURES,
        train=PAIRS.train,
        validation=PAIRS.validation,
        autoencoder=AUTOENCODER,
        importance=importance_checkpoint,
    output:
        model=f"{MODEL}/shared_encoders.safetensors",
        history=f"{MODEL}/shared_encoders_history.csv",
    log:
        f"{RUN}/logs/shared_encoders_{{variant}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/shared_encoders_{{variant}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("shared_encoders.py"),
        training=budget,
    script:
        "../workflow/scripts/shared_encoders.py"


#: All models of IMA in the run.
TRAINED_IMA = {"variant": VARIANTS, "latent": config["latents"], "seed": config["seeds"]}
