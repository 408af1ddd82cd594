"""Data cards and model cards, filled with the run's own numbers."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from ima.reporting import markdown, results
from ima.utils.errors import InputError
from ima.utils.labels import is_ima

#: Facts about a corpus that do not depend on a run.
FACTS = ("title", "what", "from", "url", "licence", "people", "use", "limits")
#: Metadata of models for a model hub.
METADATA = {
    "library_name": "ima",
    "tags": ["multimodal", "autoencoder", "representation-learning", "safetensors"],
}
#: Licence in this metadata: each corpus has its own, and some forbid commercial use.
LICENCE_OF_CORPORA = {"license": "other", "license_name": "licences-of-the-corpora"}
_HEADINGS = {
    "what": "What it is",
    "people": "Whose data it is",
    "use": "What it is used for here",
    "limits": "Limits",
}
#: Levels of a speech corpus' counts, and for each the columns that distinguish its rows.
_LEVELS = {"corpus": (), "split": ("split",), "group": ("group",)}


def read_facts(path: str | Path) -> dict[str, dict[str, str]]:
    """Read the facts about every corpus.

    Raises:
        InputError: the file is not YAML, or a corpus' keys are not exactly FACTS.
    """
    try:
        facts = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(path, expected="corpora in YAML", found=error) from error
    for name, known in (facts if isinstance(facts, dict) else {"": facts}).items():
        if not isinstance(known, Mapping) or set(known) != set(FACTS):
            raise InputError(f"{path}, {name}", expected=list(FACTS), found=known)
    return facts


def data_card(
    facts: Mapping[str, str],
    manifest: Mapping[str, object],
    counts: Sequence[tuple[str, int, int | None]],
    skipped: Iterable[str],
    run: str,
) -> str:
    """Return the data card of a corpus, in Markdown.

    Args:
        facts: facts about the corpus, from `read_facts`.
        manifest: `files`, `bytes` and `sha256` of what the run read.
        counts: names of counts, with the run's value and the nominal one (None if unknown).
        skipped: the reason for each unused file or line.
        run: name of the run.
    """
    rows = [
        (name, f"{count:,}", "" if nominal is None else f"{nominal:,}")
        for name, count, nominal in counts
    ]
    reasons = Counter(skipped)
    lines = [f"# Data card: {facts['title']}", ""]
    for key, heading in _HEADINGS.items():
        lines += [f"**{heading}.** {' '.join(facts[key].split())}", ""]
    lines += [
        f"**Licence.** {facts['licence']}. **Got from.** {facts['from']}.",
        "",
        f"## As the run `{run}` read it",
        f"{manifest['files']:,} files, {manifest['bytes']:,} bytes, SHA-256 of their list",
        f"`{manifest['sha256']}`.",
        "",
        *([markdown.table(("what", "found", "nominal"), rows), ""] if rows else []),
        f"Not used: {sum(reasons.values())}.",
        *(f"* {reason}: {count}" for reason, count in reasons.most_common(12)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def without_numbers(reason: str) -> str:
    """Return the reason for skipping a file with numbers replaced by N, to group like reasons."""
    return re.sub(r"\d+", "N", reason)


def image_counts(splits: Sequence[str], labels: Sequence[int]) -> list[tuple[str, int, None]]:
    """Return the number of images of a corpus, in total, by split and by class."""
    counts = [("images", len(splits), None)]
    counts += [(f"images, {name}", n, None) for name, n in sorted(Counter(splits).items())]
    return counts + [(f"images of {name}", n, None) for name, n in sorted(Counter(labels).items())]


def speech_counts(rows: Iterable[Mapping], corpus: str) -> list[tuple[str, int, int]]:
    """Return one corpus' rows of the recordings' `counts.csv`, except those of single speakers."""
    counts = []
    for row in rows:
        if row["corpus"] == corpus and row["level"] in _LEVELS:
            level = "".join(f", {row[key]}" for key in _LEVELS[row["level"]])
            counts.append(
                (f"{row['unit'].replace('_', ' ')}{level}", row["found"], row["expected"])
            )
    return counts


def emotion_counts(rows: Iterable[Mapping], corpus: str) -> list[tuple[str, int, int]]:
    """Return the number of usable utterances of each emotion in one corpus."""
    return [
        (f"utterances, {row['emotion']}", row["usable"], row["expected"])
        for row in rows
        if row["corpus"] == corpus
    ]


def model_card(
    run: str, sidecar: Mapping, data: Sequence[str], tables: Mapping[str, Sequence[Mapping]]
) -> str:
    """Return the model card of a run, in Markdown.

    Args:
        run: name of the run.
        sidecar: sidecar of its Table 1 (`ima.workflow.provenance`): config, seeds and code.
        data: titles of its corpora.
        tables: rows of `table1`, `table4`, `importance`, `claims` and, if the run has utterances,
            `table2` and `table6`.
    """
    config = sidecar["config"]
    layers = ", ".join(
        f"{name} ({options['hidden']} {options['activation']}, {options['loss']})"
        for name, options in config["model"].items()
    )
    return "\n".join([*_about(run, layers, sidecar, data), *_results(tables)]) + "\n"


def _rho(config: Mapping, variant: str) -> str:
    """Return the prior mean importances of a variant in words."""
    own = config["ima"][variant].get("importance", {}).get("rho", {})
    if own == "auto":
        return "estimated"
    values = {**config["importance"]["rho"], **own}
    return ", ".join(f"{name} {value:g}" for name, value in values.items())


def front_matter(more: Mapping[str, str]) -> str:
    """Return the front matter by which a model hub finds a model, in YAML.

    Args:
        more: keys to add, such as `license`.
    """
    return f"---\n{yaml.safe_dump({**METADATA, **more}, sort_keys=False)}---\n"


def _about(run: str, layers: str, sidecar: Mapping, data: Sequence[str]) -> list[str]:
    """Return the sections on what the models are, their training data and intended use."""
    config, code = sidecar["config"], sidecar["code"]
    revision = code["revision"] or "unknown (no git checkout)"
    latents, seeds = (", ".join(map(str, config[key])) for key in ("latents", "seeds"))
    rho = "; ".join(f"{variant} ({_rho(config, variant)})" for variant in config["variants"])
    return [
        front_matter(LICENCE_OF_CORPORA),
        f"# Model card: IMA, run `{run}`",
        "",
        "**What it is.** An importance-based multimodal autoencoder: an encoder and a decoder",
        "for each modality, a joint representation that is the mean of the modalities' latents",
        "weighted by importances, and an importance in [0, 1] of each sample of each modality,",
        "learnt without labels.",
        "",
        f"**Trained on.** {'; '.join(data)}.",
        f"**Modalities** (width, activation, loss): {layers}.",
        f"**Latent sizes**: {latents}. **Seeds**: {seeds}.",
        f"**Variants** (prior mean importances): {rho}.",
        f"**Code**: revision {revision}{', edited since' if code['dirty'] else ''}.",
        "",
        "**Intended use.** Comparing methods on these data, and learning what the paper's does.",
        "Not for decisions about people: emotions are acted or made, and speakers are few.",
        "",
    ]


def _results(tables: Mapping[str, Sequence[Mapping]]) -> list[str]:
    """Return the sections on cost, results and the verdicts on the paper's claims."""
    counts = ("parameters", "parameters_importance")
    cost = [
        (r["model"], r["setting"], r["latent"], *(f"{r[n]:,}" for n in counts), r["loss_terms"])
        for r in tables["table4"]
        if is_ima(r["model"]) and r["setting"] != "equal"
    ]
    ours = {
        name: [row for row in rows if is_ima(row.get("model") or "IMA")]
        for name, rows in tables.items()
    }
    heads = ("model", "modalities", "latent", "parameters", "of importance", "terms of the loss")
    return [
        "## Cost",
        markdown.table(heads, cost),
        "",
        "## Results",
        results.retrieval(ours["table1"]),
        "",
        results.importances(ours["importance"]),
        *(["", results.emotion(ours["table2"], ours["table6"])] if "table6" in ours else []),
        "",
        "## The paper's claims",
        results.claims(ours["claims"]),
        "",
        "All verdicts: `results/claims.csv`.",
    ]
