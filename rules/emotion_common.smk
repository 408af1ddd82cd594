"""Functions and constants shared by the rules of the emotion experiment."""

from ima.workflow.emotion_folds import PAPER_CLASSES, class_names, folds

EMOTION = config["emotion"]
#: Folds of the protocol by name. With cross-validation, everything from the split of the corpus on
#: is made for each fold; `FOLD` marks its logs. One held-out part has no wildcard.
EMOTION_FOLDS = folds(EMOTION)
SPOKEN, FOLD = (
    (f"{RUN}/emotion", "")
    if EMOTION["protocol"] == "held_out"
    else (f"{RUN}/emotion/fold_{{fold}}", "_fold_{fold}")
)
#: The last fold, which figures and importances show.
EMOTION_SHOWN = list(EMOTION_FOLDS)[-1]


wildcard_constraints:
    fold="|".join(EMOTION_FOLDS),


#: Corpora that the experiment reads, and the one that its recordings come from.
EMOTION_CORPORA = EMOTION["corpus"].split("_")
VOICED = EMOTION_CORPORA[0]

#: Counts of all words of IEMOCAP, for claims about it; a constructed corpus has none.
EMOTION_CORPUS_WORDS = {"words": f"{SPOKEN}/corpus_words.parquet"} if VOICED == "iemocap" else {}


def emotion_made():
    """Return the manifest of the demo's IEMOCAP; empty if the run uses another corpus."""
    return made_by_rule("iemocap") if VOICED == "iemocap" and config["raw"] is None else []


def emotion_manifests():
    """Return the manifests of the experiment's corpora and files, for the sidecars of its tables."""
    files = [f"{RUN}/corpora/{name}.json" for name in EMOTION_FILES]
    return (emotion_made() or manifests(EMOTION_CORPORA)) + files


def of_shown_fold(file):
    """Return a file of the last fold; the same file without cross-validation."""
    return file.replace("{fold}", EMOTION_SHOWN)


def emotion_fold(wildcards):
    """Return the held-out groups of a fold and the column that contains them."""
    return EMOTION_FOLDS[wildcards.get("fold", "")]._asdict()


def emotion_stage1(variant):
    """Return the settings of stage 1 of a variant on words and voices."""
    return merged_settings(EMOTION["autoencoder"], EMOTION["ima"][variant]["autoencoder"])


#: Files that define the networks of variants that do not have the layers of `emotion.model`.
EMOTION_NETWORKS = network_files(
    {name: EMOTION["ima"][name] for name in EMOTION["variants"]},
    EMOTION["model"],
    "emotion.",
    ROOT / "src",
)


def emotion_networks(variant):
    """Return the files that define the networks of a variant on words and voices."""
    return [os.path.relpath(file) for file in EMOTION_NETWORKS[variant]]


def emotion_importance_settings(variant):
    """Return the settings of stage 2 of a variant on words and voices, including `rho`."""
    shared, own = EMOTION["importance"], EMOTION["ima"][variant]["importance"]
    return merged_settings(shared, own, {"rho": shared["rho"] | own.get("rho", {})})


def emotion_stage2(variant):
    """Return the settings of `ima.models.importance.Stage2` for a variant, without restarts."""
    others = ("hidden", "rho", "restarts")
    return {k: v for k, v in emotion_importance_settings(variant).items() if k not in others}


def emotion_last_round(file):
    """Return a file of the last round, as both stages alternate for some rounds."""
    return file.replace("{round}", str(EMOTION["alternations"]))


def emotion_round_before(wildcards):
    """Return the autoencoder and importances of the previous round, if there is one (Section 5)."""
    number = int(wildcards.round) - 1
    folder = EMOTION_MODEL.format(**wildcards)
    return (
        {
            "before": f"{folder}/autoencoder_round{number}.safetensors",
            "importance": f"{folder}/importance_round{number}.safetensors",
        }
        if number
        else {}
    )


def emotion_baselines_of(wildcards):
    """Return the files of all baselines that hold the models of a seed."""
    batches = (one for one in seed_batches(EMOTION_SEEDS) if wildcards.seed in one.split("-"))
    seeds = next(batches, wildcards.seed)
    model = rules.emotion_baseline.output.model
    return expand(model, kind=EMOTION["baselines"], seeds=seeds, allow_missing=True)


#: The user's word vectors and lexicon, if the config names files instead of packages.
EMOTION_FILES = {
    name: EMOTION["words"][name]
    for name in ("glove", "lexicon")
    if EMOTION["words"][name] not in ("package", "empath", "nrclex")
}

#: Description of the corpus for tables and figures.
EMOTION_NAME = {
    "ravdess_meld": "constructed pairing: MELD's texts, each with RAVDESS' voices of its emotion",
    "iemocap": "demo: sentences of a grammar, spoken by espeak-ng" if emotion_made() else "IEMOCAP",
}[EMOTION["corpus"]]
#: Addition to it with cross-validation, for what shows all folds and for what shows one.
EMOTION_OVER, EMOTION_ONE = (
    (f"; {EMOTION['protocol'].replace('_', ' ')}", f"; held out: {EMOTION_SHOWN}")
    if FOLD
    else ("", "")
)


def emotion_about(folds):
    """Return the columns of tables that describe the corpus, the given folds and the classes."""
    held_out = [group for name in folds for group in EMOTION_FOLDS[name].validation]
    return {
        "corpus": EMOTION_NAME,
        "protocol": EMOTION["protocol"],
        "held_out": ", ".join(held_out),
        "folds": len(folds),
        "classes": class_names(EMOTION),
    }
