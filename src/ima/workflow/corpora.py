"""What a run lacks of its corpora: said before anything is made, with what runs without them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from ima.utils.errors import InputError

#: By corpus: what it is, and where it is got (docs/data.md has more).
SOURCES = {
    "mnist": ("MNIST", "downloaded by the workflow where `raw` lacks it"),
    "fsdd": (
        "the Free Spoken Digit Dataset",
        "downloaded by the workflow where `raw` lacks it",
    ),
    "tidigits": ("TIDIGITS (LDC93S10)", "from the Linguistic Data Consortium, by licence"),
    "ti46": ("TI46 (LDC93S9)", "from the Linguistic Data Consortium, by licence"),
    "iemocap": ("IEMOCAP", "from sail.usc.edu/iemocap, by agreement"),
    "ravdess": ("RAVDESS, speech, with word alignments", "from zenodo.org/records/1188976"),
    "meld": ("MELD, texts", "from github.com/declare-lab/MELD"),
    "glove": ("GloVe's vectors", "from nlp.stanford.edu/projects/glove"),
    "lexicon": ("LIWC's dictionary", "from liwc.app, by licence"),
}
#: Of what open data stand in for.
_DIGITS = {"mnist", "fsdd", "tidigits", "ti46"}
_LICENSED = {"tidigits", "ti46", "iemocap", "glove", "lexicon"}


def check_there(corpora: Mapping[str, str | Path]) -> None:
    """Return if all of a run's corpora are there.

    Args:
        corpora: by corpus (a key of SOURCES), its folder or file.

    Raises:
        InputError: some are not; it names them all.
    """
    lacking = {name: path for name, path in corpora.items() if not Path(path).exists()}
    if lacking:
        told = (
            f"{SOURCES[name][0]} at {path} ({SOURCES[name][1]})" for name, path in lacking.items()
        )
        raise InputError(
            "corpora of this run",
            expected="; ".join(told),
            found="none of these" if len(lacking) > 1 else "nothing there",
            do="Put them there, or name their places in the config: a folder with all of them in "
            "`raw`, one of its own in `roots`, files in `emotion.words` (docs/data.md). "
            + " ".join(_without(lacking)),
        )


def _without(lacking: Iterable[str]) -> list[str]:
    """Return what runs without some corpora, a sentence each."""
    found = []
    if set(lacking) & _LICENSED:
        found.append("Free corpora: --configfile config/open.yaml.")
    found.append("None at all: the demo, without --configfile.")
    if not set(lacking) & _DIGITS:
        found.append("The digits alone: the targets `digits` and `importances`.")
    return found
