"""Functions and constants shared by the claims, the cards, the page and provenance."""

from jinja2 import Template

from ima.utils.trees import parts_of


def lacking(corpora):
    """Return a sentence on corpora that are neither made, downloaded nor provided; '' if none."""
    roots = {corpus_root(name) for name in corpora if not made_by_rule(name)}
    absent = sorted(root for root in roots if not Path(root).is_dir())
    return f"this run has no {' and no '.join(absent)} (docs/data.md)" if absent else ""


#: What the demo makes in place of a corpus of digits.
DEMO_DIGITS = {
    "mnist": "small handwritten digits",
    **dict.fromkeys(("tidigits", "ti46"), "digits spoken by espeak-ng"),
}


def name_of_digits():
    """Return a description of the digits: the corpora read, and what the demo makes instead."""
    made = made_by_demo(DIGIT_CORPORA)
    read = [corpus.upper() for corpus in DIGIT_CORPORA if corpus not in made]
    demo = ", and ".join(dict.fromkeys(DEMO_DIGITS[corpus] for corpus in made))
    return "; ".join(filter(None, [", ".join(read), f"demo: {demo}" if demo else ""]))


#: For each experiment: description of its data, whether they are the paper's, and why they are
#: missing ('' if they are not).
CLAIMED = {
    "digits": {
        "name": name_of_digits(),
        "paper": set(DIGIT_CORPORA) == set(DEMO_DIGITS) and not made_by_demo(DIGIT_CORPORA),
        "lacks": "the user's modalities" if OWN else lacking(DIGIT_CORPORA),
    },
    "emotion": {
        "name": f"{EMOTION_NAME}{EMOTION_OVER}",
        "paper": EMOTION_NAME == "IEMOCAP" and class_names(EMOTION) == PAPER_CLASSES,
        "lacks": "the user's modalities" if OWN else lacking(EMOTION_CORPORA),
    },
}


def of_digits(files):
    """Return files if the run includes the digits experiment, otherwise none."""
    return [] if CLAIMED["digits"]["lacks"] else files


def of_emotion(files):
    """Return files if the run includes the emotion experiment, otherwise none."""
    return [] if CLAIMED["emotion"]["lacks"] else files


#: What claims about the corpus of utterances are counted from: labels and words of IEMOCAP itself,
#: or what is used of a constructed corpus.
CORPUS_COUNTS = {
    name: of_emotion(of_shown_fold(file))
    for name, file in (
        {
            "emotion_counts": rules.emotion_corpus.output.counts,
            "corpus_words": rules.emotion_corpus.output.words,
        }
        if EMOTION_CORPUS_WORDS
        else {
            "utterances": rules.emotion_corpus.output.utterances,
            "words": rules.emotion_words.output.words,
        }
    ).items()
}

#: Introduction to the data of the run, for the page and the report.
ABOUT = Template((ROOT / "workflow/report/workflow.rst").read_text("utf-8")).render(
    snakemake=SimpleNamespace(config=config)
)
#: Rules whose inputs are the results of a run; on user data, the rule is `own`.
PARTS = ["importances", "digits", "emotion"]
#: Results of the run, which its page and its report show.
RESULTS = (
    OWN_RESULTS
    if OWN
    else [
        *(str(file) for part in PARTS for file in getattr(rules, part).input),
        *(
            str(file)
            for rule in (
                rules.figure2,
                rules.figure4,
                rules.weights,
                rules.generation,
                rules.leaderboard,
                rules.costs,
            )
            for file in rule.output
        ),
        *map(str, rules.segmentation_examples.output),
        *(map(str, rules.readings.output) if BLOCKS else []),
        *(map(str, rules.missing.output) if config["missing_study"]["seeds"] else []),
    ]
)


#: Values that wildcards can have in jobs of this config; other jobs belong to earlier configs.
JOB_VALUES = {
    "latent": sorted(map(str, values_of({"latent", "latents"}))),
    "seed": sorted(map(str, values_of({"seeds"}))),
    "seeds": sorted(
        {
            *ANCHOR_SEEDS,
            *seed_batches(config["seeds"]),
            *seed_batches(config["baselines"]["seeds"] or config["seeds"]),
            *seed_batches(EMOTION_SEEDS),
        }
    ),
}


def on_the_page(*files):
    """Return the given results that the page shows: all, or only existing ones (config `page`)."""
    return [file for file in files if config["page"] == "run" or Path(file).exists()]


def shown(wildcards):
    """Return all files that the page shows: on the paper's data, also the verdicts on its claims."""
    claims = [] if OWN else [str(rules.claims.output.table)]
    # The feature checks take minutes and are not needed by the run: shown only if they exist.
    checks = [
        file for file in map(str, rules.feature_checks.output) if not OWN and Path(file).exists()
    ]
    results = on_the_page(*claims, *map(str, RESULTS))
    return [*results, *checks, *map(str, rules.resources.output)]


def maker_of(file):
    """Return name, script, description and inputs of the rule that makes a result."""
    maker = next(maker for maker in own_rules() if file in map(str, maker.output))
    reads = [str(read) for read in maker.input if not callable(read)]
    return {
        "name": maker.name,
        "script": shipped(Path("workflow/scripts") / Path(maker.script).name),
        "about": maker.docstring or "",
        "reads": [read for read in reads if read.startswith("results/")],
    }


def captioned(wildcards):
    """Return title, section, caption and rule of each result that the page shows.

    This does not use the rule's input as an argument, as Snakemake would not detect its changes.
    """
    given = SimpleNamespace(config=config)
    return [
        {
            "file": file,
            "title": title_of(file),
            "section": REPORTED[file]["section"],
            "caption": Template((ROOT / REPORTED[file]["caption"]).read_text("utf-8")).render(
                snakemake=given
            ),
            "rule": maker_of(file),
        }
        for file in dict.fromkeys(map(str, shown(wildcards)))
        if file in REPORTED
    ]


#: Data for the interactive parts of the page: files by name.
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
        "lexicon": of_shown_fold(rules.emotion_words.output.lexicon),
        "utterances": of_shown_fold(rules.emotion_corpus.output.utterances),
        "tokens": of_shown_fold(rules.emotion_corpus.output.tokens),
        "importances": rules.emotion_scores.output.importances.format(**EMOTION_DRAWN),
    }

#: Own data by the name of their manifest: the file of each modality, and of pairs.
OWN_FILES = {
    f"own_{name}": of["file"]
    for name, of in ({**OWN["modalities"], "pairs": OWN["pairs"]} if OWN else {}).items()
    if "file" in of
}
#: All files of the user that are no corpora, by name.
USER_FILES = EMOTION_FILES | OWN_FILES


def own_parts(wildcards):
    """Return the files of own data, which a rule makes for the example; none for other files."""
    file = OWN_FILES.get(wildcards.corpus)
    return inputs_of_user(parts_of(file)) if file else []


def fingerprint_of_files(wildcards):
    """Return a value that changes with the files whose checksum is recorded."""
    file = USER_FILES.get(wildcards.corpus)
    return file_fingerprint(file) if file else fingerprint(wildcards.corpus)
