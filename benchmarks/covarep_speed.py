"""Time every stage of `ima.features.covarep`, and measure its memory over many utterances.

    python benchmarks/covarep_speed.py [--wav FILE] [--seconds 10] [--jobs 2]

The script prints CPU seconds per second of 16 kHz audio, on one core. Without --wav, the audio is
synthesised: an LF vowel whose pitch glides. The goal is 0.6 for all stages; the MATLAB toolbox
takes 4.25 in Octave.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from ima.features import covarep
from ima.features.covarep import lf
from ima.features.voice import extract, extract_files

GOAL = 0.6


def main() -> int:
    """Print the timings; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wav", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    wave, rate = soundfile.read(options.wav) if options.wav else vowel(options.seconds)
    wave, rate = covarep.prepare(wave, rate)
    seconds = wave.size / rate
    extract(wave, rate)  # warm-up: compiles code and fills tables
    for name, spent in stages(wave, rate).items():
        print(f"{name:<28} {spent / seconds:.4f} CPU s/s")
    total = cpu(lambda: extract(wave, rate))[0] / seconds
    print(f"{'all 55 columns':<28} {total:.4f} CPU s/s (goal {GOAL})")
    smile = cpu(lambda: extract(wave, rate, "egemaps"))[0] / seconds
    print(f"{'egemaps, for comparison':<28} {smile:.4f} CPU s/s")
    many(wave, rate, options.jobs)
    return int(total > GOAL)


def vowel(seconds: float, rate: int = 16_000) -> tuple[np.ndarray, int]:
    """Return an LF source with Rd 1 and F0 gliding over 100-200 Hz, filtered by one resonance."""
    out, t = [], 0.0
    while t < seconds:
        period = lf.pulse(1.0, round(rate / (150 - 50 * np.cos(2 * np.pi * t))))
        out.append(period)
        t += period.size / rate
    source = np.concatenate(out)[: round(seconds * rate)]
    wave = np.zeros(source.size)
    for n in range(source.size):
        wave[n] = source[n] + 1.86 * wave[n - 1] - 0.94 * wave[n - 2]
    noise = np.random.default_rng(0).standard_normal(wave.size)
    return 0.3 * wave / np.abs(wave).max() + 1e-4 * noise, rate


def cpu(task) -> tuple[float, object]:
    """Return the CPU seconds of a task and its result."""
    start = time.process_time()
    result = task()
    return time.process_time() - start, result


def stages(wave: np.ndarray, rate: int) -> dict[str, float]:
    """Return the CPU seconds of each method."""
    spent = {}

    def run(name, task):
        spent[name], result = cpu(task)
        return result

    run("polarity", lambda: covarep.polarity(wave, rate))
    pitch = run("F0, VUV (SRH)", lambda: covarep.f0_srh(wave, rate))
    f0 = float(np.median(pitch.f0[pitch.voiced])) if pitch.voiced.any() else 100.0
    gci = run("closures (SEDREAMS)", lambda: covarep.gci_sedreams(wave, rate, f0))
    flow = run("glottal flow (IAIF)", lambda: covarep.iaif(wave, rate, gci))
    run("NAQ, QOQ, H1H2, PSP, HRF", lambda: covarep.glottal_parameters(*flow, rate, gci))
    residual = run("LP residual", lambda: covarep.residual(wave, rate, 18))
    run("MDQ", lambda: covarep.mdq(residual, gci))
    run("peakSlope", lambda: covarep.peak_slope(wave, rate))
    frames = run("sinusoids", lambda: covarep.sinusoids(wave, rate, pitch.sample, pitch.f0))
    run("Rd (MSP)", lambda: covarep.rd_msp(frames, rate))
    run("HMPDM, HMPDD", lambda: covarep.harmonic_phase_distortion(frames, rate))
    run("F1-F5 (CGDZP)", lambda: covarep.formants(wave, rate))
    run("creak", lambda: covarep.creak(wave, rate))
    return spent


def many(wave: np.ndarray, rate: int, jobs: int) -> None:
    """Print the wall time of many utterances by number of processes, and the growth of memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "utterance.wav"
        soundfile.write(path, wave[: 3 * rate], rate)
        for n in (1, jobs):
            list(extract_files([path] * 2 * n, jobs=n))  # starts the processes
            start = time.perf_counter()
            for _ in extract_files([path] * 24, jobs=n):
                pass
            print(f"24 utterances of 3 s, {n} jobs: {time.perf_counter() - start:.2f} s")
        for count in (20, 200):
            for _ in extract_files([path] * count):
                pass
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"peak memory after {count} utterances: {peak:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
