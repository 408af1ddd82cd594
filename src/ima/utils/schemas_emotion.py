"""Every column of every Parquet table of the emotion experiment, as `ima.utils.schemas` has the
others."""

import pyarrow as pa

from ima.utils.schemas import VECTOR


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

#: The same as features of a modality; `id` is the word.
WORD_FEATURES = _table(id=pa.string(), word=pa.string(), count=pa.int32(), x=VECTOR)

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

#: An utterance as the experiment uses it, whatever its corpus: `speaker` is whose voice it is.
EMOTION_UTTERANCES = _table(
    id=pa.string(),
    corpus=pa.string(),
    session=pa.string(),
    speaker=pa.string(),
    emotion=pa.string(),
    label=pa.int8(),
    split=pa.string(),
    text=pa.string(),
)

#: A token of the experiment, and the row of SPANS that is its voice.
EMOTION_TOKENS = _table(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    kind=pa.string(),
    span=pa.int32(),
)

#: A stretch of a recording: the voice of one token, or of several in a constructed corpus.
SPANS = _table(
    utterance=pa.string(),
    position=pa.int16(),
    speaker=pa.string(),
    file=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
)

#: Voice features of SPANS, row for row, z-scored; `id` is the utterance's and the position.
VOICES = _table(
    id=pa.string(),
    utterance=pa.string(),
    position=pa.int16(),
    speaker=pa.string(),
    x=VECTOR,
)

#: A token that takes part: its rows in the word vectors and in the voices, and its utterance's.
ITEMS_EMOTION = _table(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    label=pa.int8(),
    split=pa.string(),
    item_verbal=pa.int32(),
    item_acoustic=pa.int32(),
)

#: What importances are scored on: every token, or each distinct word or voice once.
UNITS = ("tokens", "types")

#: How importances of one rho, or what they are compared with, agree with a reference on the
#: validation part. `reference` says what counts as important: lexicon (verbal), emotion (acoustic),
#: truth (the demo's). `unit`: one of UNITS, of which there are `count`. `by` is ima, random, random
#: drawn, random best, frequency, outlier or lexicon <name>; `rho` is the prior, of random
#: classifiers r, of frequency and outlier the share that is called important, which is
#: `share_called` of any. `draw` numbers the drawn random classifiers. `auc_rarity` compares words
#: of like frequency only; it is NaN for voices.
IMPORTANCE_EMOTION = _table(
    modality=pa.string(),
    reference=pa.string(),
    unit=pa.string(),
    by=pa.string(),
    rho=pa.float64(),
    draw=pa.int32(),
    f1_important=pa.float64(),
    f1_unimportant=pa.float64(),
    f1_mean=pa.float64(),
    auc=pa.float64(),
    auc_rarity=pa.float64(),
    mean_importance=pa.float64(),
    share_called=pa.float64(),
    share_important=pa.float64(),
    count=pa.int32(),
)

#: Representations of utterances (5.3): the joint one, its modalities' own, weighted by importances,
#: and the joint one with all importances 1.
REPRESENTATIONS_EMOTION = _table(
    id=pa.string(),
    label=pa.int8(),
    split=pa.string(),
    z_joint=VECTOR,
    z_verbal=VECTOR,
    z_acoustic=VECTOR,
    z_unweighted=VECTOR,
)

#: Importances of a token's word and voice, in [0, 1].
TOKEN_IMPORTANCES = _table(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    y_verbal=pa.float32(),
    y_acoustic=pa.float32(),
)

#: Category of a word that no category of the lexicon has.
NOT_EMOTIONAL = "not emotional"
#: t-SNE coordinates of words and voices: `item` is the row of the word vectors or of VOICES,
#: `category` what it tells (for nothing NOT_EMOTIONAL, or `other` of a voice), `importance` that
#: of one model.
EMBEDDINGS_EMOTION = _table(
    view=pa.string(),
    item=pa.int32(),
    category=pa.string(),
    importance=pa.float32(),
    x=pa.float32(),
    y=pa.float32(),
)
