"""Example of user data with three modalities per digit, each with a tenth of noise items.

The modalities are the left and right halves of scikit-learn's handwritten digits, and the digit
spoken by espeak-ng.
"""

from pathlib import Path

import numpy as np
import pyarrow as pa

from ima.datasets.noise import noise_images, noise_wave
from ima.datasets.splits import draw_splits
from ima.utils.arrow import vector_column
from ima.utils.io import write_parquet

#: Proportion of pairs in which a given modality is noise.
NOISE = 0.1
#: Proportions of the digits used for test and validation.
SHARES = {"test": 0.25, "validation": 0.25}
#: Rows by which training and validation images are shifted down, to have more of them.
MOVED = (0, 1, -1)


def write_example(folder: str | Path, digits: int | None, seed: int) -> dict[str, int]:
    """Write `left.parquet`, `right.parquet` and `spoken.parquet`, with one item per row.

    Columns: `id`, shared by the halves and speech of a digit; `x`, the vector of 32 grey values of
    an 8x4 half, or of 288 MFCC standardised by training items; `digit`; `split`; and `noise`.
    Training and validation images occur three times: unchanged, and shifted up and down by one
    row, each time with a newly drawn voice.

    Args:
        folder: output folder.
        digits: number of the 1,797 digits to use; None for all.
        seed: seed for the noise, the splits and the voices.

    Returns:
        The number of noise items in each file.
    """
    from sklearn.datasets import load_digits

    rng = np.random.default_rng(seed)
    images, labels = (values[:digits] for values in load_digits(return_X_y=True))
    split = draw_splits(np.full(len(labels), ""), np.arange(len(labels)), labels, SHARES, rng)
    kept = {rows: np.flatnonzero((split != "test") | (rows == 0)) for rows in MOVED}
    copies = [moved(images[some].reshape(-1, 8, 8) / 16, rows) for rows, some in kept.items()]
    images, digit = np.concatenate(copies), np.concatenate([*kept.values()])
    labels, split = labels[digit], split[digit]
    n, noisy = len(labels), round(NOISE * len(labels))
    # No pair has noise in more than one modality.
    group = rng.permutation(n) // max(noisy, 1)
    noise = {name: group == i for i, name in enumerate(("left", "right", "spoken"))}
    halves = {"left": images[:, :, :4], "right": images[:, :, 4:]}
    x = {name: half.reshape(n, -1).astype(np.float32) for name, half in halves.items()}
    for name in halves:
        x[name][noise[name]] = noise_images(noisy, x[name].shape[1], 0.5, 0.12, 0.8, rng)
    x["spoken"] = spoken(labels, noise["spoken"], split == "train", rng)
    for name, vectors in x.items():
        table = {
            "id": [f"digit/{i:04d}" for i in range(n)],
            "x": vector_column(vectors),
            "digit": labels.astype(np.int8),
            "split": split,
            "noise": noise[name],
        }
        write_parquet(pa.table(table), Path(folder) / f"{name}.parquet")
    return {name: int(flags.sum()) for name, flags in noise.items()}


def moved(images: np.ndarray, rows: int) -> np.ndarray:
    """Return images (n, 8, 8) shifted down by `rows` (up if negative) and padded with black."""
    padded = np.pad(images, ((0, 0), (1, 1), (0, 0)))
    return padded[:, 1 - rows : 9 - rows]


def spoken(
    labels: np.ndarray, noise: np.ndarray, train: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return MFCC (n, 288) of digits spoken in random voices, or of white noise for noise items.

    Args:
        labels: the digits (n,).
        noise: whether each item is noise (n,).
        train: whether each item is a training item (n,); those that are not noise give the mean
            and standard deviation for standardization.
        rng: source of randomness.
    """
    from ima.audio import tts
    from ima.audio.resample import resample
    from ima.datasets.synthetic.digits import WORDS
    from ima.features.mfcc import Mfcc, mfcc_of_waves

    mfcc = Mfcc(win_length_ms=25, hop_length_ms=20, frames=12)
    words = [WORDS["z123456789"[digit]] for digit in labels]
    voices = [
        tts.Voice(
            name=f"en-us+{rng.choice(('m1', 'm3', 'm7', 'f1', 'f4', 'linda'))}",
            rate=int(rng.integers(140, 210)),
            pitch=int(rng.integers(20, 80)),
            range=int(rng.integers(25, 90)),
        )
        for _ in words
    ]
    waves = [
        noise_wave(1.0, mfcc.rate, rng)
        if is_noise
        else resample(speech.samples / np.float32(32768), speech.rate, mfcc.rate)
        for speech, is_noise in zip(tts.speak(words, voices), noise, strict=True)
    ]
    x = mfcc_of_waves(waves, mfcc)  # (n, 24 frames x 12)
    known = x[train & ~noise].reshape(-1, mfcc.n_mfcc)
    scaled = (x.reshape(len(x), -1, mfcc.n_mfcc) - known.mean(0)) / known.std(0)
    return scaled.reshape(x.shape)
