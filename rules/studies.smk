"""Training with missing modalities, and under other readings of the paper."""

from types import SimpleNamespace


rule missing_study:
    """Retrieval by models trained on pairs of which some lack an item; one job per seed."""
    input:
        **FEATURES,
        train=PAIRS.train,
        validation=PAIRS.validation,
        test=PAIRS.test,
        networks=files_of_networks(VARIANTS),
    output:
        study=f"{RUN}/missing_study/seed{{seed}}.parquet",
    log:
        f"{RUN}/logs/missing_study_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/missing_study_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("missing_study.py"),
        shares=config["missing_study"]["shares"],
        latent=config["missing_study"]["latent"],
        pairs=config["missing_study"]["pairs"],
        hidden=config["importance"]["hidden"],
        variants=[in_study(name, config["missing_study"]) for name in VARIANTS],
        # Only the first baseline of each kind.
        baselines=[
            baseline_incomplete(name)
            for name in {MODELS[name]["kind"]: name for name in reversed(list(MODELS))}.values()
            if MODELS[name]["kind"] in ("mvae", "jmvae")
        ][::-1],
    script:
        "../workflow/scripts/missing_study.py"


rule missing:
    """Precision@10 over the share of pairs that lack an item: table and figure."""
    input:
        studies=expand(rules.missing_study.output.study, seed=config["missing_study"]["seeds"]),
    output:
        table=reported("results/tables/missing.csv", "Section 3"),
        pdf=reported("results/figures/missing.pdf", "Section 3"),
        png=reported("results/figures/missing.png", "Section 3"),
    log:
        f"{RUN}/logs/missing.log",
    benchmark:
        f"{RUN}/benchmarks/missing.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("missing.py"),
        run=config["run"],
    script:
        "../workflow/scripts/missing.py"


rule readings_block:
    """Train all readings with the same activation, features and epochs, and their baselines."""
    input:
        image=[rules.features_image.output.features, rules.noise_image.output.features],
        mfcc=rules.mfcc.output.features,
        train=rules.pairs.output.train,
        validation=rules.pairs.output.validation,
        test=rules.pairs.output.test,
    output:
        scores=f"{RUN}/readings/block{{block}}/seed{{seed}}.parquet",
    log:
        f"{RUN}/logs/readings_block_{{block}}_seed{{seed}}.log",
    benchmark:
        f"{RUN}/benchmarks/readings_block_{{block}}_seed{{seed}}.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=3000,
    params:
        code=code("readings_block.py"),
        design=DESIGN,
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


rule leaderboard:
    """All models on all tasks on digits, and which of them are not told apart from the best."""
    input:
        retrieval=rules.table1.output.table,
        accuracy=rules.table5.output.table,
        importance=rules.importance_table.output.table,
        generation=rules.generation.output.table,
        missing=rules.missing.output.table if config["missing_study"]["seeds"] else [],
    output:
        table=reported("results/tables/leaderboard.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/leaderboard.log",
    benchmark:
        f"{RUN}/benchmarks/leaderboard.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        code=code("leaderboard.py"),
        run=config["run"],
        labels={name: VARIANTS[name]["label"] for name in VARIANTS},
        missing_latent=config["missing_study"]["latent"],
    script:
        "../workflow/scripts/leaderboard.py"


rule costs:
    """Parameters and CPU seconds of training of the models of the leaderboard."""
    input:
        ima=[file for model in models_of(TRAINED_IMA) for file in checkpoints_of(**model)],
        baselines=expand(rules.baseline.output.model, **TRAINED),
        peers=PEER_SCORES,
    output:
        table=reported("results/tables/costs.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/costs.log",
    benchmark:
        f"{RUN}/benchmarks/costs.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("costs.py"),
        run=config["run"],
        folder=f"{RUN}/benchmarks",
        rules=["autoencoder", "importance", "shared_encoders", "baseline"],
        # Each model and its jobs by representation, in the order of its files.
        ima=[
            [
                {"model": VARIANTS[model["variant"]]["label"], "latent": model["latent"]},
                jobs_of(**model),
            ]
            for model in models_of(TRAINED_IMA)
        ],
        # Each job of a baseline, its name and its number of seeds.
        baselines=[
            [
                {"model": MODELS[model["baseline"]]["label"], "latent": model["latent"]},
                "baseline_{baseline}_latent{latent}_seeds{seeds}".format(**model),
                len(model["seeds"].split("-")),
            ]
            for model in models_of(TRAINED)
        ],
    script:
        "../workflow/scripts/costs.py"


rule readings:
    """Readings under which the central claims hold, and the choices that decide it."""
    input:
        scores=expand(
            rules.readings_block.output.scores,
            block=BLOCKS,
            seed=config["readings"]["seeds"],
        ),
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
        code=code("readings.py"),
        run=config["run"],
    script:
        "../workflow/scripts/readings.py"
