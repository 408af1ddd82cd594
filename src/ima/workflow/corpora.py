"""Check that the corpora of a run exist before it starts, and suggest what runs without them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ima.utils.errors import InputError

#: By corpus: its description and its source (docs/data.md has more).
SOURCES = {
    "mnist": ("MNIST", "downloaded by the workflow if missing in `raw`"),
    "fsdd": (
        "the Free Spoken Digit Dataset",
        "downloaded by the workflow if missing in `raw`",
    ),
    "tidigits": ("TIDIGITS (LDC93S10)", "from the Linguistic Data Consortium, by licence"),
    "ti46": ("TI46 (LDC93S9)", "from the Linguistic Data Consortium, by licence"),
    "iemocap": ("IEMOCAP", "from sail.usc.edu/iemocap, by agreement"),
    "ravdess": ("RAVDESS, speech", "downloaded by the workflow if missing in `raw`"),
    "meld": ("MELD, texts", "downloaded by the workflow if missing in `raw`"),
    "glove": ("GloVe's vectors", "from nlp.stanford.edu/projects/glove"),
    "lexicon": ("LIWC's dictionary", "from liwc.app, by licence"),
}
#: Of corpora with many files that are never read: what the paths of those that are contain.
READ = {"iemocap": "dialog/(emoevaluation|transcriptions)/|sentences/(wav|forcedalignment)/"}
#: Corpora of the digits experiment, and those that open data can replace.
_DIGITS = {"mnist", "fsdd", "tidigits", "ti46"}
_LICENSED = {"tidigits", "ti46", "iemocap", "glove", "lexicon"}


def check_corpora(corpora: Mapping[str, str | Path]) -> None:
    """Check that all corpora of a run exist.

    Args:
        corpora: folder or file of each corpus (a key of SOURCES).

    Raises:
        InputError: some are missing; the error names them all.
    """
    lacking = {name: path for name, path in corpora.items() if not Path(path).exists()}
    if lacking:
        sources = (
            f"{SOURCES[name][0]} at {path} ({SOURCES[name][1]})" for name, path in lacking.items()
        )
        raise InputError(
            "corpora of this run",
            expected="; ".join(sources),
            found="none of these" if len(lacking) > 1 else "nothing there",
            do="Put them there, or set their paths in the config: a folder with all of them in "
            "`raw`, single ones in `roots`, files in `emotion.words` (docs/data.md). "
            + " ".join(_without(lacking)),
        )


def _without(lacking: Iterable[str]) -> list[str]:
    """Return sentences on what runs without the missing corpora."""
    sentences = []
    if set(lacking) & _LICENSED:
        sentences.append("With free corpora only: --configfile config/open.yaml.")
    sentences.append("Without any corpora: the demo, without --configfile.")
    if not set(lacking) & _DIGITS:
        sentences.append("With digits only: the targets `digits` and `importances`.")
    return sentences
