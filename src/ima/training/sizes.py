"""How wide networks are and how long they are trained where the config leaves it to the data."""

#: What a config says where a number follows from the data.
AUTO = "auto"
#: Width of the hidden layers of encoders and decoders.
HIDDEN = 100
#: Pairs a step.
BATCH = 64
#: Steps of training; epochs are as many as that takes, within these.
UPDATES, EPOCHS = 2000, (10, 2000)
#: Epochs without a lower validation loss that end training: a share of all, this many at the least.
PATIENCE, WAIT = 0.1, 5


def epochs(pairs: int, batch: int) -> int:
    """Return how many passes over so many training pairs make about UPDATES steps."""
    steps = -(-pairs // batch)
    return min(max(-(-UPDATES // steps), EPOCHS[0]), EPOCHS[1])


def patience(of: int) -> int:
    """Return after how many epochs without a lower validation loss a training of so many ends."""
    return max(WAIT, round(PATIENCE * of))
