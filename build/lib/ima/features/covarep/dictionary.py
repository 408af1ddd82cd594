"""The table of the 55 features; `python -m ima.features.covarep.dictionary` prints it."""

from typing import NamedTuple


class Column(NamedTuple):
    """The description of one feature.

    Attributes:
        name: the name in COVAREP.
        meaning: a short description.
        unit: 'Hz', 'dB', 'rad', 'ratio', ... ; '' for none.
        low, high: range of measured values, bounds included; None if unbounded.
        window: the part of the signal on which one value is measured.
        paper: the source of the method.
        voiced: whether the feature is meaningful only in voiced frames.
        agreement: correlation with the toolbox over voiced frames of the 24 reference recordings
            (share of equal frames for VUV); NaN if the toolbox cannot serve as reference.
    """

    name: str
    meaning: str
    unit: str
    low: float | None
    high: float | None
    window: str
    paper: str
    voiced: bool
    agreement: float

    @property
    def angle(self) -> bool:
        """Whether the feature is an angle, which needs circular averaging."""
        return self.unit == "rad"


_NONE = float("nan")
_PERIOD = "one period before a glottal closure, linear between closures"
_TRIPLE = "three periods around a glottal closure, linear between closures"
_SINUSOIDS = "three periods around the frame"
_HMPD = "Degottex & Erro 2014"


def _phases() -> list[Column]:
    means = [
        Column(
            f"HMPDM_{i}",
            f"mean phase distortion, coefficient {i}" + (" (below 125 Hz: near 0)" * (i < 8)),
            "rad", -3.1415927, 3.1415927, f"{_SINUSOIDS}, mean over +-240 ms", _HMPD, True,
            _NONE if i < 8 or i == 24 else 1.0,
        )
        for i in range(25)
    ]  # fmt: skip
    deviations = [
        Column(
            f"HMPDD_{i}", f"deviation of phase distortion, mel cepstrum {i}", "", None, None,
            f"{_SINUSOIDS}, deviation over +-80 ms", _HMPD, True, 1.0,
        )
        for i in range(13)
    ]  # fmt: skip
    return means + deviations


def _formants() -> list[Column]:
    return [
        Column(
            f"F{i}", f"formant {i}", "Hz", 0.0, 5000.0, "30 ms",
            "Bozkurt et al. 2004", False, 1.0,
        )
        for i in range(1, 6)
    ]  # fmt: skip


COLUMNS: tuple[Column, ...] = (
    Column("F0", "fundamental frequency; a guess in unvoiced frames", "Hz", 50, 500, "100 ms",
           "Drugman & Alwan 2011", True, 1.0),
    Column("VUV", "1 voiced, 0 unvoiced", "", 0, 1, "100 ms", "Drugman & Alwan 2011", False, 1.0),
    Column("NAQ", "normalised amplitude quotient: low tense, high breathy", "ratio", 0, None,
           _PERIOD, "Alku et al. 2002", True, 1.0),
    Column("QOQ", "quasi-open quotient", "ratio", 0, 1, _PERIOD, "Hacki 1989", True, 1.0),
    Column("H1H2", "level of the first over the second glottal harmonic", "dB", None, None,
           _TRIPLE, "Hanson 1997", True, 1.0),
    Column("PSP", "parabolic spectral parameter", "ratio", None, None, _PERIOD,
           "Alku et al. 1997", True, 1.0),
    Column("MDQ", "maxima dispersion quotient: low tense, high breathy", "ratio", 0, None,
           "two fifths of a period around a glottal closure, linear between closures",
           "Kane & Gobl 2013", True, 1.0),
    Column("peakSlope", "slope of wavelet peaks over octaves: spectral tilt", "log10/octave",
           None, None, "40 ms", "Kane & Gobl 2011", False, 1.0),
    Column("Rd", "shape of the LF glottal pulse: .3 tense, 2.5 lax", "", 0.3, 2.5, _SINUSOIDS,
           "Degottex et al. 2011", True, 1.0),
    Column("Rd_conf", "how well the LF pulse fits", "", 0, 1, _SINUSOIDS,
           "Degottex et al. 2011", True, 1.0),
    Column("creak", "1 in creaky voice, else 0", "", 0, 1, "between two pulses, up to 100 ms",
           "Ishi et al. 2008", False, _NONE),
    *_phases(),
    *_formants(),
    Column("HRF", "harmonic richness factor, a ratio of sums of dB", "ratio", None, None, _TRIPLE,
           "Childers & Lee 1991", True, 1.0),
)  # fmt: skip

NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)


def as_markdown() -> str:
    """Return the table as a Markdown page."""

    def bound(value: float | None) -> str:
        """Return a bound of a range as text, '' if there is none."""
        return "" if value is None else f"{value:g}"

    head = ["name", "meaning", "unit", "range", "window", "paper", "voiced only", "agreement"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for c in COLUMNS:
        span = f"{bound(c.low)} ... {bound(c.high)}" if (c.low, c.high) != (None, None) else ""
        agreement = "-" if c.agreement != c.agreement else f"{c.agreement:.4f}"
        voiced = "yes" if c.voiced else ""
        cells = [c.name, c.meaning, c.unit, span, c.window, c.paper, voiced, agreement]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(
        [
            "# Feature dictionary: `covarep55`",
            "",
            "Made by `python -m ima.features.covarep.dictionary > docs/feature_dictionary.md`; "
            "the papers are in `docs/covarep.md`. Agreement is the correlation with the MATLAB "
            "toolbox over voiced frames of its 24 reference recordings "
            "(`benchmarks/covarep_agreement.py`); angles as angles, VUV as the share of equal "
            "frames.",
            "",
            *lines,
        ]
    )


if __name__ == "__main__":
    print(as_markdown())
