"""What the page of a run shows, and what is said of it."""

from jinja2 import Template

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
