"""Schemas of the Parquet tables of the emotion experiment; see `ima.utils.schemas`."""

import pyarrow as pa

from ima.utils.schemas import VECTOR, required

#: One utterance of an emotion corpus. `session` defines the splits: the session of IEMOCAP (1 to
#: 5), the actor of RAVDESS, the split of MELD. `emotion` is the name used by the corpus; `label`
#: its class or OTHER (`ima.utils.emotions`). `file` is relative to the corpus root; without audio
#: it is '' and `rate` (Hz) and `samples` are 0.
UTTERANCES = required(
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

#: One row of an utterance's alignment, in order of time; the rows of an utterance are consecutive.
#: `token` is in lower case without variant numbers; `kind` is word, silence, filler or edge.
TOKENS = required(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    kind=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
)

#: One word of a text without time alignment.
TEXT_TOKENS = required(utterance=pa.string(), position=pa.int16(), token=pa.string())

#: An utterance that is not used, with the reason. `id` is '' for a file that belongs to no
#: utterance; `emotion` is '' if unknown.
SKIPPED_UTTERANCES = required(
    corpus=pa.string(),
    id=pa.string(),
    emotion=pa.string(),
    file=pa.string(),
    reason=pa.string(),
)

#: Number of utterances of an emotion ('all' for every emotion, 'four' for the paper's classes):
#: nominal, labelled in the corpus, and usable.
EMOTION_COUNTS = required(
    corpus=pa.string(),
    emotion=pa.string(),
    expected=pa.int32(),
    labelled=pa.int32(),
    usable=pa.int32(),
)

#: A word of IEMOCAP and its number of occurrences in all utterances with an alignment, whatever
#: their emotions; pauses and fillers are no words.
CORPUS_WORDS = required(token=pa.string(), count=pa.int32())

#: A word of the corpus and how it got its vector (`via`; see `ima.features.glove.vocabulary`).
VOCABULARY = required(word=pa.string(), count=pa.int32(), via=pa.string())

#: Vectors of the words that have one, in the order of VOCABULARY.
WORD_VECTORS = required(word=pa.string(), count=pa.int32(), x=VECTOR)

#: WORD_VECTORS as features of a modality; `id` is the word.
WORD_FEATURES = required(id=pa.string(), word=pa.string(), count=pa.int32(), x=VECTOR)

#: The lexicon categories that contain a word; `emotional` is True if any does.
LEXICON = required(
    word=pa.string(),
    sad=pa.bool_(),
    anger=pa.bool_(),
    anxiety=pa.bool_(),
    negative=pa.bool_(),
    positive=pa.bool_(),
    emotional=pa.bool_(),
)

#: A word of a text and the spoken word whose voice it borrows: row `row` of a TOKENS table.
BORROWED = required(
    utterance=pa.string(),
    position=pa.int16(),
    split=pa.string(),
    speaker=pa.string(),
    row=pa.int32(),
)

#: The ground truth of each word of the demo's synthetic speech. `emotion` is the acted class ('' if
#: not one of the four) and `level` its strength in [0, 1]; `word_emotion` is the emotion that the
#: word itself expresses ('' for none); `position` is that of TOKENS.
EMOTION_TRUTH = required(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
    emotion=pa.string(),
    level=pa.float32(),
    word_emotion=pa.string(),
)

#: An utterance as the experiment uses it, for any corpus; `speaker` is the speaker of its voice.
EMOTION_UTTERANCES = required(
    id=pa.string(),
    corpus=pa.string(),
    session=pa.string(),
    speaker=pa.string(),
    emotion=pa.string(),
    label=pa.int8(),
    split=pa.string(),
    text=pa.string(),
)

#: A token of the experiment and the row of SPANS that holds its voice.
EMOTION_TOKENS = required(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    kind=pa.string(),
    span=pa.int32(),
)

#: A time span of a recording: the voice of one token, of several in a constructed corpus, or of
#: none if its utterance is neither trained on nor scored.
SPANS = required(
    utterance=pa.string(),
    position=pa.int16(),
    speaker=pa.string(),
    file=pa.string(),
    start_s=pa.float64(),
    end_s=pa.float64(),
)

#: Voice features of SPANS, row for row, z-scored; `id` joins the utterance and the position.
VOICES = required(
    id=pa.string(),
    utterance=pa.string(),
    position=pa.int16(),
    speaker=pa.string(),
    x=VECTOR,
)

#: A token used in pairs: the rows of its word vector and its voice, and the label and split of its
#: utterance.
ITEMS_EMOTION = required(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    label=pa.int8(),
    split=pa.string(),
    item_verbal=pa.int32(),
    item_acoustic=pa.int32(),
)

#: Units on which importances are scored: every token, or each distinct word or voice once.
UNITS = ("tokens", "types")

#: Agreement of importances, or of a method they are compared with, with a reference on the
#: validation split. `reference` defines which items are important: lexicon (verbal), emotion
#: (acoustic) or truth (of the demo). `unit` is one of UNITS and `count` their number. `by` is ima,
#: random, random drawn, random best, frequency, outlier or lexicon <name>. `rho` is the prior of
#: ima, the rate r of random classifiers, and for frequency and outlier the share of units called
#: important; `share_called` is that share for every method. `draw` numbers the drawn random
#: classifiers. `auc_frequency_matched` compares only words of similar frequency; it is NaN for
#: voices.
IMPORTANCE_EMOTION = required(
    modality=pa.string(),
    reference=pa.string(),
    unit=pa.string(),
    by=pa.string(),
    rho=pa.float64(),
    draw=pa.int32(),
    f1_important=pa.float64(),
    f1_unimportant=pa.float64(),
    macro_f1=pa.float64(),
    auc=pa.float64(),
    auc_frequency_matched=pa.float64(),
    mean_importance=pa.float64(),
    share_called=pa.float64(),
    share_important=pa.float64(),
    count=pa.int32(),
)

#: Representations of utterances (5.3): joint, verbal and acoustic, weighted by importance, and the
#: joint one with all importances 1.
REPRESENTATIONS_EMOTION = required(
    id=pa.string(),
    label=pa.int8(),
    split=pa.string(),
    z_joint=VECTOR,
    z_verbal=VECTOR,
    z_acoustic=VECTOR,
    z_unweighted=VECTOR,
)

#: Importances, in [0, 1], of the word and the voice of a token.
TOKEN_IMPORTANCES = required(
    utterance=pa.string(),
    position=pa.int16(),
    token=pa.string(),
    y_verbal=pa.float32(),
    y_acoustic=pa.float32(),
)

#: Category of a word that is in no category of the lexicon.
NOT_EMOTIONAL = "not emotional"
#: t-SNE coordinates of words and voices: `item` is the row of the word vectors or of VOICES,
#: `category` the emotion it expresses (if none, NOT_EMOTIONAL for a word and `other` for a voice),
#: and `importance` its importance in one model.
EMBEDDINGS_EMOTION = required(
    view=pa.string(),
    item=pa.int32(),
    category=pa.string(),
    importance=pa.float32(),
    x=pa.float32(),
    y=pa.float32(),
)
