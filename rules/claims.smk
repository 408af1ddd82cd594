"""What the paper says, tested on this run (docs/claims.md)."""


def there(corpora):
    """Tell whether the run has its corpora: made, downloaded, or in the user's folders."""
    return all(made_by_rule(name) or Path(corpus_root(name)).is_dir() for name in corpora)


def lacking(corpora):
    """Say which corpora the run lacks; '' for none."""
    absent = [corpus_root(name) for name in corpora if not there([name])]
    return f"this run has no {' and no '.join(absent)} (docs/data.md)" if absent else ""


#: Whether the recordings are the demo's, and what the digits are, for the page.
DEMO_DIGITS = bool(made_by_rule("tidigits")) and "tidigits" in DIGIT_CORPORA
DIGITS_NAME = (
    "demo: small handwritten digits, and digits spoken by espeak-ng"
    if DEMO_DIGITS
    else ", ".join(name.upper() for name in DIGIT_CORPORA)
)
#: Of each experiment what its data are, whether they are the paper's, and why there are none.
CLAIMED = {
    "digits": {
        "name": DIGITS_NAME,
        "paper": {"tidigits", "ti46"} <= set(DIGIT_CORPORA) and not DEMO_DIGITS,
        "lacks": "modalities of the user's own" if OWN else lacking(DIGIT_CORPORA),
    },
    "emotion": {
        "name": EMOTION_NAME,
        "paper": EMOTION_NAME == "IEMOCAP",
        "lacks": "modalities of the user's own" if OWN else lacking(EMOTION_CORPORA),
    },
}


def of_digits(files):
    """Return files that only a run on digits has."""
    return [] if CLAIMED["digits"]["lacks"] else files


def of_emotion(files):
    """Return files that only a run on emotional utterances has."""
    return [] if CLAIMED["emotion"]["lacks"] else files


rule claims:
    """Every claim of the paper with a verdict: a test over the seeds of this run."""
    input:
        claims="config/claims.yaml",
        paper="config/paper_values.csv",
        scores=of_digits(rules.table1.input.scores),
        anchors=of_digits(rules.table1.input.anchors),
        accuracies=of_digits(rules.table5.input.accuracies),
        table4=of_digits(rules.table4.output.table),
        sweeps=of_digits(SWEEPS),
        studies=of_digits(rules.noises.input.studies),
        emotion_scores=of_emotion(EMOTION_SCORES),
        emotion_sweeps=of_emotion(rules.emotion_importance_table.input.sweeps),
        emotion_maps=of_emotion(
            expand(
                rules.emotion_tsne.output.embeddings,
                latent=EMOTION["latent"],
                seed=EMOTION_SEEDS,
            )
        ),
        utterances=of_emotion(rules.emotion_corpus.output.utterances),
        words=of_emotion(rules.emotion_words.output.words),
        code=code("claims.py"),
    output:
        table=reported("results/claims.csv", "Claims"),
        page=reported("results/claims.html", "Claims"),
    log:
        f"{RUN}/logs/claims.log",
    benchmark:
        f"{RUN}/benchmarks/claims.tsv"
    conda:
        "../envs/ima.yaml"
    resources:
        mem_mb=1000,
    params:
        run=config["run"],
        data=CLAIMED,
        # Seeds of the sweeps, in their order.
        sweep_seeds=[
            seed for seed in config["sweep"]["seeds"] or config["seeds"] for _ in OBJECTIVES
        ],
        emotion_seeds=EMOTION_SEEDS,
    script:
        "../workflow/scripts/claims.py"
