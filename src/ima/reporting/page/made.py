"""How each result was made: its rule, its inputs and its script, embedded in the page."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Rule:
    """A rule of the workflow.

    Args:
        name: its name.
        script: path of its script, '' without one.
        about: its docstring.
        reads: the results that it reads.
    """

    name: str
    script: str = ""
    about: str = ""
    reads: tuple[str, ...] = ()


def link(rule: Rule) -> str:
    """Return a link from a result to its rule."""
    script = f", {Path(rule.script).name}" if rule.script else ""
    return (
        f'<a href="#rule-{html.escape(rule.name)}">How was this made? '
        f"<code>{html.escape(rule.name)}</code>{html.escape(script)}</a>"
    )


def made_html(rules: Iterable[Rule], files: dict[str, list[str]]) -> str:
    """Return the section on how the results were made.

    Args:
        rules: the rules, without repetition.
        files: the results of each rule on the page, by the rule's name.
    """
    return (
        "<p>Each command makes one result and all that it needs; add the run's "
        "<code>--configfile</code> if it has one.</p>"
        f"{''.join(_rule(rule, files[rule.name]) for rule in rules)}"
    )


def _rule(rule: Rule, files: list[str]) -> str:
    name = f"rule-{html.escape(rule.name)}"
    reads = [f"<li><code>{html.escape(file)}</code></li>" for file in patterns(rule.reads)]
    listed = f"<details><summary>its inputs</summary><ul>{''.join(reads)}</ul></details>\n"
    script = html.escape(rule.script)
    source = html.escape(Path(rule.script).read_text(encoding="utf-8")) if rule.script else ""
    code = f"<details><summary>{script}</summary><pre>{source}</pre></details>" if script else ""
    return (
        f'<h3 id="{name}">{html.escape(rule.name)}</h3>'
        f"<p>{html.escape(rule.about)}</p>"
        f"<pre>snakemake --cores 4 {html.escape(files[0])}</pre>"
        f"{listed if reads else ''}{code}\n"
    )


def patterns(files: Iterable[str]) -> list[str]:
    """Return paths, with one pattern for those that differ only by the numbers of seeds."""
    alike: dict[str, list[str]] = {}
    for file in files:
        pattern = re.sub(r"(seeds?|round|block)\d[\d-]*", r"\1*", file)
        alike.setdefault(pattern, []).append(file)
    return [pattern if len(of) > 1 else of[0] for pattern, of in alike.items()]
