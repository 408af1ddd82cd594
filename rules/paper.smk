"""The paper's tables and figures."""


rule table1:
    """Table 1: Precision@K of joint and unimodal representations, beside the paper's values."""
    input:
        scores=expand(rules.scores.output.scores, **TRAINED_IMA)
        + expand(rules.baseline_scores.output.scores, **TRAINED),
        anchors=rules.anchors.output.scores,
        paper="config/paper_values.csv",
        code=code("table1.py"),
    output:
        table=reported("results/tables/table1.csv", "Section 6.2"),
    log:
        f"{RUN}/logs/table1.log",
    benchmark:
        f"{RUN}/benchmarks/table1.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=500,
    params:
        run=config["run"],
    script:
        "../workflow/scripts/table1.py"
