"""Emotion lexicons: the user's LIWC dictionary, or one of two open alternatives (5.2).

In the paper, a word is important if LIWC lists it as sadness, anger, anxiety, negative or positive
emotion. LIWC is proprietary; its `.dic` file is read if the user has one. Open alternatives are the
categories of Empath (package `empath`, MIT) and the NRC lexicon in `nrclex` (the package is MIT,
the lexicon for research only).
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from ima.features.glove import package_folder
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import LEXICON
from ima.utils.text_files import lines_of, read_text

CATEGORIES = ("sad", "anger", "anxiety", "negative", "positive")

#: Names of the categories in LIWC 2001 to 2015 and in LIWC-22, in lower case.
_LIWC = {
    "sad": ("sad", "emo_sad"),
    "anger": ("anger", "emo_anger"),
    "anxiety": ("anx", "emo_anx", "anxiety"),
    "negative": ("negemo", "emo_neg"),
    "positive": ("posemo", "emo_pos"),
}
_EMPATH = {
    "sad": "sadness",
    "anger": "anger",
    "anxiety": "nervousness",
    "negative": "negative_emotion",
    "positive": "positive_emotion",
}
_NRC = {
    "sad": "sadness",
    "anger": "anger",
    "anxiety": "fear",
    "negative": "negative",
    "positive": "positive",
}
#: Tested version and licence of the package of each open lexicon.
PACKAGES = {
    "empath": ("0.89", "MIT"),
    "nrclex": ("4.1.0", "MIT; the lexicon (c) NRC, for research only"),
}


@dataclass(frozen=True)
class Lexicon:
    """The emotion categories of words and prefixes.

    Args:
        name: the name and version of the source.
        words: word -> its categories.
        prefixes: prefix -> its categories, from entries such as `cry*`.
        broken: (line, text, reason) of entries that were skipped because they could not be read.
    """

    name: str
    words: Mapping[str, frozenset[str]]
    prefixes: Mapping[str, frozenset[str]]
    broken: tuple[tuple[int, str, str], ...] = ()

    def categories(self, word: str) -> frozenset[str]:
        """Return the categories of a lower-case word, or else those of its longest prefix."""
        if word in self.words:
            return self.words[word]
        beginnings = (word[:n] for n in range(len(word), 0, -1))
        return next((self.prefixes[b] for b in beginnings if b in self.prefixes), frozenset())

    def table(self, words: Iterable[str]) -> pa.Table:
        """Return LEXICON for words, row for row; `emotional` means in any category."""
        rows = []
        for word in words:
            categories = self.categories(word)
            flags = {name: name in categories for name in CATEGORIES}
            rows.append({"word": word, **flags, "emotional": bool(categories)})
        return pa.Table.from_pylist(rows, schema=LEXICON)


def load_lexicon(source: str | Path) -> Lexicon:
    """Load `empath`, `nrclex` or the LIWC dictionary (`.dic`) at a path.

    Raises:
        InputError: the package or file does not exist, or an error of `read_dic`.
    """
    if str(source) == "empath":
        return _empath()
    return _nrclex() if str(source) == "nrclex" else read_dic(source)


def read_dic(path: str | Path) -> Lexicon:
    """Read a LIWC dictionary: categories between two lines `%`, then lines `word<TAB>numbers`.

    A final `*` marks a prefix, and 07 is the number 7. Malformed lines are listed in `broken`, as
    are lines with conditional categories of LIWC 2007, `(02 134)125/464`, or with numbers that the
    header does not have or name; the rest of such a line is used.

    Args:
        path: the `.dic` file.

    Raises:
        InputError: the file does not exist, or has no header, lacks a category or has no entries.
    """
    lines = lines_of(read_text(path, "a .dic file"))
    numbers, entries = _header(path, lines)
    chosen = _chosen(path, numbers)
    words, prefixes, broken = {}, {}, []
    for i, line in entries:
        word, entry, reason = _entry(line, numbers)
        if reason:
            broken.append((i, line, reason))
        if not entry:
            continue
        categories = frozenset(chosen[number] for number in entry if number in chosen)
        place = prefixes if word.endswith("*") else words
        key = word.rstrip("*")
        place[key] = place.get(key, frozenset()) | categories
    if not words and not prefixes:
        raise InputError(path, expected="words with category numbers", found="none")
    return Lexicon(Path(path).name, words, prefixes, tuple(broken))


def _header(path, lines: list[tuple[int, str]]) -> tuple[dict[str, str], list[tuple[int, str]]]:
    """Return the category names by number, and the lines after the header."""
    marks = [k for k, (_, line) in enumerate(lines) if line == "%"]
    if len(marks) < 2 or marks[0] != 0:
        expected = "category numbers and names between two lines '%'"
        found = f"{len(marks)} such line(s)" if not marks or marks[0] == 0 else "text before them"
        raise InputError(path, expected=expected, found=found)
    numbers = {}
    for i, line in lines[1 : marks[1]]:
        number, _, name = re.sub(r"\s+", " ", line).partition(" ")
        if not number.isdecimal():
            raise InputError(f"{path}, line {i}", expected="a number and a name", found=f"'{line}'")
        if name:
            numbers[number.lstrip("0")] = name
    return numbers, lines[marks[1] + 1 :]


def _chosen(path, numbers: dict[str, str]) -> dict[str, str]:
    """Return the category of CATEGORIES for each relevant number of the header."""
    first = {number: name.split()[0].lower() for number, name in numbers.items()}
    chosen = {
        number: category
        for number, name in first.items()
        for category in CATEGORIES
        if name in _LIWC[category]
    }
    missing = [category for category in CATEGORIES if category not in chosen.values()]
    if missing:
        wanted = ", ".join("/".join(_LIWC[category]) for category in missing)
        found = ", ".join(first.values())
        raise InputError(path, expected=f"categories {wanted}", found=found or "none")
    return chosen


#: A conditional category. A slash is only looked for from the start of a word, because otherwise a
#: long word without one would be searched once per character.
_CONDITION = re.compile(r"\([^)]*\)\S*|(?<!\S)\S+/\S+")


def _entry(line: str, numbers: Mapping[str, str]) -> tuple[str, list[str], str]:
    """Return the word of an entry, its category numbers and what is wrong ('' if nothing)."""
    word, _, rest = line.partition("\t")
    if not rest:
        word, _, rest = line.partition(" ")
    word, reason = word.strip().lower(), ""
    plain = _without_conditions(rest)
    if plain != rest:
        rest, reason = plain, "a conditional category, ignored"
    entry = [number.lstrip("0") for number in rest.split()]
    if not entry or not word.rstrip("*") or "*" in word.rstrip("*"):
        return word, [], reason or "expected a word and category numbers"
    unknown = [number for number in entry if number not in numbers]
    if unknown:
        reason = f"category {', '.join(unknown)} is not named in the header"
    return word, [number for number in entry if number in numbers], reason


def _without_conditions(text: str) -> str:
    """Return a text with a space in place of each conditional category."""
    end = text.rfind(")") + 1
    # The rest of the text would be searched for `)` after each `(`.
    searched = text[:end] + text[end:].replace("(", ".")
    parts, at = [], 0
    for match in _CONDITION.finditer(searched):
        parts.append(text[at : match.start()])
        at = match.end()
    return " ".join([*parts, text[at:]])


def _empath() -> Lexicon:
    version, _ = PACKAGES["empath"]
    folder = package_folder("empath", "empath", version, "give a .dic file")
    path, words = folder / "data" / "categories.tsv", {}
    lines = dict(
        line.split("\t", 1) for line in path.read_text("utf-8").splitlines() if "\t" in line
    )
    for category, name in _EMPATH.items():
        if name not in lines:
            raise InputError(path, expected=f"a category {name}", found=f"{len(lines)} others")
        for word in lines[name].split("\t"):
            words[word] = words.get(word, frozenset()) | {category}
    return Lexicon(f"empath {version}", words, {})


def _nrclex() -> Lexicon:
    version, _ = PACKAGES["nrclex"]
    path = package_folder("nrclex", "nrclex", version, "give a .dic file") / "data" / "nrc_en.json"
    ours = {name: category for category, name in _NRC.items()}
    words = {
        word: frozenset(ours[name] for name in names if name in ours)
        for word, names in json.loads(path.read_text("utf-8")).items()
    }
    return Lexicon(f"nrclex {version}", words, {})
