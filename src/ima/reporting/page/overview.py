"""The first screen of a page: what run this is, its main numbers, its verdicts and its time."""

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from ima.reporting.claims.tests import FAILS, HOLDS, UNDECIDED, UNTESTABLE
from ima.reporting.page.charts import Score, dots, lengths, stacked, text_of
from ima.reporting.results import ANCHORS
from ima.utils.io import read_json
from ima.utils.labels import is_ima

#: Joint representations, by the names that models and baselines have for them.
_JOINT = ("weighted", "joint")
#: Verdicts in the order of the bar, with their signs and CSS classes.
VERDICTS = {
    HOLDS: ("✓", "yes"),
    FAILS: ("✗", "no"),
    UNDECIDED: ("?", "open"),
    UNTESTABLE: ("–", "untested"),
}


def facts(files: Sequence[str]) -> dict[str, str]:
    """Return when the results were made, and from what, by the tables' sidecars.

    Args:
        files: the results on the page.
    """
    beside = [Path(file).with_suffix(".provenance.json") for file in files]
    known = [read_json(file, ["code", "corpora", "python"]) for file in beside if file.is_file()]
    times = sorted(Path(file).stat().st_mtime for file in files)
    days = dict.fromkeys(
        datetime.fromtimestamp(time, UTC).strftime("%-d %B %Y") for time in (times[0], times[-1])
    )
    corpora = {name: of for sidecar in known for name, of in sidecar["corpora"].items()}
    versions = {
        "code": sorted({_revision(sidecar["code"]) for sidecar in known}),
        "Python": sorted({sidecar["python"] for sidecar in known}),
        "data": [
            f"{name} ({of['files']:,} files, {of['bytes'] / 1e6:,.1f} MB)"
            for name, of in corpora.items()
        ],
    }
    made = {"results made": " to ".join(days)}
    return made | {name: ", ".join(values) for name, values in versions.items() if values}


def _revision(code: Mapping) -> str:
    if not code["revision"]:
        return "no git revision"
    return f"revision {code['revision'][:10]}" + (", modified" if code["dirty"] else "")


def overview(tables: Mapping[str, pa.Table], anchors: Mapping[str, str]) -> str:
    """Return the first screen's HTML, from those of the tables that the run has.

    Args:
        tables: the tables on the page, by name.
        anchors: HTML ids of the tables, by name.
    """
    rows = {name: table.to_pylist() for name, table in tables.items()}
    cards = [
        _card(title, note, scores, anchors[name])
        for title, note, name, scores in _headlines(rows)
        if scores
    ]
    parts = [f'<div class="cards">{"".join(cards)}</div>'] if cards else []
    wide = [
        f"<div>{make(rows[name], anchors[name])}</div>"
        for name, make in (("claims", _claims), ("resources", _time))
        if name in rows
    ]
    return "".join(parts) + (f'<div class="two">{"".join(wide)}</div>' if wide else "")


def _headlines(rows: Mapping[str, list[dict]]) -> list[tuple[str, str, str, list[Score]]]:
    """Return title, explanation, table and scores of each headline; no scores if not in the run."""
    found = []
    for name in ("table1", "retrieval"):
        of = [r for r in rows.get(name, []) if r["seeds"]]
        k = min((r["k"] for r in of), default=0)
        note = f"Precision@{k} on the test pairs, among neighbours that share no item"
        scores = _scores([r for r in of if r["k"] == k], "precision_no_shared")
        found.append(("Retrieval", note, name, scores))
    note = "F1 of the noise class on the test pairs; no labels used"
    found.append(("Noise detection", note, "importance", _noise(rows)))
    for name in ("table5", "classifier"):
        note = "Accuracy of a classifier of the joint representation"
        found.append(("Classification", note, name, _scores(rows.get(name, []), "accuracy")))
    joint = [r for r in rows.get("table6", []) if r["representation"] == "joint"]
    note = "Unweighted average recall (UAR) on utterances, joint representation"
    found.append(("Emotion", note, "table6", _scores(joint, "uar", "weighting")))
    return found


def _scores(rows: Sequence[dict], score: str, key: str = "representation") -> list[Score]:
    """Return each model's score of its joint representation, at the largest latent size."""
    rows = [r for r in rows if r["seeds"] and r.get(score) is not None]
    latent = max((r["latent"] for r in rows if r.get("latent")), default=None)
    return [
        Score(_label(r["model"]), r[score], r[f"{score}_sd"], is_ima(r["model"]))
        for r in rows
        if (r[key] or "joint") in _JOINT and r.get("latent") in (latent, None)
    ]


def _label(model: str) -> str:
    """Return a short label: those of references without what is in brackets, and CCA."""
    if model == "cca":
        return "CCA"
    return ANCHORS[model].partition(" (")[0] if model in ANCHORS else model


def _noise(rows: Mapping[str, list[dict]]) -> list[Score]:
    """Return F1 of the noise class by variant and modality, and that of calling all items noise."""
    of = [r for r in rows.get("importance", []) if r.get("f1_noise") is not None]
    latent = max((r["latent"] for r in of), default=None)
    found = [
        Score(
            ", ".join(filter(None, (r.get("variant"), r["modality"]))),
            r["f1_noise"],
            r["f1_noise_sd"],
            ours=True,
        )
        for r in of
        if r["latent"] == latent
    ]
    counts = {r.get("pair_type"): r["pairs"] for r in rows.get("weights", [])}
    for modality in dict.fromkeys(r["modality"] for r in of):
        if (noise := f"{modality}_noise") in counts:
            share = counts[noise] / counts["all"]
            found.append(Score(f"all noise, {modality}", 2 * share / (1 + share)))
    return found


def _card(title: str, note: str, scores: Sequence[Score], anchor: str) -> str:
    leads: dict[str, list[Score]] = {}
    for score in scores:
        if score.ours:
            leads.setdefault(score.label.partition(", ")[0], []).append(score)
    lead = "".join(_lead(model, of) for model, of in leads.items())
    others = [score for score in scores if not score.ours]
    best = max(others, key=lambda score: score.mean, default=None)
    against = f" Best of the others: {best.label}, {text_of(best.mean, best.sd)}." if best else ""
    return (
        f'<div class="card"><h3>{html.escape(title)}</h3><p class="lead">{lead}</p>'
        f"{dots(scores, title)}<p>{html.escape(note)}.{html.escape(against)} "
        f'<a href="#{anchor}">Table<span class="unseen"> of {html.escape(title)}</span></a></p>'
        "</div>"
    )


def _lead(model: str, scores: Sequence[Score]) -> str:
    """Return a model's scores in large type, such as `0.98 / 0.99 IMA, image / speech`."""
    values = " / ".join(f"{score.mean:.3f}" for score in scores)
    parts = " / ".join(filter(None, (score.label.partition(", ")[2] for score in scores)))
    return f"<span><b>{values}</b> {html.escape(', '.join(filter(None, (model, parts))))}</span>"


def _claims(rows: Sequence[dict], anchor: str) -> str:
    """Return bars of the verdicts on the paper's claims and on those of this project."""
    bars = []
    for whose, title in (("paper", "The paper's claims"), ("ours", "Our own claims and controls")):
        counts = Counter(row["verdict"] for row in rows if row.get("whose", "paper") == whose)
        if not counts:
            continue
        title = f"{title}: {counts[HOLDS]} of {sum(counts.values())} hold"
        parts = [(name, counts[name], kind) for name, (_, kind) in VERDICTS.items()]
        key = "".join(
            f'<li><svg viewBox="0 0 1 1" aria-hidden="true"><rect class="{kind}" width="1" '
            f'height="1"/></svg>{VERDICTS[name][0]} {name}: {count}</li>'
            for name, count, kind in parts
        )
        bars.append(f'<h3>{title}</h3>{stacked(parts, title)}<ul class="key">{key}</ul>')
    return f'{"".join(bars)}<p class="note"><a href="#{anchor}">All claims, with reasons</a></p>'


def _time(rows: Sequence[dict], anchor: str) -> str:
    """Return the time of the run's jobs by stage."""
    stages: dict[str, float] = {}
    for row in rows:
        stages[row["stage"]] = stages.get(row["stage"], 0) + row["seconds"]
    longest = max(rows, key=lambda row: row["seconds_longest"] or 0)
    memory = max((row["mem_mb"] for row in rows if row["mem_mb"]), default=None)
    title = f"Time: {duration(sum(stages.values()))}"
    bars = [(name.replace("_", " "), value, duration(value)) for name, value in stages.items()]
    used = f"; at most {memory / 1000:.1f} GB of memory" if memory else ""
    return (
        f"<h3>{title}</h3>{lengths(bars, 'Time by stage')}"
        f'<p class="note">{sum(row["jobs"] for row in rows)} jobs, their times summed; the longest '
        f"took {duration(longest['seconds_longest'] or 0)} "
        f"(<code>{html.escape(longest['rule'])}</code>){used}. "
        f'<a href="#{anchor}">By rule</a></p>'
    )


def duration(seconds: float) -> str:
    """Return a time for a reader, such as `1.4 h`."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
