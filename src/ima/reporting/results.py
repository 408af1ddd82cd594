"""A run's main results as Markdown, for the model card and the documentation."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ima.reporting.claims.tests import FAILS, HOLDS, UNDECIDED, UNTESTABLE
from ima.reporting.markdown import mean_sd, table
from ima.utils.labels import is_ima

#: Representations of IMA in Table 1 to show, and their labels.
_IMA = {
    "weighted": "weighted by importances",
    "unweighted": "unweighted",
    "oracle": "weighted by true noise labels (a ceiling)",
    "shared": "shared parts, weighted by importances",
    "shared_unweighted": "shared parts, unweighted",
    "contrastive": "shared encoders, weighted by importances",
    "contrastive_unweighted": "shared encoders, unweighted",
}
#: Weightings of IMA's latents (5.3), and their labels.
_WEIGHTINGS = {
    "weighted": "weighted by importances",
    "shuffled": "weighted by others' importances",
    "sif": "words weighted by their rarity",
    "weighted - unweighted": "gain of weighting",
}
_VERDICTS = {HOLDS: "hold", FAILS: "do not hold"}
ANCHORS = {
    "pca": "PCA",
    "cca": "canonical correlation analysis",
    "raw": "raw features",
    "chance": "chance (labels shuffled)",
    "majority": "the commonest class",
}


def retrieval(rows: Sequence[Mapping]) -> str:
    """Return Precision@K of joint representations, without neighbours that share an item."""
    rows = [row for row in rows if row["seeds"]]  # without rows that only the paper has
    latents = sorted({r["latent"] for r in rows if is_ima(r["model"])}, reverse=True)
    ks = sorted({r["k"] for r in rows})
    by_key = {(r["model"], r["representation"], r["latent"], r["k"]): r for r in rows}
    known = dict.fromkeys((r["model"], r["representation"]) for r in rows)
    views = [key for key in known if is_ima(key[0]) or key[1] == "joint"]
    lines = []
    for model, view in views:
        cells = []
        for latent in latents:
            by_k = [by_key.get((model, view, latent, k)) for k in ks]
            if not any(by_k) and latent == latents[0]:  # models without a latent size: only once
                by_k = [by_key.get((model, view, None, k)) for k in ks]
            cells.append(" / ".join(mean_sd(r, "precision_no_shared") for r in by_k if r))
        seeds = next(r["seeds"] for key, r in by_key.items() if key[:2] == (model, view))
        lines.append((name_of(model, view), *cells, seeds))
    heads = ("", *(f"latent {latent}" for latent in latents), "seeds")
    title = f"Precision@{' / @'.join(map(str, ks))} of test pairs"
    left = "neighbours that share the query's image or spoken digit left out"
    return f"{title}, {left}:\n\n{table(heads, lines)}"


def name_of(model: str, view: str) -> str:
    """Return the label of a model's representation."""
    if is_ima(model):
        alone = view.replace("shared_", "shared part of ").replace(
            "contrastive_", "shared encoder of "
        )
        return f"{model}, {_IMA.get(view, f'{alone} alone')}"
    return ANCHORS.get(model, model)


def leaders(rows: Iterable[Mapping]) -> str:
    """Return the best models on each task, from the rows of leaderboard.csv."""
    best: dict[tuple, list[str]] = {}
    for row in rows:
        models = best.setdefault((row["task"], row["latent"]), [])
        if row["best"] == "yes":
            models.append(f"{ANCHORS.get(row['model'], row['model'])} {row['score']:.3f}")
    lines = [
        (task, latent, "; ".join(models))
        for (task, latent), models in sorted(best.items(), key=lambda item: -(item[0][1] or 0))
        if latent is not None
    ]
    heads = ("task", "latent", "best models, and those not told apart from them")
    title = (
        "Leaderboard (Welch's t test over seeds at a level of .05, with Holm's correction for the "
        "models of a task; `results/tables/leaderboard.csv` has all models)"
    )
    return f"{title}:\n\n{table(heads, lines)}"


def costs(rows: Sequence[Mapping]) -> str:
    """Return parameters and CPU seconds of each model, from the rows of costs.csv."""
    latents = sorted({row["latent"] for row in rows if row["latent"]}, reverse=True)
    by_key = {(row["model"], row["latent"]): row for row in rows}
    lines = []
    for model in dict.fromkeys(row["model"] for row in rows):
        of = [by_key.get((model, latent), {}) for latent in latents]
        if not any(of):  # models without a latent size
            of[0] = by_key[model, None]
        numbers = [f"{row['parameters']:,}" if row else "" for row in of]
        took = [row.get("cpu_seconds") for row in of]
        lines.append((model, *numbers, *("" if s is None else f"{s:,.0f}" for s in took)))
    heads = [f"{what}, latent {size}" for what in ("parameters", "CPU s") for size in latents]
    title = (
        "Parameters, and CPU seconds of training per seed on a machine that may have had other "
        "work (sampled by Snakemake, at most 30 s too few per job of IMA and the baselines)"
    )
    return f"{title}:\n\n{table(('', *heads), lines)}"


def importances(rows: Iterable[Mapping]) -> str:
    """Return F1 of the noise class by variant and modality."""
    keys = ("variant", "modality", "latent")
    lines = [(*(r[key] for key in keys), mean_sd(r, "f1_noise"), r["seeds"]) for r in rows]
    heads = ("variant", "modality", "latent", "F1 of noise", "seeds")
    return f"Unsupervised noise detection:\n\n{table(heads, lines)}"


def generation(rows: Sequence[Mapping]) -> str:
    """Return the cross-modal coherence of each model, with its ceiling and chance.

    Of pairs with noise, only what is generated in place of the noise is shown.
    """
    latents = sorted({r["latent"] for r in rows}, reverse=True)
    rows = [r for r in rows if r["subset"] in ("clean", f"{r['generated']}_noise")]
    of = {(r["model"], r["latent"], r["given"], r["generated"]): r for r in rows}
    alone = dict.fromkeys((r["given"], r["generated"]) for r in rows if r["subset"] == "clean")
    modalities = dict.fromkeys(generated for _, generated in alone)

    def cell(model: str, given: str, generated: str) -> str:
        """Return the coherence at each latent size, empty if there is none."""
        found = (of.get((model, size, given, generated)) for size in latents)
        return " / ".join(mean_sd(row, "coherence") for row in found if row)

    lines = []
    for model in dict.fromkeys(r["model"] for r in rows):
        both = [cell(model, "joint", m) for m in modalities]
        lines.append((model, *(cell(model, *task) for task in alone), *both))
        if any(equal := [cell(model, "joint, unweighted", m) for m in modalities]):
            lines.append((f"{model}, equal weights", *[""] * len(alone), *equal))
    heads = [f"{generated} from {given}" for given, generated in alone]
    heads += [f"{m} from both, where it is noise" for m in modalities]
    ceiling = {r["generated"]: f"{r['ceiling']:.2f} of real {r['generated']} items" for r in rows}
    title = (
        "Proportion of generated items in which a classifier of real items recognises the right "
        f"digit ([generation](../generation.md)), latent sizes {' / '.join(map(str, latents))}. It "
        f"recognises {' and '.join(ceiling.values())}; with shuffled labels, at most "
        f"{max(r['chance'] for r in rows):.2f} of generated ones:"
    )
    return f"{title}\n\n{table(('', *heads), lines)}"


def noises(rows: Sequence[Mapping]) -> str:
    """Return F1 on harder noise by type, for both objectives and for detectors with labels."""
    detectors = {
        "ima+": "`ima+`",
        "paper": "`paper`",
        "GMM, u": "Gaussians, one named by labels",
        "supervised": "trained with labels",
    }
    by_key = {(r["noise_type"], r["R"], r["modality"], r["detector"]): r for r in rows}
    lines = [
        (
            f"{noise_type}, R {R:g}",
            modality,
            *(mean_sd(by_key[noise_type, R, modality, name], "f1_noise") for name in detectors),
        )
        for noise_type, R, modality in dict.fromkeys(key[:3] for key in by_key)
    ]
    heads = ("noise", "modality", *detectors.values())
    title = (
        f"Harder noise, {rows[0]['seeds']} seeds, F1 ([importance](../importance.md), section 6):"
    )
    return f"{title}\n\n{table(heads, lines)}"


def emotion(table2: Sequence[Mapping], table6: Sequence[Mapping]) -> str:
    """Return retrieval and accuracy of utterances by model, with three views per cell.

    Of several K, the smallest is shown.
    """
    views, lines, k = ("joint", "verbal", "acoustic"), [], min(row["k"] for row in table2)
    nearest = [row for row in table2 if row["k"] == k]
    scores = ((nearest, "precision_cross_speaker"), (table6, "accuracy"), (table6, "uar"))
    keys = dict.fromkeys((r["model"], r["weighting"] or "") for r in table6 if r["seeds"])
    for model, weighting in keys:
        cells = []
        for rows, score in scores:
            by_view = {
                r["representation"]: r
                for r in rows
                if (r["model"], r["weighting"] or "") == (model, weighting) and r["seeds"]
            }
            cells.append(
                " / ".join(mean_sd(by_view[view], score) for view in views if view in by_view)
            )
        name = [ANCHORS.get(model, model), _WEIGHTINGS.get(weighting, weighting)]
        lines.append((", ".join(filter(None, name)), *cells))
    heads = ("", f"P@{k}, other speakers", "accuracy", "UAR")
    title = f"Utterances, joint / verbal / acoustic ({_split(table6[0])}):"
    return f"{title}\n\n{table(heads, lines)}"


def _split(row: Mapping) -> str:
    """Return the corpus, classes and protocol of a row of Tables 2 and 6, as far as it has them."""
    known = [row.get(name) for name in ("corpus", "classes", "protocol", "held_out")]
    return "; ".join(str(value).replace("_", " ") for value in known if value is not None)


def claims(rows: Sequence[Mapping]) -> str:
    """Return how many of the paper's claims hold, and list those that do not."""
    theirs = [row for row in rows if row["whose"] == "paper"]
    verdicts = Counter(row["verdict"] for row in theirs)
    counts = ", ".join(
        f"{verdicts[v]} {_VERDICTS.get(v, v)}" for v in (HOLDS, FAILS, UNDECIDED, UNTESTABLE)
    )
    failing = [f"* {r['sentence']} ({r['why']})" for r in theirs if r["verdict"] == FAILS]
    failures = "\n\nWhat does not hold:\n\n" + "\n".join(failing) if failing else ""
    return f"Of {len(theirs)} claims of the paper that are tested over seeds: {counts}.{failures}"
