"""All scores of words, voices and utterances by seed, as rows that claims select from.

The rows are as in `ima.reporting.claims.scores`; `of` is emotion or corpus.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pyarrow as pa
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from ima.datasets.iemocap import LABELS
from ima.evaluation.neighbours import neighbours
from ima.evaluation.seeds import over_folds
from ima.reporting.claims.scores import Rows, over_rho
from ima.utils.emotions import CLASSES, EMOTIONS
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import NOT_EMOTIONAL

#: English words of closed classes: articles, pronouns, prepositions, conjunctions, auxiliaries.
FUNCTION_WORDS = (
    "a an the this that these those i me my you your he him his she her it its we us our they "
    "them their who whom whose which what of in on at to for from by with about into over "
    "under between through after before during and or but if because as than so nor while "
    "though am is are was were be been being do does did have has had will would shall should "
    "can could may might must not there"
)
PAUSE = "sil"
#: Words that the paper names as important, and words that it names as ignored.
NAMED_WORDS = ("temperamental", "boorish", "exaggerated", "to", "the")
#: Number of neighbours considered in a t-SNE map.
NEAREST = 10


def utterances(scores: Iterable[Mapping]) -> Iterator[dict]:
    """Yield retrieval and accuracy of emotional utterances (`ima.evaluation.emotion.scores`).

    They are averaged over folds; a score that some folds lack has no row.
    """
    for result in over_folds(scores):
        for row in result["scores"]:
            if not math.isnan(row["value"]):
                yield {"of": "emotion", "seed": result["seed"], **row}


def swept_emotion(sweeps: Iterable[tuple[str, int, pa.Table]]) -> Iterator[dict]:
    """Yield the agreement of importances of words and voices with references, by rho.

    The scores are `auc`, `auc_frequency_matched`, and those of
    `ima.reporting.claims.scores.over_rho` for the mean F1.

    Args:
        sweeps: model, seed and table of `ima.utils.schemas_emotion.IMPORTANCE_EMOTION`.
    """
    for model, seed, table in sweeps:
        for about, rows in _references(table.to_pylist()):
            about |= {"by": model, "seed": seed}
            yield from over_rho(about, rows, "macro_f1", [row["share_called"] for row in rows])
            for row in rows:
                for score in ("auc", "auc_frequency_matched"):
                    if not math.isnan(row[score]):
                        yield {**about, "rho": row["rho"], "score": score, "value": row[score]}


def guessed(anchors: pa.Table) -> Iterator[dict]:
    """Yield the agreement of random classifiers with references, by their probability r (`rho`).

    `random` has the expected scores of `ima.reporting.claims.scores.over_rho`. `random best` has
    `f1_best`: the best of one drawn classifier for each r, averaged over draws.

    Args:
        anchors: IMPORTANCE_EMOTION of `ima.evaluation.emotion.importance_reference`.
    """
    every = anchors.to_pylist()
    for about, rows in _references([row for row in every if row["by"] == "random"]):
        about |= {"by": "random", "seed": None}
        shares = [row["share_called"] for row in rows]
        yield from over_rho(about, rows, "macro_f1", shares, constants=True)
    for about, rows in _references([row for row in every if row["by"] == "random best"]):
        value = float(np.mean([row["macro_f1"] for row in rows]))
        yield {**about, "by": "random best", "seed": None, "score": "f1_best", "value": value}


def _references(rows: Rows) -> Iterator[tuple[dict, Rows]]:
    """Group rows of IMPORTANCE_EMOTION by modality, reference and unit; yield keys and rows."""
    groups: dict[tuple, Rows] = defaultdict(list)
    keys = ("modality", "reference", "unit")
    for row in rows:
        groups[tuple(row[key] for key in keys)].append(row)
    for values, group in groups.items():
        yield {"of": "emotion", **dict(zip(keys, values, strict=True))}, group


def mapped(maps: Iterable[tuple[str, int, pa.Table]]) -> Iterator[dict]:
    """Yield statistics of the positions of words and voices in their t-SNE maps (Figure 5).

    For words, `periphery` is the probability that an emotional word (by the lexicon) is further
    than another word from the map's centre, the mean of all words; .5 by chance.
    `periphery_importance` is Spearman's correlation of that distance with importance. `distinct` is
    the proportion of emotional words among an emotional word's nearest neighbours, minus that among
    all other words; 0 by chance.

    For voices, `importance_of` is the mean importance of a category. `purity_importance` is
    Spearman's correlation of importance with the proportion of a voice's nearest neighbours that
    have its class.

    Args:
        maps: model, seed and table of `ima.utils.schemas_emotion.EMBEDDINGS_EMOTION`.
    """
    for model, seed, table in maps:
        about = {"of": "emotion", "model": model, "seed": seed}
        for score, value in _words(_Map(table, "verbal")):
            yield {**about, "score": score, "value": value}
        voices = _Map(table, "acoustic")
        for category in np.unique(voices.category).tolist():
            value = float(voices.y[voices.category == category].mean())
            yield {**about, "score": "importance_of", "category": category, "value": value}
        purity = _purity(voices.of(voices.category != "other"))
        if purity is not None:
            yield {**about, "score": "purity_importance", "value": purity}


class _Map:
    """Coordinates (n, 2), categories (n,) and importances (n,) of one view."""

    def __init__(self, table: pa.Table, view: str):
        rows = [row for row in table.to_pylist() if row["view"] == view]
        self.at = np.array([(row["x"], row["y"]) for row in rows]).reshape(-1, 2)
        self.category = np.array([row["category"] for row in rows])
        self.y = np.array([row["importance"] for row in rows])

    def of(self, mask: np.ndarray) -> "_Map":
        """Return the part of the map selected by a mask (n,)."""
        part = object.__new__(_Map)
        part.at, part.category, part.y = self.at[mask], self.category[mask], self.y[mask]
        return part


def _words(words: _Map) -> Iterator[tuple[str, float]]:
    if not len(words.y):
        return
    far = np.linalg.norm(words.at - words.at.mean(0), axis=1)
    emotional = words.category != NOT_EMOTIONAL
    if 0 < emotional.sum() < len(far):
        yield "periphery", float(roc_auc_score(emotional, far))
        if emotional.sum() > 1:
            nearest = neighbours(words.at, min(NEAREST, len(far) - 1))
            share = emotional[nearest][emotional].mean()
            yield "distinct", float(share - (emotional.sum() - 1) / (len(far) - 1))
    if np.ptp(words.y) > 0:
        yield "periphery_importance", float(spearmanr(far, words.y).statistic)


def _purity(voices: _Map) -> float | None:
    if len(voices.y) < 3 or np.ptp(voices.y) == 0:
        return None
    nearest = neighbours(voices.at, min(NEAREST, len(voices.y) - 1))
    share = (voices.category[nearest] == voices.category[:, None]).mean(1)
    return float(spearmanr(share, voices.y).statistic) if np.ptp(share) > 0 else None


def worded(importances: Iterable[tuple[str, int, pa.Table]], lexicon: pa.Table) -> Iterator[dict]:
    """Yield scores of the importances of the corpus' words, each word counted once.

    `share_unimportant` is the proportion with an importance below .5 among `all` words, among
    `function words`, of `pauses` and of each of NAMED_WORDS. `auc_function_words` is the
    probability that a word of the lexicon is more important than a function word, .5 by chance.

    Args:
        importances: model, seed and table of `ima.utils.schemas_emotion.TOKEN_IMPORTANCES`.
        lexicon: LEXICON.
    """
    function = set(FUNCTION_WORDS.split())
    emotional = {row["word"] for row in lexicon.to_pylist() if row["emotional"]}
    for model, seed, table in importances:
        about = {"of": "emotion", "model": model, "seed": seed}
        y = dict(zip(table["token"].to_pylist(), table["y_verbal"].to_pylist(), strict=True))
        groups = {"all": set(y), "function words": function, "pauses": {PAUSE}}
        groups |= {word: {word} for word in NAMED_WORDS}
        for name, words in groups.items():
            values = [y[word] for word in words if word in y]
            if values:
                value = float(np.mean(np.array(values) < 0.5))
                yield {**about, "score": "share_unimportant", "words": name, "value": value}
        two = [word for word in y if (word in emotional) != (word in function)]
        flags = np.array([word in emotional for word in two], bool)
        if 0 < flags.sum() < len(two):
            value = float(roc_auc_score(flags, [y[word] for word in two]))
            yield {**about, "score": "auc_function_words", "value": value}


#: The paper's four classes; excited utterances count as happy in its number of utterances.
FOUR = (*CLASSES, "excited")


def iemocap_counts(counts: Rows, words: pa.Table, min_count: int) -> Iterator[dict]:
    """Yield IEMOCAP's number of utterances in the paper's four classes and of frequent words.

    They do not depend on what the run uses of the corpus: its alignments, its held-out part, and
    the words that have a vector.

    Args:
        counts: rows of EMOTION_COUNTS, by IEMOCAP's codes of emotions.
        words: CORPUS_WORDS.
        min_count: minimum number of occurrences of a word.

    Raises:
        InputError: `counts` lacks the row of all emotions, which is the last one.
    """
    labelled = {row["emotion"]: row["labelled"] for row in counts}
    if "all" not in labelled:
        raise InputError("counts", expected="a row 'all'", found=list(labelled))
    codes = [code for code, name in LABELS.items() if name in FOUR]
    of_a_class = sum(labelled.get(code, 0) for code in codes)
    frequent = int((words["count"].to_numpy() >= min_count).sum())
    yield from _counted(of_a_class, frequent)


def corpus_counts(utterances: pa.Table, words: pa.Table) -> Iterator[dict]:
    """Yield a constructed corpus' number of utterances in the paper's classes and vocabulary size.

    Args:
        utterances: EMOTION_UTTERANCES.
        words: WORD_VECTORS, the vocabulary.
    """
    paper = [EMOTIONS.index(name) for name in FOUR]
    of_a_class = sum(label in paper for label in utterances["label"].to_pylist())
    yield from _counted(of_a_class, len(words))


def _counted(utterances: int, vocabulary: int) -> Iterator[dict]:
    for score, value in (("utterances", utterances), ("vocabulary", vocabulary)):
        yield {"of": "corpus", "seed": None, "score": score, "value": value}
