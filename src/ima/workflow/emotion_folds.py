"""Folds and classes of the emotion experiment, from the config."""

from collections.abc import Mapping
from typing import NamedTuple

from ima.utils.emotions import chosen_classes
from ima.utils.errors import InputError

_SESSIONS = tuple("12345")
#: By protocol of cross-validation, the column of UTTERANCES that names the groups, and the groups
#: that are held out in turn. Both protocols are for IEMOCAP.
FOLDS = {
    "leave_one_session_out": ("session", _SESSIONS),
    "leave_one_speaker_out": ("speaker", tuple(f"Ses0{n}{sex}" for n in _SESSIONS for sex in "FM")),
}
#: The paper's classes, as `class_names` has them (5.4).
PAPER_CLASSES = "angry, happy and excited, neutral, sad"
#: Emotions that MELD and RAVDESS do not label.
_ABSENT = {"excited", "frustrated"}


class Fold(NamedTuple):
    """A split into training and validation parts.

    Attributes:
        validation: the held-out sessions, speakers or actors.
        by: what they are, `session` or `speaker`.
    """

    validation: tuple[str, ...]
    by: str


def folds(emotion: Mapping) -> dict[str, Fold]:
    """Return the folds of the config's protocol by name; that of `held_out` has the name ''.

    Args:
        emotion: `emotion` of the config.

    Raises:
        InputError: the corpus does not have the protocol's sessions and speakers.
    """
    protocol = emotion["protocol"]
    if protocol == "held_out":
        return {"": Fold(tuple(emotion["validation"]), "session")}
    if emotion["corpus"] != "iemocap":
        raise InputError(
            "config, emotion.protocol",
            expected="held_out for MELD's texts, which have a split of their own",
            found=protocol,
            do="Choose the actors of the validation part by emotion.validation.",
        )
    by, names = FOLDS[protocol]
    return {name: Fold((name,), by) for name in names}


def class_names(emotion: Mapping) -> str:
    """Return the names of the run's classes, for the columns of tables.

    Args:
        emotion: `emotion` of the config.

    Raises:
        InputError: the corpus does not label one of the classes.
    """
    classes = chosen_classes(emotion["classes"])
    iemocap = emotion["corpus"] == "iemocap"
    if not iemocap and (absent := [name for name in classes if name in _ABSENT]):
        raise InputError(
            "config, emotion.classes",
            expected="classes that MELD and RAVDESS label: angry, happy, neutral, sad, fearful, "
            "disgust, surprised",
            found=", ".join(absent),
            do="List the classes, or set emotion.classes to 4.",
        )
    merged = iemocap and emotion["excited_as_happy"] and "excited" not in classes
    names = {"happy": "happy and excited"} if merged else {}
    return ", ".join(names.get(name, name) for name in classes)
