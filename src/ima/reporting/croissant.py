"""Croissant metadata (JSON-LD, version 1.0) of corpora and of a run's tables."""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping

from ima.datasets.open_corpora import MELD, MELD_MIRRORS, RAVDESS

CROISSANT = "http://mlcommons.org/croissant/1.0"
RAI = "http://mlcommons.org/croissant/RAI/1.0"
#: The context that the format prescribes: terms of Croissant, and the others from schema.org.
_TERMS = (
    *("citeAs", "column", "extract", "field", "fileObject", "fileProperty", "fileSet", "format"),
    *("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
    *("references", "regex", "repeated", "replace", "samplingRate", "separator", "source"),
    *("subField", "transform"),
)
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}


def corpus(
    name: str, facts: Mapping[str, str], manifest: Mapping[str, object], run: str
) -> dict[str, object]:
    """Return the metadata of a corpus, with the checksum of what the run read of it.

    Args:
        name: name of the corpus in the config.
        facts: facts about it, from `ima.reporting.cards.read_facts`.
        manifest: `files`, `bytes` and `sha256` of what the run read.
        run: name of the run.
    """
    read = {f"{run}: {key}": value for key, value in manifest.items()}
    return {
        **_dataset(name, facts["what"], [CROISSANT, RAI]),
        "alternateName": facts["title"],
        "url": facts["url"],
        "license": facts["licence"],
        "rai:dataUseCases": facts["use"],
        "rai:dataLimitations": facts["limits"],
        "rai:personalSensitiveInformation": facts["people"],
        "additionalProperty": [
            {"@type": "PropertyValue", "name": key, "value": value} for key, value in read.items()
        ],
        "distribution": list(_published(name)),
    }


def package(name: str, description: str, files: Mapping[str, bytes]) -> dict[str, object]:
    """Return the metadata of files, and of the columns of those that are CSV.

    Args:
        name: name of the package.
        description: what it is.
        files: contents by path relative to the metadata.
    """
    return {
        **_dataset(name, description, [CROISSANT]),
        "distribution": [
            _file(path, path, sha256=hashlib.sha256(content).hexdigest(), size=len(content))
            for path, content in files.items()
        ],
        "recordSet": [_records(p, content) for p, content in files.items() if p.endswith(".csv")],
    }


def _dataset(name: str, description: str, profiles: list[str]) -> dict[str, object]:
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": profiles if len(profiles) > 1 else profiles[0],
        "name": name,
        "description": " ".join(description.split()),
    }


def _file(path: str, url: str, size: int, **checksum: str) -> dict[str, object]:
    kinds = {"csv": "text/csv", "zip": "application/zip"}
    return {
        "@type": "cr:FileObject",
        "@id": _id(path),
        "name": path,
        "contentUrl": url,
        "contentSize": f"{size} B",
        "encodingFormat": kinds.get(path.rpartition(".")[2], "application/octet-stream"),
        **checksum,
    }


def _published(name: str) -> Iterable[dict[str, object]]:
    """Yield the files of a corpus whose address and checksum are known."""
    if name == "meld":
        for file in MELD:
            yield _file(file.name, MELD_MIRRORS[0] + file.name, file.size, sha256=file.sha256)
    if name == "ravdess":
        url = RAVDESS.urls[0]
        yield _file(url.rpartition("/")[2], url, RAVDESS.packed, md5=RAVDESS.md5)


def _records(path: str, content: bytes) -> dict[str, object]:
    """Return the columns of a CSV file, with the type of their values."""
    heads, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    columns = zip(*rows, strict=True) if rows else [()] * len(heads)
    return {
        "@type": "cr:RecordSet",
        "@id": f"{_id(path)}/rows",
        "name": f"{path} rows",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{_id(path)}/rows/{number}-{_id(head)}",
                "name": head,
                "dataType": _type(values),
                "source": {"fileObject": {"@id": _id(path)}, "extract": {"column": head}},
            }
            for number, (head, values) in enumerate(zip(heads, columns, strict=True))
        ],
    }


def _id(text: str) -> str:
    """Return an identifier without spaces and other characters that validators refuse."""
    return re.sub(r"[^\w./+-]", "_", text)


def _type(values: Iterable[str]) -> str:
    """Return the narrowest type of all values; empty ones are only numbers as decimals."""
    values = set(values)
    for name, kind in (("Integer", int), ("Float", lambda value: float(value or "nan"))):
        try:
            for value in values:
                kind(value)
        except ValueError:
            continue
        return f"sc:{name}"
    return "sc:Text"
