#!/usr/bin/env python3
"""Run a command in the project's own environment, which is made first where it is missing.

    python3.11 envs/run.py snakemake --cores 8 results/tables/table1.csv
    python3.11 envs/run.py pytest

The environment is `.venv/` in the checkout, from `envs/requirements.lock`; it is made again when
the lock has changed, but not while a command runs in it. Python 3.11 with venv is all it needs.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "envs" / "requirements.lock"
HASHED = ROOT / "envs" / "hashed.lock"  # the same versions, with hashes
ENVIRONMENT = ROOT / ".venv"
STAMP = ENVIRONMENT / "made-from"
TORCH = "torch==2.13.0"


def main() -> None:
    """Make the environment unless it is there and current, then become the command."""
    if sys.version_info[:2] != (3, 11):
        found = sys.version.split()[0]
        sys.exit(f"error: expected Python 3.11, found {found}. Run with python3.11.")
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    prepare()
    folder = ENVIRONMENT / "bin"
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    os.chdir(ROOT)
    command = shutil.which(sys.argv[1], path=path)
    if command is None:
        sys.exit(f"error: expected a command of the environment, found {sys.argv[1]!r}.")
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(ENVIRONMENT)}
    os.execve(command, sys.argv[1:], environment)


def prepare() -> int | None:
    """Make the environment unless it is current, and keep other calls from replacing it.

    A command and all that it starts hold a shared lock, whose descriptor is returned; the
    environment is made under an exclusive one.
    """
    if not os.access(ROOT, os.W_OK):  # a container: nobody can replace the environment
        return None
    held = os.open(ROOT / ".venv.lock", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(held, True)
    fcntl.flock(held, fcntl.LOCK_SH)  # waits while another call makes the environment
    if is_current():
        return held
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(held, fcntl.LOCK_SH)
        if not is_current():
            sys.exit(f"error: the lock file has changed, but commands run in {ENVIRONMENT}.")
        return held
    if not is_current():
        if ENVIRONMENT.is_dir() and not ENVIRONMENT.is_symlink() and not STAMP.exists():
            sys.exit(f"error: {ENVIRONMENT} was not made by this script. Rename or remove it.")
        make()
        STAMP.write_text(contents())
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def is_current() -> bool:
    """Return whether the environment is there, works, and has what the lock says."""
    python = ENVIRONMENT / "bin" / "python"
    return STAMP.exists() and STAMP.read_text() == contents() and os.access(python, os.X_OK)


def contents() -> str:
    """Return a hash of all that determines the environment."""
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    about = (HASHED.read_text("utf-8"), TORCH, scripts, str(ROOT), sys.version)
    return hashlib.sha256(repr(about).encode()).hexdigest()


def make() -> None:
    """Install torch, then the lock, then this checkout."""
    print(
        f"Making {ENVIRONMENT} (once, some minutes; without packages added by hand) ...",
        file=sys.stderr,
        flush=True,
    )
    if ENVIRONMENT.is_symlink():
        ENVIRONMENT.unlink()  # the environment that it leads to belongs to another checkout
    venv.create(ENVIRONMENT, with_pip=True, clear=True, symlinks=True)
    STAMP.write_text("not finished")
    # torch first and alone, so that no other package can choose its build; the lock then replaces
    # its dependencies by the locked versions.
    pip(TORCH)
    pip("--no-deps", "--require-hashes", "-r", str(HASHED))
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def pip(*arguments: str) -> None:
    """Run pip in the environment; end with its message if it fails."""
    command = [ENVIRONMENT / "bin" / "python", "-m", "pip", "install", "--quiet", *arguments]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"error: pip could not install {' '.join(arguments)}; see its message above.")


if __name__ == "__main__":
    main()
