"""Results on user data (docs/own_data.md), and an example data set."""

OWN_RESULTS = no_own_data

if OWN:
    from ima.workflow.user_config import labels_known, noise_known

    #: The first variant, which provides the user's importances and representations.
    OWN_VARIANT = list(VARIANTS)[0]
    #: Models of the run, in the order used by the tables.
    OWN_MODELS = [
        {"variant": OWN_VARIANT, "latent": latent, "seed": seed}
        for latent in config["latents"]
        for seed in config["seeds"]
    ]
    OWN_EXAMPLE = ("left", "right", "spoken")

    rule own_example:
        """Write example files of three modalities: halves of digit images, and spoken digits."""
        output:
            files=expand("results/example/{name}.parquet", name=OWN_EXAMPLE),
        log:
            "results/example/example.log",
        benchmark:
            "results/example/example.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=1000,
        params:
            code=code("own_example.py"),
            digits=OWN["example"]["digits"],
            seed=OWN["example"]["seed"],
        script:
            "../workflow/scripts/own_example.py"

    rule own_represent:
        """Save a model in one file, with its representations and importances of user items."""
        input:
            **FEATURES,
            pairs=[PAIRS.train, PAIRS.validation, PAIRS.test],
            classes=PAIRS.classes,
            scales=SCALES,
            autoencoder=AUTOENCODER.replace("{variant}", OWN_VARIANT),
            importance=lambda wildcards: importance_checkpoint(
                SimpleNamespace(variant=OWN_VARIANT, **wildcards)
            ),
        output:
            model=f"{RUN}/own/latent{{latent}}_seed{{seed}}/model.safetensors",
            representations=f"{RUN}/own/latent{{latent}}_seed{{seed}}/representations.parquet",
            importances=f"{RUN}/own/latent{{latent}}_seed{{seed}}/importances.parquet",
        log:
            f"{RUN}/logs/own_represent_latent{{latent}}_seed{{seed}}.log",
        benchmark:
            f"{RUN}/benchmarks/own_represent_latent{{latent}}_seed{{seed}}.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=4000,
        params:
            code=code("own_represent.py"),
            fusion=OWN["fusion"],
        script:
            "../workflow/scripts/own_represent.py"

    rule own_importance:
        """Importances of each modality, with noise detection scores if noise is known."""
        input:
            representations=[
                rules.own_represent.output.representations.format(**model) for model in OWN_MODELS
            ],
        output:
            table=reported(f"{RUN}/tables/importance.csv", "Own data", caption="own_importance"),
        log:
            f"{RUN}/logs/own_importance.log",
        benchmark:
            f"{RUN}/benchmarks/own_importance.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=2000,
        params:
            code=code("own_importance.py"),
            models=OWN_MODELS,
            noise=noise_known(OWN),
            run=config["run"],
        script:
            "../workflow/scripts/own_importance.py"

    rule own_rho:
        """Importances over rho, and the rho chosen without labels."""
        input:
            sweeps=expand(
                rules.rho_sweep.output.sweep,
                latent=config["sweep"]["latent"],
                seed=config["sweep"]["seeds"] or config["seeds"],
                variant=OWN_VARIANT,
            ),
        output:
            table=reported(f"{RUN}/tables/rho_sweep.csv", "Own data", caption="own_rho_sweep"),
            rho=reported(f"{RUN}/tables/rho.csv", "Own data", caption="own_rho_chosen"),
            pdf=reported(f"{RUN}/figures/own_rho.pdf", "Own data"),
            png=reported(f"{RUN}/figures/own_rho.png", "Own data"),
        log:
            f"{RUN}/logs/own_rho.log",
        benchmark:
            f"{RUN}/benchmarks/own_rho.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=500,
        params:
            code=code("own_rho.py"),
            noise=noise_known(OWN),
            run=config["run"],
        script:
            "../workflow/scripts/own_rho.py"

    rule own_maps:
        """t-SNE of importance networks and of representations, as in Figures 2 and 4."""
        input:
            embeddings=DRAWN,
            importances=rules.represent.output.representations.format(
                variant=DRAWN_VARIANT, latent=config["figures"]["latent"], seed=config["seeds"][0]
            ),
            classes=PAIRS.classes,
        output:
            importances=[
                reported(f"{RUN}/figures/own_importances.{form}", "Own data")
                for form in ("pdf", "png")
            ],
            representations=[
                reported(f"{RUN}/figures/own_representations.{form}", "Own data")
                for form in ("pdf", "png")
            ],
        log:
            f"{RUN}/logs/own_maps.log",
        benchmark:
            f"{RUN}/benchmarks/own_maps.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=500,
        params:
            code=code("own_maps.py"),
            modalities=MODALITIES,
            noise=noise_known(OWN),
            palette=config["figures"]["palette"],
        script:
            "../workflow/scripts/own_maps.py"

    rule own_retrieval:
        """Precision@K of every representation, of raw features, PCA and chance."""
        input:
            scores=expand(
                rules.scores.output.scores,
                variant=OWN_VARIANT,
                latent=config["latents"],
                seeds=seed_batches(config["seeds"]),
            ),
            representations=rules.own_importance.input.representations,
            pairs=PAIRS.test,
            anchors=rules.anchors.output.scores,
        output:
            table=reported(f"{RUN}/tables/retrieval.csv", "Own data", caption="own_retrieval"),
        log:
            f"{RUN}/logs/own_retrieval.log",
        benchmark:
            f"{RUN}/benchmarks/own_retrieval.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=1000,
        params:
            code=code("own_retrieval.py"),
            fusion=OWN["fusion"],
            k=config["retrieval"]["k"],
            run=config["run"],
        script:
            "../workflow/scripts/own_retrieval.py"

    rule own_classifier:
        """Accuracy of classifiers of every representation, of raw features, PCA and chance."""
        input:
            accuracies=expand(
                rules.classify.output.accuracy,
                variant=OWN_VARIANT,
                latent=config["latents"],
                seeds=seed_batches(config["seeds"]),
            )
            + expand(rules.anchors_classify.output.accuracy, seeds=seed_batches(config["seeds"])),
        output:
            table=reported(f"{RUN}/tables/classifier.csv", "Own data", caption="own_classifier"),
        log:
            f"{RUN}/logs/own_classifier.log",
        benchmark:
            f"{RUN}/benchmarks/own_classifier.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=500,
        params:
            code=code("own_classifier.py"),
            run=config["run"],
        script:
            "../workflow/scripts/own_classifier.py"

    include: "user_trust.smk"
    include: "user_compare.smk"

    #: All results of a run on user data; those that need labels only if labels exist.
    OWN_RESULTS = [
        *(rules.own_represent.output.model.format(**model) for model in OWN_MODELS),
        *rules.own_importance.output,
        *rules.own_maps.output,
        *rules.own_trust.output,
        *rules.own_items.output,
    ]
    if importance_settings(OWN_VARIANT)["objective"] != "mixture":
        OWN_RESULTS += rules.own_rho.output
    if labels_known(OWN):
        OWN_RESULTS += [*rules.own_retrieval.output, *rules.own_classifier.output]
    if OWN["compare"]:
        OWN_RESULTS += rules.own_compare.output


rule own:
    """Target: all results on your data: snakemake --cores 8 own --configfile config/own.yaml."""
    input:
        OWN_RESULTS,
