"""Create the demo's IEMOCAP: emotional dialogues spoken by espeak-ng, in the format of IEMOCAP.

Ten speakers in five sessions say sentences of `ima.datasets.synthetic.sentences`. Emotions affect
pitch, pitch range, rate, loudness, vocal effort and breath. These are drawn for every utterance
around a mean that depends on emotion, acting level and speaker, so that emotions overlap. The
acted emotion and its level, the emotion that each word expresses and the time span of each word
are stored as ground truth. The same seed gives the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile
import soxr
from scipy.signal import butter, lfilter

from ima.audio import tts
from ima.audio.tts import Voice
from ima.datasets.iemocap import RATE
from ima.datasets.synthetic.sentences import EMOTIONS, sentence, words
from ima.utils.io import whole_file
from ima.utils.schemas_emotion import EMOTION_TRUTH

#: What is acted: share of turns, IEMOCAP code, emotion ('any' is one of the three at random) and a
#: factor of its level. One turn in nine has a code outside the four classes, acted at half level.
PARTS = (
    (0.27, "neu", "", 0.0),
    (0.21, "ang", "angry", 1.0),
    (0.21, "sad", "sad", 1.0),
    (0.10, "hap", "happy", 0.8),
    (0.10, "exc", "happy", 1.0),
    (0.07, "fru", "angry", 0.5),
    (0.04, "xxx", "any", 0.5),
)
_NAMES = {"neu": "neutral", "ang": "angry", "sad": "sad", "hap": "happy", "exc": "happy"}

#: Voice traits, their standard deviation between utterances of a speaker, and their mean shift at
#: full level: espeak's pitch and range, words per minute, dB, tilt (0 is none) and breath (log10).
TRAITS = ("pitch", "range", "rate", "gain_db", "effort", "breath")
SPREAD = np.array([5.0, 10.0, 12.0, 2.0, 0.12, 0.25])
SHIFT = {
    "": np.zeros(6),
    "angry": np.array([10.0, 18.0, 28.0, 6.0, 0.55, -0.5]),
    "happy": np.array([20.0, 32.0, 12.0, 2.0, 0.10, 0.0]),
    "sad": np.array([-8.0, -24.0, -34.0, -4.0, -0.45, 0.7]),
}
#: Level (dB) by which an emotional word stands out at full acting level.
STRESS_DB = {"": 0.0, "angry": 5.0, "happy": 4.0, "sad": -3.0}

_ACCENTS = ("en-us", "en-us-nyc", "en", "en-gb-x-rp", "en-gb-scotland")
# Only variants without breath noise, which is not deterministic (`ima.audio.tts`).
_VARIANTS = {"F": ("f1", "f4", "linda", "anika", "steph"), "M": ("m1", "m3", "m7", "adam", "paul")}
_PITCH = {"F": (48, 60), "M": (24, 36)}


@dataclass(frozen=True)
class Speaker:
    """A synthetic actor: voice, mean of each trait, and how strongly emotions shift each trait."""

    name: str
    voice: str
    mean: np.ndarray
    talent: np.ndarray
    snr_db: float


@dataclass(frozen=True)
class Turn:
    """An utterance to create; `traits` describe its voice, `word_emotions` each of its words."""

    dialogue: str
    name: str
    speaker: Speaker
    code: str
    emotion: str
    level: float
    text: str
    word_emotions: tuple[str, ...]
    traits: np.ndarray
    filler: str

    @property
    def voice(self) -> Voice:
        """The settings for espeak-ng."""
        pitch, range_, rate = np.clip(self.traits[:3], (0, 0, 90), (99, 100, 400)).round()
        return Voice(self.speaker.voice, int(rate), int(pitch), int(range_))


def write_iemocap(folder: Path, dialogues: int, turns: int, seed: int) -> pa.Table:
    """Write an IEMOCAP tree of ten synthetic actors and return its ground truth.

    As in the original corpus, two utterances have no alignment, and some lines of the
    transcriptions belong to no turn.

    Args:
        folder: the root of the tree, above `Session1`.
        dialogues: number of dialogues in each of the five sessions.
        turns: number of turns in each dialogue; the two actors alternate.
        seed: seed of all random choices.

    Returns:
        EMOTION_TRUTH, one row per word, including the two utterances without alignment.
    """
    rng = np.random.default_rng([seed, 2])
    script = [turn for n in range(1, 6) for turn in _session(n, dialogues, turns, rng)]
    unaligned = set(rng.choice(len(script), 2, replace=False))
    spoken = tts.speak([turn.text for turn in script], [turn.voice for turn in script])
    truth, seconds = [], {}
    for i, (turn, speech) in enumerate(zip(script, spoken, strict=True)):
        wave, rows = _record(turn, speech, rng)
        place = Path(folder, f"Session{turn.name[4]}")
        stem = f"{turn.dialogue}/{turn.name}"
        with whole_file(place / f"sentences/wav/{stem}.wav") as temporary:
            soundfile.write(temporary, wave, RATE, "PCM_16", format="WAV")
        if i not in unaligned:
            _write_wdseg(rows, place / f"sentences/ForcedAlignment/{stem}.wdseg")
        seconds[turn.name] = wave.size / RATE
        truth += _truth(turn, rows)
    for name in dict.fromkeys(turn.dialogue for turn in script):
        _write_dialogue(folder, [turn for turn in script if turn.dialogue == name], seconds, rng)
    return pa.Table.from_pylist(truth, schema=EMOTION_TRUTH)


def _session(number: int, dialogues: int, turns: int, rng: np.random.Generator) -> list[Turn]:
    speakers = {sex: _draw_speaker(f"Ses0{number}{sex}", sex, rng) for sex in "FM"}
    script = []
    for d in range(dialogues):
        kind = f"impro{d // 2 + 1:02d}" if d % 4 < 2 else f"script{d // 4 + 1:02d}_{d % 2 + 1}"
        dialogue = f"Ses0{number}{'FM'[d % 2]}_{kind}"
        script += [
            _draw_turn(dialogue, "FM"[t % 2], t // 2, speakers["FM"[t % 2]], rng)
            for t in range(turns)
        ]
    return script


def _draw_speaker(name: str, sex: str, rng: np.random.Generator) -> Speaker:
    pitch = rng.uniform(*_PITCH[sex])
    mean = [pitch, rng.uniform(35, 60), rng.uniform(165, 200), rng.uniform(-4, 0), 0.0, -1.6]
    mean[4] += rng.uniform(-0.05, 0.05)
    voice = f"{rng.choice(_ACCENTS)}+{rng.choice(_VARIANTS[sex])}"
    talent = rng.uniform(0.6, 1.3, len(TRAITS))
    return Speaker(name, voice, np.array(mean), talent, rng.uniform(25, 40))


def _draw_turn(
    dialogue: str, sex: str, number: int, speaker: Speaker, rng: np.random.Generator
) -> Turn:
    share = np.array([part[0] for part in PARTS])
    _, code, emotion, factor = PARTS[rng.choice(len(PARTS), p=share / share.sum())]
    emotion = str(rng.choice(EMOTIONS)) if emotion == "any" else emotion
    level = factor * rng.beta(4, 2)
    # Six in seven emotional utterances, and one in eight neutral ones, have an emotional sentence.
    moved = emotion if rng.random() < 0.85 else ""
    if not emotion and rng.random() < 0.12:
        moved = str(rng.choice(EMOTIONS))
    said = [sentence(moved, 0.12, rng)]
    if rng.random() < 0.15:
        said.insert(int(rng.integers(2)), sentence("", 0.0, rng))
    text = " ".join(part.text[0].upper() + part.text[1:] for part in said)
    word_emotions = tuple(e for part in said for e in part.emotions)
    traits = speaker.mean + speaker.talent * level * SHIFT[emotion]
    traits = traits + SPREAD * rng.normal(size=len(TRAITS))
    odds = {"happy": {"LAUGHTER": 0.12}, "sad": {"BREATHING": 0.12}}.get(emotion, {})
    filler = next((name for name, p in odds.items() if rng.random() < p), "")
    name = f"{dialogue}_{sex}{number:03d}"
    return Turn(dialogue, name, speaker, code, emotion, level, text, word_emotions, traits, filler)


def _record(
    turn: Turn, speech: tts.Speech, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[str, float, float]]]:
    """Return a recording at 16 kHz, float64 in [-1, 1), and its rows (word, start, end in s)."""
    spans = _spans(turn.text, speech)
    wave = _voice(speech.samples / 32768, speech.rate, turn, spans, rng)
    wave = soxr.resample(wave, speech.rate, RATE)
    before, after = rng.uniform(0.1, 0.3, 2)
    rows = [("<s>", 0.0, before)]
    head = [np.zeros(round(before * RATE))]
    if turn.filler:
        head += [_filler(turn.filler, rng) * np.abs(wave).max(), np.zeros(round(0.05 * RATE))]
        rows.append((f"++{turn.filler}++", before, before + head[1].size / RATE))
    wave = np.concatenate([*head, wave, np.zeros(round(after * RATE))])
    shift = sum(map(len, head)) / RATE
    end = rows[-1][2]
    for word, start, stop in spans:
        if start + shift - end > 0.03 and rows[-1][0] != "<s>":
            rows.append(("<sil>", end, start + shift))
        rows.append((word.upper(), start + shift, stop + shift))
        end = stop + shift
    rows.append(("</s>", end, wave.size / RATE))
    wave = wave + rng.normal(0, np.std(wave) * 10 ** (-turn.speaker.snr_db / 20), wave.size)
    return np.clip(wave, -1, 1 - 2**-15), rows


def _spans(text: str, speech: tts.Speech) -> list[tuple[str, float, float]]:
    """Return each word with its start and end in s; a pause of 60 ms or more ends a word."""
    said = words(text)
    if [word.start() for word in said] != [word.position for word in speech.words]:
        raise RuntimeError(f"espeak-ng does not report every word of {text!r} separately")
    peak = 0.01 * np.abs(speech.samples).max()
    loud = np.flatnonzero(np.abs(speech.samples) > peak) / speech.rate
    starts = np.maximum([word.start_s for word in speech.words], loud[0])
    ends = np.append(starts[1:], loud[-1] + 1 / speech.rate)
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        inside = loud[(loud >= start) & (loud < end)]
        if inside.size and end - inside[-1] > 0.06:
            ends[i] = inside[-1] + 0.02
    return [(word[0], *map(float, at)) for word, *at in zip(said, starts, ends, strict=True)]


def _voice(
    wave: np.ndarray, rate: int, turn: Turn, spans: list, rng: np.random.Generator
) -> np.ndarray:
    """Apply the loudness, effort and breath of a turn to a wave, and stress emotional words."""
    _, _, _, gain_db, effort, breath = turn.traits
    loudness = np.sqrt(np.mean(wave**2))
    wave = lfilter([1, -np.clip(effort, -0.7, 0.7)], [1], wave)  # emphasising highs sounds pressed
    wave *= loudness / np.sqrt(np.mean(wave**2))
    stress = np.zeros(wave.size)
    for (_, start, stop), expressed in zip(spans, turn.word_emotions, strict=True):
        db = STRESS_DB[expressed and turn.emotion] * turn.level * rng.uniform(0.3, 1.7)
        stress[int(start * rate) : int(stop * rate)] = db
    width = round(0.02 * rate)
    stress = np.convolve(stress, np.hanning(width) / np.hanning(width).sum(), "same")
    envelope = lfilter(np.ones(width) / width, [1], np.abs(wave))
    hiss = lfilter(*butter(2, 1500, "highpass", fs=rate), rng.normal(size=wave.size))
    wave = wave + 10 ** np.clip(breath, -3, 0) * envelope * hiss * 3
    return wave * 10 ** ((gain_db - 18 + stress) / 20)


def _filler(name: str, rng: np.random.Generator) -> np.ndarray:
    """Return the sound of a breath, or of bursts of breath for laughter, with a peak near 0.5."""
    size = round(rng.uniform(0.3, 0.6) * RATE)
    time_s = np.arange(size) / RATE
    shape = np.sin(np.pi * time_s * RATE / size)
    if name == "LAUGHTER":
        shape = shape * np.maximum(np.sin(2 * np.pi * rng.uniform(4, 6) * time_s), 0)
    hiss = lfilter(*butter(2, [500, 3000], "bandpass", fs=RATE), rng.normal(size=size))
    return 0.25 * shape * hiss / np.std(hiss)


def _frames(rows: list[tuple[str, float, float]]) -> list[tuple[int, int, str]]:
    """Return the first and last 10 ms frame of every row; rows shorter than a frame are dropped."""
    edges = [(round(start * 100), round(end * 100) - 1, word) for word, start, end in rows]
    last = int(rows[-1][2] * 100) - 1  # the last complete frame of the recording
    edges = [(start, min(end, last), word) for start, end, word in edges]
    return [edge for edge in edges if edge[0] <= edge[1]]


def _write_wdseg(rows: list[tuple[str, float, float]], path: Path) -> None:
    lines = [f"\t{'SFrm':>5} {'EFrm':>5} {'SegAScr':>10} Word\n"]
    frames = _frames(rows)
    lines += [f"\t{start:5d} {end:5d} {0:10d} {word}\n" for start, end, word in frames]
    with whole_file(path) as temporary:
        temporary.write_text("".join([*lines, f" Total score: {0:11d}\n"]), "utf-8")


def _truth(turn: Turn, rows: list[tuple[str, float, float]]) -> list[dict]:
    about = {"utterance": f"iemocap/{turn.name}", "level": turn.level}
    about["emotion"] = _NAMES.get(turn.code, "")
    word_emotions = iter(turn.word_emotions)
    return [
        {**about, "position": i, "token": word.lower(), "start_s": start, "end_s": end}
        | {"word_emotion": next(word_emotions)}
        for i, (word, start, end) in enumerate(rows)
        if word[0] not in "<+"
    ]


def _write_dialogue(
    folder: Path, script: list[Turn], seconds: dict[str, float], rng: np.random.Generator
) -> None:
    """Write the label file and the transcription of one dialogue."""
    place = Path(folder, f"Session{script[0].dialogue[4]}", "dialog")
    labels = ["% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n"]
    texts, clock = [], rng.uniform(2, 8)
    for turn in script:
        end = clock + seconds[turn.name]
        labels.append(_label_block(turn, clock, end, rng))
        filler = f"[{turn.filler}] " if turn.filler else ""
        texts.append(f"{turn.name} [{clock:08.4f}-{end:08.4f}]: {filler}{turn.text}\n")
        clock = end + rng.uniform(0.1, 1.5)
    texts.insert(1, f"{script[0].name[-4]}: Okay.\n")
    texts.append(f"{script[0].dialogue}_FXX0 [{clock:08.4f}-{clock + 0.5:08.4f}]: Well.\n")
    for kind, lines in (("EmoEvaluation", labels), ("transcriptions", texts)):
        with whole_file(place / kind / f"{script[0].dialogue}.txt") as temporary:
            text = "\n".join(lines) if lines is labels else "".join(lines)
            temporary.write_text(text, "utf-8")


_VOTES = {
    **{"neu": "Neutral", "ang": "Anger", "sad": "Sadness", "hap": "Happiness", "exc": "Excited"},
    "fru": "Frustration",
}


def _label_block(turn: Turn, start: float, end: float, rng: np.random.Generator) -> str:
    """Return the lines of a turn: its label, the votes of three evaluators and the dimensions."""
    votes = list(rng.permutation(list(_VOTES.values()))[:3])
    if turn.code in _VOTES:
        votes[:2] = [_VOTES[turn.code]] * 2
    sign = {"happy": 1.5, "": 0.0}.get(turn.emotion, -1.2)
    mean = 3 + turn.level * np.array([sign, 0.8 if turn.emotion != "sad" else -0.8, 0.4])
    scores = np.clip(np.rint(mean + rng.normal(0, 0.6, (2, 3))), 1, 5).astype(int)
    v, a, d = scores.mean(axis=0)
    head = f"[{start:.4f} - {end:.4f}]\t{turn.name}\t{turn.code}\t[{v:.4f}, {a:.4f}, {d:.4f}]\n"
    said = "".join(f"C-E{i}:\t{vote};\t()\n" for i, vote in enumerate(votes, 2))
    rated = "".join(
        f"A-E{i}:\tval {v}; act {a}; dom  {d};\t()\n" for i, (v, a, d) in enumerate(scores, 3)
    )
    return head + said + rated
