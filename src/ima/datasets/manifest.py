"""What a corpus that a rule made consists of, so that what depends on it sees it change."""

from pathlib import Path

from ima.datasets.base import files_below, tree_digest
from ima.utils.io import write_json


def write_manifest(root: str | Path, path: str | Path) -> None:
    """Write number, bytes and digest (`ima.datasets.base.tree_digest`) of a folder's files as
    JSON."""
    sizes = [Path(root, name).stat().st_size for name in files_below(Path(root))]
    write_json({"files": len(sizes), "bytes": sum(sizes), "sha256": tree_digest(root)}, path)
