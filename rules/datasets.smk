"""Raw corpora, synthesised or downloaded unless provided, and speech recordings (Section 4)."""

if config["raw"] is None:

    rule demo_images:
        """Demo images: scikit-learn's handwritten digits as MNIST's IDX files."""
        output:
            tree=directory(f"{RUN}/raw/mnist"),
            manifest=f"{RUN}/raw/mnist.json",
        log:
            f"{RUN}/logs/demo_images.log",
        benchmark:
            f"{RUN}/benchmarks/demo_images.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=1000,
        params:
            code=code("demo_images.py"),
            seed=config["demo"]["seed"],
            test_images=config["demo"]["test_images"],
        script:
            "../workflow/scripts/demo_images.py"

    rule demo_speech:
        """Demo speech: digits by espeak-ng as TIDIGITS and TI46 trees, with true boundaries."""
        output:
            tidigits=directory(f"{RUN}/raw/tidigits"),
            ti46=directory(f"{RUN}/raw/ti46"),
            tidigits_manifest=f"{RUN}/raw/tidigits.json",
            ti46_manifest=f"{RUN}/raw/ti46.json",
            truth=f"{RUN}/raw/truth.parquet",
        log:
            f"{RUN}/logs/demo_speech.log",
        benchmark:
            f"{RUN}/benchmarks/demo_speech.tsv"
        conda:
            "../envs/ima.yaml"
        resources:
            mem_mb=2000,
        params:
            code=code("demo_speech.py"),
            seed=config["demo"]["seed"],
            speakers=config["demo"]["speakers"],
            strings=config["demo"]["strings"],
            ti46_tokens=config["demo"]["ti46_tokens"],
        script:
            "../workflow/scripts/demo_speech.py"


rule download:
    """Download an open corpus that is not in the user's folder, and verify its checksum."""
    output:
        tree=directory(f"{RUN}/raw/{{corpus}}"),
        manifest=f"{RUN}/raw/{{corpus}}.json",
    log:
        f"{RUN}/logs/download_{{corpus}}.log",
    benchmark:
        f"{RUN}/benchmarks/download_{{corpus}}.tsv"
    wildcard_constraints:
        corpus="|".join(sorted(OPEN_CORPORA - DEMO_CORPORA)),
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("download.py"),
    script:
        "../workflow/scripts/download.py"


rule recordings:
    """Recordings of all speech corpora at one sampling rate, unusable recordings, and counts."""
    input:
        *(file for corpus in config["speech"]["corpora"] for file in made_by_rule(corpus)),
        require_corpora(DIGIT_CORPORA),
        shards=shards("recordings/{scatteritem}.parquet"),
        waves=shards("recordings/{scatteritem}.arrow"),
        skipped=shards("recordings/{scatteritem}.csv"),
    output:
        recordings=f"{RUN}/recordings/recordings.parquet",
        waves=f"{RUN}/recordings/waves.arrow",
        skipped=f"{RUN}/recordings/skipped.csv",
        counts=f"{RUN}/recordings/counts.csv",
    log:
        f"{RUN}/logs/recordings.log",
    benchmark:
        f"{RUN}/benchmarks/recordings.tsv"
    conda:
        "../envs/ima.yaml"
    threads: 4
    resources:
        mem_mb=2000,
    params:
        code=code("recordings.py"),
        roots={corpus: corpus_root(corpus) for corpus in config["speech"]["corpora"]},
        fingerprints={corpus: fingerprint(corpus) for corpus in config["speech"]["corpora"]},
        rate=config["speech"]["mfcc"]["rate"],
        fsdd_split=config["speech"]["fsdd_split"],
        fsdd_test_speakers=config["speech"]["fsdd_test_speakers"],
        max_skipped=config["speech"]["max_skipped"],
    script:
        "../workflow/scripts/recordings.py"
