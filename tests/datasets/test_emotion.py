"""The corpus of the emotion experiment, from an IEMOCAP tree and from two open corpora."""

import numpy as np
import pyarrow as pa
import pytest
import soundfile

from ima.datasets.counts import CountWarning
from ima.datasets.emotion import (
    check_classes,
    check_skipped,
    counted,
    read_iemocap,
    read_ravdess_meld,
)
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import (
    CORPUS_WORDS,
    EMOTION_TOKENS,
    EMOTION_UTTERANCES,
    SKIPPED_UTTERANCES,
    SPANS,
)

from .test_iemocap import CODES, dialogue


@pytest.fixture
def iemocap(tmp_path):
    dialogue(tmp_path, "Ses01F_impro01", CODES)
    dialogue(tmp_path, "Ses05M_script01_1b", {"F000": "xxx", "M000": "sad"})
    return tmp_path


def read(root, **settings):
    return read_iemocap(root, ["5"], nominal=False, **settings)


def test_read_iemocap_gives_utterances_tokens_and_spans(iemocap):
    corpus = read(iemocap)
    assert corpus.utterances.schema == EMOTION_UTTERANCES and corpus.spans.schema == SPANS
    assert corpus.tokens.schema == EMOTION_TOKENS
    split = dict(zip(*(corpus.utterances[n].to_pylist() for n in ("id", "split")), strict=True))
    assert set(split.values()) == {"train", "validation"}
    # fru is trained on; xxx of the validation session is neither trained on nor scored.
    assert "iemocap/Ses01F_impro01_M002" in split
    assert "iemocap/Ses05M_script01_1b_F000" not in split and len(split) == 7
    assert corpus.tokens["token"].to_pylist()[:3] == ["what", "sil", "well"]
    # Spans are of all utterances, three tokens each, also of the one that is not used.
    assert len(corpus.spans) == 24
    assert corpus.tokens["span"].to_pylist() == [*range(18), *range(21, 24)]
    for name in ("utterance", "position"):
        of_tokens = corpus.spans.take(corpus.tokens["span"])[name]
        assert of_tokens.to_pylist() == corpus.tokens[name].to_pylist()
    assert corpus.dropped == {"<s>": 8, "</s>": 8}
    first = corpus.spans.to_pylist()[0]
    assert (first["start_s"], first["end_s"], first["speaker"]) == (0.1, 0.4, "Ses01F")
    assert first["file"].endswith("Ses01F_impro01_F000.wav")


@pytest.mark.parametrize("others", ["train", "drop"])
def test_spans_of_held_out_speakers_depend_on_no_label(tmp_path, others):
    """Voices are z-scored over the spans, so a label must not decide which there are."""
    spans = []
    for number, emotion in enumerate(("sad", "xxx", "fru")):
        root = tmp_path / str(number)
        dialogue(root, "Ses01F_impro01", CODES)
        dialogue(root, "Ses05M_script01_1b", {"F000": emotion, "M000": "sad"})
        spans.append(read(root, others=others).spans)
    assert spans[0].equals(spans[1]) and spans[0].equals(spans[2])
    assert {"Ses05F", "Ses05M"} < set(spans[0]["speaker"].to_pylist())


@pytest.mark.parametrize(
    ("choice", "utterances", "tokens"),
    [({"others": "drop"}, 6, 18), ({"silence": "drop"}, 7, 14)],
)
def test_read_iemocap_options(iemocap, choice, utterances, tokens):
    corpus = read(iemocap, **choice)
    assert (len(corpus.utterances), len(corpus.tokens)) == (utterances, tokens)


def test_excited_without_a_class_is_used_for_training(iemocap):
    labels = read(iemocap, excited_as_happy=False).utterances
    of = dict(zip(labels["emotion"].to_pylist(), labels["label"].to_pylist(), strict=True))
    assert of["exc"] == -1 and of["hap"] == 1


@pytest.mark.parametrize(
    ("choice", "named"),
    [({"others": "keep"}, "'train' or 'drop'"), ({"silence": "maybe"}, "'keep' or 'drop'")],
)
def test_invalid_options_are_rejected(iemocap, choice, named):
    with pytest.raises(InputError, match=named):
        read(iemocap, **choice)


def test_validation_session_without_scored_utterances_is_rejected(tmp_path):
    dialogue(tmp_path, "Ses01F_impro01", CODES)
    dialogue(tmp_path, "Ses05M_script01_1b", {"F000": "xxx"})
    with pytest.raises(InputError, match="utterances in each split, found train"):
        read(tmp_path)


def test_a_class_without_training_utterances_is_rejected(iemocap):
    classes = ("neutral", "sad", "frustrated", "surprised")
    corpus = read(iemocap, classes=classes)
    check_classes(corpus, classes[:3])
    with pytest.raises(InputError, match="found none of surprised"):
        check_classes(corpus, classes)


def test_speakers_can_be_held_out(iemocap):
    corpus = read_iemocap(iemocap, ["Ses01M"], nominal=False, by="speaker")
    parts = zip(*(corpus.utterances[n].to_pylist() for n in ("speaker", "split")), strict=True)
    assert {who for who, part in parts if part == "validation"} == {"Ses01M"}


def test_too_many_unusable_utterances_stop_the_run(iemocap, caplog):
    for name in ("F000", "M000"):
        turn = f"Ses01F_impro01/Ses01F_impro01_{name}.wdseg"
        (iemocap / "Session1/sentences/ForcedAlignment" / turn).unlink()
    corpus = read(iemocap)
    check_skipped(corpus, 0.25)
    with pytest.raises(InputError, match="2 of 8, the first: alignment: expected one, found none"):
        check_skipped(corpus, 0.2)
    assert sum("Ses01F_impro01" in record.getMessage() for record in caplog.records) == 2


NO_TOKEN = "no token but those dropped:"


def sounds(root, turn, *rows):
    """Give a turn of session 1 or 5 an alignment with these rows of ten frames each."""
    folder = root / f"Session{turn[4]}/sentences/ForcedAlignment" / turn.rpartition("_")[0]
    lines = [f"{10 * i} {10 * i + 9} -5 {row}\n" for i, row in enumerate(("<s>", *rows, "</s>"))]
    (folder / f"{turn}.wdseg").write_text("".join(lines) + " Total score: -2\n")


def test_utterances_of_sounds_alone_are_listed_and_counted_as_unusable(iemocap):
    sounds(iemocap, "Ses01F_impro01_F002", "++LAUGHTER++", "++BREATHING++", "++LAUGHTER++")
    sounds(iemocap, "Ses05M_script01_1b_F000")
    corpus = read(iemocap)
    assert corpus.skipped.schema == SKIPPED_UTTERANCES
    assert [(r["id"], r["emotion"], r["reason"]) for r in corpus.skipped.to_pylist()] == [
        ("iemocap/Ses01F_impro01_F002", "sad", f"{NO_TOKEN} </s>, <s>, breathing, laughter"),
        ("iemocap/Ses05M_script01_1b_F000", "xxx", f"{NO_TOKEN} </s>, <s>"),
    ]
    file = "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F002.wav"
    assert corpus.skipped["file"][0].as_py() == file
    counts = {row["emotion"]: (row["labelled"], row["usable"]) for row in corpus.counts.to_pylist()}
    assert counts["sad"] == (2, 1) and counts["xxx"] == (1, 0) and counts["all"] == (8, 6)
    used = {"iemocap/Ses01F_impro01_F002", "iemocap/Ses05M_script01_1b_F000"}
    assert not used & {*corpus.utterances["id"].to_pylist(), *corpus.spans["utterance"].to_pylist()}
    check_skipped(corpus, 0)  # the corpus has such utterances; nothing is broken
    kept = read(iemocap, fillers="keep")
    assert kept.skipped["id"].to_pylist() == ["iemocap/Ses05M_script01_1b_F000"]
    broken = "Session1/sentences/ForcedAlignment/Ses01F_impro01/Ses01F_impro01_F000.wdseg"
    (iemocap / broken).unlink()
    with pytest.raises(InputError, match="1 of 8, the first: alignment: expected one, found none"):
        check_skipped(read(iemocap), 0.1)


@pytest.mark.parametrize("silence", ["keep", "drop"])
def test_an_utterance_of_pauses_has_no_tokens(iemocap, silence):
    """Nor has one of laughter between pauses, which would be scored by the vector of 'sil'."""
    sounds(iemocap, "Ses01F_impro01_F002", "<sil>")
    sounds(iemocap, "Ses05M_script01_1b_F000", "<sil>", "++LAUGHTER++", "<sil>")
    skipped = read(iemocap, silence=silence).skipped.to_pylist()
    sounds_of = ["</s>, <s>, sil", "</s>, <s>, laughter, sil"]
    assert [row["reason"] for row in skipped] == [f"{NO_TOKEN} {of}" for of in sounds_of]


def test_a_corpus_without_any_token_is_rejected(tmp_path):
    for turn in ("Ses01F_impro01_F000", "Ses05F_impro01_F000"):
        dialogue(tmp_path, turn.rpartition("_")[0], {"F000": "sad"})
        sounds(tmp_path, turn, "++LAUGHTER++")
    with pytest.raises(InputError, match=r"tokens in some of them, found none in 2.*emotion\.fill"):
        read(tmp_path)


def test_nominal_counts_have_utterances_without_tokens_as_labelled(iemocap):
    sounds(iemocap, "Ses01F_impro01_F002", "++LAUGHTER++")
    with pytest.warns(CountWarning, match="sad 2 of 1,084"):
        counts = read_iemocap(iemocap, ["5"]).counts.to_pylist()
    found = {row["emotion"]: (row["labelled"], row["usable"]) for row in counts}
    assert found["sad"] == (2, 1) and found["four"] == (6, 5)


def test_words_of_all_aligned_utterances_are_counted(iemocap):
    """Of eight utterances 'what <sil> well', one is not used; laughter and pauses are no words."""
    sounds(iemocap, "Ses05M_script01_1b_F000", "WELL", "++LAUGHTER++", "<sil>", "WELL(2)", "SO")
    for choice in ({}, {"silence": "drop", "others": "drop"}, {"fillers": "keep"}):
        words = read(iemocap, **choice).words
        assert words.schema == CORPUS_WORDS
        assert [tuple(row.values()) for row in words.to_pylist()] == [
            *(("well", 9), ("what", 7), ("so", 1)),
        ]


def test_counts_use_the_emotion_names_of_the_corpus(iemocap):
    corpus = read(iemocap)
    rows = {row["emotion"]: row for row in corpus.counts.to_pylist()}
    assert rows["sad"]["labelled"] == 2 and rows["all"]["usable"] == 8
    lost = pa.Table.from_pylist(
        [{"corpus": "iemocap", "id": "x", "emotion": "sad", "file": "", "reason": ""}],
        schema=SKIPPED_UTTERANCES,
    )
    table = counted(read(iemocap).utterances, lost).to_pylist()
    assert {"labelled": 3, "usable": 2}.items() <= next(
        row for row in table if row["emotion"] == "sad"
    ).items()


ALIGNED = (
    "\t SFrm  EFrm    SegAScr Word\n\t    0    19          0 KIDS\n"
    "\t   20    48          0 ARE\n Total score:   0\n"
)
LINES = "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID\n"


@pytest.fixture
def open_corpora(tmp_path):
    """Two actors with five emotions, one two-word recording each, and texts of four emotions."""
    ravdess, meld = tmp_path / "ravdess", tmp_path / "meld"
    for folder in (ravdess / "audio", ravdess / "wdseg", meld):
        folder.mkdir(parents=True)
    lines = ["file,emotion,transcript,actor,sex\n"]
    for actor in ("01", "02"):
        for emotion in ("angry", "happy", "calm", "sad", "surprised"):
            name = f"{actor}-{emotion}"
            soundfile.write(ravdess / f"audio/{name}.flac", np.zeros(8000), 16_000)
            (ravdess / f"wdseg/{name}.wdseg").write_text(ALIGNED)
            lines.append(f"audio/{name}.flac,{emotion},Kids are,{actor},M\n")
    (ravdess / "manifest.csv").write_text("".join(lines))
    texts = {
        "train": ["anger", "joy", "surprise"],
        "dev": ["neutral", "surprise"],
        "test": ["sadness"],
    }
    for split, emotions in texts.items():
        rows = [f'{i},"one two three",A,{e},x,0,{i}\n' for i, e in enumerate(emotions)]
        (meld / f"{split}_sent_emo.csv").write_text(LINES + "".join(rows))
    return {"ravdess": str(ravdess), "meld": str(meld)}


def test_texts_borrow_voices_of_their_emotion_and_split(open_corpora):
    corpus = read_ravdess_meld(open_corpora, ["02"], seed=0)
    assert corpus.words is None
    rows = corpus.utterances.to_pylist()
    # Surprise borrows surprise in the training split and is dropped in the validation split.
    assert [(r["emotion"], r["label"], r["split"], r["speaker"]) for r in rows] == [
        ("neutral", 2, "validation", "02"),
        ("sadness", 3, "validation", "02"),
        ("anger", 0, "train", "01"),
        ("joy", 1, "train", "01"),
        ("surprise", -1, "train", "01"),
    ]
    spans = corpus.spans.to_pylist()
    common = {"neutral": "calm", "sadness": "sad", "anger": "angry", "joy": "happy"}
    for row in rows:
        own = [t for t in corpus.tokens.to_pylist() if t["utterance"] == row["id"]]
        assert [t["token"] for t in own] == ["one", "two", "three"]
        voices = [spans[t["span"]] for t in own]
        emotion = common.get(row["emotion"], "surprised")
        assert {v["file"] for v in voices} == {f"audio/{row['speaker']}-{emotion}.flac"}
        assert [v["position"] for v in voices] == [0, 1, 0]


def test_surprise_can_be_a_class(open_corpora):
    for others in ("train", "drop"):
        classes = ("neutral", "sad", "surprised")
        corpus = read_ravdess_meld(open_corpora, ["02"], seed=0, others=others, classes=classes)
        check = {(r["emotion"], r["split"]): r["label"] for r in corpus.utterances.to_pylist()}
        of_a_class = {key: label for key, label in check.items() if label != -1}
        assert of_a_class == {
            **{("neutral", "validation"): 2, ("sadness", "validation"): 3},
            **{("surprise", "train"): 8, ("surprise", "validation"): 8},
        }
        assert (("anger", "train") in check) == (others == "train")


def test_other_emotions_can_be_dropped(open_corpora):
    corpus = read_ravdess_meld(open_corpora, ["02"], seed=0, others="drop")
    assert "surprise" not in corpus.utterances["emotion"].to_pylist()
    with pytest.raises(InputError, match="'train' or 'drop'"):
        read_ravdess_meld(open_corpora, ["02"], seed=0, others="keep")


def test_fixture_has_no_neutral_voice_without_calm(open_corpora):
    with pytest.raises(InputError, match="a validation speaker with recordings of class 2"):
        read_ravdess_meld(open_corpora, ["02"], seed=0, calm_as_neutral=False)


@pytest.mark.slow
def test_real_open_corpora(shared):
    roots = {name: str(shared("data", name)) for name in ("ravdess", "meld")}
    held_out = ["19", "20", "21", "22", "23", "24"]
    corpus = read_ravdess_meld(roots, held_out, seed=0)
    speakers = {}
    for row in corpus.utterances.select(["split", "speaker"]).to_pylist():
        speakers.setdefault(row["split"], set()).add(row["speaker"])
    assert speakers["validation"] == set(held_out) and not speakers["train"] & set(held_out)
    assert len(corpus.utterances) > 12_000 and len(corpus.tokens) > 100_000
    check_skipped(corpus, 0.02)
