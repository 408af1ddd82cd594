"""Which experiments a run has data for, and what these are called."""


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
