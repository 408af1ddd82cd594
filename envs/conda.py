#!/usr/bin/env python3
"""Write envs/ima.yaml, the conda environment of the rules, from envs/requirements.lock.

python3 envs/conda.py
"""

from run import LOCK, ROOT, TORCH

HEAD = """\
# For `snakemake --sdm conda`; without it the environment of Snakemake itself is used.
# Written by envs/conda.py from envs/requirements.lock: Snakemake copies this file elsewhere, so it
# cannot name the lock. The package `ima` comes from the workflow's source (PYTHONPATH).
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""
ENVIRONMENT = ROOT / "envs" / "ima.yaml"


def environment() -> str:
    """Return the environment as YAML: torch and every pin of the lock."""
    lines = LOCK.read_text().splitlines()
    pins = [TORCH, *(line for line in lines if line and not line.startswith("#"))]
    return HEAD + "".join(f"      - {pin}\n" for pin in pins)


if __name__ == "__main__":
    ENVIRONMENT.write_text(environment())
