"""COVAREP's 55 non-cepstral columns, written anew from the papers.

`extract` gives them all; every method is a pure function of its own module:

    polarity.polarity, f0.f0_srh, gci.gci_sedreams, iaif.iaif, glottal.glottal_parameters, mdq.mdq,
    peak_slope.peak_slope, sinusoids.sinusoids, rd.rd_msp, hmpd.harmonic_phase_distortion,
    formants.formants, creak.creak
"""

import numpy as np
import pyarrow as pa
import soxr
from scipy.ndimage import maximum_filter1d

from ima.features.covarep.creak import creak
from ima.features.covarep.f0 import Pitch, f0_srh
from ima.features.covarep.formants import formants
from ima.features.covarep.gci import gci_sedreams
from ima.features.covarep.glottal import glottal_parameters
from ima.features.covarep.hmpd import harmonic_phase_distortion, wrap
from ima.features.covarep.iaif import iaif
from ima.features.covarep.lpc import residual
from ima.features.covarep.mdq import mdq
from ima.features.covarep.peak_slope import peak_slope
from ima.features.covarep.polarity import polarity
from ima.features.covarep.rd import rd_msp
from ima.features.covarep.sinusoids import sinusoids

#: Hz of the grid, and of waves of higher rates after resampling; COVAREP was made for it.
RATE = 16_000
#: s between frames; frame k is at `FIRST_S` + k `HOP_S`.
HOP_S, FIRST_S = 0.010, 79 / RATE

_FLOW = ("NAQ", "QOQ", "H1H2", "PSP", "HRF")
_F0_RANGE = (50, 500)


def extract(wave: np.ndarray, rate: int, *, remove_offset: bool | None = None) -> pa.Table:
    """Measure all 55 columns of an utterance on COVAREP's 10 ms grid.

    The columns and their papers are in `ima.features.covarep.dictionary`. Polarity is detected and
    corrected. Give whole utterances: the phase columns look 240 ms to both sides and need 0.83 s.

    Args:
        wave: samples (n,), full scale 1 (or integers of full scale).
        rate: Hz, 4,000 or more. Higher rates than 16,000 are resampled; at lower ones predictors
            and pulse shapes are measured as they are, the rest after resampling.
        remove_offset: whether to subtract the mean. COVAREP never does; None does so only where
            the mean exceeds half the standard deviation, which spoils the linear predictors.

    Returns:
        `time_s` (float64), the 55 columns (float32, names and order of `dictionary.NAMES`), and
        `measured` (55 booleans a frame): False where a value is missing or a filler. A missing
        value is 0, as in COVAREP; glottal columns of unvoiced frames are lines from one voiced
        stretch to the next, as in COVAREP, and not `measured`.

    Raises:
        ValueError: `wave` is not one-dimensional, holds NaN or infinity, or exceeds full scale.
    """
    wave, rate = prepare(wave, rate)
    if wave.size and (remove_offset or (remove_offset is None and _spoilt(wave))):
        wave = wave - wave.mean()
    wave = wave * polarity(wave, rate)
    # Predictors need their band filled to its end; octave bands and DFT bins need one rate.
    wide = soxr.resample(wave, rate, RATE, quality="VHQ") if rate < RATE and wave.size else wave
    tracks = _Tracks(wide.size)
    pitch = f0_srh(wave, rate, low=_F0_RANGE[0], high=_F0_RANGE[1])
    voiced = _pitch_columns(tracks, pitch, rate)
    _glottal_columns(tracks, wave, rate, pitch, voiced)
    _shape_columns(tracks, wave, rate, pitch)
    _phase_columns(tracks, wide, np.round(pitch.sample * (RATE / rate)), pitch.f0)
    centre, slope = peak_slope(wide, RATE)
    # COVAREP stamps peakSlope, as MDQ, one sample earlier than the rest.
    tracks.put("peakSlope", centre - 1, slope)
    _formant_columns(tracks, wide)
    tracks.mute(wide)
    tracks.set("creak", creak(wide, RATE)[tracks.sample], wide.size >= 0.05 * RATE)
    return tracks.table()


def prepare(wave: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """Check a wave; bring it to full scale 1, float64, and to 16 kHz from higher rates.

    Returns:
        The wave and its rate.

    Raises:
        ValueError: see `extract`.
    """
    wave = np.asarray(wave)
    if wave.ndim != 1:
        raise ValueError(
            f"wave: expected one channel, shape (samples,), found shape {wave.shape}. "
            "Choose a channel or average them first"
        )
    if np.issubdtype(wave.dtype, np.signedinteger):
        wave = wave / -float(np.iinfo(wave.dtype).min)
    if not np.issubdtype(wave.dtype, np.floating):
        raise ValueError(f"wave: expected real samples, found samples of type {wave.dtype}")
    wave = wave.astype(float)
    if not np.isfinite(wave).all():
        bad = np.count_nonzero(~np.isfinite(wave))
        raise ValueError(
            f"wave: expected finite samples, found {bad} NaN or infinite of {wave.size}"
        )
    peak = np.abs(wave).max(initial=0.0)
    if peak > 2:
        raise ValueError(
            f"wave: expected samples of full scale 1, found a peak of {peak:g}. "
            "Divide by full scale (32768 for 16 bits); HRF depends on it"
        )
    if rate < 4000:
        raise ValueError(f"rate: expected 4,000 Hz or more, found {rate}")
    if rate > RATE and wave.size:
        wave = soxr.resample(wave, rate, RATE, quality="VHQ")
    return wave, min(rate, RATE)


def _spoilt(wave):
    """Tell whether a wave's offset is large enough to spoil linear prediction."""
    return abs(wave.mean()) > 0.5 * wave.std()


class _Tracks:
    """Columns on the 10 ms grid of a wave of `size` samples at 16 kHz, filled one by one.

    Positions (`at`) are 0-based samples at 16 kHz, fractions allowed.
    """

    def __init__(self, size):
        # Not at the top: `python -m ima.features.covarep.dictionary` would warn.
        from ima.features.covarep.dictionary import NAMES

        self.names = NAMES
        self.sample = np.arange(79, size, 160)
        self.values = np.zeros((self.sample.size, len(self.names)), np.float32)
        self.measured = np.zeros(self.values.shape, bool)

    def set(self, name, values, measured):
        """Take a column's values (T,) on the grid, and which of them are measured (T,)."""
        column = self.names.index(name)
        self.values[:, column], self.measured[:, column] = values, measured

    def put(self, name, at, values):
        """Interpolate values to the grid; 0 and not measured outside of them."""
        self.set(name, self.interpolate(at, values), self.within(at))

    def interpolate(self, at, values):
        """Return values, known at samples `at` in rising order, on the grid (T,); 0 outside."""
        if len(at) == 0:
            return np.zeros(self.sample.size)
        return np.interp(self.sample, at, values, 0, 0)

    def within(self, at):
        """Return which places of the grid (T,) lie between the first and the last of `at`."""
        if len(at) == 0:
            return np.zeros(self.sample.size, bool)
        return (self.sample >= at[0]) & (self.sample <= at[-1])

    def mute(self, wave):
        """Count nothing but voicing as measured where 40 ms of the wave are digital silence."""
        loudest = maximum_filter1d(np.abs(wave), 641) if wave.size else wave
        self.measured[loudest[self.sample] == 0, self.names.index("VUV") + 1 :] = False
        self.measured[loudest[self.sample] == 0, self.names.index("F0")] = False

    def table(self):
        """Return `time_s`, the columns by name, and `measured`, a list of flags a row."""
        columns = {"time_s": pa.array(self.sample / RATE)}
        columns |= {name: pa.array(self.values[:, i]) for i, name in enumerate(self.names)}
        flags = pa.array(self.measured.ravel())
        columns["measured"] = pa.FixedSizeListArray.from_arrays(flags, len(self.names))
        return pa.table(columns)


def _pitch_columns(tracks, pitch: Pitch, rate):
    """Fill F0 and VUV; return the frames that are voiced (n,)."""
    at = (pitch.sample - 1) * (RATE / rate)
    tracks.put("F0", at, pitch.f0)
    voiced = tracks.interpolate(at, pitch.voiced.astype(float)) >= 0.5
    tracks.set("VUV", voiced, tracks.within(at))
    return voiced


def _glottal_columns(tracks, wave, rate, pitch, voiced):
    """Fill what is measured at glottal closures: NAQ, QOQ, H1H2, PSP, HRF and MDQ."""
    f0 = pitch.f0[pitch.voiced & (pitch.f0 > _F0_RANGE[0]) & (pitch.f0 < _F0_RANGE[1])]
    if f0.size == 0:
        return
    gci = gci_sedreams(wave, rate, float(np.median(f0)))
    # Voicing is looked up one sample early, as in COVAREP.
    certain = np.interp(gci - 1, pitch.sample - 1, pitch.voiced.astype(float), 0, 0) >= 0.5
    gci = gci[certain & (gci >= 1)]
    flow, derivative = iaif(wave, rate, gci)
    parameters = glottal_parameters(flow, derivative, rate, gci)
    # The first closure has no period before it, others follow a gap of over 50 ms.
    sound = (parameters.naq > 0) & (np.arange(gci.size) > 0)
    at = gci * (RATE / rate)
    known = voiced & (tracks.interpolate(at, sound.astype(float)) == 1)
    for name, values in zip(_FLOW, parameters, strict=True):
        tracks.set(name, tracks.interpolate(at, values), known)
    spread = mdq(residual(wave, rate, round(rate / 1000) + 2), gci)
    # One sample early, see peakSlope.
    at = (gci - 1) * (RATE / rate)
    tracks.set("MDQ", tracks.interpolate(at, spread), known)


def _shape_columns(tracks, wave, rate, pitch):
    """Fill Rd and Rd_conf."""
    # COVAREP takes the track's 1-based samples for 0-based: the frames lie one sample late.
    frames = sinusoids(wave, rate, pitch.sample, pitch.f0)
    rd, confidence = rd_msp(frames, rate)
    at = (pitch.sample[frames.frame] - 1) * (RATE / rate)
    fits = tracks.interpolate(at, (rd > 0).astype(float)) == 1
    tracks.set("Rd", tracks.interpolate(at, rd), fits)
    tracks.set("Rd_conf", tracks.interpolate(at, confidence), fits)


def _phase_columns(tracks, wave, sample, f0):
    """Fill HMPDM and HMPDD; the frames' centres are one sample late, see above."""
    frames = sinusoids(wave, RATE, sample.astype(int), f0)
    phases = harmonic_phase_distortion(frames, RATE)
    if len(phases.mean) == 0:
        return
    at = sample[frames.frame]
    # Through a 5 ms grid that starts at 0 s, as in COVAREP.
    grid = np.arange(0, at[-1] + 1, RATE // 200)
    grid = grid[grid >= at[0]]
    inside = tracks.within(grid)
    for i, column in enumerate(phases.mean.T):
        fine = wrap(np.interp(grid, at, np.unwrap(column)))
        values = wrap(np.interp(tracks.sample, grid, np.unwrap(fine)))
        tracks.set(f"HMPDM_{i}", np.where(inside, values, 0.0), inside)
    for i, column in enumerate(phases.deviation.T):
        tracks.put(f"HMPDD_{i}", grid, np.interp(grid, at, column))


def _formant_columns(tracks, wave):
    """Fill F1 ... F5."""
    found = formants(wave, RATE)
    # COVAREP stretches the frames from the first sample of the wave to the last; kept.
    at = np.floor(np.linspace(1, wave.size, len(found)) + 0.5) - 1
    for i, column in enumerate(found.T):
        known = tracks.interpolate(at, (column > 0).astype(float)) == 1
        tracks.set(f"F{i + 1}", tracks.interpolate(at, column), known)
