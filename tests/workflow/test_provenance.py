"""Where results come from is said beside them: sidecars, the crate and the report of a run."""

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import pytest

from ima.datasets.manifest import write_manifest
from ima.utils.values import portable
from ima.workflow import provenance
from ima.workflow.corpora import READ
from tests.checkout import ROOT, Checkout, defaults, merged, plans
from tests.workflow.test_folds import script


def test_seeds_of_a_config_by_their_keys():
    config = {"seeds": [0, 1], "demo": {"seed": 3, "size": 1}, "a": {"b": {"seed": 0}}, "seeded": 9}
    assert provenance.seeds(config) == {"seeds": [0, 1], "demo.seed": 3, "a.b.seed": 0}


def test_packages_are_those_installed(tmp_path):
    lock = tmp_path / "lock"
    lock.write_text("# pins\nnumpy==0.1\nno-such-package==1.0\n")
    import numpy
    import torch

    found = provenance.packages(lock)
    expected = {"torch": torch.__version__, "numpy": numpy.__version__, "no-such-package": None}
    assert {name: (v or "").split("+")[0] or None for name, v in found.items()} == {
        name: (v or "").split("+")[0] or None for name, v in expected.items()
    }


def git(folder, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_revision_and_whether_the_code_was_edited(tmp_path):
    assert provenance.revision(tmp_path) == {"revision": None, "dirty": None}
    git(tmp_path, "init", "-q")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("a = 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    head = git(tmp_path, "rev-parse", "HEAD")
    assert re.fullmatch(r"[0-9a-f]{40}", head)
    assert provenance.revision(tmp_path) == {"revision": head, "dirty": False}
    (tmp_path / "notes.txt").write_text("not code\n")
    assert provenance.revision(tmp_path) == {"revision": head, "dirty": False}
    (tmp_path / "src/b.py").write_text("a module that git doesn't know\n")
    assert provenance.revision(tmp_path) == {"revision": head, "dirty": True}
    # A folder in a repository of something else has no revision of its own.
    assert provenance.revision(tmp_path / "src") == {"revision": None, "dirty": None}


class TestSidecars:
    def test_every_table_has_one(self, finished):
        tables = finished.folder / "results/tables"
        names = {file.name.removesuffix(".csv") for file in tables.glob("*.csv")}
        assert names >= {"table1", "figure6"}
        assert {f.name.removesuffix(".provenance.json") for f in tables.glob("*.json")} == names

    def test_it_tells_what_the_table_was_made_from(self, finished):
        folder = finished.folder / "results"
        found = json.loads((folder / "tables/table1.provenance.json").read_text())
        table = (folder / "tables/table1.csv").read_bytes()
        assert found["sha256"] == hashlib.sha256(table).hexdigest()
        assert found["rule"] == "table1" and found["table"] == "results/tables/table1.csv"
        config = merged(defaults(), finished.config)
        assert {key: found["config"][key] for key in config} == merged(found["config"], config)
        assert found["seeds"]["seeds"] == [0, 1] and found["seeds"]["pairs.seed"] == 0
        assert set(found["corpora"]) == {"mnist", "tidigits", "ti46"}
        for corpus, manifest in found["corpora"].items():
            assert manifest == json.loads((folder / f"small/raw/{corpus}.json").read_text())
        pins = dict(
            line.split("==")
            for line in (ROOT / "envs/requirements.lock").read_text().splitlines()
            if "==" in line and not line.startswith("#")
        )
        assert set(found["packages"]) == {"torch", *pins}

    def test_its_config_makes_the_same_table(self, finished):
        """Given as --configfile, as its command says: nothing would be made again."""
        found = json.loads((finished.folder / "results/tables/table1.provenance.json").read_text())
        other = Checkout.__new__(Checkout)
        other.folder, other.config = finished.folder, found["config"]
        assert other.plan("results/tables/table1.csv").running() == set()

    def test_files_of_words_are_counted_and_summed(self, finished, tmp_path):
        """Which word vectors and lexicon a table was made with; the corpus alone does not tell."""
        (tmp_path / "my.dic").write_text("%\n1\tposemo\n%\ngood\t1\n")
        (tmp_path / "iemocap").mkdir()
        words = {"words": {"lexicon": str(tmp_path / "my.dic")}}
        roots = {"iemocap": str(tmp_path / "iemocap")}
        config = merged(defaults(), {"emotion": words, "roots": roots})
        plan = plans([(ROOT, config)], ["results/tables/table2.csv"], anew=True)[0]
        (job,) = plan.of_rules(["table2"])
        corpora = [Path(file).name for name, file, _ in job["input"] if name == "corpora"]
        assert corpora == ["iemocap.json", "lexicon.json"]
        summed = {j["wildcards"]["corpus"]: j["params"] for j in plan.of_rules(["checksums"])}
        assert summed["lexicon"]["root"] == str(tmp_path / "my.dic")
        only = {name: params["only"] for name, params in summed.items()}
        assert only == {"lexicon": "", "iemocap": READ["iemocap"]}
        write_manifest(tmp_path / "my.dic", tmp_path / "m.json")
        digest = hashlib.sha256((tmp_path / "my.dic").read_bytes()).hexdigest()
        assert json.loads((tmp_path / "m.json").read_text())["sha256"] == digest

    def test_it_says_nothing_of_when_and_where(self, finished):
        text = (finished.folder / "results/tables/table1.provenance.json").read_text()
        assert str(finished.folder) not in text and str(ROOT) not in text
        assert not re.search(r"20\d\d-\d\d-\d\d", text)


def test_files_of_a_corpus_that_are_not_read_are_not_summed(tmp_path):
    """The checksum of IEMOCAP covers the files that its fingerprint does."""
    root = tmp_path / "iemocap"
    for file in ("Session1/dialog/EmoEvaluation/a.txt", "Session1/dialog/avi/DivX/a.avi"):
        (root / file).parent.mkdir(parents=True)
        (root / file).write_text("12345")
    params = SimpleNamespace(root=root, only=READ["iemocap"])
    output = SimpleNamespace(manifest=tmp_path / "iemocap.json")
    script("checksums").main(SimpleNamespace(params=params, output=output))
    found = json.loads((tmp_path / "iemocap.json").read_text())
    assert (found["files"], found["bytes"]) == (1, 5)
    (root / "Session1/dialog/avi/DivX/a.avi").unlink()
    write_manifest(root, tmp_path / "read.json")
    assert json.loads((tmp_path / "read.json").read_text()) == found


def test_folders_of_a_config_are_left_out():
    config = {
        "raw": "/home/jane/data",
        "roots": {"mnist": "~/m"},
        "k": [5, "$HOME/x"],
        "run": "a/b",
    }
    expected = {"raw": "data", "roots": {"mnist": "m"}, "k": [5, "x"], "run": "a/b"}
    assert portable(config) == expected


@pytest.mark.slow
def test_own_corpora_are_counted_and_summed(finished, tmp_path):
    """What the rule `checksums` does for a corpus that no rule made."""
    write_manifest(finished.folder / "results/small/raw/ti46", tmp_path / "ti46.json")
    made = (finished.folder / "results/small/raw/ti46.json").read_text()
    assert (tmp_path / "ti46.json").read_text() == made
    plan = finished.plan("results/small/corpora/ti46.json")
    assert ("checksums", ("corpus", "ti46")) in plan.running()


@pytest.mark.slow
class TestCrate:
    @pytest.fixture(scope="class")
    def crate(self, finished, tmp_path_factory):
        """The crate of the finished run, unpacked."""
        folder = tmp_path_factory.mktemp("crate")
        run = finished.copy(folder / "run")
        run.snakemake("crate")
        with zipfile.ZipFile(run.folder / "results/small/crate.zip") as file:
            file.extractall(folder / "crate")
        return folder / "crate"

    def test_it_can_be_read_and_has_all_its_files(self, crate):
        from rocrate.rocrate import ROCrate

        found = ROCrate(crate)
        assert (
            found.mainEntity.id == "Snakefile" and "ComputationalWorkflow" in found.mainEntity.type
        )
        files = [e for e in found.data_entities if e.type == "File" or "File" in e.type]
        assert len(files) > 50
        for entity in files:
            assert (crate / unquote(entity.id)).is_file(), entity.id

    def test_results_are_the_run_s_with_their_checksums(self, crate, finished):
        from rocrate.rocrate import ROCrate

        found = {unquote(e.id): e for e in ROCrate(crate).data_entities}
        names = [f.relative_to(finished.folder).as_posix() for f in _shown(finished)]
        assert "results/tables/table1.csv" in names and "results/figures/figure2.pdf" in names
        for name in names:
            content = (finished.folder / name).read_bytes()
            assert (crate / name).read_bytes() == content
            assert found[name]["sha256"] == hashlib.sha256(content).hexdigest()

    def test_the_run_joins_workflow_config_corpora_and_results(self, crate):
        from rocrate.rocrate import ROCrate

        found = ROCrate(crate)
        run = found.get("#run")
        assert run.type == "CreateAction" and run["instrument"].id == "Snakefile"
        used = {entity.id for entity in run["object"]}
        assert {"config.json", "#corpus-mnist", "#corpus-tidigits", "#corpus-ti46"} <= used
        assert "results/tables/table1.csv" in {entity.id for entity in run["result"]}
        assert json.loads((crate / "config.json").read_text())["run"] == "small"

    def test_no_corpus_is_in_it(self, crate):
        names = {file.suffix for file in crate.rglob("*") if file.is_file()}
        assert not names & {".wav", ".sph", ".gz", ".parquet", ".arrow"}


def _shown(finished: Checkout):
    results = finished.folder / "results"
    return [*results.glob("tables/*"), *results.glob("figures/*")]
