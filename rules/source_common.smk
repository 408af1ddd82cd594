"""Where the workflow's own files are: in its checkout, or in a copy of the git commit that a user's
workflow imports as a module."""

import os
import tarfile
import tempfile
from pathlib import Path

from snakemake.exceptions import WorkflowError


def source_root(folder):
    """Return the root of the workflow's files, given the folder of this file.

    Jobs import the package from there, so the files of a git commit are written to
    `.snakemake/ima/<commit>` of the working directory, once.
    """
    if not hasattr(folder, "ref"):
        root = Path(folder.get_path_or_uri(secret_free=True)).resolve().parent
        if root.is_dir():
            return root
        raise WorkflowError(f"{folder}: expected a checkout, gitfile(), github() or gitlab()")
    from git import Repo

    repo = Repo(folder.repo_path) if folder.is_local else folder.hosted_repo.repo
    commit = repo.commit(folder.ref).hexsha
    root = Path(".snakemake/ima", commit).resolve()
    if not root.exists():
        root.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root.parent) as made, tempfile.TemporaryFile() as file:
            repo.archive(file, commit)
            file.seek(0)
            with tarfile.open(fileobj=file) as files:
                # Python before 3.11.4 has no filters; the archive is git's own.
                data = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
                files.extractall(f"{made}/{commit}", **data)
            Path(made, commit, "COMMIT").write_text(commit)
            try:
                os.rename(f"{made}/{commit}", root)
            except OSError:
                if not root.exists():  # another process may have been faster
                    raise
    return root


ROOT = source_root(workflow.current_basedir)
if set("{}") & set(f"{ROOT}{os.getcwd()}"):
    raise WorkflowError(
        f"{ROOT}, run in {os.getcwd()}: expected paths without braces, in which Snakemake looks for "
        "wildcards. Rename the folder."
    )
