"""Segmentation of recordings into digits, and the features of both modalities (Section 4)."""


rule segment:
    """Boundaries of each digit in each recording."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
    output:
        segments=f"{RUN}/segments/segments.parquet",
        doubtful=f"{RUN}/segments/doubtful.csv",
    log:
        f"{RUN}/logs/segment.log",
    benchmark:
        f"{RUN}/benchmarks/segment.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=4000,
    params:
        code=code("segment.py"),
        rate=config["speech"]["mfcc"]["rate"],
        method=config["speech"]["segmentation"],
    script:
        "../workflow/scripts/segment.py"


rule mfcc:
    """MFCC of every digit, not yet mapped to [0, 1]."""
    input:
        recordings=rules.recordings.output.recordings,
        waves=rules.recordings.output.waves,
        segments=rules.segment.output.segments,
        shards=shards("mfcc/{scatteritem}.parquet"),
    output:
        features=f"{RUN}/features/mfcc.parquet",
    log:
        f"{RUN}/logs/mfcc.log",
    benchmark:
        f"{RUN}/benchmarks/mfcc.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=3000,
    params:
        code=code("mfcc.py"),
        mfcc=config["speech"]["mfcc"],
        oh=config["speech"]["oh"],
        doubtful=config["speech"]["doubtful"],
    script:
        "../workflow/scripts/mfcc.py"


rule features_speech:
    """MFCC mapped to [0, 1], and the mapping, which is fitted to the training digits."""
    input:
        mfcc=rules.mfcc.output.features,
    output:
        features=f"{RUN}/features/speech.parquet",
        mapping=f"{RUN}/features/speech_mapping.json",
    log:
        f"{RUN}/logs/features_speech.log",
    benchmark:
        f"{RUN}/benchmarks/features_speech.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("features_speech.py"),
        mapping=config["speech"]["mapping"],
        coefficients=config["speech"]["mfcc"]["n_mfcc"],
    script:
        "../workflow/scripts/features_speech.py"


rule features_image:
    """Images as vectors in [0, 1]."""
    input:
        made_by_rule(config["image"]["corpus"]),
        require_corpora(DIGIT_CORPORA),
    output:
        features=f"{RUN}/features/image.parquet",
        skipped=f"{RUN}/features/image_skipped.csv",
    log:
        f"{RUN}/logs/features_image.log",
    benchmark:
        f"{RUN}/benchmarks/features_image.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=2000,
    params:
        code=code("features_image.py"),
        root=lambda wildcards: corpus_root(config["image"]["corpus"]),
        fingerprint=fingerprint(config["image"]["corpus"]),
        nominal=config["raw"] is not None or config["image"]["corpus"] in config["roots"],
    script:
        "../workflow/scripts/features_image.py"
