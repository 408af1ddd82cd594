"""Emotions that may be classes of the emotion experiment, and their labels (Section 4, 5.4)."""

from collections.abc import Sequence

#: Emotions that a run may choose as classes; `label` is the index into this tuple.
EMOTIONS = (
    *("angry", "happy", "neutral", "sad", "excited", "frustrated"),
    *("fearful", "disgust", "surprised"),
)
#: The four classes of the paper (5.4), and the six that are common for IEMOCAP.
CLASSES, SIX = EMOTIONS[:4], EMOTIONS[:6]

#: `label` of an utterance whose emotion is not one of the run's classes.
OTHER = -1


def chosen_classes(choice: int | Sequence[str]) -> tuple[str, ...]:
    """Return the classes of a run in the order of EMOTIONS.

    Args:
        choice: 4 for CLASSES, 6 for SIX, or some of EMOTIONS.
    """
    names = {4: CLASSES, 6: SIX}[choice] if isinstance(choice, int) else choice
    return tuple(name for name in EMOTIONS if name in names)


def label_of(emotion: str | None, classes: Sequence[str]) -> int:
    """Return the label of one of EMOTIONS: OTHER if it is not among the classes."""
    return EMOTIONS.index(emotion) if emotion in classes else OTHER
