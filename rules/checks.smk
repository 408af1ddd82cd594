"""Checks of what goes into training: what features keep of a digit, and where digits were cut."""


rule feature_checks:
    """Digit accuracy of logistic regression on the features of speech, by variant: table, figure."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
        code=code("feature_checks.py"),
    output:
        table=reported("results/tables/feature_checks.csv", "Section 4"),
        pdf=reported("results/figures/feature_checks.pdf", "Section 4"),
        png=reported("results/figures/feature_checks.png", "Section 4"),
    log:
        f"{RUN}/logs/feature_checks.log",
    benchmark:
        f"{RUN}/benchmarks/feature_checks.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=6000,
    params:
        run=config["run"],
        mfcc=config["speech"]["mfcc"],
        mapping=config["speech"]["mapping"],
        segmentation=config["speech"]["segmentation"],
        oh=config["speech"]["oh"],
        doubtful=config["speech"]["doubtful"],
    script:
        "../workflow/scripts/feature_checks.py"


rule segmentation_example:
    """Where the digits of a recording lie, over its wave and spectrogram: for any recording's id."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
        code=code("segmentation_example.py"),
    output:
        png=f"{RUN}/figures/segmentation/{{recording}}.png",
        pdf=f"{RUN}/figures/segmentation/{{recording}}.pdf",
    log:
        f"{RUN}/logs/segmentation_example/{{recording}}.log",
    benchmark:
        f"{RUN}/benchmarks/segmentation_example/{{recording}}.tsv"
    wildcard_constraints:
        recording=r"\w+(/[\w.-]+)+",
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        rate=config["speech"]["mfcc"]["rate"],
    script:
        "../workflow/scripts/segmentation_example.py"


rule segmentation_examples:
    """The same for some recordings: of each group, the longest, the most doubtful."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
        code=code("segmentation_examples.py"),
    output:
        figures=reported(
            f"{RUN}/figures/segmentation_examples",
            "Section 4",
            patterns=["{figure}.png"],
            labels={"result": "{figure}", "format": "png"},
        ),
        chosen=f"{RUN}/figures/segmentation_examples.csv",
    log:
        f"{RUN}/logs/segmentation_examples.log",
    benchmark:
        f"{RUN}/benchmarks/segmentation_examples.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        rate=config["speech"]["mfcc"]["rate"],
    script:
        "../workflow/scripts/segmentation_examples.py"


rule checks:
    """Target: what features keep of a digit, and where digits were cut, before any training."""
    input:
        list(rules.feature_checks.output),
        list(rules.segmentation_examples.output),
