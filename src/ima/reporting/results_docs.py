"""Write docs/results/open.md and README's result table from the tables of the last open run.

python -m ima.reporting.results_docs                # after snakemake --configfile config/open.yaml
python -m ima.reporting.results_docs --run demo --print
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ima.reporting import markdown
from ima.reporting.cards import is_ima
from ima.reporting.claims.tests import FAILS, HOLDS, UNDECIDED, UNTESTABLE
from ima.utils.atomic_files import whole_file
from ima.utils.errors import InputError
from ima.utils.io import read_csv, read_json

ROOT = Path(__file__).resolve().parents[3]
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
#: Representations of IMA in Table 1 to show, and their labels.
_IMA = {
    "weighted": "weighted by importances",
    "unweighted": "unweighted",
    "oracle": "weighted by true noise labels (a ceiling)",
}
#: Weightings of IMA's latents (5.3), and their labels.
_WEIGHTINGS = {
    "weighted": "weighted by importances",
    "shuffled": "weighted by others' importances",
    "sif": "words weighted by their rarity",
    "weighted - unweighted": "gain of weighting",
}
_VERDICTS = {HOLDS: "hold", FAILS: "do not hold"}
_ANCHORS = {
    "pca": "PCA",
    "raw": "raw features",
    "chance": "chance (labels shuffled)",
    "majority": "the commonest class",
}


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
    parts = [_from(sidecar, tables / "table1.csv", run), _retrieval(table1)]
    parts.append(_importances(_rows(tables / "importance.csv", run)))
    if _has(tables / "noises.csv", run):
        parts.append(_noises(_rows(tables / "noises.csv", run)))
    if _has(tables / "table2.csv", run):
        both = [_rows(tables / f"{name}.csv", run) for name in ("table2", "table6")]
        parts.append(_emotion(*both))
    parts.append(_claims(_rows(results / "claims.csv", run)))
    return "\n\n".join(parts)


def headline(results: Path, run: str) -> str:
    """Return README's table: both variants of IMA, the best baseline and raw features.

    Args:
        results, run: as in `section`.

    Raises:
        InputError: as in `section`.
    """
    rows = [row for row in _rows(results / "tables/table1.csv", run) if row["seeds"]]
    k = min(row["k"] for row in rows)
    latents = sorted({row["latent"] for row in rows if is_ima(row["model"])}, reverse=True)
    found = {
        (row["model"], row["representation"], row["latent"]): row for row in rows if row["k"] == k
    }
    models = dict.fromkeys(row["model"] for row in rows)
    baselines = [m for m in models if (m, "joint", latents[0]) in found and m not in _ANCHORS]
    best = max(
        baselines, key=lambda m: found[m, "joint", latents[0]]["precision_no_shared"], default=None
    )
    shown = [(m, "weighted") for m in models if is_ima(m)]
    shown += [(m, "joint") for m in (best, "raw") if m]
    lines = []
    for model, view in shown:
        of = [found.get((model, view, latent)) for latent in latents]
        of = of if any(of) else [found.get((model, view, None)), *of[1:]]
        cells = [markdown.mean_sd(row, "precision_no_shared") if row else "" for row in of]
        name = (
            _name(model, view)
            if is_ima(model)
            else _ANCHORS.get(model, f"{model}, the best baseline")
        )
        lines.append((name, *cells))
    heads = (f"P@{k} of test pairs", *(f"latent size {latent}" for latent in latents))
    return _lines(heads, lines)


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


def _retrieval(rows: Sequence[Mapping]) -> str:
    """Return Precision@K of joint representations, without neighbours that share an item."""
    rows = [row for row in rows if row["seeds"]]  # without rows that only the paper has
    latents = sorted({r["latent"] for r in rows if is_ima(r["model"])}, reverse=True)
    ks = sorted({r["k"] for r in rows})
    of = {(r["model"], r["representation"], r["latent"], r["k"]): r for r in rows}
    known = dict.fromkeys((r["model"], r["representation"]) for r in rows)
    views = [key for key in known if is_ima(key[0]) or key[1] == "joint"]
    lines = []
    for model, view in views:
        cells = []
        for latent in latents:
            found = [of.get((model, view, latent, k)) for k in ks]
            if not any(found) and latent == latents[0]:  # models without a latent size: only once
                found = [of.get((model, view, None, k)) for k in ks]
            cells.append(" / ".join(markdown.mean_sd(r, "precision_no_shared") for r in found if r))
        seeds = next(r["seeds"] for key, r in of.items() if key[:2] == (model, view))
        lines.append((_name(model, view), *cells, seeds))
    heads = ("", *(f"latent {latent}" for latent in latents), "seeds")
    title = (
        f"Precision@{' / @'.join(map(str, ks))} of test pairs, neighbours that share the query's"
    )
    return f"{title} recording or image left out:\n\n{_lines(heads, lines)}"


def _name(model: str, view: str) -> str:
    if is_ima(model):
        return f"{model}, {_IMA.get(view, f'{view} alone')}"
    return _ANCHORS.get(model, model)


def _importances(rows: Iterable[Mapping]) -> str:
    lines = [
        (
            f"`{r['variant']}`",
            r["modality"],
            r["latent"],
            markdown.mean_sd(r, "f1_noise"),
            r["seeds"],
        )
        for r in rows
    ]
    heads = ("variant", "modality", "beside latent", "F1 of noise", "seeds")
    return f"What importances find, without labels:\n\n{_lines(heads, lines)}"


def _noises(rows: Sequence[Mapping]) -> str:
    """Return F1 on harder noise by kind, for both objectives and for detectors with labels."""
    detectors = {
        "ima+": "`ima+`",
        "paper": "`paper`",
        "GMM, u": "Gaussians, one named by labels",
        "supervised": "trained with labels",
    }
    of = {(r["kind"], r["R"], r["modality"], r["detector"]): r for r in rows}
    lines = [
        (
            f"{kind}, R {R:g}",
            modality,
            *(markdown.mean_sd(of[kind, R, modality, name], "f1_noise") for name in detectors),
        )
        for kind, R, modality in dict.fromkeys(key[:3] for key in of)
    ]
    heads = ("noise", "modality", *detectors.values())
    title = (
        f"Harder noise, {rows[0]['seeds']} seeds, F1 ([importance](../importance.md), section 6):"
    )
    return f"{title}\n\n{_lines(heads, lines)}"


def _emotion(table2: Sequence[Mapping], table6: Sequence[Mapping]) -> str:
    """Return retrieval and accuracy of utterances by model, with three views per cell."""
    views, lines = ("joint", "verbal", "acoustic"), []
    wanted = [(t, name) for t, name in ((table2, "precision_cross_speaker"), (table6, "accuracy"))]
    keys = dict.fromkeys((r["model"], r["weighting"] or "") for r in table6 if r["seeds"])
    for model, weighting in keys:
        cells = []
        for table, score in wanted:
            own = {
                r["representation"]: r
                for r in table
                if (r["model"], r["weighting"] or "") == (model, weighting) and r["seeds"]
            }
            cells.append(
                " / ".join(markdown.mean_sd(own[view], score) for view in views if view in own)
            )
        name = [_ANCHORS.get(model, model), _WEIGHTINGS.get(weighting, weighting)]
        lines.append((", ".join(filter(None, name)), *cells))
    heads = ("", f"P@{table2[0]['k']}, other speakers", "accuracy")
    title = f"Utterances, joint / verbal / acoustic ({table2[0]['corpus']}):"
    return f"{title}\n\n{_lines(heads, lines)}"


def _claims(rows: Sequence[Mapping]) -> str:
    """Return how many of the paper's claims hold, and list those that do not."""
    theirs = [row for row in rows if row["whose"] == "paper"]
    found = Counter(row["verdict"] for row in theirs)
    counts = ", ".join(
        f"{found[v]} {_VERDICTS.get(v, v)}" for v in (HOLDS, FAILS, UNDECIDED, UNTESTABLE)
    )
    failing = [f"* {r['sentence']} ({r['why']})" for r in theirs if r["verdict"] == FAILS]
    which = "\n\nWhat does not hold:\n\n" + "\n".join(failing) if failing else ""
    return (
        f"Of {len(theirs)} claims of the paper that are tested over seeds: {counts} "
        f"([how](../claims.md)).{which}"
    )


def _lines(heads: Sequence[str], rows: Iterable[Sequence]) -> str:
    return "\n".join(markdown.table(heads, rows))


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
    given = parser.parse_args(arguments)
    try:
        parts = {
            ROOT / "docs/results/open.md": section(given.results, given.run),
            ROOT / "README.md": headline(given.results, given.run),
        }
        if given.print:
            print("\n\n".join(parts.values()))
            return 0
        texts = {file: rewritten(file.read_text(), part, file) for file, part in parts.items()}
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for file, text in texts.items():
        with whole_file(file) as temporary:
            temporary.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
