"""A multiverse: the central claims under each way to read what the text leaves open."""


rule readings_block:
    """Train the readings that share activation, features and epochs, and the baselines so read."""
    input:
        image=[rules.features_image.output.features, rules.noise_image.output.features],
        mfcc=rules.mfcc.output.features,
        train=rules.pairs.output.train,
        validation=rules.pairs.output.validation,
        test=rules.pairs.output.test,
        code=code("readings_block.py"),
    output:
        scores=f"{RUN}/readings/{BLOCKS.wildcard_pattern}/seed{{seed}}.parquet",
    log:
        f"{RUN}/logs/readings_block_{BLOCKS.wildcard_pattern}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/readings_block_{BLOCKS.wildcard_pattern}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        block=BLOCKS.instance,
        readings=lambda wildcards: multiverse.of_block(READINGS, dict(wildcards.items())),
        neighbours=config["readings"]["factors"].get("neighbours"),
        pairs=config["readings"]["pairs"],
        noise=config["noise"]["speech"],
        noise_seed=config["noise"]["seed"],
        mfcc=config["speech"]["mfcc"],
        layers={name: config["model"][name] for name in ("image", "speech")},
        stage1={latent: read_stage1(latent) for latent in config["latents"]},
        stage2=read_stage2(),
        hidden=config["importance"]["hidden"],
        baselines=read_baselines(),
        k=config["readings"]["k"],
    script:
        "../workflow/scripts/readings_block.py"


rule readings:
    """Under which readings the central claims hold, and which choices decide it."""
    input:
        scores=expand(
            f"{RUN}/readings/{{block}}/seed{{seed}}.parquet",
            block=BLOCKS.instance_patterns,
            seed=config["readings"]["seeds"],
        ),
        code=code("readings.py"),
    output:
        table=reported("results/tables/readings.csv", "Readings"),
        scores=reported("results/tables/readings_scores.csv", "Readings"),
        pdf=reported("results/figures/readings.pdf", "Readings"),
        png=reported("results/figures/readings.png", "Readings"),
    log:
        f"{RUN}/logs/readings.log",
    benchmark:
        f"{RUN}/benchmarks/readings.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        run=config["run"],
    script:
        "../workflow/scripts/readings.py"
