"""What claims, cards and the page share."""

from jinja2 import Template


def lacking(corpora):
    """Say which corpora the run lacks, neither made, downloaded nor in the user's folders; '' for none."""
    roots = {corpus_root(name) for name in corpora if not made_by_rule(name)}
    absent = sorted(root for root in roots if not Path(root).is_dir())
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


#: The data of the run, as the page and the report introduce it.
ABOUT = Template((ROOT / "workflow/report/workflow.rst").read_text()).render(
    snakemake=SimpleNamespace(config=config)
)
#: Rules whose results are the run's; on data of the user's own, those of `own`.
PARTS = ["importances", "digits", "emotion"]
#: The run's results, which its page and its report show.
RESULTS = (
    OWN_RESULTS
    if OWN
    else [
        *(str(file) for part in PARTS for file in getattr(rules, part).input),
        *(
            str(file)
            for rule in (rules.figure2, rules.figure4, rules.weights)
            for file in rule.output
        ),
        *map(str, rules.segmentation_examples.output),
        *(map(str, rules.readings.output) if READINGS else []),
        *(map(str, rules.missing.output) if config["missing_study"]["seeds"] else []),
    ]
)


def on_the_page(*files):
    """Return results that the page shows: those of the run, or of them those that are there."""
    return [file for file in files if config["page"] == "run" or Path(file).exists()]


def shown(wildcards):
    """Return all that the page shows: what the paper claims, too, once a rule tells whether it holds."""
    claims = [file for file in REPORTED if REPORTED[file]["section"] == "Claims"]
    # Minutes of classifiers, which the run needs no more: shown where somebody asked for them.
    checks = [
        file for file in map(str, rules.feature_checks.output) if not OWN and Path(file).exists()
    ]
    results = on_the_page(*claims, *map(str, RESULTS))
    return [*results, *checks, *map(str, rules.resources.output)]


def captioned(wildcards):
    """Return what the page says of the results that it shows.

    Not a function of the input, though it says the same: of those Snakemake sees no change.
    """
    given = SimpleNamespace(config=config)
    return [
        {
            "file": file,
            "title": title_of(file),
            "section": REPORTED[file]["section"],
            "caption": Template((ROOT / REPORTED[file]["caption"]).read_text()).render(
                snakemake=given
            ),
        }
        for file in dict.fromkeys(map(str, shown(wildcards)))
        if file in REPORTED
    ]


#: What the page lets a reader explore beside tables and figures: by name, its files.
EXPLORED = {
    "embeddings": DRAWN,
    "representations": rules.represent.output.representations.format(
        variant=DRAWN_VARIANT, latent=config["figures"]["latent"], seed=config["seeds"][0]
    ),
}
if OWN:
    EXPLORED["classes"] = str(PAIRS.classes)
else:
    EXPLORED |= {
        "emotion": rules.emotion_tsne.output.embeddings.format(**EMOTION_DRAWN),
        "lexicon": str(rules.emotion_words.output.lexicon),
        "utterances": str(rules.emotion_corpus.output.utterances),
        "tokens": str(rules.emotion_corpus.output.tokens),
        "importances": rules.emotion_scores.output.importances.format(**EMOTION_DRAWN),
    }
