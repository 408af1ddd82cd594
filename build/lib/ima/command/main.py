"""Arguments of the command `ima`, and its errors in one line."""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import ima
from ima.utils.errors import InputError

ABOUT = """\
Importance-based Multimodal Autoencoder on files of your own. IMA learns, without labels, a joint
representation of two or more modalities and gives each item an importance in [0, 1]: how much it
shares with the other modalities."""
STEPS = """\
example:
  ima init left.parquet right.csv   writes own.toml; look through it
  ima check                         reads the files and says what it found
  ima fit                           writes own/model.safetensors
  ima embed                         writes own/representations.parquet
  ima importance                    writes own/importances.parquet and own/concordance.parquet
  ima report                        writes own/trust.md: can the importances be trusted?

For new data, write a config that names their files:
  ima embed new.toml --model own/model.safetensors"""
DESCRIPTIONS = {
    "check": "Read and check the files, pair their items, and say what was found. Trains nothing "
    "and writes nothing.",
    "fit": "Train a model for each seed on the training and validation pairs. Writes "
    "model.safetensors (of the first seed), model_seed<n>.safetensors (of others) and "
    "pairs.parquet (the pairs and their splits).",
    "embed": "Write representations.<format>: for each pair, the ids of its items, its joint "
    "representation, and the latent, importance and concordance of each item.",
    "importance": "Write importances.<format>, the importance of each item by id, and "
    "concordance.<format>, that of each pair by the ids of its items.",
    "report": "Say by the test pairs whether the importances can be trusted. Writes trust.md, with "
    "the advice and what it rests on, trust.csv and weighting.csv.",
}
#: Config that the steps read unless another is named.
CONFIG = "own.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: arguments; those of the process if None.

    Returns:
        The exit status: 0, 1 for invalid input, or 130 if interrupted.

    Raises:
        SystemExit: with status 2 if the arguments are wrong, or 0 after `--help` or `--version`.
    """
    given = _parser().parse_args(argv)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("ima").setLevel(logging.INFO)
    try:
        _run(given)
    except InputError as error:
        print(f"ima: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ima: interrupted", file=sys.stderr)
        return 130
    return 0


def _run(given: argparse.Namespace) -> None:
    # Imported here, because torch takes seconds to import and help does without it.
    if given.step == "init":
        from ima.command.guess import init

        print(init(given.files, given.config, given.force))
        return
    from ima.command import steps
    from ima.command.config import read_config

    config = read_config(given.config, new=getattr(given, "model", None) is not None)
    if given.step == "check":
        said = steps.check(config)
    else:
        folder = given.out or Path(config["run"])
        options = {name: getattr(given, name) for name in ("model", "format") if name in given}
        said = getattr(steps, given.step)(config, folder, force=given.force, **options)
    print("\n".join(said))


def _parser() -> argparse.ArgumentParser:
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("ima", None, ABOUT, STEPS, formatter_class=raw)
    parser.add_argument("--version", action="version", version=f"ima {ima.__version__}")
    steps = parser.add_subparsers(dest="step", required=True, metavar="step", title="steps")

    step = steps.add_parser(
        "init",
        help="write a config for your files",
        description="Write a short config with comments. Modalities are named after their files; "
        "columns of ids, labels, splits and vectors are guessed from the columns' names and types.",
    )
    step.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="one file per modality: Parquet, Feather, CSV, TSV, NumPy, AnnData, MuData or a "
        "folder of Parquet files",
    )
    step.add_argument(
        "--config",
        type=Path,
        default=Path(CONFIG),
        help="config to write, .toml or .yaml; its name is that of the run (default: %(default)s)",
    )
    _add_force(step)

    _add(steps, "check", "read the files and say what is in them")
    _add_out(_add(steps, "fit", "train a model for each seed"))
    _add_out(_add(steps, "embed", "write representations of pairs"), new=True)
    _add_out(_add(steps, "importance", "write importances and concordance"), new=True)
    _add_out(_add(steps, "report", "say whether importances can be trusted"))
    return parser


def _add(steps: argparse._SubParsersAction, name: str, about: str) -> argparse.ArgumentParser:
    step = steps.add_parser(name, help=about, description=DESCRIPTIONS[name])
    step.add_argument(
        "config",
        nargs="?",
        type=Path,
        default=Path(CONFIG),
        metavar="CONFIG",
        help="config, .toml, .json or .yaml (default: %(default)s)",
    )
    return step


def _add_out(step: argparse.ArgumentParser, new: bool = False) -> None:
    step.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of the run (default: `run` of CONFIG)"
    )
    if new:
        step.add_argument(
            "--model",
            type=Path,
            metavar="FILE",
            help="a model.safetensors, for files that it was not fitted to",
        )
        step.add_argument(
            "--format",
            choices=("parquet", "csv"),
            default="parquet",
            help="format of the tables (default: %(default)s)",
        )
    _add_force(step)


def _add_force(step: argparse.ArgumentParser) -> None:
    step.add_argument("--force", action="store_true", help="overwrite files that exist")
