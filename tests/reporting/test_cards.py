"""Cards of corpora and of the model: every corpus has one, with the run's own numbers."""

import pytest
import yaml

from ima.reporting import cards
from ima.utils.errors import InputError
from tests.checkout import ROOT

FACTS = cards.read_facts(ROOT / "config/corpora.yaml")
SCHEMA = yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())
MANIFEST = {"files": 1440, "bytes": 12_345_678, "sha256": "ab12"}


def test_every_corpus_of_the_config_is_known():
    assert set(SCHEMA["properties"]["roots"]["properties"]) <= set(FACTS)
    assert {name for name in FACTS if name.endswith("_demo")} == {
        *("mnist_demo", "tidigits_demo", "ti46_demo", "iemocap_demo")
    }


@pytest.mark.parametrize("name", FACTS)
def test_licence_and_source_are_those_of_the_docs(name):
    rows = [row for row in (ROOT / "docs/data.md").read_text().splitlines() if row[:1] == "|"]
    licence, source = FACTS[name]["licence"], FACTS[name]["from"]
    assert any((licence in row or "as above" in row) and source in row for row in rows)


def test_facts_that_lack_something_are_refused(tmp_path):
    facts = {"mnist": {**FACTS["mnist"]}}
    del facts["mnist"]["licence"]
    (tmp_path / "corpora.yaml").write_text(yaml.safe_dump(facts))
    with pytest.raises(InputError, match=r"corpora\.yaml, mnist: expected .*licence"):
        cards.read_facts(tmp_path / "corpora.yaml")
    (tmp_path / "corpora.yaml").write_text("- mnist\n")
    with pytest.raises(InputError, match=r"corpora\.yaml"):
        cards.read_facts(tmp_path / "corpora.yaml")


def test_a_data_card_has_what_was_read_and_what_was_not():
    reasons = ["no alignment", "line N has no labelled turn", "no alignment"]
    text = cards.data_card(FACTS["ravdess"], MANIFEST, [("speakers", 24, 24)], reasons, "open")
    assert text.startswith("# Data card: RAVDESS, speech\n")
    assert "**Licence.** CC BY-NC-SA 4.0." in text and "run `open`" in text
    assert "1,440 files, 12,345,678 bytes" in text and "`ab12`" in text
    assert "| speakers | 24 | 24 |" in text
    assert "Not used: 3.\n* no alignment: 2\n* line N has no labelled turn: 1\n" in text


def test_counts_by_hand():
    assert cards.image_counts(["train", "test", "train"], [7, 1, 7]) == [
        *(("images", 3, None), ("images, test", 1, None), ("images, train", 2, None)),
        *(("images of 1", 1, None), ("images of 7", 2, None)),
    ]
    rows = [
        {"corpus": c, "level": level, "split": s, "group": "", "unit": u, "found": 1, "expected": 2}
        for c, level, s, u in (
            ("fsdd", "corpus", "", "one_digit"),
            ("fsdd", "split", "test", "speakers"),
            ("fsdd", "speaker", "test", "speakers"),
            ("ti46", "corpus", "", "speakers"),
        )
    ]
    assert cards.speech_counts(rows, "fsdd") == [("one digit", 1, 2), ("speakers, test", 1, 2)]
    rows = [{"corpus": "meld", "emotion": "joy", "usable": 3, "expected": 4}]
    assert cards.emotion_counts(rows, "meld") == [("utterances, joy", 3, 4)]
    assert cards.emotion_counts(rows, "ravdess") == []


def test_a_model_card_has_its_scores_and_what_holds():
    sidecar = {
        "config": {
            "latents": [2],
            "seeds": [0, 1],
            "model": {"image": {"hidden": 500, "activation": "tanh", "loss": "bce"}},
            "variants": ["paper", "ima+"],
            "importance": {"rho": {"image": 0.8, "speech": 0.8}},
            "ima": {"paper": {"importance": {"rho": {"speech": 0.3}}}, "ima+": {}},
        },
        "code": {"revision": "abc", "dirty": True},
    }
    ours = {"model": "IMA+", "seeds": 2, "latent": 2, "representation": "weighted"}
    tables = {
        "table1": [
            {**ours, "k": 10, "precision_no_shared": 0.9, "precision_no_shared_sd": 0.01},
            {**ours, "model": "MVAE", "k": 10, "precision_no_shared": 0.123},
        ],
        "table4": [
            {
                **{"model": "IMA+", "setting": "image+speech", "latent": 2, "loss_terms": 10},
                **{"parameters": 1618086, "parameters_importance": 168602},
            }
        ],
        "importance": [
            {
                **{"variant": "ima+", "modality": "image", "latent": 2, "seeds": 2},
                **{"f1_noise": 1.0, "f1_noise_sd": None},
            }
        ],
        "claims": [
            {"whose": w, "verdict": v, "sentence": f"{w} {v}", "why": "so"}
            for w, v in (("paper", "holds"), ("paper", "does not hold"), ("ours", "holds"))
        ],
    }
    text = cards.model_card("demo", sidecar, ["digits"], tables)
    assert "revision abc, edited since" in text and "image (500 tanh, bce)" in text
    assert "paper (image 0.8, speech 0.3); ima+ (image 0.8, speech 0.8)." in text
    assert "| IMA+ | image+speech | 2 | 1,618,086 | 168,602 | 10 |" in text
    assert "| IMA+, weighted by importances | .900 ± .010 | 2 |" in text and ".123" not in text
    assert "| ima+ | image | 2 | 1.000 | 2 |" in text
    assert "2 claims" in text and "1 hold, 1 do not hold" in text and "Utterances" not in text
    assert "* paper does not hold (so)" in text


def test_front_matter_is_yaml_before_the_card():
    text = cards.front_matter({"license": "mit"})
    begin, metadata, rest = text.split("---\n")
    assert begin == rest == ""
    assert yaml.safe_load(metadata) == {**cards.METADATA, "license": "mit"}
