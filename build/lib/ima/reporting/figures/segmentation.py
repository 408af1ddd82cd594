"""A plot of a recording with the boundaries of its digits."""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Colours of digits and of doubtful digits, distinguishable without colour vision and in grey.
DIGIT_COLOUR, DOUBTFUL_COLOUR = "#0b5394", "#c2410c"
#: The spectrogram's window and step (s), range (dB below its maximum) and upper limit (Hz).
WINDOW_S, STEP_S, RANGE_DB, HIGHEST_HZ = 0.016, 0.002, 70.0, 8_000

#: Characters per inch in a line of text, and the height of a line (inches).
LETTERS_INCH, LINE_INCH = 11, 0.18


def plot_utterance(
    samples: np.ndarray, rate: int, segments: Sequence[Mapping], *, title: str = ""
) -> Figure:
    """Draw a recording's waveform and spectrogram over one time axis, with its digits marked.

    Each digit is a shaded span between its boundaries, with its name above. A doubtful one is
    hatched, in another colour and with a question mark, and its reason is written below.

    Args:
        samples: waveform (n,), float in [-1, 1].
        rate: sampling rate (Hz).
        segments: the recording's rows of SEGMENTS, as mappings: digit, start_s, end_s, doubtful.
        title: title of the figure, for example the recording's id.
    """
    duration = len(samples) / rate
    width = min(max(3.2 * duration, 6.5), 14.0)  # inches
    reasons = _reasons(segments, width=round(LETTERS_INCH * width))
    height = 4.6 + LINE_INCH * len(reasons)
    figure = Figure(figsize=(width, height), layout="constrained")
    wave, spectrum = figure.subplots(2, 1, sharex=True, height_ratios=[2, 3])
    time = np.arange(len(samples)) / rate
    wave.plot(time, samples, color="0.25", linewidth=0.5, rasterized=True)
    peak = 1.1 * max(float(np.max(np.abs(samples), initial=0.0)), 1e-3)
    wave.set(ylim=(-peak, peak), ylabel="amplitude", xlim=(0, duration))
    _spectrogram(spectrum, np.asarray(samples, dtype=float), rate)
    for row in segments:
        _mark(wave, spectrum, row)
    wave.spines[["top", "right"]].set_visible(False)
    figure.align_ylabels([wave, spectrum])
    if title:
        # Leave room for the digits' names above the axes.
        wave.set_title(title, loc="left", fontsize=10, pad=20)
    spectrum.set_xlabel("\n".join(["time (s)", *reasons]))
    return figure


def _spectrogram(axes: Axes, samples: np.ndarray, rate: int) -> None:
    width = max(int(WINDOW_S * rate), 2)
    step = max(int(STEP_S * rate), 1)
    n_fft = max(512, 1 << (width - 1).bit_length())
    padded = np.pad(samples, width // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[::step]
    power = np.abs(np.fft.rfft(frames * np.hanning(width), n_fft, axis=1)) ** 2
    level = 10 * np.log10(np.maximum(power, 1e-12))
    top = float(level.max())
    end = (len(level) - 0.5) * step / rate
    axes.imshow(
        level.T,
        origin="lower",
        aspect="auto",
        cmap="Greys",
        vmin=top - RANGE_DB,
        vmax=top,
        extent=(-0.5 * step / rate, end, 0, rate / 2000),
        interpolation="bilinear",
    )
    axes.set(ylim=(0, min(rate / 2, HIGHEST_HZ) / 1000), ylabel="frequency (kHz)")


def _mark(wave: Axes, spectrum: Axes, row: Mapping) -> None:
    doubtful = bool(row["doubtful"])
    colour = DOUBTFUL_COLOUR if doubtful else DIGIT_COLOUR
    for axes in (wave, spectrum):
        for edge, style in ((row["start_s"], "-"), (row["end_s"], (0, (3, 2)))):
            axes.axvline(edge, color=colour, linewidth=1.2, linestyle=style)
    wave.axvspan(
        row["start_s"],
        row["end_s"],
        facecolor=colour,
        edgecolor=colour,
        linewidth=0,
        alpha=0.15,
        hatch="///" if doubtful else None,
    )
    wave.annotate(
        row["digit"] + ("?" if doubtful else ""),
        ((row["start_s"] + row["end_s"]) / 2, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        color=colour,
        fontsize=12,
        fontweight="bold",
        annotation_clip=False,
    )


def _reasons(segments: Sequence[Mapping], width: int) -> list[str]:
    """Return lines of at most `width` characters: each reason for doubt, preceded by its digits."""
    digits: dict[str, list[str]] = {}
    for row in segments:
        for reason in filter(None, row["doubtful"].split("; ")):
            digits.setdefault(reason, []).append(row["digit"])
    reasons = (f"{', '.join(names)}: {reason}" for reason, names in digits.items())
    return [line for reason in reasons for line in textwrap.wrap(reason, width)]
