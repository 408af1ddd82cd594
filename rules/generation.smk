"""Generation of each modality from the others."""

from types import SimpleNamespace

#: Models of IMA that generate, in the order of the table's rows.
GENERATORS = [
    {"variant": variant, "latent": latent, "seed": seed}
    for variant in VARIANTS
    for latent in config["latents"]
    for seed in config["seeds"]
]


rule generation:
    """Images generated from spoken digits and back: figure, and whether the digit is preserved."""
    input:
        **FEATURES,
        train=PAIRS.train,
        test=PAIRS.test,
        autoencoders=[AUTOENCODER.format(**model) for model in GENERATORS],
        importances=[importance_checkpoint(SimpleNamespace(**model)) for model in GENERATORS],
        baselines=expand(rules.baseline.output.model, **TRAINED),
    output:
        scores=f"{RUN}/generation.json",
        table=reported("results/tables/generation.csv", "Section 3", caption="generation_table"),
        pdf=reported("results/figures/generation.pdf", "Section 3"),
        png=reported("results/figures/generation.png", "Section 3"),
    log:
        f"{RUN}/logs/generation.log",
    benchmark:
        f"{RUN}/benchmarks/generation.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("generation.py"),
        run=config["run"],
        settings=config["classifier"],
        models=[
            {
                "model": VARIANTS[model["variant"]]["label"],
                "latent": model["latent"],
                "seed": model["seed"],
            }
            for model in GENERATORS
        ],
        # Model and latent size of each file, in the same order.
        baselines=[
            {"model": MODELS[name]["label"], "latent": latent}
            for name in TRAINED["baseline"]
            for latent in TRAINED["latent"]
            for _ in TRAINED["seeds"]
        ],
        # The latent size in the figure.
        drawn=min(config["latents"], key=lambda latent: abs(latent - config["figures"]["latent"])),
        coefficients={"image": None, "speech": config["speech"]["mfcc"]["n_mfcc"]},
    script:
        "../workflow/scripts/generation.py"
