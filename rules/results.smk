"""Tables and figures on digits (Sections 6.1 to 6.3)."""


rule table1:
    """Table 1: Precision@K of joint and unimodal representations, with the paper's values."""
    input:
        scores=expand(
            rules.scores.output.scores,
            variant=VARIANTS,
            latent=config["latents"],
            seeds=seed_batches(config["seeds"]),
        )
        + expand(rules.baseline_scores.output.scores, **TRAINED),
        peers=PEER_SCORES,
        anchors=rules.anchors.output.scores,
        paper=shipped("config/paper_values.csv"),
    output:
        table=reported("results/tables/table1.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/table1.log",
    benchmark:
        f"{RUN}/benchmarks/table1.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("table1.py"),
        run=config["run"],
    script:
        "../workflow/scripts/table1.py"


rule tsne:
    """t-SNE coordinates of hidden layers and representations of a sample of the test pairs."""
    input:
        **FEATURES,
        pairs=PAIRS.test,
        autoencoder=AUTOENCODER,
        importance=importance_checkpoint,
        representations=rules.represent.output.representations,
    output:
        embeddings=f"{MODEL}/tsne.parquet",
    log:
        f"{RUN}/logs/tsne_{{variant}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/tsne_{{variant}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("tsne.py"),
        settings=config["figures"]["tsne"],
    script:
        "../workflow/scripts/tsne.py"


#: Variants in the order in which figures show them, and their labels.
DRAWN_VARIANTS = drawn_first(VARIANTS)
DRAWN_LABELS = [VARIANTS[name]["label"] for name in DRAWN_VARIANTS]
#: The model of each variant that figures show, with the first seed.
DRAWN_MODELS = [
    {"variant": name, "latent": config["figures"]["latent"], "seed": config["seeds"][0]}
    for name in DRAWN_VARIANTS
]
DRAWN_VARIANT = DRAWN_VARIANTS[0]
#: t-SNE coordinates of these models, and those of the first.
ALL_DRAWN = [rules.tsne.output.embeddings.format(**model) for model in DRAWN_MODELS]
DRAWN = ALL_DRAWN[0]


rule figure2:
    """Figure 2: t-SNE of the importance networks' top hidden layers, by class and by output."""
    input:
        embeddings=ALL_DRAWN,
        representations=[
            rules.represent.output.representations.format(**model) for model in DRAWN_MODELS
        ],
    output:
        pdf=figure_files("results/figures/figure2.pdf", DRAWN_VARIANTS, "Section 6.1"),
        png=figure_files("results/figures/figure2.png", DRAWN_VARIANTS, "Section 6.1"),
    log:
        f"{RUN}/logs/figure2.log",
    benchmark:
        f"{RUN}/benchmarks/figure2.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("figure2.py"),
        modalities=MODALITIES,
        labels=DRAWN_LABELS,
        palette=config["figures"]["palette"],
    script:
        "../workflow/scripts/figure2.py"


rule figure4:
    """Figure 4: t-SNE of unimodal and joint representations, superimposable."""
    input:
        embeddings=ALL_DRAWN,
    output:
        pdf=figure_files("results/figures/figure4.pdf", DRAWN_VARIANTS, "Section 6.3"),
        png=figure_files("results/figures/figure4.png", DRAWN_VARIANTS, "Section 6.3"),
    log:
        f"{RUN}/logs/figure4.log",
    benchmark:
        f"{RUN}/benchmarks/figure4.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("figure4.py"),
        labels=DRAWN_LABELS,
        palette=config["figures"]["palette"],
    script:
        "../workflow/scripts/figure4.py"


#: Models whose weights are compared: all seeds of each variant, in the order of figures.
WEIGHED = [
    {"variant": variant, "latent": config["figures"]["latent"], "seed": seed}
    for variant in DRAWN_VARIANTS
    for seed in config["seeds"]
]


rule weights:
    """Weight of each modality in the joint representation, by type of pair."""
    input:
        representations=[
            rules.represent.output.representations.format(**model) for model in WEIGHED
        ],
        pairs=PAIRS.test,
    output:
        pdf=figure_files("results/figures/weights.pdf", DRAWN_VARIANTS, "Section 6.3"),
        png=figure_files("results/figures/weights.png", DRAWN_VARIANTS, "Section 6.3"),
        table=reported("results/tables/weights.csv", "Section 6.3", caption="weights_table"),
    log:
        f"{RUN}/logs/weights.log",
    benchmark:
        f"{RUN}/benchmarks/weights.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("weights.py"),
        models=[{**model, "model": VARIANTS[model["variant"]]["label"]} for model in WEIGHED],
        run=config["run"],
        palette=config["figures"]["palette"],
    script:
        "../workflow/scripts/weights.py"


rule rho_sweep:
    """Importance networks for every rho and restart in one training, and their test scores."""
    input:
        **FEATURES,
        train=PAIRS.train,
        validation=PAIRS.validation,
        test=PAIRS.test,
        autoencoder=AUTOENCODER,
    output:
        sweep=f"{MODEL}/rho_sweep.parquet",
    log:
        f"{RUN}/logs/rho_sweep_{{variant}}_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/rho_sweep_{{variant}}_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("rho_sweep.py"),
        rho=config["sweep"]["rho"],
        restarts=config["sweep"]["restarts"],
        settings=lambda wildcards: stage2(wildcards.variant),
        hidden=config["importance"]["hidden"],
    script:
        "../workflow/scripts/rho_sweep.py"


#: Sweeps of every seed and variant, for the autoencoders of size `sweep.latent`.
SWEEPS = expand(
    rules.rho_sweep.output.sweep,
    latent=config["sweep"]["latent"],
    seed=config["sweep"]["seeds"] or config["seeds"],
    variant=VARIANTS,
)


rule figure6:
    """Figure 6: precision, recall and F1 of noise over rho, and the rho chosen without labels."""
    input:
        sweeps=SWEEPS,
        paper=shipped("config/paper_values.csv"),
    output:
        pdf=reported("results/figures/figure6.pdf", "Section 6.1"),
        png=reported("results/figures/figure6.png", "Section 6.1"),
        table=reported("results/tables/figure6.csv", "Section 6.1"),
        rho=reported("results/tables/rho.csv", "Section 6.1"),
    log:
        f"{RUN}/logs/figure6.log",
    benchmark:
        f"{RUN}/benchmarks/figure6.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("figure6.py"),
        run=config["run"],
        labels={name: of["label"] for name, of in VARIANTS.items()},
    script:
        "../workflow/scripts/figure6.py"


#: Models whose importances are scored by seed, for each variant and latent size.
IMPORTANCE_MODELS = [
    {"variant": variant, "latent": latent, "seed": seed}
    for variant in VARIANTS
    for latent in config["latents"]
    for seed in importance_seeds(variant, latent)
]


rule importance_table:
    """F1 of the noise class by seed, for each variant and latent size."""
    input:
        **FEATURES,
        pairs=PAIRS.test,
        models=[
            last_round(rules.importance.output.model).format(**model)
            for model in IMPORTANCE_MODELS
        ],
    output:
        table=reported("results/tables/importance.csv", "Section 6.1"),
    log:
        f"{RUN}/logs/importance_table.log",
    benchmark:
        f"{RUN}/benchmarks/importance_table.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("importance_table.py"),
        models=IMPORTANCE_MODELS,
        run=config["run"],
    script:
        "../workflow/scripts/importance_table.py"


#: Inputs and params that both studies of noise share.
NOISE_STUDY = {
    "image": rules.features_image.output.features,
    "speech": rules.features_speech.output.features,
    "mapping": rules.features_speech.output.mapping,
    "waves": rules.recordings.output.waves,
    "segments": rules.segment.output.segments,
    "networks": files_of_networks(VARIANTS),
}
NOISE_STUDY_PARAMS = {
    "latent": config["noise_study"]["latent"],
    "problems": [["synthetic", R] for R in config["noise_study"]["R"]]
    + [[name, config["pairs"]["R"]] for name in config["noise_study"]["noise_types"]],
    "totals": config["noise_study"]["pairs"],
    "sizes": config["pairs"]["sizes"],
    "validation_share": config["pairs"]["validation_share"],
    "noise": {name: config["noise"][name] for name in ("image", "speech")},
    "mfcc": config["speech"]["mfcc"],
    "hidden": config["importance"]["hidden"],
    "variants": {name: in_study(name, config["noise_study"]) for name in VARIANTS},
    # The variant whose autoencoder the other detectors use, whichever others are listed.
    "reference": "ima+" if "ima+" in VARIANTS else list(VARIANTS)[-1],
}


rule noise_study:
    """Noise detection by importances and other methods, on harder noise and shuffled pairs."""
    input:
        **NOISE_STUDY,
    output:
        study=f"{RUN}/noise_study/seed{{seed}}.parquet",
    log:
        f"{RUN}/logs/noise_study_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/noise_study_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        **NOISE_STUDY_PARAMS,
        code=code("noise_study.py"),
    script:
        "../workflow/scripts/noise_study.py"


rule noises:
    """Noise detection by importances and other methods on each type of noise, over seeds."""
    input:
        studies=expand(rules.noise_study.output.study, seed=config["noise_study"]["seeds"]),
    output:
        table=reported("results/tables/noises.csv", "Section 6.1"),
    log:
        f"{RUN}/logs/noises.log",
    benchmark:
        f"{RUN}/benchmarks/noises.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("noises.py"),
        run=config["run"],
    script:
        "../workflow/scripts/noises.py"


rule rival_study:
    """Noise detection by importances and by other unsupervised methods."""
    input:
        **NOISE_STUDY,
    output:
        study=f"{RUN}/rival_study/seed{{seed}}.parquet",
    log:
        f"{RUN}/logs/rival_study_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/rival_study_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        **NOISE_STUDY_PARAMS,
        code=code("rival_study.py"),
    script:
        "../workflow/scripts/rival_study.py"


rule rivals:
    """Noise detection by importances and other unsupervised methods: table and figure."""
    input:
        studies=expand(rules.rival_study.output.study, seed=config["noise_study"]["seeds"]),
    output:
        table=reported("results/tables/rivals.csv", "Section 6.1"),
        pdf=reported("results/figures/rivals.pdf", "Section 6.1"),
        png=reported("results/figures/rivals.png", "Section 6.1"),
    log:
        f"{RUN}/logs/rivals.log",
    benchmark:
        f"{RUN}/benchmarks/rivals.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("rivals.py"),
        run=config["run"],
    script:
        "../workflow/scripts/rivals.py"


rule importances:
    """Target: noise detection by importances: by seed, over rho, on harder noise."""
    input:
        rules.importance_table.output,
        [*rules.noises.output, *rules.rivals.output] if config["noise_study"]["seeds"] else [],
        rules.figure6.output,
