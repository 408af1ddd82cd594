"""Manifests of generated corpora, by which dependent rules detect changes."""

from pathlib import Path

from ima.utils.io import write_json
from ima.utils.trees import files_below, tree_digest


def write_manifest(root: str | Path, path: str | Path) -> None:
    """Write the number, total bytes and `ima.utils.trees.tree_digest` of files as JSON.

    Args:
        root: the folder of the files.
        path: the JSON file to write.
    """
    sizes = [Path(root, name).stat().st_size for name in files_below(Path(root))]
    write_json({"files": len(sizes), "bytes": sum(sizes), "sha256": tree_digest(root)}, path)
