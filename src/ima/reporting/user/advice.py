"""Advice on the importances of user data, derived by fixed rules from the tables of
`ima.reporting.user.trust`.

The thresholds are conventions and were not fitted to any result; docs/own_data.md lists them.
"""

from collections.abc import Mapping, Sequence

from ima.reporting import markdown

#: A modality shares something with the others if its permutation p-value is at most this.
LEVEL = 0.01
#: With fewer test pairs, not detecting anything shared is inconclusive.
FEW_PAIRS = 50
#: Importances are stable if kappa reaches this value, "substantial agreement" (Landis and Koch,
#: 1977), or if they disagree on at most this proportion of the items.
KAPPA, DISAGREE = 0.6, 0.01
#: Proportions of items below .5 that count as none (if lower) and as all (if higher).
HARDLY_ANY, NEARLY_ALL = 0.01, 0.95
#: Difference between weighted and unweighted scores that is considered negligible.
MARGIN = 0.005

#: Findings about a modality's importances, each with advice.
MODALITY = {
    "nothing": "shares nothing with the others that test pairs show: its importances are "
    "uninformative. "
    "Leave the modality out, or check its pairs.",
    "few": f"has fewer than {FEW_PAIRS} test pairs, in which nothing shared is found: its "
    "importances can't be judged. Add pairs.",
    "missed": "shares something with the others that training has not found: its importances are "
    "uninformative. Train again without the modalities that share nothing, or with more pairs.",
    "contradicted": "shares something with the others, and yet nearly all of its importances are "
    "below .5: don't use them. Add pairs.",
    "unstable": "has importances that depend on the seed or on the fold: don't use those of single "
    "items. Add pairs.",
    "none": "has hardly any item below .5: its importances change nothing, and find nothing wrong.",
    "unknown": "has importances of a single seed: add one to `seeds` to see whether they are "
    "stable.",
    "stable": "has stable importances: its items below .5 can be looked at, or left out.",
}
#: The same findings as sentences about the whole run, with the modalities they apply to.
RUN_SENTENCES = {
    "nothing": "Leave out what shares nothing with the others, or check its pairs: {}.",
    "missed": "Training has not found what {} share: importances are uninformative; train again "
    "without the modalities that share nothing, or with more pairs.",
    "few": "Add pairs of {}: too few to judge.",
    "contradicted": "Don't use the importances of {}, which contradict what it shares.",
    "unstable": "Don't use single importances of {}: unstable; add pairs.",
    "unknown": "Stability of {} is not known: add a seed.",
    "stable": "Single importances of {} can be used.",
    "none": "Nothing wrong is found in single items of {}.",
}
#: Findings about weighting, each with advice.
WEIGHTING = {
    "better": "Use the weighted representation: it is better.",
    "worse": "Use the unweighted representation: weighting does harm.",
    "equal": "Use either representation: a gain by weighting is not shown, and a loss is at most "
    f"{str(MARGIN).lstrip('0')}.",
    "open": "Use the unweighted representation: weighting may do harm, and a gain is not shown. "
    "More test pairs would tell.",
    "none": "The effect of weighting could not be measured.",
}


def judge(row: Mapping) -> str:
    """Return the finding about a modality's importances, a key of MODALITY.

    Args:
        row: row of the first table of `ima.reporting.user.trust.trust_tables`.
    """
    if row["p"] > LEVEL:
        return "few" if row["pairs"] < FEW_PAIRS else "nothing"
    if row["informative"] == 0:
        return "missed"
    if row["unimportant"] > NEARLY_ALL:
        return "contradicted"
    if not all(_stable(row, over) for over in ("seeds", "folds")):
        return "unstable"
    if row["unimportant"] < HARDLY_ANY:
        return "none"
    return "unknown" if row["agreement_seeds"] is None else "stable"


def _stable(row: Mapping, over: str) -> bool:
    """Return whether importances are stable over seeds or folds; true if this is unknown."""
    agreement, kappa = row[f"agreement_{over}"], row[f"kappa_{over}"]
    return agreement is None or 1 - agreement <= DISAGREE or (kappa is not None and kappa >= KAPPA)


def judge_weighting(row: Mapping) -> str:
    """Return the finding about weighting, a key of WEIGHTING.

    Args:
        row: row of the second table of `ima.reporting.user.trust.trust_tables`.
    """
    if row["low"] is None:
        return "none"
    if row["low"] > 0:
        return "better"
    if row["high"] < 0:
        return "worse"
    return "equal" if row["low"] >= -MARGIN else "open"


def advice(rows: Sequence[Mapping], effects: Sequence[Mapping], pairs: str = "") -> str:
    """Return the advice for one latent size as a paragraph.

    Args:
        rows: rows of the first table of `ima.reporting.user.trust.trust_tables`, one per modality.
        effects: rows for this latent size in the second table of `trust_tables`.
        pairs: what concordance says of the pairs, if it is known.
    """
    by_finding: dict[str, list[str]] = {}
    for row in rows:
        by_finding.setdefault(judge(row), []).append(row["modality"])
    if len(by_finding.get("nothing", [])) == len(rows):
        return (
            "The modalities share nothing that test pairs show: the importances are uninformative. "
            "Check that items of one pair belong together."
        )
    if len(by_finding.get("nothing", []) + by_finding.get("few", [])) == len(rows):
        return f"Test pairs are fewer than {FEW_PAIRS} and show nothing shared: add pairs."
    weighting = {"weighting": _of_weighting(effects)}
    sentences = {
        k: text.format(", ".join(by_finding[k]))
        for k, text in RUN_SENTENCES.items()
        if k in by_finding
    }
    if pairs and "none" in sentences:
        sentences["none"] = f"{sentences['none'][:-1]}, and {pairs}."
    first = {k: sentences.pop(k) for k in ("nothing", "missed") if k in sentences}
    return " ".join((first | weighting | sentences).values())


def _of_weighting(effects: Sequence[Mapping]) -> str:
    """Return the advice on weighting, by each criterion if they disagree."""
    by_finding: dict[str, list[str]] = {}
    for row in effects:
        by_finding.setdefault(judge_weighting(row), []).append(row["criterion"])
    if len(by_finding) > 1:
        by_finding.pop("none", None)
    if len(by_finding) < 2:
        return WEIGHTING[next(iter(by_finding), "none")]
    parts = (
        f"By {' and '.join(criteria)}: {WEIGHTING[finding]}"
        for finding, criteria in by_finding.items()
    )
    return " ".join(["Criteria of weighting disagree.", *parts])


def _n(value: float | None, digits: int = 2, sign: bool = False) -> str:
    """Return a number as `.93`, `+.002`, or `not known`."""
    if value is None:
        return "not known"
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("+-").startswith("0.") else text


def _percent(value: float | None) -> str:
    return "not known" if value is None else f"{100 * value:.1f} %"


def describe(row: Mapping) -> str:
    """Describe a row of the first table of `ima.reporting.user.trust.trust_tables` in words."""
    sentences = [
        f"In {row['pairs']} test pairs its correlation with the other modalities is "
        f"{_n(row['correlation'])}; in shuffled pairs {_n(row['shuffled'])} on average and at most "
        f"{_n(row['shuffled_99'])} in 99 of 100 (p = {_n(row['p'], 3)}). {row['coordinates']:.3g} "
        "of its canonical coordinates share more than shuffled ones.",
        f"{_percent(row['unimportant'])} of its test items have an importance below .5, and the "
        f"mean is {_n(row['mean_importance'])}.",
    ]
    if row["informative"] is not None:
        sentences[1] += (
            f" By ranks of partners, {_percent(row['informative'])} of items share something."
        )
    for over, who in (
        ("seeds", f"The {row['seeds']} seeds"),
        ("folds", "Networks that have not seen an item, and those that have,"),
    ):
        if row[f"agreement_{over}"] is None:
            sentences.append(f"Stability over {over} is not known.")
            continue
        kappa = row[f"kappa_{over}"]
        sentences.append(
            f"{who} agree for {_percent(row[f'agreement_{over}'])} of the items on whether the "
            f"importance is below .5 ({_percent(row[f'permuted_{over}'])} if items are permuted"
            + (")." if kappa is None else f"; kappa {_n(kappa)}).")
        )
    return " ".join(sentences)


def describe_effect(row: Mapping) -> str:
    """Describe a row of the second table of `ima.reporting.user.trust.trust_tables` in words."""
    if row["low"] is None:
        return WEIGHTING["none"]
    return (
        f"Weighting changes {row['criterion']} from {_n(row['unweighted'], 3)} to "
        f"{_n(row['weighted'], 3)}: {_n(row['difference'], 3, True)} "
        f"[{_n(row['low'], 3, True)}, {_n(row['high'], 3, True)}], "
        f"95 % interval over {row['groups']} groups of test pairs that share no item."
    )


def report(
    trust: Sequence[Mapping], weighting: Sequence[Mapping], run: str, pairs: str = ""
) -> str:
    """Return the advice for a run, with the numbers and rules behind it, as Markdown.

    Args:
        trust: rows of the first table of `ima.reporting.user.trust.trust_tables`.
        weighting: rows of the second table.
        run: name of the run.
        pairs: as in `advice`.
    """
    lines = [f"# Can the importances of the run {run} be trusted?"]
    for latent in dict.fromkeys(row["latent"] for row in trust):
        rows = [row for row in trust if row["latent"] == latent]
        effects = [row for row in weighting if row["latent"] == latent]
        paragraph = advice(rows, effects, pairs)
        lines += ["", f"## Latent size {latent}", f"**{paragraph}**"]
        for row in rows:
            lines += ["", f"**{row['modality']}** {MODALITY[judge(row)]} {describe(row)}"]
        lines += ["", *(f"{describe_effect(row)}" for row in effects)]
    return "\n".join([*lines, "", "## Rules", _rules(), ""])


def _rules() -> str:
    """Return the rules and their thresholds as a Markdown table."""
    rows = [
        ("a modality shares something", f"p <= {LEVEL}, in {FEW_PAIRS} test pairs or more"),
        (
            "importances are stable, over seeds and over folds",
            f"kappa >= {KAPPA}, or at most {DISAGREE:.0%} of items differ",
        ),
        ("training has not found what is shared", "no item is informative by ranks of partners"),
        ("no item is doubted", f"fewer than {HARDLY_ANY:.0%} of items below .5"),
        ("importances contradict the pairs", f"more than {NEARLY_ALL:.0%} of items below .5"),
        ("weighting is better or worse", "its 95 % interval is above or below 0"),
        (
            "weighting makes no difference",
            f"its interval includes 0 and begins at -{MARGIN} or above",
        ),
    ]
    return markdown.table(("it is said that", "if"), rows)
