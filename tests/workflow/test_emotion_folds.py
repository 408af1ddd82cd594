"""Cross-validation of emotions: who is in which part, what the config may say, and the DAG."""

from collections import Counter

import pyarrow as pa
import pytest

from ima.datasets.iemocap import split_by
from ima.utils.emotions import chosen_classes
from ima.utils.errors import InputError
from ima.workflow.emotion_folds import PAPER_CLASSES, class_names, folds
from tests.checkout import Checkout, plans

pytestmark = pytest.mark.slow

IEMOCAP = {"corpus": "iemocap", "validation": ["5"], "classes": 4, "excited_as_happy": True}
OPEN = {**IEMOCAP, "corpus": "ravdess_meld", "protocol": "held_out"}
#: Three utterances of each of IEMOCAP's ten speakers.
SPEAKERS = [f"Ses0{session}{sex}" for session in range(1, 6) for sex in "FM" for _ in range(3)]
UTTERANCES = pa.table({"speaker": SPEAKERS, "session": [name[4] for name in SPEAKERS]})


@pytest.mark.parametrize(
    ("protocol", "by", "number"),
    [("leave_one_session_out", "session", 5), ("leave_one_speaker_out", "speaker", 10)],
)
def test_each_utterance_is_tested_once_and_no_group_is_in_both_parts(protocol, by, number):
    found = folds({**IEMOCAP, "protocol": protocol})
    assert len(found) == number
    tested = Counter()
    for fold in found.values():
        split = split_by(UTTERANCES, **fold._asdict())
        groups = {"train": set(), "validation": set()}
        for row, part in enumerate(split):
            groups[part].add(UTTERANCES[by][row].as_py())
            tested[row] += part == "validation"
        assert len(groups["train"]) == number - 1 and len(groups["validation"]) == 1
        assert not groups["train"] & groups["validation"]
    assert set(tested.values()) == {1} and len(tested) == len(SPEAKERS)


def test_one_held_out_part_is_that_of_the_config():
    assert folds({**IEMOCAP, "protocol": "held_out"}) == {"": (("5",), "session")}


def test_constructed_pairs_have_one_split():
    with pytest.raises(InputError, match=r"emotion.protocol: expected held_out .*_session_out"):
        folds({**OPEN, "protocol": "leave_one_session_out"})


def test_classes_by_number_or_name():
    assert chosen_classes(4) == ("angry", "happy", "neutral", "sad")
    assert chosen_classes(6) == (*chosen_classes(4), "excited", "frustrated")
    assert chosen_classes(["sad", "neutral"]) == ("neutral", "sad")
    assert class_names(IEMOCAP) == PAPER_CLASSES
    assert class_names(IEMOCAP | {"classes": 6}) == ", ".join(chosen_classes(6))
    assert class_names(OPEN | {"classes": ["neutral", "fearful"]}) == "neutral, fearful"
    with pytest.raises(InputError, match=r"emotion.classes: .* found excited, frustrated"):
        class_names(OPEN | {"classes": 6})


@pytest.fixture(scope="module")
def dags(tmp_path_factory):
    """The emotion experiment with each protocol, one seed."""
    folder = Checkout(tmp_path_factory.mktemp("checkout")).folder
    names = ("held_out", "leave_one_session_out", "leave_one_speaker_out")
    configs = [{"seeds": [0], "emotion": {"protocol": name}} for name in names]
    return dict(zip(names, plans([(folder, c) for c in configs], ["emotion"]), strict=True))


def counts(dag) -> Counter:
    return Counter(job["rule"] for job in dag.jobs)


def test_a_held_out_part_has_no_folder_of_its_own(dags):
    files = [file for job in dags["held_out"].jobs for _, file, _ in job["output"]]
    assert "results/demo/emotion/utterances.parquet" in files
    assert not [file for file in files if "fold" in file]


def test_scores_of_a_seed_that_the_config_lacks_have_a_job_of_that_seed(tmp_path):
    file = "results/demo/emotion/baselines/latent100/seed99/scores.json"
    (plan,) = plans([(Checkout(tmp_path).folder, {})], [file])
    assert {job["wildcards"]["seeds"] for job in plan.of_rules(["emotion_baseline"])} == {"99"}


def test_a_fold_that_the_protocol_lacks_is_of_no_rule(tmp_path):
    config = {"emotion": {"protocol": "leave_one_session_out"}}
    with pytest.raises(RuntimeError, match=r"MissingRule|No rule to produce"):
        plans([(Checkout(tmp_path).folder, config)], ["results/demo/emotion/fold_6/words.parquet"])


def test_words_are_counted_of_iemocap_alone(dags, tmp_path):
    """The constructed corpus has no other file than before: its results need not be made again."""
    folder = Checkout(tmp_path).folder
    for corpus in ("ravdess", "meld"):
        (folder / "corpora" / corpus).mkdir(parents=True)
    held_out = {"corpus": "ravdess_meld", "validation": ["24"]}
    (constructed,) = plans(
        [(folder, {"seeds": [0], "raw": "corpora", "emotion": held_out})], ["emotion"]
    )
    names = ("utterances.parquet", "tokens.parquet", "spans.parquet", "skipped.csv", "counts.csv")
    for dag, more in ((constructed, []), (dags["held_out"], ["corpus_words.parquet"])):
        (job,) = [job for job in dag.jobs if job["rule"] == "emotion_corpus"]
        assert {file.rpartition("/")[2] for _, file, _ in job["output"]} == {*names, *more}


@pytest.mark.parametrize(("protocol", "n"), [("session", 5), ("speaker", 10)])
def test_every_fold_is_trained_and_scored_and_one_is_shown(dags, protocol, n):
    dag, one = dags[f"leave_one_{protocol}_out"], counts(dags["held_out"])
    many = counts(dag)
    refitted = "emotion_corpus emotion_words emotion_pairs emotion_autoencoder emotion_importance"
    refitted += " emotion_baseline emotion_scores emotion_baseline_scores"
    for rule in refitted.split():
        assert many[rule] == n * one[rule], rule
    # Voices are measured once for all folds; importances over rho and figures show the last.
    for rule in set(one) - set(refitted.split()):
        assert many[rule] == one[rule], rule
    table = next(job for job in dag.jobs if job["rule"] == "table6")
    scores = [file for name, file, _ in table["input"] if name == "scores"]
    assert len({file.split("/")[3] for file in scores}) == n and len(scores) == 3 * n
    about = table["params"]["about"]
    assert (about["protocol"], about["folds"]) == (f"leave_one_{protocol}_out", n)
    shown = next(job for job in dag.jobs if job["rule"] == "emotion_importance_table")
    assert shown["params"]["about"]["folds"] == 1
    last = {"session": "5", "speaker": "Ses05M"}[protocol]
    assert shown["params"]["about"]["held_out"] == last
    splits = [job["params"]["fold"] for job in dag.jobs if job["rule"] == "emotion_corpus"]
    held_out = sorted(group for split in splits for group in split["validation"])
    assert ", ".join(held_out) == about["held_out"] and len(held_out) == n
