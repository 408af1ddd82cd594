#!/usr/bin/env python3
"""Run a command in the project's own environment, which is made first where it is missing.

    python3.11 envs/run.py snakemake --cores 8 results/tables/table1.csv
    python3.11 envs/run.py pytest

The environment is `.venv/` in the checkout, from `envs/requirements.lock`; it is made again when
the lock has changed. Nothing but Python 3.11 and its pip is needed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "envs" / "requirements.lock"
HASHED = ROOT / "envs" / "hashed.lock"  # the same versions, with hashes
ENVIRONMENT = ROOT / ".venv"
TORCH = "torch==2.13.0"


def main() -> None:
    """Make the environment unless it is there and current, then become the command."""
    if sys.version_info[:2] != (3, 11):
        found = sys.version.split()[0]
        sys.exit(f"error: expected Python 3.11, found {found}. Run with python3.11.")
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    wanted = hashlib.sha256(LOCK.read_bytes() + str(ROOT).encode()).hexdigest()
    stamp = ENVIRONMENT / "made-from"
    if not stamp.exists() or stamp.read_text() != wanted:
        make()
        stamp.write_text(wanted)
    folder = ENVIRONMENT / "bin"
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])
    os.chdir(ROOT)
    command = shutil.which(sys.argv[1], path=path)
    if command is None:
        sys.exit(f"error: expected a command of the environment, found {sys.argv[1]!r}.")
    environment = {**os.environ, "PATH": path, "VIRTUAL_ENV": str(ENVIRONMENT)}
    os.execve(command, sys.argv[1:], environment)


def make() -> None:
    """Install torch, then the lock, then this checkout."""
    print(f"Making {ENVIRONMENT} (once, some minutes) ...", file=sys.stderr, flush=True)
    if ENVIRONMENT.is_symlink():
        ENVIRONMENT.unlink()  # the environment that it leads to belongs to another checkout
    venv.create(ENVIRONMENT, with_pip=True, clear=True)
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
