"""Training with modalities absent (Section 3): retrieval over the share of incomplete pairs."""

from types import SimpleNamespace


rule missing_study:
    """Models trained on pairs some of which lack an item, and their retrieval: one job a seed."""
    input:
        **FEATURES,
        train=PAIRS.train,
        validation=PAIRS.validation,
        test=PAIRS.test,
        code=code("missing_study.py"),
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
        shares=config["missing_study"]["shares"],
        latent=config["missing_study"]["latent"],
        pairs=config["missing_study"]["pairs"],
        hidden=config["importance"]["hidden"],
        layers=LAYERS,
        variants=[in_study(name, config["missing_study"]) for name in VARIANTS],
        # Of each kind the first.
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
        code=code("missing.py"),
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
        run=config["run"],
    script:
        "../workflow/scripts/missing.py"
