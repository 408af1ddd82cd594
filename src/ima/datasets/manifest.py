"""Manifests of corpora and files, by which dependent rules detect changes."""

from pathlib import Path

from ima.utils.io import write_json
from ima.utils.trees import file_digest, paths_below, tree_digest


def write_manifest(root: str | Path, path: str | Path, only: str = "") -> None:
    """Write the number, total bytes and checksum of files as JSON.

    Args:
        root: the folder of the files, whose checksum is `ima.utils.trees.tree_digest`; or a single
            file, whose checksum is that of its content.
        path: the JSON file to write.
        only: regular expression that is found in the paths, in lower case, of a folder's files that
            count, as in `ima.utils.trees.tree_fingerprint`.
    """
    single = Path(root).is_file()
    names = [""] if single else paths_below(root, only)
    sizes = [Path(root, name).stat().st_size for name in names]
    digest = file_digest(root) if single else tree_digest(root, only=only)
    write_json({"files": len(sizes), "bytes": sum(sizes), "sha256": digest}, path)
