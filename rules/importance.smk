"""What importances find: over rho, over seeds, and on harder noise beside controls (Section 6.1)."""


rule rho_sweep:
    """Importance networks of every rho and restart in one training, and their scores on test pairs."""
    input:
        **FEATURES,
        train=PAIRS.train,
        validation=PAIRS.validation,
        test=PAIRS.test,
        autoencoder=AUTOENCODER,
        code=code("rho_sweep.py"),
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
        rho=config["sweep"]["rho"],
        restarts=config["sweep"]["restarts"],
        settings=lambda wildcards: stage2(wildcards.variant),
        hidden=config["importance"]["hidden"],
    script:
        "../workflow/scripts/rho_sweep.py"


#: Sweeps of every seed and variant, beside the models of `sweep.latent`.
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
        paper="config/paper_values.csv",
        code=code("figure6.py"),
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
        run=config["run"],
        labels={name: of["label"] for name, of in VARIANTS.items()},
    script:
        "../workflow/scripts/figure6.py"


#: Models whose importances are scored by seed: of each variant, beside each latent size.
IMPORTANCE_MODELS = [
    {"variant": variant, "latent": latent, "seed": seed}
    for variant in VARIANTS
    for latent in config["latents"]
    for seed in seeds_beside(variant, latent)
]


rule importance_table:
    """F1 of the noise class by seed, of each variant, learnt beside each latent size."""
    input:
        **FEATURES,
        pairs=PAIRS.test,
        models=[
            last_round(rules.importance.output.model).format(**model)
            for model in IMPORTANCE_MODELS
        ],
        code=code("importance_table.py"),
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
        models=IMPORTANCE_MODELS,
        run=config["run"],
    script:
        "../workflow/scripts/importance_table.py"


rule noise_study:
    """Harder noise and shuffled pairs: what importances find there, and what other detectors do."""
    input:
        image=rules.features_image.output.features,
        speech=rules.features_speech.output.features,
        mapping=rules.features_speech.output.mapping,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
        code=code("noise_study.py"),
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
        latent=config["noise_study"]["latent"],
        problems=[["synthetic", R] for R in config["noise_study"]["R"]]
        + [[kind, config["pairs"]["R"]] for kind in config["noise_study"]["kinds"]],
        totals=config["noise_study"]["pairs"],
        validation_share=config["pairs"]["validation_share"],
        noise={name: config["noise"][name] for name in ("image", "speech")},
        mfcc=config["speech"]["mfcc"],
        layers=config["model"],
        hidden=config["importance"]["hidden"],
        variants={name: in_study(name, config["noise_study"]) for name in VARIANTS},
    script:
        "../workflow/scripts/noise_study.py"


rule noises:
    """Which noise is found, by importances and by other detectors: means over seeds."""
    input:
        studies=expand(rules.noise_study.output.study, seed=config["noise_study"]["seeds"]),
        code=code("noises.py"),
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
        run=config["run"],
    script:
        "../workflow/scripts/noises.py"


rule importances:
    """Target: what importances find: by seed, over rho, on harder noise (docs/importance.md)."""
    input:
        rules.importance_table.output,
        rules.noises.output if config["noise_study"]["seeds"] else [],
        rules.figure6.output,
