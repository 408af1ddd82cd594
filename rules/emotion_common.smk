"""What the rules of the emotion experiment share: its corpora, and what makes them."""

EMOTION = config["emotion"]
SPOKEN = f"{RUN}/emotion"

#: Corpora whose files the experiment reads, and the one whose recordings they are.
EMOTION_CORPORA = EMOTION["corpus"].split("_")
VOICED = EMOTION_CORPORA[0]


def emotion_made():
    """Return the manifest of the demo's IEMOCAP, where it is a rule that makes it."""
    return made_by_rule("iemocap") if VOICED == "iemocap" and config["raw"] is None else []


def emotion_manifests():
    """Return the manifests of the corpora that the experiment reads, for its tables' sidecars."""
    return emotion_made() or [f"{RUN}/corpora/{name}.json" for name in EMOTION_CORPORA]


def stamp(file):
    """Return size and time of a user's own file: what changes when the file does."""
    path = Path(file)
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else []


#: Folder of the COVAREP toolbox's output, a user's own; None without.
REFERENCE = EMOTION["voice"]["reference"]


def reference_there(wildcards):
    """Return no files, but stop before anything is made if some of the toolbox's output lack."""
    from ima.utils.errors import InputError
    from ima.evaluation.covarep_toolbox import recordings

    try:
        if REFERENCE:
            recordings(REFERENCE)
    except InputError as error:
        raise WorkflowError(str(error)) from None
    return []


def reference_fingerprint():
    """Return what changes when a file of the toolbox's output does, as `fingerprint` of a corpus."""
    from ima.datasets.base import tree_fingerprint

    return tree_fingerprint(REFERENCE) if REFERENCE and Path(REFERENCE).is_dir() else ""


def emotion_stage1(variant):
    """Return the settings of stage 1 of a variant on words and voices."""
    return merged_settings(EMOTION["autoencoder"], EMOTION["ima"][variant]["autoencoder"])


def emotion_importance_settings(variant):
    """Return the settings of stage 2 of a variant on words and voices, `rho` among them."""
    shared, own = EMOTION["importance"], EMOTION["ima"][variant]["importance"]
    return merged_settings(shared, own, {"rho": shared["rho"] | own.get("rho", {})})


def emotion_stage2(variant):
    """Return of these what `ima.models.importance.Stage2` takes, without the restarts."""
    others = ("hidden", "rho", "restarts")
    return {k: v for k, v in emotion_importance_settings(variant).items() if k not in others}


def emotion_last_round(file):
    """Return a file of the last of the alternating rounds of both stages."""
    return file.replace("{round}", str(EMOTION["alternations"]))


def emotion_round_before(wildcards):
    """Return autoencoder and importances of the round before; none in the first round (Section 5)."""
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


#: The user's own vectors and lexicon, where the config names files and no packages.
EMOTION_FILES = {
    name: EMOTION["words"][name]
    for name in ("glove", "lexicon")
    if EMOTION["words"][name] not in ("package", "empath", "nrclex")
}

#: What the corpus is, for tables and figures.
EMOTION_NAME = {
    "ravdess_meld": "constructed pairing: MELD's texts, each with RAVDESS' voices of its emotion",
    "iemocap": "demo: sentences of a grammar, spoken by espeak-ng" if emotion_made() else "IEMOCAP",
}[EMOTION["corpus"]]
