"""Configs that cannot be meant: each stops the run before it starts, and is named."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ima.command.config import VARIANTS, read_config
from ima.command.schema import KEYWORDS, read_schema
from ima.utils.errors import InputError
from ima.workflow.config import (
    ANYWAY,
    RENAMED,
    check_drawn,
    check_labels,
    check_objectives,
    check_peers,
    check_renamed,
    check_rho,
    check_schema,
    check_trained,
    expand_paths,
    strict_validator,
    text_keys,
)
from ima.workflow.schema_errors import PATTERNS, fits, violations
from tests.checkout import ROOT, defaults, merged, plans

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
#: Folders of results that are not of one run.
RESERVED_RUNS = ("tables", "figures", "cards", "example")
#: A variant of IMA and a baseline.
MODEL = {"label": "IMA x", "autoencoder": {"objective": "paper"}}
MODEL |= {"importance": {"objective": "paper"}}
WEAK = {"kind": "mvae", "label": "weak"}
#: What is changed in the demo's config, and what the error must name.
WRONG = {
    "unknown key": ({"rhoo": 0.5}, "rhoo"),
    "unknown key within": ({"importance": {"rhoo": 0.5}}, "rhoo"),
    "unknown corpus": ({"roots": {"timit": "x"}}, "timit"),
    "run is a path": ({"run": "../../etc"}, "../../etc"),
    "run is empty": ({"run": ""}, "''"),
    "run ends with a line break": ({"run": "demo\n"}, "'demo\\n'"),
    **{f"run is {name}": ({"run": name}, f"found '{name}'") for name in RESERVED_RUNS},
    "no seeds": ({"seeds": []}, "seeds"),
    "a seed twice": ({"seeds": [0, 0]}, "[0, 0]"),
    "seed below 0": ({"seeds": [-1]}, "-1"),
    "seed is a word": ({"seeds": ["one"]}, "one"),
    "seed 1.0": ({"seeds": [1.0]}, "1.0"),
    "seed that t-SNE refuses": ({"seeds": [2**32]}, "from 0 to 4294967295, found 4294967296"),
    "seed of readings that scikit-learn refuses": ({"readings": {"seed": 2**32}}, "4294967296"),
    "seed of a list of an experiment": ({"emotion": {"seeds": [2**32]}}, "emotion.seeds[0]"),
    "latent 0": ({"latents": [0]}, "0"),
    "latent 2.5": ({"latents": [2.5]}, "2.5"),
    "latent 2.0": ({"latents": [2.0]}, "2.0"),
    "latent 100.0 of words and voices": ({"emotion": {"latent": 100.0}}, "100.0"),
    "shards 2.0": ({"shards": 2.0}, "2.0"),
    "alternations 2.0": ({"alternations": 2.0}, "2.0"),
    "seeds per job 2.0": ({"seeds_per_job": 2.0}, "2.0"),
    "classes 4.0": ({"emotion": {"classes": 4.0}}, "4.0"),
    "latent below 0": ({"latents": [-2]}, "-2"),
    "no latents": ({"latents": []}, "latents"),
    "unknown objective": ({"ima": {"paper": {"autoencoder": {"objective": "eq2"}}}}, "'eq2'"),
    "unknown reading of z": ({"ima": {"paper": {"importance": {"z": "mean"}}}}, "'mean'"),
    "unknown scale of L_corr": ({"importance": {"corr_scale": "unit"}}, "'unit'"),
    "unknown importances of stage 1": ({"autoencoder": {"importances": "random"}}, "'random'"),
    "absent of MVAE, which needs no choice": (
        {"baselines": {"models": {"mvae": {"absent": "drop"}}}},
        "'absent'",
    ),
    "alpha of MVAE": (
        {"baselines": {"models": {"mvae": {"alpha": 1.0}}}},
        "baselines.models.mvae: expected one of 'kind', 'label', 'activation', 'learning_rate', "
        "'warmup', 'n_subsets', found 'alpha'",
    ),
    "corruption of JMVAE": (
        {"baselines": {"models": {"jmvae": {"corruption_prob": 0.3}}}},
        "_prob",
    ),
    "subsets of the denoising autoencoder": (
        {"baselines": {"models": {"denoising": {"n_subsets": 1}}}},
        "'n_subsets'",
    ),
    "misspelt setting of a baseline": (
        {"baselines": {"models": {"jmvae": {"alhpa": 1}}}},
        "Did you mean 'alpha'?",
    ),
    "misspelt setting of a baseline of words": (
        {"emotion": {"baselines": {"jmvae": {"alhpa": 1}}}},
        "emotion.baselines.jmvae: expected a known key, found 'alhpa'. Did you mean 'alpha'?",
    ),
    "subsets of words in words": ({"emotion": {"baselines": {"mvae": {"n_subsets": "x"}}}}, "'x'"),
    "corruption of all words": (
        {"emotion": {"baselines": {"denoising": {"corruption_prob": 1}}}},
        "found 1.",
    ),
    **{
        f"baseline {name!r}": ({"baselines": {"models": {name: WEAK}}}, f"found {name!r}")
        for name in ("scores", "scores_jmvae", "classify_mvae", "mvae\n", "a-b")
    },
    **{
        f"variant {name}": ({"ima": {name: MODEL}}, f"found '{name}'")
        for name in ("anchors", "table_2", "A")
    },
    "variant of words anchors": ({"emotion": {"ima": {"anchors_a": MODEL}}}, "emotion.ima: "),
    "latent size that is a word": ({"autoencoder": {"by_latent": {"two": {}}}}, "latent sizes"),
    "no round of both stages": ({"alternations": 0}, "0"),
    "rho 1.5": ({"importance": {"rho": {"speech": 1.5}}}, "1.5"),
    "rho below 0": ({"importance": {"rho": {"speech": -0.5}}}, "-0.5"),
    "rho as text": ({"importance": {"rho": {"speech": "0.5"}}}, "'0.5'"),
    "rho of the sweep": ({"sweep": {"rho": [0.5, 1.2]}}, "1.2"),
    "R below 0": ({"pairs": {"R": -0.1}}, "-0.1"),
    "R above 1": ({"pairs": {"R": 1.1}}, "1.1"),
    "R is NaN as text": ({"pairs": {"R": "nan"}}, "nan"),
    "no pairs": ({"pairs": {"train": 0}}, "0"),
    "K 0": ({"retrieval": {"k": [0]}}, "0"),
    "K below 0": ({"retrieval": {"k": [-10]}}, "-10"),
    "a K twice": ({"retrieval": {"k": [10, 10]}}, "[10, 10]"),
    "share zeroed above 1": ({"noise": {"image": {"zero_fraction": 1.2}}}, "1.2"),
    "sd 0": ({"noise": {"image": {"sd": 0}}}, "0"),
    "noise of no length": ({"noise": {"speech": {"seconds": 0}}}, "0"),
    "batches of none": ({"autoencoder": {"batch_size": 0}}, "0"),
    "no epochs": ({"autoencoder": {"epochs": 0}}, "0"),
    "learning rate 0": ({"importance": {"learning_rate": 0}}, "0"),
    "learning rate without an end": ({"importance": {"learning_rate": math.inf}}, "inf"),
    "R is NaN": ({"pairs": {"R": math.nan}}, "nan"),
    "layer of no width": ({"model": {"image": {"hidden": 0}}}, "0"),
    "unknown loss": ({"model": {"speech": {"loss": "hinge"}}}, "hinge"),
    "unknown oh": ({"speech": {"oh": "maybe"}}, "maybe"),
    "unknown mapping": ({"speech": {"mapping": "log"}}, "log"),
    "rate of a telephone's half": ({"speech": {"mfcc": {"rate": 4000}}}, "4000"),
    "no corpora": ({"speech": {"corpora": []}}, "corpora"),
    "tokens beyond the corpus": ({"demo": {"ti46_tokens": {"train": 11}}}, "11"),
    "all images are test images": ({"demo": {"test_images": 1}}, "1"),
    "unknown palette": ({"figures": {"palette": "sepia"}}, "sepia"),
    "points too few for t-SNE": ({"figures": {"tsne": {"points": 10}}}, "10"),
    "unknown protocol": ({"emotion": {"protocol": "10fold"}}, "10fold"),
    "five classes": ({"emotion": {"classes": 5}}, "5"),
    "unknown class": ({"emotion": {"classes": ["neutral", "bored"]}}, "bored"),
    "classes without neutral": ({"emotion": {"classes": ["sad", "angry"]}}, "sad"),
    "a list for a number": ({"pairs": {"R": [0.1]}}, "[0.1]"),
    "null for a number": ({"sweep": {"latent": None}}, "None"),
    "a number for a mapping": ({"pairs": 5}, "5"),
}


def check(config: dict) -> None:
    """Check a config as the Snakefile does."""
    check_schema(config, SCHEMA)


def test_the_demo_is_right():
    check(defaults())


@pytest.mark.parametrize("name", WRONG)
def test_wrong_value(name):
    change, named = WRONG[name]
    with pytest.raises(InputError) as error:
        check(merged(defaults(), change))
    assert named in str(error.value)


#: A user's config, and the error of the workflow and of the command after the config's name.
OWN = {"modalities": {"a": {"file": "a"}, "b": {"file": "b"}}, "pairs": {"by": "id"}}
MESSAGES = [
    ({"latnts": [2]}, ": expected a known key, found 'latnts'. Did you mean 'latents'?"),
    ({"seed": [0]}, ": expected a known key, found 'seed'. Did you mean 'seeds'?"),
    ({"qq": 1}, ": expected a known key, found 'qq'. docs/config.md lists all keys."),
    (
        {"own": OWN | {"shares": {"trian": 0.5}}},
        ", own.shares: expected a known key, found 'trian'. The keys are test, validation.",
    ),
    (
        {"own": OWN | {"pairs": {"by": "id", "missin": "drop", "fil": "a"}}},
        ", own.pairs: expected a known key, found 'missin', 'fil'. Did you mean 'missing', 'file'?",
    ),
    (
        {"own": OWN | {"modalities": {"a": {"fil": "a"}}}},
        ", own.modalities.a: expected a known key, found 'fil'. Did you mean 'file'?",
    ),
    ({"latents": 10}, ", latents: expected a list, such as [10], found 10."),
    ({"latents": "x"}, ", latents: expected a list, found 'x'."),
    ({"latents": []}, ", latents: expected a list of one or more entries, found []."),
    (
        {"seeds": [0, -1]},
        ", seeds[1]: expected a whole number from 0 to 4294967295, found -1.",
    ),
    (
        {"seeds": [2**32]},
        ", seeds[0]: expected a whole number from 0 to 4294967295, found 4294967296.",
    ),
    ({"latents": [2.0]}, ", latents[0]: expected a whole number from 1, found 2.0."),
    (
        {"autoencoder": {"by_latent": {"two": {}}}},
        ", autoencoder.by_latent: expected keys that are latent sizes, such as 2, found 'two'.",
    ),
    (
        {"autoencoder": {"by_latent": {"2": {"epoch": 3}}}},
        ", autoencoder.by_latent.2: expected a known key, found 'epoch'. Did you mean 'epochs'?",
    ),
    ({"seeds": [1, 1]}, ", seeds: expected distinct entries, found [1, 1]."),
    (
        {"autoencoder": {"epochs": "many"}},
        ", autoencoder.epochs: expected a whole number from 1, or 'auto', found 'many'.",
    ),
    *(
        (
            {"run": name},
            ", run: expected a name of letters, digits, _ and -, other than tables, figures, cards"
            f" and example, found {name!r}.",
        )
        for name in ("../x", "x\n", "tables")
    ),
    (
        {"own": OWN | {"shares": {"test": 1}}},
        ", own.shares.test: expected a number above 0 and below 1, found 1.",
    ),
    (
        {"own": OWN | {"pairs": {"by": "lable"}}},
        ", own.pairs.by: expected one of 'id', 'label', 'file', found 'lable'."
        " Did you mean 'label'?",
    ),
    (
        {"own": OWN | {"modalities": {"a": {"file": "a", "vector": 3}}}},
        ", own.modalities.a.vector: expected text that is not empty, or a list, or keys with"
        " values, found 3.",
    ),
    (
        {"own": OWN | {"modalities": {"a": {"file": "a", "vector": ["v", "v"]}}}},
        ", own.modalities.a.vector: expected distinct entries, found ['v', 'v'].",
    ),
    (
        {"own": OWN | {"modalities": {"a": {"file": "a", "vector": {"all_but": 3}}}}},
        ", own.modalities.a.vector.all_but: expected text that is not empty, or a list, found 3.",
    ),
    (
        {"own": OWN | {"modalities": {"a": {"file": "a", "show": {"shape": [1, 2, 3]}}}}},
        ", own.modalities.a.show.shape: expected a list of 2, found [1, 2, 3].",
    ),
]


@pytest.mark.parametrize(("change", "message"), MESSAGES, ids=lambda value: str(value)[:40])
def test_messages_of_the_schema_are_those_of_the_command(change, message, tmp_path):
    with pytest.raises(InputError) as error:
        check(merged(defaults(), change))
    assert str(error.value) == f"config{message}"
    file = tmp_path / "own.json"
    file.write_text(json.dumps({"own": OWN} | change))
    with pytest.raises(InputError) as error:
        read_config(file)
    assert str(error.value) == f"{file}{message}"


def test_the_command_checks_what_the_workflow_does():
    schema, workflow = read_schema(), yaml.safe_load(SCHEMA.read_text())
    validator = strict_validator()
    for change, _ in MESSAGES:
        config = {"own": OWN} | change
        assert list(validator(schema).iter_errors(config)), change
    numbers = (0, 10**400, 1e300, -1, 2.0, 0.5, True, math.inf, math.nan, None)
    values = (*numbers, "auto", "auto\n", "a:b", "a:b\n", [], [0], [0, 0], {}, {"by": "id"})
    more = ({"type": "array", "uniqueItems": True}, {"propertyNames": {"pattern": "^by$"}})
    for node in (*workflow["$defs"].values(), *more):
        if set(node) <= KEYWORDS:
            for value in (*values, {"by\n": 1}, {"hidden": 2, "loss": "bce"}):
                part = {"$defs": workflow["$defs"]} | node
                expected = not list(validator(part).iter_errors(value))
                assert (not list(violations(value, part, part))) == expected, (node, value)


def test_every_pattern_of_the_schema_has_a_phrase():
    patterns = re.findall(r'pattern: ["\'](.*?)["\']', SCHEMA.read_text())
    assert len(patterns) == 6 and set(patterns) == set(PATTERNS)


def test_no_job_of_a_model_has_the_log_of_another_rule():
    """With a baseline `scores_x`, two rules would write to baseline_scores_x_latent2_seeds0.log."""
    text = "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk"))
    rules = re.findall(r"^ *rule (\w+):", text, re.M)
    logs = re.findall(r"/logs/(\w+)_\{\{(baseline|variant)\}\}_latent", text)
    schema = yaml.safe_load(SCHEMA.read_text())
    nodes = {"baseline": schema["properties"]["baselines"]["properties"]["models"]}
    nodes["variant"] = schema["$defs"]["ima"]
    refused = set()
    for rule, wildcard in logs:
        pattern = nodes[wildcard]["propertyNames"]["pattern"]
        others = [other for other in rules if other.startswith(f"{rule}_")]
        for name in [other.removeprefix(f"{rule}_") for other in others]:
            refused.add((wildcard, name))
            assert not fits(pattern, name) and not fits(pattern, f"{name}_x"), (rule, name)
            assert fits(pattern, f"{name}s") and fits(pattern, f"my_{name}")
    assert refused == {
        *(("baseline", "scores"), ("baseline", "classify")),
        *(("variant", "anchors"), ("variant", "table")),
    }


def test_whole_numbers_as_keys_are_text():
    config = {"a": {"2": {"x": 1, "y": 1}, 2: {"x": 2}}, 1: [{3: 4}], "b": {5: 1, "5": 2}}
    text_keys(config)
    assert config == {"a": {"2": {"x": 2, "y": 1}}, "1": [{3: 4}], "b": {"5": 2}}
    check(merged(defaults(), {"autoencoder": {"by_latent": {"2": {"epochs": 3}}}}))


def test_a_latent_size_as_a_number_overrides_the_default_as_text():
    config = {"autoencoder": {"by_latent": {2: {"epochs": 3}}}}
    config |= {"baselines": {"models": {1: WEAK}}}
    jobs = plans([(ROOT, config)], ["table1"], anew=True)[0].jobs
    stage1 = [job["params"] for job in jobs if job["rule"] == "autoencoder"]
    epochs = {(of["settings"]["epochs"], of["settings"]["learning_rate"]) for of in stage1}
    assert epochs == {(3, 0.003), (12, 0.001)}
    assert "1" in {job["wildcards"].get("baseline") for job in jobs}


@pytest.mark.parametrize("key", [True, 2.5, None])
def test_keys_that_are_neither_text_nor_whole_numbers(key):
    with pytest.raises(InputError) as error:
        text_keys({"own": {"modalities": {"a": {}, key: {}}}})
    assert str(error.value) == (
        f"config, own.modalities: expected keys that are text or whole numbers, found {key}. "
        "Write the key in quotes."
    )


def test_the_command_refuses_unknown_variants(tmp_path, caplog):
    file = tmp_path / "own.json"
    assert set(VARIANTS) == set(defaults()["ima"])
    file.write_text(json.dumps({"own": OWN, "variants": ["mixtur"]}))
    with pytest.raises(InputError, match=r"config, variants: .*\['ima\+', 'mixture', 'paper'\]"):
        read_config(file)
    ours = {"label": "Ours", "autoencoder": {"objective": "paper"}}
    file.write_text(json.dumps({"own": OWN, "variants": ["mixture", "o"], "ima": {"o": ours}}))
    read_config(file)
    assert "used by the workflow only: variants, ima" in caplog.text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (
            {"ima": {"mixture": {"label": "IMA+"}}, "variants": ["ima+", "mixture"]},
            "config, ima.mixture.label: expected a label that no other model has, found 'IMA+', as"
            " of ima.ima+",
        ),
        (
            {"baselines": {"models": {"weak": {"kind": "mvae", "label": "MVAE"}}}},
            "config, baselines.models.weak.label: ",
        ),
        (
            {"emotion": {"ima": {"ima+": {"label": "Ours"}}}},
            "config, emotion.ima.ima+.label: expected a label that begins with IMA or IMA+",
        ),
        ({"ima": {"ima+": {"label": "IMA-2"}}}, "config, ima.ima+.label: expected a label that b"),
        ({"ima": {"paper": {"label": "IMA"}}}, "config, ima.paper.label: expected 'IMA (paper)'"),
        (
            {"baselines": {"models": {"weak": {"kind": "mvae", "label": "IMA weak"}}}},
            "config, baselines.models.weak.label: expected a label that does not begin with IMA",
        ),
    ],
)
def test_labels_that_tables_could_not_tell_apart(change, named):
    with pytest.raises(InputError) as error:
        check_labels(merged(defaults(), change))
    assert named in str(error.value)
    check_labels(defaults())


@pytest.mark.parametrize("experiment", ANYWAY)
def test_peers_whose_rows_the_tables_have_anyway(experiment):
    for name in ANYWAY[experiment]:
        peers = {"digits": ["mcca"], "emotion": ["mcca"]}
        check_peers(peers)
        with pytest.raises(InputError, match=rf"config, peers.{experiment}: .*\['{name}'\]"):
            check_peers(peers | {experiment: ["mcca", name]})


@pytest.mark.parametrize(("old", "new"), RENAMED.items())
def test_former_name_stops_with_the_new_one(old, new):
    old, new = old.replace("*", "ours"), new.replace("*", "ours")
    config: dict = {}
    inner = config
    for name in old.split(".")[:-1]:
        inner = inner.setdefault(name, {})
    inner[old.split(".")[-1]] = 1
    with pytest.raises(
        InputError, match=re.escape(f"config, {old}: expected its new name, {new},")
    ):
        check_renamed(config)


def test_no_current_key_is_a_former_name():
    check_renamed(defaults())
    check_renamed({"pairs": {"validation_share": 0.2}, "held_out": 0.2})


def test_shared_encoders_of_a_variant_that_is_not_trained():
    check_trained(["ima+"], ["paper", "ima+"], "shared_encoders")
    with pytest.raises(InputError, match=r"config, shared_encoders: expected trained .*\['x'\]"):
        check_trained(["ima+", "x"], ["paper", "ima+"], "shared_encoders")


def test_words_and_voices_have_one_latent_size():
    variants = {"x": {"importance": {"objective": "paper", "latent": 50}}}
    check_objectives(variants, "", own=False)
    with pytest.raises(InputError, match=r"config, emotion.ima.x.importance.latent: expected no"):
        check_objectives(variants, "emotion.", own=False)


def test_rho_of_modalities_that_there_are():
    auto, given = {"importance": {"rho": "auto"}}, {"importance": {"rho": {"a": 0.5}}}
    check_rho({"x": auto, "y": given, "z": {"importance": {}}}, ["a", "b"], "")
    with pytest.raises(InputError, match=r"emotion.ima.y.importance.rho: .*\['b'\], found a\."):
        check_rho({"x": auto, "y": given}, ["b"], "emotion.")


def test_required_keys_may_be_filled_in_later():
    config = merged(defaults(), {"own": {"modalities": {"a": {"file": "a"}}}})
    check_schema(config, SCHEMA, partial=True)
    with pytest.raises(InputError, match="config, own: expected the key 'pairs'"):
        check(config)


def test_figures_show_a_variant_that_is_trained():
    check_drawn(None, [])
    check_drawn("ima+", ["paper", "ima+"])
    with pytest.raises(
        InputError, match=r"figures.variant: expected one of .*'paper'.* found ours"
    ):
        check_drawn("ours", ["paper", "ima+", "paper"])


@pytest.mark.parametrize("key", yaml.safe_load(SCHEMA.read_text())["required"])
def test_missing_key(key):
    config = {name: value for name, value in defaults().items() if name != key}
    with pytest.raises(InputError, match=f"config: expected the key '{key}', found no such key"):
        check(config)


USER = f"own: {json.dumps(OWN)}\n"
#: Files that are given as configs, and what Snakemake must say.
FILES = {
    "not YAML": ("a: [1, 2\nb: {", "Config file is not valid JSON or YAML"),
    "a list": ("- a\n- b\n", "Config file must be given as JSON or YAML with keys"),
    "a tag that runs code": (
        "a: !!python/object/apply:os.system ['touch owned']\n",
        "is not valid",
    ),
    "an unknown key": (
        "rhoo: 0.5\n",
        "config: expected a known key, found 'rhoo'. Did you mean 'roots'?",
    ),
    "an unknown factor of readings": (
        "readings: {factors: {mood: [good]}}\n",
        "config, readings.factors: expected levels for each of",
    ),
    "an unknown reading": (
        "readings: {factors: {activation: [sine]}}\n",
        "config, readings.factors.activation: expected levels from ('tanh', 'relu', 'gelu'), "
        "found 'sine'",
    ),
    "more readings than there are": (
        "readings: {sample: 1000}\n",
        "config, readings.sample: expected 1 to 72, the readings in the grid, found 1000",
    ),
    "no seeds of readings": (
        "readings: {seeds: []}\n",
        "config, readings.seeds: expected one seed or more, found none",
    ),
    "mixture of digits": (
        "variants: [mixture]\n",
        "config, variants: expected the objectives paper or ima+",
    ),
    "a rho that is left to ima+": (
        "ima: {ima+: {importance: {rho: auto}}}\n",
        "config, ima.ima+.importance.rho: expected a number in [0, 1] for each modality",
    ),
    "a rho that is left to words and voices": (
        "emotion: {ima: {paper: {importance: {rho: auto}}}}\n",
        "config, emotion.ima.paper.importance.rho: expected a number in [0, 1]",
    ),
    "rho of an unknown modality": (
        "ima: {paper: {importance: {rho: {imge: 0.1}}}}\n",
        "ima.paper.importance.rho: expected only the modalities ['image', 'speech'], found imge",
    ),
    "rho of an unknown modality of words and voices": (
        "emotion: {ima: {paper: {importance: {rho: {verbl: 0.1}}}}}\n",
        "emotion.ima.paper.importance.rho: expected only the modalities ['verbal', 'acoustic'],",
    ),
    "a number that names a modality": (
        "own: {modalities: {1: {file: a}, b: {file: b}}}\n",
        "config, own.modalities: expected names of lower-case letters",
    ),
    "a word that YAML takes for true": (
        "own: {modalities: {yes: {file: a}, b: {file: b}}}\n",
        "config, own.modalities: expected keys that are text or whole numbers, found True.",
    ),
    "a list for the layers": (
        "model: [a]\n",
        "config, model: expected keys with values, found ['a']",
    ),
    "a number for the latent sizes of user data": (
        f"{USER}latents: 10\n",
        "config, latents: expected a list, such as [10], found 10.",
    ),
    "a number for the layers of user data": (
        f"{USER}model: {{a: 5}}\n",
        "config, model.a: expected keys with values, found 5.",
    ),
    "null for a section with user data": (
        f"{USER}autoencoder: null\n",
        "config, autoencoder: expected keys with values, found None.",
    ),
    "a list for a section with user data": (
        f"{USER}retrieval: [10]\n",
        "config, retrieval: expected keys with values, found [10].",
    ),
    "two folds": (
        "ima: {mixture: {importance: {folds: 2}}}\n",
        "folds: expected a whole number from 1, other than 2, found 2",
    ),
    "a missing file": (None, "mine.yaml"),
}


def read(name: str) -> object:
    """Return what YAML reads in one of the files; None if nothing."""
    content = FILES[name][0]
    try:
        return yaml.safe_load(content) if isinstance(content, str) else None
    except yaml.YAMLError:
        return None


#: Those that are given to the command; the others, to Snakemake in a fork.
TO_COMMAND = {name for name in FILES if not isinstance(read(name), dict)} | {"an unknown key"}


@pytest.mark.parametrize("name", sorted(FILES.keys() - TO_COMMAND))
def test_config_of_a_file(name):
    with pytest.raises(RuntimeError) as error:
        plans([(ROOT, read(name))])
    assert FILES[name][1] in str(error.value)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(TO_COMMAND))
def test_config_file(name, tmp_path):
    content, named = FILES[name]
    file = tmp_path / "mine.yaml"
    if content is not None:
        file.write_text(content)
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1"]
    done = subprocess.run(
        [*command, "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(file)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode != 0 and named in said, said
    assert len(said) < 100_000
    assert {path.name for path in tmp_path.iterdir()} <= {"mine.yaml", ".snakemake"}


# Places that cannot be written to

WRITE = """
import os, resource, signal
from types import SimpleNamespace
from ima.utils import io
from ima.workflow import script

def main(snakemake):
    io.write_json(list(range(100_000)), snakemake.output[0])

{before}
script.run(main, SimpleNamespace(log=["logs/x.log"], output=["made/x.json"], rule="x"))
"""


def write(folder: Path, before: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", WRITE.format(before=before)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "made").mkdir()
    (tmp_path / "logs").mkdir()
    return tmp_path


def test_no_write_permission(folder):
    if os.geteuid() == 0:  # may write everywhere: become nobody, who has no home here
        before = "os.setgid(65534); os.setuid(65534)"
        for path in (folder, *folder.parents):
            path.chmod(path.stat().st_mode | 0o005)
        (folder / "logs").chmod(0o777)
    else:
        before = ""
        (folder / "made").chmod(0o500)
    done = write(folder, before)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "made/x.json: expected permission to write here, found [Errno 13]" in done.stderr
    assert not list((folder / "made").iterdir())


def test_no_space(folder):
    before = (
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
    )
    done = write(folder, before)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "made/x.json: expected enough free disk space" in done.stderr
    assert not list((folder / "made").iterdir())


def test_a_file_where_a_folder_should_be(folder):
    (folder / "made").rmdir()
    (folder / "made").write_text("a file")
    done = write(folder)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "made/x.json: expected only folders along its path" in done.stderr


def test_a_log_that_cannot_be_written(folder):
    (folder / "logs").rmdir()
    (folder / "logs").write_text("a file")
    done = write(folder)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "logs/x.log: expected to write the log" in done.stderr
    assert not list((folder / "made").iterdir())


def test_paths_expand_the_home_folder_and_variables(tmp_path, monkeypatch):
    (tmp_path / "corp").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PLACE", str(tmp_path / "place"))
    config = {
        "raw": "~/corp",
        "roots": {"mnist": "$PLACE/mnist", "fsdd": "fsdd"},
        "own": {"modalities": {"a": {"file": "${PLACE}/a.csv"}}, "pairs": {"by": "id"}},
        "emotion": {"words": {"glove": "package", "lexicon": "~/liwc.dic"}, "voice": {}},
    }
    expand_paths(config)
    assert config == {
        "raw": f"{tmp_path}/corp",
        "roots": {"mnist": f"{tmp_path}/place/mnist", "fsdd": "fsdd"},
        "own": {"modalities": {"a": {"file": f"{tmp_path}/place/a.csv"}}, "pairs": {"by": "id"}},
        "emotion": {"words": {"glove": "package", "lexicon": f"{tmp_path}/liwc.dic"}, "voice": {}},
    }
    expand_paths({"raw": None, "own": None})  # the demo
    expand_paths({"raw": "data"})  # of config/open.yaml: it may be missing


def test_a_path_that_exists_as_it_is_written_is_not_expanded(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a$HOME").mkdir()
    config = {"raw": "a$HOME"}
    expand_paths(config)
    assert config == {"raw": "a$HOME"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"raw": "~/corpp"}, r"config, raw: .* found no such folder, .*/corpp\. Correct the path"),
        ({"raw": "pyproject.toml"}, "found a file, pyproject.toml"),
        ({"roots": {"fsdd": "$UNSET_OF_IMA/x"}}, r"config, roots\.\*: .* found \$UNSET_OF_IMA/x"),
        ({"raw": "~nobody-of-this-name/x"}, "a path whose variables are set, found ~nobody"),
    ],
)
def test_a_path_that_leads_nowhere_stops_the_run(config, message, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(InputError, match=message):
        expand_paths(config)
