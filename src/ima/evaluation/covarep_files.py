"""The files of the COVAREP toolbox's output (`ima.evaluation.covarep_toolbox` reads them).

This module imports nothing but the standard library, because the workflow uses it when it builds
its jobs.
"""

from pathlib import Path

from ima.utils.errors import InputError

#: Folders of the recordings, of the toolbox's columns and of its corrected Rd.
WAVES, TABLES, REPAIRED = "wav", "covarep", "covarep_rdfix"


def recordings(reference: str | Path) -> list[str]:
    """Return the names of the toolbox's recordings in alphabetical order.

    Args:
        reference: folder of the toolbox's output (`ima.evaluation.covarep_toolbox`).

    Raises:
        InputError: there are no recordings, or a recording has no table.
    """
    reference = Path(reference)
    names = sorted(path.stem for path in (reference / WAVES).glob("*.wav"))
    if not names:
        raise InputError(
            reference / WAVES,
            expected="wav files that the COVAREP toolbox has measured",
            found="none",
            do="emotion.voice.reference is a folder with wav/ and covarep/ (docs/covarep.md).",
        )
    folders = [TABLES, *([REPAIRED] if (reference / REPAIRED).is_dir() else [])]
    for file in (reference / folder / f"{name}.csv" for folder in folders for name in names):
        if not file.is_file():
            raise InputError(
                file,
                expected=f"the toolbox's table of {WAVES}/{file.stem}.wav",
                found="no file",
                do="Measure it with the toolbox, or remove the recording.",
            )
    return names
