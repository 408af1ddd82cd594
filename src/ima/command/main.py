"""Arguments of the command `ima`, and its errors in one line."""

import argparse
import logging
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import ima
from ima.utils.errors import InputError

ABOUT = """\
Importance-based Multimodal Autoencoder on your files. IMA learns, without labels, a joint
representation of two or more modalities and gives each item an importance in [0, 1]: the
probability that it is informative about the other modalities."""
STEPS = """\
example:
  ima init left.parquet right.csv   writes own.toml; look through it
  ima check                         reads the files and reports what is in them
  ima fit                           writes own/model.safetensors
  ima embed                         writes own/representations.parquet
  ima importance                    writes own/importances.parquet and own/concordance.parquet
  ima report                        writes own/trust.md: can the importances be trusted?

For new data, write a config that names their files:
  ima embed new.toml --model own/model.safetensors

Is a run of the workflow the same as another, within the spread of seeds?
  ima verify results --reference docs/results/open.zip"""
DESCRIPTIONS = {
    "check": "Read and check the files, pair their items, and report their numbers. Trains nothing "
    "and writes nothing.",
    "fit": "Train a model for each seed on the training and validation pairs. Writes "
    "model.safetensors (of the first seed), model_seed<n>.safetensors (of others) and "
    "pairs.parquet (the pairs and their splits).",
    "embed": "Write representations.<format>: for each pair, the ids of its items, its joint "
    "representation, and the latent, importance and concordance of each item.",
    "importance": "Write importances.<format>, the importance of each item by id, and "
    "concordance.<format>, that of each pair by the ids of its items.",
    "report": "Judge by the test pairs whether the importances can be trusted. Writes trust.md, "
    "the advice and the numbers behind it, trust.csv and weighting.csv.",
    "pack": "Write a zip file with the tables of a run, the ids of its splits and pairs, its "
    "smallest checkpoints, and the SHA-256 of each.",
    "verify": "Compare the tables of a run with those of a reference pack: each number must lie "
    "within the spread of seeds, and splits and pairs must have the same ids. The exit status is 1 "
    "if anything differs.",
}
#: Config that the steps read unless another is named.
CONFIG = "own.toml"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: arguments; those of the process if None.

    Returns:
        The exit status: 0, 1 for invalid input or a failed `verify`, or 130 if interrupted.

    Raises:
        SystemExit: with status 2 if the arguments are wrong, or 0 after `--help` or `--version`.
    """
    args = _parser().parse_args(argv)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("ima").setLevel(logging.INFO)
    try:
        return _run(args)
    except InputError as error:
        print(f"ima: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("ima: interrupted", file=sys.stderr)
        return 130


def _run(args: argparse.Namespace) -> int:
    # Imported here, because torch takes seconds to import and help does without it.
    if args.step == "init":
        from ima.command.guess import init

        print("\n".join(init(args.files, args.config, args.force)))
        return 0
    if args.step in ("pack", "verify"):
        return _compare(args)
    from ima.command import steps
    from ima.command.config import read_config
    from ima.command.folder_lock import alone_in

    config = read_config(args.config, new=getattr(args, "model", None) is not None)
    if args.step == "check":
        lines = steps.check(config)
    else:
        folder = args.out or Path(config["run"])
        options = {name: getattr(args, name) for name in ("model", "format") if name in args}
        run = partial(getattr(steps, args.step), config, folder, force=args.force, **options)
        # `fit` trains first, and then writes alone; the others read the files of one fit.
        with nullcontext() if args.step == "fit" else alone_in(folder):
            lines = run()
    print("\n".join(lines))
    return 0


def _compare(args: argparse.Namespace) -> int:
    from ima.command import results

    if args.step == "pack":
        lines, status = results.pack(args.results, args.pack, args.tables_only, args.force), 0
    else:
        lines, status = results.verify(
            args.results, args.reference, args.level, args.tables, args.out
        )
    print("\n".join(lines))
    return status


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
        help="config to write, .toml, .json or .yaml; its name is that of the run (default: "
        "%(default)s)",
    )
    _add_force(step)

    _add(steps, "check", "read the files and report what is in them")
    _add_out(_add(steps, "fit", "train a model for each seed"))
    _add_out(_add(steps, "embed", "write representations of pairs"), new=True)
    _add_out(_add(steps, "importance", "write importances and concordance"), new=True)
    _add_out(_add(steps, "report", "judge whether importances can be trusted"))
    _add_comparisons(steps)
    return parser


def _add_comparisons(steps: argparse._SubParsersAction) -> None:
    step = steps.add_parser(
        "pack", help="write the reference pack of a run", description=DESCRIPTIONS["pack"]
    )
    _add_results(step)
    step.add_argument("pack", type=Path, metavar="PACK", help="zip file to write")
    step.add_argument(
        "--tables-only", action="store_true", help="of ids and checkpoints, keep only the SHA-256"
    )
    _add_force(step)
    step = steps.add_parser(
        "verify", help="compare a run with a reference pack", description=DESCRIPTIONS["verify"]
    )
    _add_results(step)
    step.add_argument(
        "--reference",
        type=Path,
        required=True,
        metavar="PACK",
        help="a pack, or the folder of another run's results",
    )
    step.add_argument(
        "--level",
        type=float,
        default=0.001,
        help="probability that a number of a run with other seeds differs by chance "
        "(default: %(default)s)",
    )
    step.add_argument(
        "--tables", nargs="+", default=[], metavar="TABLE", help="compare only these, as table1"
    )
    step.add_argument("--out", type=Path, metavar="FILE", help="CSV file for all differences")


def _add_results(step: argparse.ArgumentParser) -> None:
    step.add_argument(
        "results", type=Path, metavar="RESULTS", help="folder with `tables` and that of the run"
    )


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
