"""Every column of every Parquet table of the emotion experiment, as `ima.schema` has the others."""

import pyarrow as pa

from ima.schema import VECTOR


def _table(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, type_, nullable=False) for name, type_ in columns.items()])


#: The four classes of the experiment (6.2); `label` is the place in this tuple.
CLASSES = ("angry", "happy", "neutral", "sad")

#: `label` of an utterance whose emotion is none of the four.
OTHER = -1

#: One utterance of an emotion corpus. `session` is what splits go by: IEMOCAP's session (1 to 5),
#: RAVDESS' actor, MELD's own split. `emotion` is the corpus' own name; `label` its class or OTHER.
#: `file` is relative to the corpus' root; '' with `rate` (Hz) and `samples` 0 where there is none.
UTTERANCES = _table(
    id=pa.string(),
    corpus=pa.string(),
    session=pa.string(),
    speaker=pa.string(),
    sex=pa.string(),
    emotion=pa.string(),
    label=pa.int8(),
    text=pa.string(),
    file=pa.string(),
    rate=pa.int32(),
    samples=pa.int32(),
)

#: One row of an utterance's alignment, in the order of time; an utterance's rows are together.
#: `token` is lower case and without variant numbers; `kind` is word, silence, filler or edge.
TOKENS = _table(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    kind=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
)

#: One word of a text that has no times.
TEXT_TOKENS = _table(utterance=pa.string(), position=pa.int16(), token=pa.string())

#: An utterance that is not used, and why; `id` is '' for a file that belongs to none, `emotion`
#: '' where it isn't known.
SKIPPED_UTTERANCES = _table(
    corpus=pa.string(),
    id=pa.string(),
    emotion=pa.string(),
    file=pa.string(),
    reason=pa.string(),
)

#: Utterances of a class ('all' is every one, 'four' those of the four): nominal, those with a
#: label in the corpus, those that can be used.
EMOTION_COUNTS = _table(
    corpus=pa.string(),
    emotion=pa.string(),
    expected=pa.int32(),
    labelled=pa.int32(),
    usable=pa.int32(),
)

#: A word of the vocabulary; `via` says how it got its vector: itself, parts or ''.
VOCABULARY = _table(word=pa.string(), count=pa.int32(), via=pa.string())

#: Vectors of the words that have one, in the order of VOCABULARY.
WORD_VECTORS = _table(word=pa.string(), count=pa.int32(), x=VECTOR)

#: Whether a word is in a category of the lexicon; `emotional` where it is in any.
LEXICON = _table(
    word=pa.string(),
    sad=pa.bool_(),
    anger=pa.bool_(),
    anxiety=pa.bool_(),
    negative=pa.bool_(),
    positive=pa.bool_(),
    emotional=pa.bool_(),
)

#: A text's word and the spoken word it borrows: row `row` of a TOKENS table.
BORROWED = _table(
    utterance=pa.string(),
    position=pa.int16(),
    split=pa.string(),
    speaker=pa.string(),
    row=pa.int32(),
)

#: What the demo's synthesiser knows of each word: `emotion` is what was acted (a class, or '' for
#: what is none of the four), `level` how strongly, in [0, 1]; `word_emotion` is '' for a word that
#: says nothing about emotion; `position` is that of TOKENS.
EMOTION_TRUTH = _table(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
    emotion=pa.string(),
    level=pa.float32(),
    word_emotion=pa.string(),
)
