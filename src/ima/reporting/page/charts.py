"""Small plots as inline SVG, whose colours follow the page's light or dark mode."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

#: Width of a plot, and where its axis begins and ends, in units of the drawing.
WIDTH, BEGIN, END = 300, 142, 250
#: Height of a row.
ROW = 18


@dataclass(frozen=True)
class Score:
    """A score in [0, 1] of a model, with its standard deviation if it is known."""

    label: str
    mean: float
    sd: float | None = None
    ours: bool = False


def text_of(mean: float, sd: float | None) -> str:
    """Return a score as text, such as `0.841 ± 0.012`."""
    return f"{mean:.3f}" if sd is None else f"{mean:.3f} ± {sd:.3f}"


def dots(scores: Sequence[Score], name: str) -> str:
    """Return a plot of scores in [0, 1]: a dot for the mean, a line for one sd to each side."""
    rows = "".join(_dot(score, ROW * (i + 0.5)) for i, score in enumerate(scores))
    bottom = ROW * len(scores)
    rules = "".join(f'<path class="rule" d="M{_x(v)} 0V{bottom}"/>' for v in (0, 0.5, 1))
    ticks = "".join(
        f'<text x="{_x(v)}" y="{bottom + 13}" text-anchor="middle">{v:g}</text>'
        for v in (0, 0.5, 1)
    )
    spoken = "; ".join(f"{score.label} {text_of(score.mean, score.sd)}" for score in scores)
    return _chart(rules + rows + ticks, bottom + ROW, f"{name}: {spoken}")


def _dot(score: Score, y: float) -> str:
    kind, strong = ("ours", ' class="strong"') if score.ours else ("other", "")
    low, high = score.mean - (score.sd or 0), score.mean + (score.sd or 0)
    return (
        f'<text x="0" y="{y + 4}"{strong}>{html.escape(score.label)}</text>'
        f'<path class="{kind}" stroke-width="2" d="M{_x(max(low, 0))} {y}H{_x(min(high, 1))}"/>'
        f'<circle class="{kind}" cx="{_x(score.mean)}" cy="{y}" r="4"/>'
        f'<text x="{WIDTH}" y="{y + 4}" text-anchor="end"{strong}>{score.mean:.3f}</text>'
    )


def _x(share: float) -> float:
    return round(BEGIN + (END - BEGIN) * share, 1)


def lengths(rows: Sequence[tuple[str, float, str]], name: str) -> str:
    """Return a plot of bars, each with its label, its length from 0 and its value as text."""
    longest = max(length for _, length, _ in rows) or 1
    bars = "".join(
        f'<text x="0" y="{ROW * i + 13}">{html.escape(label)}</text>'
        f'<rect class="ours" x="{BEGIN}" y="{ROW * i + 4}" height="10" '
        f'width="{max(_x(length / longest) - BEGIN, 1):.1f}" stroke="none"/>'
        f'<text x="{WIDTH}" y="{ROW * i + 13}" text-anchor="end">{html.escape(value)}</text>'
        for i, (label, length, value) in enumerate(rows)
    )
    spoken = "; ".join(f"{label} {value}" for label, _, value in rows)
    return _chart(bars, ROW * len(rows), f"{name}: {spoken}")


def stacked(parts: Sequence[tuple[str, int, str]], name: str) -> str:
    """Return one bar of parts, each with its name, its count and its CSS class."""
    total, begin, drawn = sum(count for _, count, _ in parts), 0.0, []
    for _, count, kind in parts:
        width = 100 * count / total
        drawn.append(f'<rect class="{kind}" x="{begin:.3f}" width="{width:.3f}" height="10"/>')
        begin += width
    spoken = html.escape(f"{name}: " + ", ".join(f"{count} {label}" for label, count, _ in parts))
    return (
        f'<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        f'aria-label="{spoken}">{"".join(drawn)}</svg>'
    )


def _chart(content: str, height: float, name: str) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{html.escape(name)}">{content}</svg>'
    )
