"""Baselines (Section 6.2): training of several seeds per job, scores and costs."""

BASELINE = f"{RUN}/baselines/{{baseline}}/latent{{latent}}/seeds{{seeds}}"


wildcard_constraints:
    baseline="|".join(MODELS) or "none",
    seeds=r"\d+(-\d+)*",


#: All baselines, latent sizes and batches of seeds in the run.
TRAINED = {
    "baseline": list(MODELS),
    "latent": config["latents"],
    "seeds": seed_batches(config["baselines"]["seeds"] or config["seeds"]),
}


rule baseline:
    """Train a baseline for several seeds, one after the other."""
    input:
        **FEATURES,
        pairs=PAIRS.train,
        validation=PAIRS.validation,
    output:
        model=f"{BASELINE}/model.safetensors",
        history=f"{BASELINE}/history.csv",
    log:
        f"{RUN}/logs/baseline_{{baseline}}_latent{{latent}}_seeds{{seeds}}.log",
    benchmark:
        f"{RUN}/benchmarks/baseline_{{baseline}}_latent{{latent}}_seeds{{seeds}}.tsv"
    conda:
        "../envs/ima.yaml"
    threads: config["training_processes"]
    resources:
        mem_mb=3000 * config["training_processes"],
    params:
        code=code("baseline.py"),
        layers=lambda wildcards: own_layers(wildcards.baseline),
        kind=lambda wildcards: MODELS[wildcards.baseline]["kind"],
        training=budget,
        own=lambda wildcards: own_settings(wildcards.baseline),
        processes=config["training_processes"],
    script:
        "../workflow/scripts/baseline.py"


rule baseline_scores:
    """Precision@K of a baseline's representations of the test pairs, for each seed."""
    input:
        **FEATURES,
        pairs=PAIRS.test,
        model=rules.baseline.output.model,
    output:
        scores=f"{BASELINE}/scores.json",
    log:
        f"{RUN}/logs/baseline_scores_{{baseline}}_latent{{latent}}_seeds{{seeds}}.log",
    benchmark:
        f"{RUN}/benchmarks/baseline_scores_{{baseline}}_latent{{latent}}_seeds{{seeds}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("baseline_scores.py"),
        label=lambda wildcards: MODELS[wildcards.baseline]["label"],
        k=config["retrieval"]["k"],
    script:
        "../workflow/scripts/baseline_scores.py"


rule convergence:
    """Figure of every model's validation loss over the epochs."""
    input:
        histories=expand(AUTOENCODER_HISTORY, **TRAINED_IMA)
        + expand(rules.baseline.output.history, **TRAINED),
    output:
        pdf=reported("results/figures/convergence.pdf", "Section 6.2"),
        png=reported("results/figures/convergence.png", "Section 6.2"),
    log:
        f"{RUN}/logs/convergence.log",
    benchmark:
        f"{RUN}/benchmarks/convergence.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("convergence.py"),
        # Model and latent size of each history, in the same order.
        models=[
            [f"{VARIANTS[name]['label']}, stage 1", latent]
            for name in VARIANTS
            for latent in config["latents"]
            for _ in config["seeds"]
        ]
        + [
            [MODELS[name]["label"], latent]
            for name in TRAINED["baseline"]
            for latent in TRAINED["latent"]
            for _ in TRAINED["seeds"]
        ],
    script:
        "../workflow/scripts/convergence.py"


#: Settings from which Table 4 builds the models of digits, and those of words and voices.
DIGIT_COSTS = {
    "latents": config["latents"],
    "hidden": config["importance"]["hidden"],
    "batch": config["autoencoder"]["batch_size"],
    # Costs of MLPs alone are compared.
    "ima": objectives_of(of for of in VARIANTS.values() if "networks" not in of),
    # Only the first baseline of each kind: variants of a kind have the same cost.
    "models": [
        [model["label"], kind, own_settings(name)]
        for kind, (name, model) in reversed(
            {model["kind"]: (name, model) for name, model in reversed(MODELS.items())}.items()
        )
    ],
}
EMOTION_COSTS = {
    "latents": [config["emotion"]["latent"]],
    "hidden": config["emotion"]["importance"]["hidden"],
    "batch": config["emotion"]["autoencoder"]["batch_size"],
    "ima": objectives_of(config["emotion"]["ima"][name] for name in config["emotion"]["variants"]),
    # None: they are labelled by kind.
    "models": [[None, kind, own] for kind, own in config["emotion"]["baselines"].items()],
}


rule table4:
    """Table 4: parameters, sub-networks, loss terms and measured training time of each model."""
    input:
        image=rules.features_image.output.features,
        speech=rules.features_speech.output.features,
    output:
        table=reported("results/tables/table4.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/table4.log",
    benchmark:
        f"{RUN}/benchmarks/table4.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("table4.py"),
        run=config["run"],
        most=config["complexity"]["modalities"],
        layers={"digits": LAYERS, "emotion": config["emotion"]["model"]},
        settings={"digits": DIGIT_COSTS, "emotion": EMOTION_COSTS},
        words=config["emotion"]["words"]["dimension"],
        voices=config["emotion"]["voice"]["features"],
    script:
        "../workflow/scripts/table4.py"


rule complexity:
    """Figure of each model's cost by number of modalities."""
    input:
        table=rules.table4.output.table,
    output:
        pdf=reported("results/figures/complexity.pdf", "Section 6.2"),
        png=reported("results/figures/complexity.png", "Section 6.2"),
    log:
        f"{RUN}/logs/complexity.log",
    benchmark:
        f"{RUN}/benchmarks/complexity.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("complexity.py"),
    script:
        "../workflow/scripts/complexity.py"
