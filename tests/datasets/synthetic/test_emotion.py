"""The demo's IEMOCAP: deterministic, in the original format, with correct ground truth."""

import collections

import numpy as np
import pytest
import soundfile

from ima.audio.tts import Speech, Voice, Word, speak
from ima.datasets import iemocap
from ima.datasets.synthetic import emotion as demo_emotion
from ima.datasets.synthetic import sentences
from ima.datasets.wdseg import keep_tokens
from ima.utils.emotions import CLASSES
from ima.utils.io import read_parquet, write_parquet
from ima.utils.schemas_emotion import EMOTION_TRUTH
from ima.utils.trees import tree_digest

DIALOGUES, TURNS = 2, 14


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    root = tmp_path_factory.mktemp("emotion")
    return root, demo_emotion.write_iemocap(root, DIALOGUES, TURNS, seed=0)


@pytest.fixture(scope="module")
def indexed(made):
    return iemocap.index(made[0])


def test_corpus_depends_only_on_the_seed(tmp_path):
    one, two, other = (
        demo_emotion.write_iemocap(tmp_path / name, 1, 2, seed)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert tree_digest(tmp_path / "a") == tree_digest(tmp_path / "b") and one.equals(two)
    assert tree_digest(tmp_path / "a") != tree_digest(tmp_path / "c") and not one.equals(other)


def test_reader_accepts_all_but_two_turns(indexed):
    utterances, _, skipped = indexed
    assert len(utterances) == 5 * DIALOGUES * TURNS - 2
    assert len(set(utterances["speaker"].to_pylist())) == 10
    assert set(utterances["session"].to_pylist()) == set("12345")
    assert set(utterances["label"].to_pylist()) == {-1, 0, 1, 2, 3}
    missing = [r for r in skipped.to_pylist() if r["reason"].startswith("alignment: ")]
    assert len(missing) == 2 and all(r["emotion"] for r in missing)
    assert {r["reason"].split(" ", 2)[2] for r in skipped.to_pylist() if not r["id"]} == {
        "has no labelled turn"
    }


def test_default_size_is_about_a_thousand_utterances():
    share = np.array([part[0] for part in demo_emotion.PARTS])
    assert share.sum() == pytest.approx(1) and share[:5].sum() == pytest.approx(0.89)
    assert 5 * 4 * 52 >= 1000


def test_truth_matches_the_alignment(made, indexed):
    truth = {(r["utterance"], r["position"]): r for r in made[1].to_pylist()}
    words = [r for r in indexed[1].to_pylist() if r["kind"] == "word"]
    assert len(words) > 800
    for row in words:
        true = truth[row["utterance"], row["position"]]
        assert row["token"] == true["token"]
        assert row["start_s"] == pytest.approx(true["start_s"], abs=0.0051)
        assert row["end_s"] == pytest.approx(true["end_s"], abs=0.0151)


def test_all_control_tokens_occur(indexed):
    kept, dropped = keep_tokens(indexed[1])
    assert {"<s>", "</s>"} < set(dropped) and {"laughter", "breathing"} & set(dropped)
    assert "sil" in kept["token"].to_pylist()


def test_words_are_louder_than_the_silence_around_them(made, indexed):
    louder, control = [], []
    tokens = collections.defaultdict(list)
    for row in indexed[1].to_pylist():
        if row["kind"] == "word":
            tokens[row["utterance"]].append((row["start_s"], row["end_s"]))
    for item in indexed[0].to_pylist():
        wave, rate = soundfile.read(made[0] / item["file"])
        assert np.abs(wave).max() < 1 and rate == 16_000
        inside = np.zeros(wave.size, bool)
        for start, end in tokens[item["id"]]:
            inside[round(start * rate) : round(end * rate)] = True
        edge = round(0.08 * rate)
        quiet = np.concatenate([wave[:edge], wave[-edge:]])
        louder.append(np.mean(wave[inside] ** 2) > 20 * np.mean(quiet**2))
        control.append(np.mean(quiet**2) > 20 * np.mean(wave[inside] ** 2))
    assert np.mean(louder) > 0.98 and not any(control)


def test_emotions_differ_in_loudness_and_overlap(made, indexed):
    level = collections.defaultdict(list)
    for item in indexed[0].to_pylist():
        wave = soundfile.read(made[0] / item["file"])[0]
        level[item["label"]].append(20 * np.log10(np.std(wave)))
    angry, sad = level[CLASSES.index("angry")], level[CLASSES.index("sad")]
    assert np.mean(angry) > np.mean(sad) + 3
    assert max(sad) > min(angry)


def test_acting_levels_spread(made):
    rows = {row["utterance"]: row for row in made[1].to_pylist()}.values()
    acted = [row["level"] for row in rows if row["emotion"] not in ("", "neutral")]
    assert {row["level"] for row in rows if row["emotion"] == "neutral"} == {0.0}
    assert min(acted) < 0.4 and max(acted) > 0.8 and 0.5 < np.mean(acted) < 0.75


def test_emotional_words_mostly_match_the_acted_emotion(made):
    rows = [r for r in made[1].to_pylist() if r["word_emotion"] and r["emotion"] in CLASSES]
    acted = [r for r in rows if r["emotion"] != "neutral"]
    agree = np.mean([r["word_emotion"] == r["emotion"] for r in acted])
    assert 0.8 < agree < 1 and len(acted) < len(rows)
    assert 0.03 < len(rows) / len(made[1]) < 0.15


def test_truth_follows_its_schema(made, tmp_path):
    write_parquet(made[1], tmp_path / "truth.parquet", EMOTION_TRUTH)
    assert read_parquet(tmp_path / "truth.parquet", EMOTION_TRUTH).equals(made[1])


# Sentences


def test_sentence_marks_its_emotional_words():
    rng = np.random.default_rng(0)
    for emotion in (*sentences.EMOTIONS, ""):
        for _ in range(50):
            text, emotions = sentences.sentence(emotion, 0.0, rng)
            said = [word[0] for word in sentences.words(text)]
            told = [word for word, e in zip(said, emotions, strict=True) if e]
            slots = sentences.EMOTIONAL.get(emotion, {})
            assert set(told) <= {word for group in slots.values() for word in group}
            assert bool(told) == bool(emotion) and set(emotions) <= {emotion, ""}


def test_no_word_belongs_to_two_emotions_or_also_to_plain_words():
    emotional = [w for e in sentences.EMOTIONAL.values() for group in e.values() for w in group]
    plain = {word for group in sentences.PLAIN.values() for word in group}
    frames = " ".join([*sentences.EMOTIONAL_TEMPLATES, *sentences.NEUTRAL_TEMPLATES])
    plain |= {word[0].lower() for word in sentences.words(frames)} - {"do"}
    assert len(set(emotional)) == len(emotional) and not set(emotional) & plain


def test_words_of_every_sentence_are_reported_in_every_accent():
    """espeak-ng reports some pairs of words as one event; the grammar avoids such pairs."""
    rng = np.random.default_rng(0)
    texts = [sentences.sentence(e, 0.1, rng).text for e in ("", "angry", "sad") * 25]
    accents = demo_emotion._ACCENTS
    voices = [Voice(f"{accents[i % len(accents)]}+m1", 400) for i in range(len(texts))]
    for text, speech in zip(texts, speak(texts, voices), strict=True):
        assert len(demo_emotion._spans(text, speech)) == len(sentences.words(text))


def test_a_pause_ends_a_word():
    samples = np.zeros(1000, np.int16)
    samples[100:300] = samples[500:900] = 1000
    speech = Speech(samples, 1000, [Word(0, 1, 0.0), Word(2, 1, 0.5)])
    assert demo_emotion._spans("a b", speech) == [
        ("a", 0.1, pytest.approx(0.319)),
        ("b", 0.5, pytest.approx(0.9)),
    ]
    with pytest.raises(RuntimeError, match="does not report every word"):
        demo_emotion._spans("a b c", speech)
