"""Verdicts on the paper's claims, data and model cards, and results/index.html."""


rule claims:
    """Verdict on every claim of the paper, by a test over the seeds of this run."""
    input:
        no_paper_data if OWN else [],
        **CORPUS_COUNTS,
        claims=shipped("config/claims.yaml"),
        paper=shipped("config/paper_values.csv"),
        scores=of_digits(rules.table1.input.scores),
        anchors=of_digits(rules.table1.input.anchors),
        histories=of_digits(expand(AUTOENCODER_HISTORY, **TRAINED_IMA)),
        accuracies=of_digits(rules.table5.input.accuracies),
        generation=of_digits(rules.generation.output.scores),
        table4=of_digits(rules.table4.output.table),
        sweeps=of_digits(SWEEPS),
        studies=of_digits(rules.noises.input.studies),
        missing=of_digits(rules.missing.input.studies),
        emotion_scores=of_emotion(EMOTION_SCORES),
        emotion_sweeps=of_emotion(expand(rules.emotion_rho_sweep.output.sweep, **EMOTION_MODELS)),
        emotion_anchors=of_emotion(of_shown_fold(rules.emotion_importance_anchors.output.anchors)),
        emotion_maps=of_emotion(expand(rules.emotion_tsne.output.embeddings, **EMOTION_MODELS)),
        emotion_histories=of_emotion(
            expand(emotion_last_round(rules.emotion_autoencoder.output.history), **EMOTION_MODELS)
        ),
        importances=of_emotion(expand(rules.emotion_scores.output.importances, **EMOTION_MODELS)),
        lexicon=of_emotion(of_shown_fold(rules.emotion_words.output.lexicon)),
    output:
        table=reported("results/claims.csv", "Claims"),
    log:
        f"{RUN}/logs/claims.log",
    benchmark:
        f"{RUN}/benchmarks/claims.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("claims.py"),
        run=config["run"],
        data=CLAIMED,
        min_count=EMOTION["words"]["min_count"],
        # The seed of each sweep, in the same order.
        sweep_seeds=[seed for seed in config["sweep"]["seeds"] or config["seeds"] for _ in VARIANTS],
        labels={name: VARIANTS[name]["label"] for name in VARIANTS},
        # Model, latent size and seed of each history, in the same order.
        models=[
            [VARIANTS[name]["label"], latent, seed]
            for name in VARIANTS
            for latent in config["latents"]
            for seed in config["seeds"]
        ],
        # Model and seed of each file of a model of words and voices, in the same order.
        emotion_models=[
            [EMOTION["ima"][name]["label"], seed]
            for name in EMOTION["variants"]
            for seed in EMOTION_SEEDS
        ],
    script:
        "../workflow/scripts/claims.py"


#: Corpora with a card: those of the experiments whose data are available.
CARDED = [*of_digits(DIGIT_CORPORA), *of_emotion(EMOTION_CORPORA)]


rule cards:
    """Cards of corpora and model: origin, licence, counts, scores, limits; Croissant metadata."""
    input:
        no_paper_data if OWN else [],
        facts=shipped("config/corpora.yaml"),
        manifests=manifests(CARDED),
        image=of_digits(rules.features_image.output.features),
        image_skipped=of_digits(rules.features_image.output.skipped),
        speech_counts=of_digits(rules.recordings.output.counts),
        speech_skipped=of_digits(rules.recordings.output.skipped),
        emotion_counts=of_emotion(of_shown_fold(rules.emotion_corpus.output.counts)),
        emotion_skipped=of_emotion(of_shown_fold(rules.emotion_corpus.output.skipped)),
        tables=of_digits(
            [
                rules.table1.output.table,
                rules.table4.output.table,
                rules.importance_table.output.table,
                rules.claims.output.table,
                *of_emotion([rules.table2.output.table, rules.table6.output.table]),
            ]
        ),
        sidecar=of_digits("results/tables/table1.provenance.json"),
    output:
        cards=[f"results/cards/{name}.md" for name in [*CARDED, *of_digits(["model"])]],
        croissant=[f"results/cards/{name}.croissant.json" for name in CARDED],
    log:
        f"{RUN}/logs/cards.log",
    benchmark:
        f"{RUN}/benchmarks/cards.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        code=code("cards.py"),
        run=config["run"],
        corpora=CARDED,
        # What the demo makes in place of a corpus has a card of its own.
        facts={name: f"{name}_demo" if made_by_demo([name]) else name for name in CARDED},
        image=config["image"]["corpus"],
        speech=config["speech"]["corpora"],
    script:
        "../workflow/scripts/cards.py"


rule resources:
    """Time and memory used by the run's jobs, by stage and rule."""
    input:
        lambda wildcards: on_the_page(*map(str, RESULTS)),
        corpora=lambda wildcards: [] if OWN else on_the_page(*manifests(DIGIT_CORPORA)),
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
        code=code("resources.py"),
        run=config["run"],
        folder=f"{RUN}/benchmarks",
        job_values=JOB_VALUES,
        # The stem of each rule's file, except rules that only present results.
        stages=lambda wildcards: {
            rule.name: re.search(r"(\w+)\.smk", str(rule.snakefile))[1]
            for rule in own_rules()
            if rule.benchmark and rule.name not in ("resources", "index", "crate")
        },
    script:
        "../workflow/scripts/resources.py"


rule index:
    """Target: results/index.html, with an overview, sortable tables, maps and all figures."""
    input:
        shown,
        lambda wildcards: on_the_page(*EXPLORED.values()),
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
        code=code("index.py"),
        run=config["run"],
        about=ABOUT,
        shown=captioned,
        explored=lambda wildcards, input: {
            name: file for name, file in EXPLORED.items() if file in input
        },
        modalities=MODALITIES,
        noise=noise_known(OWN) if OWN else True,
    script:
        "../workflow/scripts/index.py"
