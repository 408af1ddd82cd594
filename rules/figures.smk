"""t-SNE of hidden layers and representations: Figures 2 and 4 (Sections 6.1 and 6.2)."""


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


#: The variant that figures show.
DRAWN_VARIANT = config["figures"]["variant"] or list(VARIANTS)[0]
#: The t-SNE that figures show: of the first seed's model.
DRAWN = rules.tsne.output.embeddings.format(
    variant=DRAWN_VARIANT, latent=config["figures"]["latent"], seed=config["seeds"][0]
)


rule figure2:
    """Figure 2: t-SNE of the importance networks' top hidden layers."""
    input:
        embeddings=DRAWN,
        code=code("figure2.py"),
    output:
        pdf=reported("results/figures/figure2.pdf", "Section 6.1"),
        png=reported("results/figures/figure2.png", "Section 6.1"),
    log:
        f"{RUN}/logs/figure2.log",
    benchmark:
        f"{RUN}/benchmarks/figure2.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    script:
        "../workflow/scripts/figure2.py"


rule figure4:
    """Figure 4: t-SNE of unimodal and joint representations."""
    input:
        embeddings=DRAWN,
        code=code("figure4.py"),
    output:
        pdf=reported("results/figures/figure4.pdf", "Section 6.2"),
        png=reported("results/figures/figure4.png", "Section 6.2"),
    log:
        f"{RUN}/logs/figure4.log",
    benchmark:
        f"{RUN}/benchmarks/figure4.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    script:
        "../workflow/scripts/figure4.py"
