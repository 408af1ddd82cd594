"""t-SNE of hidden layers and representations, Figures 2 and 4, and weights (Sections 6.1 to 6.3)."""


rule tsne:
    """t-SNE coordinates of hidden layers and representations of a sample of the test pairs."""
    input:
        **FEATURES,
        pairs=PAIRS.test,
        autoencoder=AUTOENCODER,
        importance=importance_checkpoint,
        representations=rules.represent.output.representations,
        code=code("tsne.py"),
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
        settings=config["figures"]["tsne"],
    script:
        "../workflow/scripts/tsne.py"


#: The variants in the order in which figures show them, and their labels.
DRAWN_VARIANTS = drawn_first(VARIANTS)
DRAWN_LABELS = [VARIANTS[name]["label"] for name in DRAWN_VARIANTS]
#: The model that figures show, of each variant: the first seed's.
DRAWN_MODELS = [
    {"variant": name, "latent": config["figures"]["latent"], "seed": config["seeds"][0]}
    for name in DRAWN_VARIANTS
]
DRAWN_VARIANT = DRAWN_VARIANTS[0]
#: The t-SNE of these models, and of the first.
ALL_DRAWN = [rules.tsne.output.embeddings.format(**model) for model in DRAWN_MODELS]
DRAWN = ALL_DRAWN[0]


rule figure2:
    """Figure 2: t-SNE of the importance networks' top hidden layers, by class and by their output."""
    input:
        embeddings=ALL_DRAWN,
        representations=[
            rules.represent.output.representations.format(**model) for model in DRAWN_MODELS
        ],
        code=code("figure2.py"),
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
        modalities=MODALITIES,
        labels=DRAWN_LABELS,
        palette=config["figures"]["palette"],
    script:
        "../workflow/scripts/figure2.py"


rule figure4:
    """Figure 4: t-SNE of unimodal and joint representations, superimposable."""
    input:
        embeddings=ALL_DRAWN,
        code=code("figure4.py"),
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
        labels=DRAWN_LABELS,
        palette=config["figures"]["palette"],
    script:
        "../workflow/scripts/figure4.py"


#: Models whose weights are compared: of each variant, all seeds, those that figures show first.
WEIGHED = [
    {"variant": variant, "latent": config["figures"]["latent"], "seed": seed}
    for variant in DRAWN_VARIANTS
    for seed in config["seeds"]
]


rule weights:
    """How much each modality weighs in the joint representation, by kind of pair."""
    input:
        representations=[
            rules.represent.output.representations.format(**model) for model in WEIGHED
        ],
        pairs=PAIRS.test,
        code=code("weights.py"),
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
        models=[{**model, "model": VARIANTS[model["variant"]]["label"]} for model in WEIGHED],
        run=config["run"],
        palette=config["figures"]["palette"],
    script:
        "../workflow/scripts/weights.py"
