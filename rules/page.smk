"""All results of the run on one page, and what its jobs took."""


rule resources:
    """Time and memory that the run's jobs took, by stage and rule."""
    input:
        lambda wildcards: on_the_page(*map(str, RESULTS)),
        code=code("resources.py"),
    output:
        table=reported(f"{TABLES}/resources.csv", "The run"),
    log:
        f"{RUN}/logs/resources.log",
    benchmark:
        f"{RUN}/benchmarks/resources.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        run=config["run"],
        folder=f"{RUN}/benchmarks",
        # By rule, the file that it stands in; without those that only show results.
        stages=lambda wildcards: {
            rule.name: Path(str(rule.snakefile)).stem
            for rule in workflow.rules
            if rule.benchmark and rule.name not in ("resources", "index", "crate")
        },
    script:
        "../workflow/scripts/resources.py"


rule index:
    """Target: results/index.html: tables to sort, maps and utterances to explore, figures."""
    input:
        shown,
        lambda wildcards: on_the_page(*EXPLORED.values()),
        code=code("index.py"),
    output:
        page=reported("results/index.html", "All on one page"),
    log:
        f"{RUN}/logs/index.log",
    benchmark:
        f"{RUN}/benchmarks/index.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        run=config["run"],
        shown=captioned,
        explored=lambda wildcards, input: {
            name: file for name, file in EXPLORED.items() if file in input
        },
        modalities=MODALITIES,
        noise=noise_known(OWN) if OWN else True,
    script:
        "../workflow/scripts/index.py"
