"""A run's main results as Markdown, for the model card and the documentation."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ima.reporting.claims.tests import FAILS, HOLDS, UNDECIDED, UNTESTABLE
from ima.reporting.markdown import mean_sd, table

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
ANCHORS = {
    "pca": "PCA",
    "raw": "raw features",
    "chance": "chance (labels shuffled)",
    "majority": "the commonest class",
}


def is_ima(model: str) -> bool:
    """Return whether a model's label is that of a variant of IMA."""
    return model.split()[0].rstrip("+") == "IMA"


def retrieval(rows: Sequence[Mapping]) -> str:
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
            cells.append(" / ".join(mean_sd(r, "precision_no_shared") for r in found if r))
        seeds = next(r["seeds"] for key, r in of.items() if key[:2] == (model, view))
        lines.append((name_of(model, view), *cells, seeds))
    heads = ("", *(f"latent {latent}" for latent in latents), "seeds")
    title = (
        f"Precision@{' / @'.join(map(str, ks))} of test pairs, neighbours that share the query's"
    )
    return f"{title} recording or image left out:\n\n{table(heads, lines)}"


def name_of(model: str, view: str) -> str:
    """Return the label of a model's representation."""
    if is_ima(model):
        return f"{model}, {_IMA.get(view, f'{view} alone')}"
    return ANCHORS.get(model, model)


def importances(rows: Iterable[Mapping]) -> str:
    """Return F1 of the noise class by variant and modality."""
    keys = ("variant", "modality", "latent")
    lines = [(*(r[key] for key in keys), mean_sd(r, "f1_noise"), r["seeds"]) for r in rows]
    heads = ("variant", "modality", "latent", "F1 of noise", "seeds")
    return f"Unsupervised noise detection:\n\n{table(heads, lines)}"


def noises(rows: Sequence[Mapping]) -> str:
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
            *(mean_sd(of[kind, R, modality, name], "f1_noise") for name in detectors),
        )
        for kind, R, modality in dict.fromkeys(key[:3] for key in of)
    ]
    heads = ("noise", "modality", *detectors.values())
    title = (
        f"Harder noise, {rows[0]['seeds']} seeds, F1 ([importance](../importance.md), section 6):"
    )
    return f"{title}\n\n{table(heads, lines)}"


def emotion(table2: Sequence[Mapping], table6: Sequence[Mapping]) -> str:
    """Return retrieval and accuracy of utterances by model, with three views per cell."""
    views, lines = ("joint", "verbal", "acoustic"), []
    wanted = ((table2, "precision_cross_speaker"), (table6, "accuracy"))
    keys = dict.fromkeys((r["model"], r["weighting"] or "") for r in table6 if r["seeds"])
    for model, weighting in keys:
        cells = []
        for rows, score in wanted:
            own = {
                r["representation"]: r
                for r in rows
                if (r["model"], r["weighting"] or "") == (model, weighting) and r["seeds"]
            }
            cells.append(" / ".join(mean_sd(own[view], score) for view in views if view in own))
        name = [ANCHORS.get(model, model), _WEIGHTINGS.get(weighting, weighting)]
        lines.append((", ".join(filter(None, name)), *cells))
    heads = ("", f"P@{table2[0]['k']}, other speakers", "accuracy")
    title = f"Utterances, joint / verbal / acoustic ({table2[0]['corpus']}):"
    return f"{title}\n\n{table(heads, lines)}"


def claims(rows: Sequence[Mapping]) -> str:
    """Return how many of the paper's claims hold, and list those that do not."""
    theirs = [row for row in rows if row["whose"] == "paper"]
    found = Counter(row["verdict"] for row in theirs)
    counts = ", ".join(
        f"{found[v]} {_VERDICTS.get(v, v)}" for v in (HOLDS, FAILS, UNDECIDED, UNTESTABLE)
    )
    failing = [f"* {r['sentence']} ({r['why']})" for r in theirs if r["verdict"] == FAILS]
    which = "\n\nWhat does not hold:\n\n" + "\n".join(failing) if failing else ""
    return f"Of {len(theirs)} claims of the paper that are tested over seeds: {counts}.{which}"
