"""The grammar of the demo's dialogues: short sentences in which some words express an emotion.

All emotions use the same sentences and differ only in the words of their emotional slots, some of
which contain a word of another emotion. Function words are therefore uninformative about emotion,
as in natural speech, and the text alone does not always reveal the emotion.
"""

import re
from typing import NamedTuple

import numpy as np

#: Words for the emotional slots: feelings (feel), qualities (is), actions (do), things (have) and
#: interjections (say).
EMOTIONAL = {
    "angry": {
        "feel": ("angry", "furious", "mad", "annoyed", "jealous"),
        "is": ("unfair", "ridiculous", "stupid", "rude", "disgusting", "outrageous"),
        "do": ("hate", "blame", "despise", "resent"),
        "have": ("rage", "insults", "fights", "lies", "threats"),
        "say": ("damn", "hell", "nonsense"),
    },
    "happy": {
        "feel": ("happy", "glad", "proud", "excited", "delighted", "lucky"),
        "is": ("wonderful", "beautiful", "lovely", "great", "amazing", "perfect"),
        "do": ("love", "enjoy", "adore", "celebrate"),
        "have": ("joy", "cheers", "kisses", "fun", "smiles"),
        "say": ("hooray", "fantastic", "congratulations"),
    },
    "sad": {
        "feel": ("sad", "lonely", "hopeless", "miserable", "depressed", "empty"),
        "is": ("sorrowful", "tragic", "gloomy", "painful", "terrible"),
        "do": ("miss", "mourn", "regret", "pity"),
        "have": ("tears", "grief", "sorrow", "pain", "despair"),
        "say": ("alas", "sorry", "sadly"),
    },
}

#: Words for the other slots. As many of them are as rare as emotional words, so that rarity alone
#: does not reveal which words are emotional.
PLAIN = {
    "thing": (
        *("letter", "car", "ticket", "kitchen", "job", "coat", "photo", "table", "phone", "key"),
        *("book", "map", "bag", "clock", "bottle", "camera", "chair", "computer", "door", "guitar"),
        *("hat", "jacket", "knife", "lamp", "mirror", "newspaper", "painting", "piano", "radio"),
        *("sandwich", "shirt", "soup", "suitcase", "television", "truck", "umbrella", "wallet"),
        *("window", "wine", "bicycle"),
    ),
    "place": (
        *("station", "office", "beach", "garden", "airport", "school", "street", "house"),
        *("bridge", "church", "farm", "hotel", "library", "market", "museum", "restaurant"),
        *("river", "theater", "village", "factory"),
    ),
    "person": (
        *("brother", "sister", "mother", "father", "friend", "boss", "neighbor", "teacher"),
        *("cousin", "doctor", "lawyer", "uncle", "student", "driver", "nurse", "captain"),
    ),
    "time": ("week", "night", "month", "year", "summer", "morning", "winter", "monday", "weekend"),
    "deal": (
        *("brought", "moved", "found", "sold", "left", "took", "showed", "carried", "painted"),
        *("opened", "washed", "borrowed", "copied", "packed", "parked", "measured"),
    ),
}

#: Sentences with an emotional slot.
MOVED = (
    "I feel so {feel} about the {thing}.",
    "you made me really {feel} last {time}.",
    "I {do} this {thing}, and you know it.",
    "that was such a {is} {time} at the {place}.",
    "we had nothing but {have} that {time}.",
    "{say}, they {deal} my {thing} again.",
    "{say}, what a {is} {thing}!",
    "my {person} was {feel} when I {deal} the {thing}.",
    "it's {is} how he {deal} your {thing}.",
    "why do you {do} my {person} like that?",
    "we saw {have} all over her face.",
    "I think about the {have} every {time}.",
    "how could she be {feel} after all this?",
    "you always {do} what I say.",
    "everyone looked {feel} near the {place}.",
    "this {place} looks {is} without him.",
)

#: Sentences without an emotional slot.
UNMOVED = (
    "did you see the {thing} near that {place}?",
    "my {person} {deal} a {thing} last {time}.",
    "I don't know where they {deal} the {thing}.",
    "we can go by the {place} next {time}.",
    "she said it's next to the {thing}.",
    "what did your {person} say about it?",
    "you can't take the {thing} there.",
    "I'll call your {person} some {time}.",
    "he isn't here, he went back to the {place}.",
    "the {thing} stays here until next {time}.",
    "okay, let me look at the {thing}.",
    "well, then I guess we should wait.",
    "could you tell me when it starts?",
    "so they {deal} it at some {place}.",
)

_SLOT = re.compile(r"\{(\w+)\}")
_WORD = re.compile(r"[\w']+")
EMOTIONS = tuple(EMOTIONAL)


class Sentence(NamedTuple):
    """A sentence: its text, and the emotion that each of its words expresses ('' for none)."""

    text: str
    emotions: tuple[str, ...]


def words(text: str) -> list[re.Match]:
    """Return the words of a text as matches, which have their positions."""
    return list(_WORD.finditer(text))


def sentence(emotion: str, stray: float, rng: np.random.Generator) -> Sentence:
    """Draw a sentence that expresses an emotion, or none.

    Args:
        emotion: one of EMOTIONS, or '' for a sentence without emotion.
        stray: share of emotional slots filled with a word of a random emotion, in [0, 1].
        rng: source of randomness.
    """
    template = rng.choice(MOVED if emotion else UNMOVED)
    emotion_at: dict[int, str] = {}  # start of a word in the text -> its emotion
    pieces, end = [], 0
    for slot in _SLOT.finditer(template):
        pieces.append(template[end : slot.start()])
        end = slot.end()
        if slot[1] in PLAIN:
            pieces.append(rng.choice(PLAIN[slot[1]]))
            continue
        expressed = str(rng.choice(EMOTIONS)) if rng.random() < stray else emotion
        emotion_at[sum(map(len, pieces))] = expressed
        pieces.append(rng.choice(EMOTIONAL[expressed][slot[1]]))
    text = "".join([*pieces, template[end:]])
    return Sentence(text, tuple(emotion_at.get(word.start(), "") for word in words(text)))
