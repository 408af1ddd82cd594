"""What reruns after which change, and nothing else: config keys, modules, scripts, raw files.

Plans only: nothing is run but the small demo that is there already. What is expected of a change is
told by the rules that it reaches itself; what comes after them in the DAG follows, and so do jobs
that the DAG had not before. A config key or a rule that no table here has is an error.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from tests.checkout import (
    ROOT,
    SHARED_SCRIPTS,
    Checkout,
    Plan,
    defaults,
    merged,
    name_of,
    plans,
    script_of,
)

pytestmark = pytest.mark.slow

EVERY = "every rule"
FEATURES = "recordings segment mfcc features_image features_speech noise_image noise_speech"
SPEECH = "segment mfcc noise_speech"
#: By config key, or the beginning of one: the rules that use it.
KEYS = {
    "run": EVERY,
    "seeds": "",
    "seeds_per_job": "",
    "shards": "recordings mfcc emotion_voices",
    "training_processes": "autoencoder importance baseline emotion_autoencoder emotion_importance"
    " emotion_baseline",
    "latents": "anchors anchors_classify convergence costs table4 readings_block",
    "raw": "recordings features_image emotion_corpus emotion_voices voice_agreement figure3"
    " resources index claims",
    "roots.mnist": "features_image claims",
    "roots.tidigits": "recordings claims",
    "roots.ti46": "recordings claims",
    "roots.fsdd": "",  # not one of the demo's
    "demo.seed": "demo_images demo_speech",
    "demo.test_images": "demo_images",
    "demo.speakers": "demo_speech",
    "demo.strings": "demo_speech",
    "demo.ti46_tokens": "demo_speech",
    "image.corpus": "",  # there is one only
    "speech.corpora": "recordings table3 claims",
    "speech.oh": "mfcc",
    "speech.fsdd_split": "recordings",
    "speech.fsdd_test_speakers": "recordings",
    "speech.segmentation": "segment",
    "speech.doubtful": "mfcc",
    "speech.max_skipped": "recordings",
    "speech.mfcc": "mfcc noise_speech",
    "speech.mfcc.rate": "recordings segment mfcc noise_speech segmentation_examples",
    "speech.mfcc.n_mfcc": "mfcc features_speech noise_speech",
    "speech.mapping": "features_speech",
    "noise.seed": "noise_image noise_speech",
    "noise.image": "noise_image noise_study rival_study",
    "noise.speech": "noise_speech noise_study rival_study",
    "pairs": "pairs",
    "pairs.R": "pairs noise_study rival_study",
    "pairs.sizes": "pairs noise_study rival_study",
    "pairs.validation_share": "pairs noise_study rival_study",
    "alternations": "",
    "model": "autoencoder baseline table4 anchors_classify noise_study rival_study missing_study",
    "autoencoder": "autoencoder baseline shared_encoders noise_study rival_study missing_study",
    # What the latent size has of its own goes before these; but a caption tells the epochs.
    "autoencoder.epochs": "index",
    "autoencoder.learning_rate": "",
    "autoencoder.by_latent": "autoencoder baseline shared_encoders",
    "autoencoder.lambda_rec": "autoencoder noise_study rival_study missing_study",
    "autoencoder.lambda_align": "autoencoder noise_study rival_study missing_study",
    "autoencoder.lambda_glob": "autoencoder noise_study rival_study missing_study",
    "autoencoder.lambda_self": "autoencoder noise_study rival_study missing_study",
    "autoencoder.importances": "autoencoder noise_study rival_study missing_study",
    "autoencoder.batch_size": "autoencoder baseline shared_encoders table4 noise_study rival_study"
    " missing_study",
    "baselines": "",
    "peers": "",  # other jobs
    "shared_encoders": "",  # other jobs
    "baselines.models": "table4 missing_study",
    "classifier": "classify baseline_classify anchors_classify generation table3",
    "complexity": "table4",
    "importance": "importance rho_sweep noise_study rival_study missing_study",
    "importance.hidden": "importance rho_sweep table4 noise_study rival_study missing_study",
    "importance.rho": "importance noise_study rival_study missing_study",
    "importance.restarts": "importance noise_study rival_study",
    "importance.latent": "",
    "importance.seeds": "importance_table",
    "retrieval": "scores anchors baseline_scores",
    "sweep.latent": "figure6",
    "sweep.rho": "rho_sweep",
    "sweep.restarts": "rho_sweep",
    "sweep.seeds": "figure6 claims",
    "noise_study": "noise_study rival_study",
    "noise_study.seeds": "",
    "missing_study": "missing_study",
    "missing_study.latent": "missing_study leaderboard",
    "missing_study.seeds": "",
    "readings": "readings_block",
    "readings.seeds": "",
    "figures.variant": "figure2 figure3 figure4 figure5 weights index",
    "figures.latent": "figure2 figure4 weights",
    "figures.palette": "figure2 figure4 figure5 weights index",
    "roots.iemocap": "emotion_corpus emotion_voices voice_agreement figure3 claims",
    "roots.ravdess": "",  # not of the demo's either
    "roots.meld": "",
    "emotion.corpus": "emotion_corpus emotion_voices voice_agreement figure3 figure5 table2 table6"
    " emotion_importance_table claims",
    "emotion.demo": "demo_emotion",
    "emotion.protocol": "",  # other jobs
    "emotion.classes": "emotion_corpus",
    "emotion.excited_as_happy": "emotion_corpus",
    "emotion.calm_as_neutral": "",  # of RAVDESS
    "emotion.others": "emotion_corpus",
    "emotion.validation": "emotion_corpus",
    "emotion.silence": "emotion_corpus",
    "emotion.fillers": "emotion_corpus",
    "emotion.max_skipped": "emotion_corpus",
    "emotion.seed": "",  # of RAVDESS and MELD
    "emotion.words": "emotion_words",
    "emotion.words.min_count": "emotion_words claims",
    "emotion.words.dimension": "emotion_words table4",
    "emotion.voice": "emotion_voices",
    "emotion.voice.features": "emotion_voices table4",
    "emotion.voice.remove_offset": "emotion_voices voice_agreement",
    "emotion.pairs": "emotion_pairs emotion_shared_encoders",
    "emotion.pairs.max_pairs": "emotion_pairs",
    "emotion.seeds": "",
    "emotion.latent": "table4",
    "emotion.model": "emotion_autoencoder emotion_baseline emotion_shared_encoders table4"
    " emotion_baseline_scores",
    "emotion.autoencoder": "emotion_autoencoder emotion_baseline emotion_shared_encoders",
    "emotion.autoencoder.batch_size": "emotion_autoencoder emotion_baseline"
    " emotion_shared_encoders table4",
    "emotion.autoencoder.lambda_rec": "emotion_autoencoder",
    "emotion.autoencoder.lambda_align": "emotion_autoencoder",
    "emotion.autoencoder.lambda_glob": "emotion_autoencoder",
    "emotion.autoencoder.lambda_self": "emotion_autoencoder",
    "emotion.autoencoder.importances": "emotion_autoencoder",
    "emotion.alternations": "",
    "emotion.importance": "emotion_importance emotion_rho_sweep",
    "emotion.importance.hidden": "emotion_importance emotion_rho_sweep table4",
    "emotion.importance.rho": "emotion_importance",
    "emotion.importance.restarts": "emotion_importance",
    "emotion.sweep": "emotion_rho_sweep",
    "emotion.sweep.rho": "emotion_rho_sweep emotion_importance_anchors",
    "emotion.baselines": "emotion_baseline table4",
    "emotion.retrieval": "emotion_scores emotion_baseline_scores",
    "emotion.classifier": "emotion_scores emotion_baseline_scores table3",
    "emotion.figures": "emotion_tsne",
    "figures.tsne": "tsne",
    "page": "",  # all results are there
}
#: Wildcards of the jobs that take a key's value: other variants and baselines have their own.
OF_ONE = {
    "importance.rho": ("variant", "ima+"),
    "emotion.importance.lambda_corr": ("variant", "ima+"),
    "emotion.baselines.jmvae": ("kind", "jmvae"),
    "emotion.baselines.mvae": ("kind", "mvae"),
    "emotion.baselines.denoising": ("kind", "denoising"),
}
#: What reaches readings, too: all but what readings choose themselves.
OF_READINGS = (
    *("noise.speech", "model.image", "model.speech"),
    *(f"autoencoder.lambda_{name}" for name in ("rec", "align", "glob", "self")),
    *(f"autoencoder.{name}" for name in ("batch_size", "learning_rate", "schedule", "patience")),
    *(f"importance.{name}" for name in ("hidden", "batch_size", "learning_rate")),
)
#: Another value, where the schema doesn't give one.
OTHERS = {
    "figures.variant": "ima+",
    "run": "other",
    "seeds": [0, 1, 2],
    "latents": [2, 3],
    "raw": "corpora",
    "roots.mnist": "elsewhere/mnist",
    "roots.tidigits": "elsewhere/tidigits",
    "roots.ti46": "elsewhere/ti46",
    "roots.fsdd": "elsewhere/fsdd",
    "speech.corpora": ["tidigits"],
    "speech.fsdd_test_speakers": ["george"],
    "retrieval.k": [10, 20],
    "baselines.seeds": [0, 1],
    "baselines.models": {"weak": {"kind": "jmvae", "label": "weak", "alpha": 0.1}},
    "sweep.rho": [0.3, 0.5, 0.8],
    "sweep.seeds": [0],
    "roots.iemocap": "elsewhere/iemocap",
    "roots.ravdess": "elsewhere/ravdess",
    "roots.meld": "elsewhere/meld",
    "autoencoder.by_latent": {"2": {"epochs": 3}},
    "importance.seeds": [0],
    "shared_encoders": ["ima+", "paper"],
    "peers.digits": ["factors"],
    "peers.emotion": ["pca"],
    "peers.latents": [2],
    "peers.seeds": [1],
    "emotion.validation": ["4"],
    "emotion.classes": 6,
    "emotion.words.glove": "elsewhere/glove.txt",
    "emotion.words.lexicon": "nrclex",
    "emotion.seeds": [0, 1],
    "emotion.sweep.rho": [0, 0.3],
    "emotion.retrieval.k": [3, 5],
    "noise_study.seeds": [1],
    "noise_study.R": [0.2],
    "noise_study.noise_types": ["degraded"],
    "missing_study.seeds": [1],
    "missing_study.shares": [0, 0.25],
    "readings.factors": {"z": ["joint"]},
    "readings.seeds": [0, 1],
}
#: Keys of which another value makes other jobs, so that nothing else is changed with them.
ALONE = {
    *("run", "raw", "seeds", "latents", "roots.mnist", "roots.tidigits", "roots.ti46"),
    *("speech.corpora", "roots.iemocap", "autoencoder.by_latent", "baselines.models"),
    *("baselines.seeds", "importance.seeds", "sweep.seeds", "noise_study.seeds"),
    *("noise_study.R", "noise_study.noise_types", "missing_study.seeds", "missing_study.shares"),
    *("readings.factors", "readings.seeds", "emotion.validation", "emotion.seeds"),
    *("emotion.corpus", "emotion.protocol", "seeds_per_job", "alternations"),
    *("emotion.alternations", "emotion.latent", "figures.variant", "readings.blocks"),
    *("sweep.latent", "figures.latent", "importance.latent", "shards"),
    *("peers.digits", "peers.emotion", "peers.latents", "peers.seeds", "shared_encoders"),
    "emotion.words.glove",
    *("importance.rho.image", "sweep.rho", "figures.tsne.points"),  # also tested by hand
}
#: Params that are the same whatever the config says are of no rule; keys of one possible value.
FIXED = {"image.corpus"}


# The schema's keys


def schema() -> dict:
    return yaml.safe_load((ROOT / "workflow/schemas/config.schema.yaml").read_text())


def leaves(node: dict, path: str = "") -> dict[str, dict]:
    """Return every config key that holds a value, with its part of the schema."""
    if "$ref" in node:
        node = schema()["$defs"][node["$ref"].rpartition("/")[2]]
    if "properties" not in node:
        return {path: node}
    found = {}
    for name, inner in node["properties"].items():
        found |= leaves(inner, f"{path}.{name}".lstrip("."))
    return found


#: Keys that say which models there are: another value makes another DAG.
WHICH = ("variants", "ima", "emotion.variants", "emotion.ima")
#: Without these and `own` (tests/workflow/test_user_data.py).
LEAVES = {
    key: node
    for key, node in leaves(schema()).items()
    if key not in ("own", *WHICH) and not key.endswith(".standardize")  # of user data only
}


def value_of(config: dict, key: str) -> object:
    for name in key.split("."):
        config = config.get(name) if isinstance(config, dict) else None
    return config


def other_value(key: str, now: object) -> object:
    """Return another value that the schema takes."""
    node = LEAVES[key]
    if key in OTHERS:
        return OTHERS[key]
    if "enum" in node:
        now = node.get("default") if now is None else now
        return next(value for value in node["enum"] if value != now)
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    if "boolean" in kinds:
        return not now
    if "integer" in kinds:
        low, high = node.get("minimum", 0), node.get("maximum", 10**9)
        more = (now if isinstance(now, int) else max(low, 100)) + 1
        return more if more <= high else more - 2
    if "number" in kinds:
        return now * 0.9 if now else 0.5
    raise AssertionError(f"{key}: name another value of it in OTHERS")


def changed(config: dict, key: str) -> dict:
    """Return a config with one key changed."""
    other = other_value(key, value_of(merged(defaults(), config), key))
    for name in reversed(key.split(".")):
        other = {name: other}
    return merged(config, other)


def told_of(key: str) -> set[str] | None:
    """Return the rules that the table gives a key, those of its longest beginning; None for all."""
    parts = key.split(".")
    beginnings = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    rules = next((KEYS[b] for b in beginnings if b in KEYS), None)
    assert rules is not None, f"{key}: say in KEYS which rules use it"
    also = {"readings_block"} if key.startswith(OF_READINGS) else set()
    return None if rules == EVERY else {*rules.split(), *also}


def batches() -> list[list[str]]:
    """Return the keys in groups of which no two reach the same rule: they are changed at once."""
    found: list[list[str]] = []
    keys = {key: told_of(key) for key in LEAVES if key not in FIXED | ALONE}
    for key, rules in sorted(keys.items(), key=lambda item: -len(item[1])):
        free = (batch for batch in found if not any(keys[other] & rules for other in batch))
        batch = next(free, None)
        if batch is None:
            found.append(batch := [])
        batch.append(key)
    return found + [[key] for key in sorted(ALONE)]


# Plans of every change, made at once


@pytest.fixture(scope="module")
def before(finished) -> Plan:
    """The finished run's own plan: nothing to do."""
    return finished.plan()


@pytest.fixture(scope="module")
def after(finished) -> dict[str, Plan]:
    """By config key, the plan with another value of it and of the others of its batch."""
    for folder in ("corpora", "elsewhere"):  # OTHERS: a corpus that is not there stops a plan
        for corpus in ("mnist", "tidigits", "ti46", "fsdd", "iemocap", "ravdess", "meld"):
            (finished.folder / folder / corpus).mkdir(parents=True, exist_ok=True)
    (finished.folder / "elsewhere/glove.txt").touch()
    wanted = [functools.reduce(changed, keys, finished.config) for keys in batches()]
    found = plans([(finished.folder, config) for config in wanted])
    return {key: plan for keys, plan in zip(batches(), found, strict=True) for key in keys}


def expected(plan: Plan, before: Plan, reached: list[dict]) -> set[tuple]:
    """Return the jobs that a change must rerun: those it reaches, new ones, what follows."""
    known = {name_of(job) for job in before.jobs}
    new = [job for job in plan.jobs if name_of(job) not in known]
    return plan.with_descendants([*reached, *new])


def running(plan: Plan) -> set[tuple]:
    return plan.running() - {("all",)}


def test_nothing_after_nothing(before):
    assert running(before) == set()


@pytest.mark.parametrize("key", sorted(ALONE))
def test_key_that_makes_other_jobs(key, after, before):
    plan = after[key]
    rules = told_of(key)
    reached = plan.of_rules(plan.rules() if rules is None else rules)
    assert running(plan) == expected(plan, before, [job for job in reached if takes(job, key)])


@pytest.mark.parametrize("keys", [keys for keys in batches() if not ALONE & {*keys}], ids="-".join)
def test_keys_of_different_rules(keys, after, before):
    """Each job that a key reaches has a reason of its own to run; only what follows runs, too."""
    plan = after[keys[0]]
    assert {name_of(job) for job in plan.jobs} == {name_of(job) for job in before.jobs}
    of = {rule: key for key in keys for rule in told_of(key)}
    reached = [job for job in plan.of_rules(of) if takes(job, of[job["rule"]])]
    assert set(map(name_of, reached)) <= own_reasons(plan)
    assert running(plan) == plan.with_descendants(reached)


def takes(job: dict, key: str) -> bool:
    """Return whether a job is of the variant or baseline that a key's value is for, if any."""
    name, value = next((of for part, of in OF_ONE.items() if key.startswith(part)), ("", None))
    return job["wildcards"].get(name, value) == value


def own_reasons(plan: Plan) -> set[tuple]:
    """Return the jobs that run for a reason of their own."""
    return {name_of(job) for job in plan.jobs if job["own"]} - {("all",)}


def test_keys_that_cannot_change_have_one_value():
    assert [key for key in FIXED if len(LEAVES[key]["enum"]) > 1] == []


def test_tables_name_keys_and_rules_that_there_are(before):
    for key in (*KEYS, *OTHERS):
        assert any(leaf == key or leaf.startswith(f"{key}.") for leaf in LEAVES), key
    named = {rule for rules in KEYS.values() if rules != EVERY for rule in rules.split()}
    assert named <= before.rules()


def test_every_rule_with_params_is_reached_by_a_key(before):
    reached = {rule for rules in KEYS.values() if rules != EVERY for rule in rules.split()}
    told = {"run", "rate", "root", "roots", "fingerprint", "fingerprints"}
    told |= {"labels", "code", "sidecars_code"}  # by the keys in WHICH, and by edited files
    without = {
        job["rule"] for job in before.jobs if set(job["params"]) - told and job["rule"] != "all"
    }
    assert without <= reached


def test_a_new_seed_adds_only_its_own_jobs(after, before):
    """And what shows all seeds; said here by hand, beside the general table."""
    plan = after["seeds"]
    new = {name for name in running(plan) if ("seed", "2") in name}
    per_model = {name[0] for name in running(before_anew(before)) if ("seed", "1") in name}
    assert {name[0] for name in new} == per_model
    model = (("latent", "2"), ("round", "1"), ("seed", "2"))
    assert {("autoencoder", *model, ("variant", name)) for name in ("paper", "ima+")} <= new
    rest = running(plan) - new
    assert all(not dict(name[1:]).get("seed") for name in rest) and ("table1",) in rest
    assert not {"pairs", "mfcc", "noise_image", "anchors", "figure2"} & {name[0] for name in rest}


def before_anew(plan: Plan) -> Plan:
    """Return a plan in which every job would run."""
    return Plan([{**job, "runs": True} for job in plan.jobs])


@pytest.mark.parametrize(
    ("key", "rules"),
    [
        ("importance.rho.image", "importance represent scores table1 tsne figure2 figure4"),
        ("sweep.rho", "rho_sweep figure6"),
        ("figures.tsne.points", "tsne figure2 figure4"),
    ],
)
def test_some_by_hand(key, rules, after):
    """Whole sets written down, not derived: a check of the derivation."""
    assert set(rules.split()) <= {name[0] for name in running(after[key])}
    untouched = {"autoencoder", "mfcc", "pairs", "features_image", "noise_speech"}
    assert not untouched & {name[0] for name in running(after[key])}


# Code


#: Older than all results, as of a file from a backup: in 2001.
OLD = 1_000_000_000


def variant(
    finished: Checkout, folder: Path, *files: str, touch_only: bool = False, time: int | None = None
) -> Path:
    """Return a checkout with the same results and some files edited, or only touched.

    Args:
        time: time of modification that the files are given, in seconds since 1970.
    """
    shutil.copytree(finished.folder, folder, copy_function=os.link, ignore=_results)
    for name in ("results", ".snakemake"):
        (folder / name).symlink_to(finished.folder / name)
    for file in files:
        content = (folder / file).read_text()
        (folder / file).unlink()  # a new file, not the one that the finished run has too
        (folder / file).write_text(content if touch_only else f"{content}\n# edited\n")
        if time is not None:
            os.utime(folder / file, (time, time))
    return folder


def _results(folder: str, names: list[str]) -> set[str]:
    return {"results", ".snakemake"} & set(names)


def users(plan: Plan) -> dict[str, set[str]]:
    """Return by module file the rules that depend on it."""
    found: dict[str, set[str]] = {}
    for job in plan.jobs:
        for file in job["code"]:
            if file.startswith("src/"):
                found.setdefault(file, set()).add(job["rule"])
    return found


IMPORTS = """
import contextlib, importlib.util, json, os, sys
import numpy, pyarrow, scipy.signal, sklearn, torch, matplotlib.pyplot  # before the forks

root, names = sys.argv[1], sys.argv[2:]
sys.path.insert(0, f"{root}/src")
assert not [name for name in sys.modules if name == "ima"]
for name in names:
    sys.stdout.flush()
    if os.fork() == 0:
        spec = importlib.util.spec_from_file_location("script", f"{root}/workflow/scripts/{name}")
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        files = [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "ima"]
        print(json.dumps([name, [os.path.relpath(file, root) for file in files]]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, name
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """By rule, the package's files that Python really loads when its script is imported."""
    scripts = sorted(file.name for file in (ROOT / "workflow/scripts").glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS, str(ROOT), *scripts],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = map(json.loads, done.stdout.splitlines())
    found = {name.removesuffix(".py"): set(files) for name, files in rows}
    return found | {rule: found[script] for rule, script in SHARED_SCRIPTS.items()}


def test_rules_depend_on_all_code_that_python_loads(before, loaded):
    of = users(before)
    for rule in before.rules():
        assert rule in loaded, f"{rule}: its script is not workflow/scripts/{rule}.py"
        lacking = {file for file in loaded[rule] if rule not in of.get(file, ())}
        assert lacking == set(), rule


def test_rules_have_a_hash_of_their_code(before):
    for job in before.jobs:
        assert job["params"].get("code") == job["hash"], job["rule"]
    assert len({job["hash"] for job in before.jobs}) > 50


def test_rules_depend_on_no_code_that_they_cannot_reach(before, loaded):
    """What isn't loaded at once is imported by a function of what is."""
    for file, rules in users(before).items():
        module = file.removeprefix("src/").removesuffix(".py").replace("/", ".")
        name = module.removesuffix(".__init__")
        for rule in rules:
            if file not in loaded[rule]:
                own = {f for f, of in users(before).items() if rule in of}
                texts = [(ROOT / other).read_text() for other in (own - {file}) | {script_of(rule)}]
                package, _, last = name.rpartition(".")
                said = (f"import {name}", f"from {name} import", f"from {package} import")
                said += (f"from {name}.",)  # of a package, whose own file is read on the way
                assert any(s in t and last in t for t in texts for s in said), (rule, file)


def test_edited_scripts(finished, before, tmp_path):
    """Half of the rules' at once, then the others: each job has its own as a reason to run."""
    scripts = sorted({script_of(rule) for rule in before.rules()})
    halves = (scripts[::2], scripts[1::2])
    folders = [
        variant(finished, tmp_path / str(i), *half, time=OLD) for i, half in enumerate(halves)
    ]
    found = plans([(folder, finished.config) for folder in folders])
    for half, plan in zip(halves, found, strict=True):
        theirs = [rule for rule in before.rules() if script_of(rule) in half]
        assert own_reasons(plan) == set(map(name_of, plan.of_rules(theirs)))


def test_edited_modules(finished, before, tmp_path):
    """Half of them at once, then the others: each job with one of them has a reason of its own."""
    modules = sorted(users(before))
    halves = (modules[::2], modules[1::2])
    folders = [
        variant(finished, tmp_path / str(i), *half, time=OLD) for i, half in enumerate(halves)
    ]
    found = plans([(folder, finished.config) for folder in folders])
    for half, plan in zip(halves, found, strict=True):
        theirs = {name_of(job) for job in plan.jobs if set(half) & set(job["code"])}
        assert own_reasons(plan) == theirs


@pytest.mark.parametrize(
    "file", ["src/ima/models/importance.py", "workflow/scripts/emotion_words.py"]
)
def test_what_follows_an_edited_file(file, finished, before, tmp_path):
    plan = plans([(variant(finished, tmp_path / "edited", file), finished.config)])[0]
    theirs = users(before).get(file, ()) or [r for r in before.rules() if script_of(r) == file]
    assert running(plan) == plan.with_descendants(plan.of_rules(theirs))
    assert set() < running(plan) < running(before_anew(before))


def test_a_module_that_no_rule_uses_reruns_nothing(finished, before, tmp_path):
    unused = "src/ima/estimator/model.py"
    assert unused not in users(before)
    folder = variant(finished, tmp_path / "edited", unused)
    assert running(plans([(folder, finished.config)])[0]) == set()


def test_a_touched_module_reruns_nothing(finished, tmp_path):
    folder = variant(
        finished, tmp_path / "touched", "src/ima/evaluation/metrics.py", touch_only=True
    )
    assert running(plans([(folder, finished.config)])[0]) == set()


# A user's own corpora

OWN = {"mnist": "features_image", "tidigits": "recordings", "ti46": "recordings"}


@pytest.fixture(scope="module")
def own(finished, tmp_path_factory) -> Checkout:
    """A run whose corpora are a user's own, as far as the rules that read them."""
    checkout = Checkout(tmp_path_factory.mktemp("own"))
    corpora = tmp_path_factory.mktemp("corpora")
    for corpus in OWN:
        shutil.copytree(finished.folder / "results/small/raw" / corpus, corpora / corpus)
    checkout.config = merged(finished.config, {"run": "own", "raw": str(corpora)})
    checkout.snakemake("recordings", "features_image")
    return checkout


def direct(plan: Plan) -> set[str]:
    """Return the rules of those jobs that had been made and would be made again."""
    return {name[0] for name in running(plan)} & set(OWN.values())


def test_nothing_after_nothing_of_own_corpora(own):
    assert direct(own.plan("digits")) == set()


def _append(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"more")


def _rename(file: Path) -> None:
    file.rename(file.with_name(f"new-{file.name}"))


def _add(file: Path) -> None:
    shutil.copy2(file, file.with_name(f"copy-of-{file.name}"))


def _touch(file: Path) -> None:
    os.utime(file)


@pytest.mark.parametrize("how", [_append, _rename, Path.unlink, _add, _touch])
@pytest.mark.parametrize("corpus", sorted(OWN))
def test_raw_file(corpus, how, own):
    root = Path(own.config["raw"]) / corpus
    kept = root.with_name("kept")
    shutil.copytree(root, kept)
    try:
        # The last in order, so that no other takes its place as the first of the folder.
        how(sorted(path for path in root.rglob("*") if path.is_file())[-1])
        plan = own.plan("digits")
    finally:
        shutil.rmtree(root)
        kept.rename(root)
    assert direct(plan) == {OWN[corpus]}


# A user's own files


@pytest.fixture(scope="module")
def paired(tmp_path_factory) -> Checkout:
    """A run on a user's files, one of them in parts, as far as its pairs."""
    checkout = Checkout(tmp_path_factory.mktemp("paired"))
    data = checkout.folder / "data"
    for name, rows in {"left.csv": "0,1\n", "right.csv": "1,0\n"}.items():
        data.mkdir(exist_ok=True)
        (data / name).write_text("p,q\n" + rows * 9)
    for part in "ab":
        values = pa.table({"id": [f"{part}{i}" for i in range(9)], "x": [[1.0, 2.0]] * 9})
        (data / "parts").mkdir(exist_ok=True)
        pq.write_table(values, data / f"parts/{part}.parquet")
    rows = "".join(f"{i},{i},a{i}\n" for i in range(9))
    (data / "pairs.csv").write_text("left,right,parts\n" + rows)
    vector = {"vector": ["p", "q"]}
    files = {"left": {"file": "data/link.csv", **vector}, "right": {"file": "data/right.csv"}}
    files["right"] |= vector
    (data / "link.csv").symlink_to("left.csv")
    modalities = files | {"parts": {"file": "data/parts"}}
    pairs = {"by": "file", "file": "data/pairs.csv"}
    checkout.config = {"run": "paired", "own": {"modalities": modalities, "pairs": pairs}}
    checkout.snakemake("results/paired/own/pairs/train.parquet")
    return checkout


def _relink(data: Path) -> None:
    (data / "link.csv").unlink()
    (data / "link.csv").symlink_to("right.csv")


@pytest.mark.parametrize(
    ("how", "rerun"),
    [
        (lambda data: (data / "right.csv").write_text("p,q\n" + "7,7\n" * 9), "right"),
        (_relink, "left"),
        (lambda data: shutil.copy(data / "parts/a.parquet", data / "parts/b.parquet"), "parts"),
        (lambda data: (data / "pairs.csv").write_text("left,right,parts\n" + "0,0,a0\n" * 9), ""),
        (lambda data: os.utime(data / "right.csv", ns=(1, 1)), None),  # the same content
        (lambda data: (data / "parts/._a.parquet").touch(), None),
    ],
)
def test_other_content_of_a_user_s_file_reruns_whatever_its_time(paired, tmp_path, how, rerun):
    folder = tmp_path / "copy"
    shutil.copytree(paired.folder, folder, symlinks=True)
    how(folder / "data")
    for file in (folder / "data").rglob("*"):
        os.utime(file, (1e9, 1e9), follow_symlinks=False)
    plan = plans([(folder, paired.config)], ["results/paired/own/pairs/train.parquet"])[0]
    changed = {("own_pairs",), ("own_features", ("modality", rerun))} if rerun else {("own_pairs",)}
    assert running(plan) == (changed if rerun is not None else set())
