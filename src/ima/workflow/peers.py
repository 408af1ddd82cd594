"""Scores of peers of IMA, which may lack those whose package is not installed."""

import logging
from collections.abc import Iterable
from pathlib import Path

from ima.utils.io import read_json

logger = logging.getLogger(__name__)


def trained(files: Iterable[str | Path], key: str = "model") -> list[dict]:
    """Return the scores in files, which have a key; log which methods were skipped, and why."""
    scores = [read_json(file, [key]) for file in files]
    for why in sorted({of["skipped"] for of in scores if "skipped" in of}):
        logger.warning(why)
    return [of for of in scores if "skipped" not in of]
