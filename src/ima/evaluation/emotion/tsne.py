"""t-SNE of words and voices in a model's latent space, for Figure 5 (6.3)."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from ima.evaluation.tsne import embed
from ima.features.lexicon import CATEGORIES
from ima.utils.emotions import EMOTIONS
from ima.utils.schemas_emotion import EMBEDDINGS_EMOTION, NOT_EMOTIONAL


def word_categories(lexicon: pa.Table) -> list[str]:
    """Return the emotion category of each word of LEXICON: the first of CATEGORIES that applies.

    A word of sadness, which is usually negative too, is therefore sad. Words in no category are
    NOT_EMOTIONAL.
    """
    return [
        next((name for name in CATEGORIES if row[name]), NOT_EMOTIONAL)
        for row in lexicon.to_pylist()
    ]


def voice_categories(labels: Sequence[int]) -> list[str]:
    """Return the class of each voice's utterance, 'other' if it has none."""
    return [EMOTIONS[label] if label >= 0 else "other" for label in labels]


def draw_voices(items: pa.Table, points: int, seed: int) -> pa.Table:
    """Return a random choice of validation tokens to show, at most one for each distinct voice.

    Args:
        items: ITEMS_EMOTION.
        points: maximum number of voices.
        seed: seed of the choice.
    """
    split = items["split"].to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(split == "validation")
    _, first = np.unique(items["item_acoustic"].to_numpy()[rows], return_index=True)
    chosen = np.random.default_rng(seed).permutation(rows[first])[:points]
    return items.take(np.sort(chosen))


def embed_items(
    u: Mapping[str, np.ndarray],
    y: Mapping[str, np.ndarray],
    lexicon: pa.Table,
    shown: pa.Table,
    perplexity: float,
    theta: float,
    seed: int,
) -> pa.Table:
    """Return EMBEDDINGS_EMOTION of all words and of the voices of the given tokens.

    Args:
        u: `verbal` and `acoustic`, latents (n_m, L).
        y: their importances (n_m,).
        lexicon: LEXICON of the words.
        shown: tokens of `draw_voices`.
        perplexity, theta, seed: see `ima.evaluation.tsne.embed`.
    """
    voices = shown["item_acoustic"].to_numpy()
    views = {
        "verbal": (np.arange(len(lexicon)), word_categories(lexicon)),
        "acoustic": (voices, voice_categories(shown["label"].to_pylist())),
    }
    tables = []
    for view, (rows, categories) in views.items():
        at = embed(u[view][rows], perplexity, theta, seed)
        columns = {"view": [view] * len(rows), "item": rows, "category": categories}
        columns |= {"importance": y[view][rows], "x": at[:, 0], "y": at[:, 1]}
        tables.append(pa.table(columns).cast(EMBEDDINGS_EMOTION))
    return pa.concat_tables(tables)
