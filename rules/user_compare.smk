"""IMA and other methods on user data, if the config names any in `own.compare`."""

#: The latent size that the figure shows: that of the other figures, if the table has it.
OWN_COMPARED = (
    config["figures"]["latent"]
    if config["figures"]["latent"] in config["latents"]
    else config["latents"][0]
)


rule own_compare:
    """Table and figure of IMA and all methods of own.compare: scores, time and memory."""
    input:
        peers=PEER_SCORES,
        scores=rules.own_retrieval.input.scores,
        accuracies=expand(
            rules.classify.output.accuracy,
            variant=OWN_VARIANT,
            latent=config["latents"],
            seeds=seed_batches(config["seeds"]),
        ),
        anchors=rules.anchors.output.scores,
        chance=expand(rules.anchors_classify.output.accuracy, seeds=seed_batches(config["seeds"])),
        autoencoders=[AUTOENCODER.format(**model) for model in OWN_MODELS],
        importances=[importance_checkpoint(SimpleNamespace(**model)) for model in OWN_MODELS],
    output:
        table=reported(f"{RUN}/tables/compare.csv", "Own data", caption="own_compare"),
        pdf=reported(f"{RUN}/figures/own_compare.pdf", "Own data"),
        png=reported(f"{RUN}/figures/own_compare.png", "Own data"),
    log:
        f"{RUN}/logs/own_compare.log",
    benchmark:
        f"{RUN}/benchmarks/own_compare.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("own_compare.py"),
        # Each model, and the jobs that train it without importances, and with.
        models=[{**model, **training_jobs(**model)} for model in OWN_MODELS],
        modalities=MODALITIES,
        folder=f"{RUN}/benchmarks",
        label=VARIANTS[OWN_VARIANT]["label"],
        latent=OWN_COMPARED,
        run=config["run"],
    script:
        "../workflow/scripts/own_compare.py"
