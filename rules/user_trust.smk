"""Whether the importances of user data can be trusted, and the least important items."""


rule own_trust:
    """Assess what modalities share, stability of importances and effect of weighting; advise."""
    input:
        representations=[
            rules.own_represent.output.representations.format(**model) for model in OWN_MODELS
        ],
        importance=[importance_checkpoint(SimpleNamespace(**model)) for model in OWN_MODELS],
    output:
        trust=reported(f"{RUN}/tables/trust.csv", "Own data", caption="own_trust"),
        weighting=reported(f"{RUN}/tables/weighting.csv", "Own data", caption="own_weighting"),
        report=reported(f"{RUN}/trust.md", "Own data", caption="own_advice"),
    log:
        f"{RUN}/logs/own_trust.log",
    benchmark:
        f"{RUN}/benchmarks/own_trust.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("own_trust.py"),
        models=OWN_MODELS,
        labels=labels_known(OWN),
        k=min(config["retrieval"]["k"]),
        run=config["run"],
    script:
        "../workflow/scripts/own_trust.py"


#: Rows and columns of the pictures of each modality with `show` in the config.
OWN_SHAPES = {
    name: options["show"]["shape"]
    for name, options in OWN["modalities"].items()
    if "show" in options
}


rule own_items:
    """The least important items, with nearest neighbours, partners and pictures."""
    input:
        **ITEMS,  # pictures show them as they are, not standardized
        importances=expand(
            rules.own_represent.output.importances,
            latent=config["figures"]["latent"],
            seed=config["seeds"],
        ),
        pairs=[PAIRS.train, PAIRS.validation, PAIRS.test],
        classes=PAIRS.classes,
    output:
        table=reported(f"{RUN}/tables/least_important.csv", "Own data", caption="own_least"),
        figure=[
            reported(f"{RUN}/figures/own_items.{form}", "Own data")
            for form in (("pdf", "png") if OWN_SHAPES else ())
        ],
    log:
        f"{RUN}/logs/own_items.log",
    benchmark:
        f"{RUN}/benchmarks/own_items.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=4000,
    params:
        code=code("own_items.py"),
        modalities=MODALITIES,
        latent=config["figures"]["latent"],
        noise=noise_known(OWN),
        shapes=OWN_SHAPES,
        run=config["run"],
    script:
        "../workflow/scripts/own_items.py"
