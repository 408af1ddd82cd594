"""The 55 non-cepstral features of COVAREP, reimplemented from the papers.

`extract` computes all of them. Each method is a pure function in its own module:

    polarity.polarity, f0.f0_srh, gci.gci_sedreams, iaif.iaif, glottal.glottal_parameters, mdq.mdq,
    peak_slope.peak_slope, sinusoids.sinusoids, rd.rd_msp, hmpd.harmonic_phase_distortion,
    formants.formants, creak.creak
"""

import numpy as np
import pyarrow as pa
import soxr
from scipy.ndimage import maximum_filter1d

from ima.features.covarep.creak import creak
from ima.features.covarep.f0 import HARMONICS, Pitch, f0_srh
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

#: Sampling rate (Hz) of the grid, to which higher rates are resampled; COVAREP was designed for it.
RATE = 16_000
#: Time between frames in s; frame k is at `FIRST_S` + k `HOP_S`.
HOP_S, FIRST_S = 0.010, 79 / RATE

_FLOW = ("NAQ", "QOQ", "H1H2", "PSP", "HRF")
_F0_RANGE = (50, 500)
#: Minimum sampling rate in Hz: all harmonics of the highest F0 lie below half of it.
MIN_RATE = 2 * HARMONICS * _F0_RANGE[1]


def extract(wave: np.ndarray, rate: int, *, remove_offset: bool | None = None) -> pa.Table:
    """Extract all 55 features of an utterance on COVAREP's 10 ms grid.

    `ima.features.covarep.dictionary` lists the features and their papers. Polarity is detected and
    corrected. Pass whole utterances: the phase features use a context of 240 ms on both sides and
    need at least 0.83 s.

    Args:
        wave: samples (n,), full scale 1 (or integers of full scale).
        rate: sampling rate in Hz, 5,000 or more. Rates above 16,000 are resampled. At lower rates,
            predictors and pulse shapes are computed at the original rate, all others after
            resampling.
        remove_offset: whether to subtract the mean. COVAREP never does; None does so only if the
            mean exceeds half the standard deviation, which would distort the linear predictors.

    Returns:
        `time_s` (float64), the 55 features (float32, names and order of `dictionary.NAMES`), and
        `measured` (55 booleans per frame), False where a value is missing or filled in. As in
        COVAREP, missing values are 0, and glottal features of unvoiced frames are interpolated
        linearly between voiced segments.

    Raises:
        ValueError: `wave` is not one-dimensional, contains NaN or infinity, or exceeds full scale;
            or `rate` is below MIN_RATE.
    """
    wave, rate = prepare(wave, rate)
    if wave.size and (remove_offset or (remove_offset is None and _spoilt(wave))):
        wave = wave - wave.mean()
    wave = wave * polarity(wave, rate)
    # Predictors need the full bandwidth up to Nyquist; octave bands and DFT bins need a fixed rate.
    wide = soxr.resample(wave, rate, RATE, quality="VHQ") if rate < RATE and wave.size else wave
    tracks = _Tracks(wide.size)
    pitch = f0_srh(wave, rate, low=_F0_RANGE[0], high=_F0_RANGE[1])
    voiced = _pitch_columns(tracks, pitch, rate)
    _glottal_columns(tracks, wave, rate, pitch, voiced)
    _shape_columns(tracks, wave, rate, pitch)
    _phase_columns(tracks, wide, np.round(pitch.sample * (RATE / rate)), pitch.f0)
    centre, slope = peak_slope(wide, RATE)
    # COVAREP time-stamps peakSlope and MDQ one sample earlier than the other features.
    tracks.put("peakSlope", centre - 1, slope)
    _formant_columns(tracks, wide)
    tracks.mute(wide)
    tracks.set("creak", creak(wide, RATE)[tracks.sample], wide.size >= 0.05 * RATE)
    return tracks.table()


def prepare(wave: np.ndarray, rate: int) -> tuple[np.ndarray, int]:
    """Validate a wave, convert it to float64 at full scale 1, and resample higher rates to 16 kHz.

    Returns:
        The wave and its sampling rate in Hz.

    Raises:
        ValueError: see `extract`.
    """
    wave = np.asarray(wave)
    if wave.ndim != 1:
        raise ValueError(
            f"wave: expected one channel, shape (samples,), found shape {wave.shape}. "
            "Select a channel or average the channels first"
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
    if rate < MIN_RATE:
        raise ValueError(f"rate: expected {MIN_RATE:,} Hz or more, found {rate}")
    if rate > RATE and wave.size:
        wave = soxr.resample(wave, rate, RATE, quality="VHQ")
    return wave, min(rate, RATE)


def _spoilt(wave):
    """Return whether the offset of a wave is large enough to distort linear prediction."""
    return abs(wave.mean()) > 0.5 * wave.std()


class _Tracks:
    """The columns on the 10 ms grid of a wave of `size` samples at 16 kHz, filled one by one.

    Positions (`at`) are 0-based and possibly fractional samples at 16 kHz.
    """

    def __init__(self, size):
        # Not at the top: `python -m ima.features.covarep.dictionary` would warn.
        from ima.features.covarep.dictionary import NAMES

        self.names = NAMES
        self.sample = np.arange(79, size, 160)
        self.values = np.zeros((self.sample.size, len(self.names)), np.float32)
        self.measured = np.zeros(self.values.shape, bool)

    def set(self, name, values, measured):
        """Set the values (T,) of a column on the grid, and the mask (T,) of measured values."""
        column = self.names.index(name)
        self.values[:, column], self.measured[:, column] = values, measured

    def put(self, name, at, values):
        """Interpolate values to the grid; outside their range they are 0 and not measured."""
        self.set(name, self.interpolate(at, values), self.within(at))

    def interpolate(self, at, values):
        """Interpolate values at increasing samples `at` to the grid (T,); 0 outside their range."""
        if len(at) == 0:
            return np.zeros(self.sample.size)
        return np.interp(self.sample, at, values, 0, 0)

    def within(self, at):
        """Return a mask (T,) of the grid points between the first and the last of `at`."""
        if len(at) == 0:
            return np.zeros(self.sample.size, bool)
        return (self.sample >= at[0]) & (self.sample <= at[-1])

    def mute(self, wave):
        """Mark all but voicing as not measured where 40 ms of the wave are digital silence."""
        loudest = maximum_filter1d(np.abs(wave), 641) if wave.size else wave
        self.measured[loudest[self.sample] == 0, self.names.index("VUV") + 1 :] = False
        self.measured[loudest[self.sample] == 0, self.names.index("F0")] = False

    def table(self):
        """Return `time_s`, the columns by name, and `measured`, a list of flags per row."""
        columns = {"time_s": pa.array(self.sample / RATE)}
        columns |= {name: pa.array(self.values[:, i]) for i, name in enumerate(self.names)}
        flags = pa.array(self.measured.ravel())
        columns["measured"] = pa.FixedSizeListArray.from_arrays(flags, len(self.names))
        return pa.table(columns)


def _pitch_columns(tracks, pitch: Pitch, rate):
    """Fill F0 and VUV; return a mask (n,) of the voiced frames."""
    at = (pitch.sample - 1) * (RATE / rate)
    tracks.put("F0", at, pitch.f0)
    voiced = tracks.interpolate(at, pitch.voiced.astype(float)) >= 0.5
    tracks.set("VUV", voiced, tracks.within(at))
    return voiced


def _glottal_columns(tracks, wave, rate, pitch, voiced):
    """Fill the features measured at glottal closures: NAQ, QOQ, H1H2, PSP, HRF and MDQ."""
    f0 = pitch.f0[pitch.voiced & (pitch.f0 > _F0_RANGE[0]) & (pitch.f0 < _F0_RANGE[1])]
    if f0.size == 0:
        return
    gci = gci_sedreams(wave, rate, float(np.median(f0)))
    # Voicing is looked up one sample early, as in COVAREP.
    certain = np.interp(gci - 1, pitch.sample - 1, pitch.voiced.astype(float), 0, 0) >= 0.5
    gci = gci[certain & (gci >= 1)]
    flow, derivative = iaif(wave, rate, gci)
    parameters = glottal_parameters(flow, derivative, rate, gci)
    # Exclude the first closure, which has no preceding period, and those after gaps over 50 ms.
    sound = (parameters.naq > 0) & (np.arange(gci.size) > 0)
    at = gci * (RATE / rate)
    known = voiced & (tracks.interpolate(at, sound.astype(float)) == 1)
    for name, values in zip(_FLOW, parameters, strict=True):
        tracks.set(name, tracks.interpolate(at, values), known)
    spread = mdq(residual(wave, rate, round(rate / 1000) + 2), gci)
    # One sample early, as for peakSlope.
    at = (gci - 1) * (RATE / rate)
    tracks.set("MDQ", tracks.interpolate(at, spread), known)


def _shape_columns(tracks, wave, rate, pitch):
    """Fill Rd and Rd_conf."""
    # COVAREP uses the 1-based samples of the track as 0-based, so frames are one sample late.
    frames = sinusoids(wave, rate, pitch.sample, pitch.f0)
    rd, confidence = rd_msp(frames, rate)
    at = (pitch.sample[frames.frame] - 1) * (RATE / rate)
    fits = tracks.interpolate(at, (rd > 0).astype(float)) == 1
    tracks.set("Rd", tracks.interpolate(at, rd), fits)
    tracks.set("Rd_conf", tracks.interpolate(at, confidence), fits)


def _phase_columns(tracks, wave, sample, f0):
    """Fill HMPDM and HMPDD; frame centres are one sample late (see `_shape_columns`)."""
    frames = sinusoids(wave, RATE, sample.astype(int), f0)
    phases = harmonic_phase_distortion(frames, RATE)
    if len(phases.mean) == 0:
        return
    at = sample[frames.frame]
    # As in COVAREP, interpolate via a 5 ms grid that starts at 0 s.
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
    # As in COVAREP, the frames are stretched from the first sample of the wave to the last.
    at = np.floor(np.linspace(1, wave.size, len(found)) + 0.5) - 1
    for i, column in enumerate(found.T):
        known = tracks.interpolate(at, (column > 0).astype(float)) == 1
        tracks.set(f"F{i + 1}", tracks.interpolate(at, column), known)
