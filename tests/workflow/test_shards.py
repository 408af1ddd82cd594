"""Extraction in shards has the bytes of extraction in one job (config key `shards`)."""

import importlib.util
import warnings
from types import SimpleNamespace

import pytest

from ima.datasets.counts import CountWarning
from ima.workflow.shards import Shard
from tests.checkout import ROOT, defaults, merged

SHARDS = 3


@pytest.mark.parametrize(("n", "count"), [(0, 2), (2, 3), (10, 3), (7, 7)])
def test_shards_are_contiguous_and_have_every_element_once(n, count):
    parts = [range(n)[Shard(number, count).part(n)] for number in range(count)]
    assert [element for part in parts for element in part] == list(range(n))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_job_without_shards_has_everything():
    assert Shard.of(SimpleNamespace()) == (0, 1)
    assert Shard.of(SimpleNamespace(scatteritem="2-of-8")) == (1, 8)


class Given(SimpleNamespace):
    """A rule's input: by name, None for a name that it doesn't have."""

    def get(self, name):
        return getattr(self, name, None)


def run(script, given, output, params, item=None):
    """Run a script's main as the job of a shard, or as the one that joins them."""
    spec = importlib.util.spec_from_file_location(script, ROOT / f"workflow/scripts/{script}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    wildcards = SimpleNamespace(**({} if item is None else {"scatteritem": item}))
    job = {"input": Given(**given), "output": SimpleNamespace(**output), "wildcards": wildcards}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CountWarning)  # the small demo is no whole corpus
        module.main(SimpleNamespace(**job, params=SimpleNamespace(**params), threads=1))


ITEMS = [f"{number + 1}-of-{SHARDS}" for number in range(SHARDS)]


@pytest.fixture
def small(finished):
    """The folder of the small demo's results, and its config."""
    return finished.folder / "results/small", merged(defaults(), finished.config)


@pytest.mark.slow
def test_recordings_and_mfcc(small, tmp_path):
    done, config = small
    speech = config["speech"]
    roots = {name: str(done / "raw" / name) for name in speech["corpora"]}
    params = {"roots": roots, "rate": speech["mfcc"]["rate"], "max_skipped": 0}
    params |= {"fsdd_split": speech["fsdd_split"], "fsdd_test_speakers": []}
    kinds = {"recordings": "parquet", "waves": "arrow", "skipped": "csv"}
    for item in ITEMS:
        run(
            "recordings",
            {},
            {k: tmp_path / f"{item}.{end}" for k, end in kinds.items()},
            params,
            item,
        )
    given = {k: [tmp_path / f"{item}.{end}" for item in ITEMS] for k, end in kinds.items()}
    given["shards"] = given.pop("recordings")
    names = [f"{k}.{end}" for k, end in kinds.items()] + ["counts.csv"]
    run("recordings", given, {name.split(".")[0]: tmp_path / name for name in names}, params)
    for name in names:
        assert (tmp_path / name).read_bytes() == (done / "recordings" / name).read_bytes(), name

    given = {"recordings": tmp_path / "recordings.parquet", "waves": tmp_path / "waves.arrow"}
    given["segments"] = done / "segments/segments.parquet"
    params = {name: speech[name] for name in ("mfcc", "oh", "doubtful")}
    parts = [tmp_path / f"mfcc_{item}.parquet" for item in ITEMS]
    for item, part in zip(ITEMS, parts, strict=True):
        run("mfcc", given, {"features": part}, params, item)
    joined = tmp_path / "mfcc.parquet"
    run("mfcc", given | {"shards": parts}, {"features": joined}, params)
    assert joined.read_bytes() == (done / "features/mfcc.parquet").read_bytes()
    assert parts[0].read_bytes() != joined.read_bytes()


@pytest.mark.slow
def test_voices(small, tmp_path):
    done, config = small
    voice = config["emotion"]["voice"]
    given = {name: [done / f"emotion/{name}.parquet"] for name in ("utterances", "spans")}
    params = {"root": str(done / "raw/iemocap")}
    params["voice"] = {name: voice[name] for name in ("features", "remove_offset", "scale")}
    parts = [tmp_path / f"{item}.npy" for item in ITEMS]
    for item, part in zip(ITEMS, parts, strict=True):
        run("emotion_voices", given, {"vectors": part}, params, item)
    joined = tmp_path / "voices.parquet"
    run("emotion_voices", given | {"shards": parts}, {"voices": [joined]}, params)
    assert joined.read_bytes() == (done / "emotion/voices.parquet").read_bytes()
