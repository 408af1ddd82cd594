"""Defaults for the width of networks and the length of training that depend on the data."""

from typing import Final, Literal

#: Config value that stands for a number derived from the data, and its type.
AUTO: Final = "auto"
Auto = Literal["auto"]
#: Width of the hidden layers of encoders and decoders.
HIDDEN = 100
#: Batch size, in pairs.
BATCH = 64
#: Target number of training steps, and the range of the number of epochs.
UPDATES, EPOCHS = 2000, (10, 2000)
#: Patience for early stopping, as a share of all epochs, and its minimum in epochs.
PATIENCE, WAIT = 0.1, 5


def epochs(pairs: int, batch: int) -> int:
    """Return the number of epochs that gives about UPDATES steps.

    Args:
        pairs: number of training pairs.
        batch: pairs per step.
    """
    steps = -(-pairs // batch)
    return min(max(-(-UPDATES // steps), EPOCHS[0]), EPOCHS[1])


def patience(epochs: int) -> int:
    """Return the number of epochs without a lower validation loss after which training stops.

    Args:
        epochs: maximum number of epochs of the training.
    """
    return max(WAIT, round(PATIENCE * epochs))
