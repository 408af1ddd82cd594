"""Write docs/results/open.md and README's result table from the tables of the last open run.

python -m ima.reporting.results_docs                # after snakemake --configfile config/open.yaml
python -m ima.reporting.results_docs --run demo --print
"""

import argparse
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ima.models.baselines import BASELINES
from ima.models.peers import PEERS
from ima.reporting.markdown import mean_sd, table
from ima.reporting.results import (
    ANCHORS,
    claims,
    costs,
    emotion,
    generation,
    importances,
    leaders,
    name_of,
    noises,
    retrieval,
)
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError
from ima.utils.io import read_csv, read_json
from ima.utils.labels import is_ima

ROOT = Path(__file__).resolve().parents[3]
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"


def section(results: Path, run: str) -> str:
    """Return the part of docs/results/open.md between its markers.

    Args:
        results: folder with `tables/` and `claims.csv`.
        run: name of the run that they must belong to.

    Raises:
        InputError: a table is missing or belongs to another run.
    """
    tables = results / "tables"
    table1 = _rows(tables / "table1.csv", run)
    sidecar = read_json(tables / "table1.provenance.json", ["code", "config", "corpora"])
    parts = [_from(sidecar, tables / "table1.csv", run), retrieval(table1)]
    parts.append(importances(_rows(tables / "importance.csv", run)))
    if _has(tables / "generation.csv", run):
        parts.append(generation(_rows(tables / "generation.csv", run)))
    if _has(tables / "leaderboard.csv", run):
        parts.append(leaders(_rows(tables / "leaderboard.csv", run)))
    if _has(tables / "costs.csv", run):
        parts.append(costs(_rows(tables / "costs.csv", run)))
    if _has(tables / "noises.csv", run):
        parts.append(noises(_rows(tables / "noises.csv", run)))
    if _has(tables / "table2.csv", run):
        both = [_rows(tables / f"{name}.csv", run) for name in ("table2", "table6")]
        parts.append(emotion(*both))
    parts.append(claims(_rows(results / "claims.csv", run)))
    return "\n\n".join(parts)


def headline(results: Path, run: str) -> str:
    """Return README's table: IMA, the best baseline and other method, CCA and raw features.

    Args:
        results, run: as in `section`.

    Raises:
        InputError: as in `section`.
    """
    rows = [row for row in _rows(results / "tables/table1.csv", run) if row["seeds"]]
    k = min(row["k"] for row in rows)
    latents = sorted({row["latent"] for row in rows if is_ima(row["model"])}, reverse=True)
    by_key = {
        (row["model"], row["representation"], row["latent"]): row for row in rows if row["k"] == k
    }
    models = dict.fromkeys(row["model"] for row in rows)
    joint = [m for m in models if (m, "joint", latents[0]) in by_key and m not in ANCHORS]
    joint.sort(key=lambda m: -by_key[m, "joint", latents[0]]["precision_no_shared"])
    peers = {of.label for name, of in PEERS.items() if name not in BASELINES}
    best = {next((m for m in joint if m not in peers), None): "the best baseline"}
    best |= {next((m for m in joint if m in peers), None): "the best other method"}
    views = [(m, "weighted") for m in models if is_ima(m)]
    ours = [m for m in models if is_ima(m) and m.startswith("IMA+")]
    views += [(m, view) for m in ours for view in ("shared", "contrastive")]
    views += [(m, "joint") for m in (*best, "cca", "raw")]
    known = {key[:2] for key in by_key}
    views = [view for view in views if view in known]
    lines = []
    for model, view in views:
        by_latent = [by_key.get((model, view, latent)) for latent in latents]
        if not any(by_latent):  # the model has no latent size
            by_latent[0] = by_key.get((model, view, None))
        cells = [mean_sd(row, "precision_no_shared") if row else "" for row in by_latent]
        name = (
            name_of(model, view)
            if is_ima(model)
            else ANCHORS.get(model, f"{model}, {best.get(model)}")
        )
        lines.append((name, *cells))
    heads = (f"P@{k} of test pairs", *(f"latent size {latent}" for latent in latents))
    return table(heads, lines)


def _has(path: Path, run: str) -> bool:
    """Return whether an optional table exists and belongs to this run."""
    return path.is_file() and read_csv(path, ["run"]).to_pylist()[0]["run"] == run


def _rows(path: Path, run: str) -> list[dict]:
    rows = read_csv(path, ["run"]).to_pylist()
    if {row["run"] for row in rows} != {run}:
        raise InputError(
            path,
            expected=f"the run '{run}'",
            found=f"'{rows[0]['run']}'",
            do="Make this run's tables first, or name the run with --run.",
        )
    return rows


def _from(sidecar: Mapping, table: Path, run: str) -> str:
    """Return a description of the run: its date, revision, corpora and number of seeds."""
    code, config = sidecar["code"], sidecar["config"]
    day = datetime.fromtimestamp(table.stat().st_mtime, UTC).date().isoformat()
    revision = f"revision `{code['revision'][:10]}`" if code["revision"] else "no git revision"
    edited = ", with code edited since" if code["dirty"] else ""
    corpora = ", ".join(name.upper() for name in sidecar["corpora"])
    return (
        f"The run `{run}` of {day} ({revision}{edited}), on {corpora}; {len(config['seeds'])} "
        "seeds, mean ± sd over them. Written by `python -m ima.reporting.results_docs`."
    )


def rewritten(text: str, part: str, file: Path) -> str:
    """Return a text with the part between its markers replaced.

    Raises:
        InputError: the markers are missing, repeated or in the wrong order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise InputError(file, expected=f"{BEGIN} followed by {END}", found="other markers")
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n{part}\n{END}{rest.partition(END)[2]}"


def main(arguments: list[str] | None = None) -> int:
    """Write both parts into their files, or print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="the run's results")
    parser.add_argument("--run", default="open", help="the run that they must belong to")
    parser.add_argument("--print", action="store_true", help="print the parts and write nothing")
    args = parser.parse_args(arguments)
    try:
        parts = {
            ROOT / "docs/results/open.md": section(args.results, args.run),
            ROOT / "README.md": headline(args.results, args.run),
        }
        if args.print:
            print("\n\n".join(parts.values()))
            return 0
        texts = {
            file: rewritten(file.read_text("utf-8"), part, file) for file, part in parts.items()
        }
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for file, text in texts.items():
        with whole_file(file) as temporary:
            temporary.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
