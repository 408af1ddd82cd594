"""The paper's figures on digits: the sweep over rho, and t-SNE (Sections 6.1 and 6.2)."""


rule rho_sweep:
    """Importance networks of every rho and restart in one training, and their scores on test pairs."""
    input:
        **FEATURES,
        train=rules.pairs.output.train,
        test=rules.pairs.output.test,
        autoencoder=rules.autoencoder.output.model,
        code=code("rho_sweep.py"),
    output:
        sweep=f"{MODEL}/rho_sweep.parquet",
    log:
        f"{RUN}/logs/rho_sweep_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/rho_sweep_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        rho=config["sweep"]["rho"],
        restarts=config["sweep"]["restarts"],
        settings={
            name: value
            for name, value in config["importance"].items()
            if name not in ("rho", "restarts")
        },
    script:
        "../workflow/scripts/rho_sweep.py"


rule tsne:
    """t-SNE coordinates of hidden layers and representations of a sample of the test pairs."""
    input:
        **FEATURES,
        pairs=rules.pairs.output.test,
        autoencoder=rules.autoencoder.output.model,
        importance=rules.importance.output.model,
        representations=rules.represent.output.representations,
        code=code("tsne.py"),
    output:
        embeddings=f"{MODEL}/tsne.parquet",
    log:
        f"{RUN}/logs/tsne_latent{{latent}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/tsne_latent{{latent}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        settings=config["figures"]["tsne"],
    script:
        "../workflow/scripts/tsne.py"


#: The t-SNE that figures show: of the first seed's model.
DRAWN = rules.tsne.output.embeddings.format(
    latent=config["figures"]["latent"], seed=config["seeds"][0]
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


rule figure6:
    """Figure 6: precision, recall and F1 of noise over rho."""
    input:
        sweeps=expand(
            rules.rho_sweep.output.sweep, latent=config["sweep"]["latent"], seed=config["seeds"]
        ),
        paper="config/paper_values.csv",
        code=code("figure6.py"),
    output:
        pdf=reported("results/figures/figure6.pdf", "Section 6.1"),
        png=reported("results/figures/figure6.png", "Section 6.1"),
        table=reported("results/tables/figure6.csv", "Section 6.1"),
    log:
        f"{RUN}/logs/figure6.log",
    benchmark:
        f"{RUN}/benchmarks/figure6.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        run=config["run"],
    script:
        "../workflow/scripts/figure6.py"
