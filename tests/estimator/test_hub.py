"""Models to a hub and back, against stand-ins: no test reaches a real one."""

import base64
import importlib.util
import json
import os
import pickle
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from ima import IMA
from ima.estimator import hub
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.utils.errors import InputError


@pytest.fixture(scope="module")
def fitted():
    """A model and its data."""
    rng = np.random.default_rng(0)
    x = {"a": rng.normal(size=(60, 3)), "b": rng.normal(size=(60, 2))}
    stage2 = Stage2(objective="mixture", steps=3, rounds=1, folds=3)
    return IMA(latent=2, stage1=Stage1(epochs=1), stage2=stage2).fit(x), x


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """The package with repositories in a folder; yields that and the calls."""
    calls = []

    class HfApi:
        def __init__(self, token=None):
            calls.append(("token", token))

        def create_repo(self, repo_id, private, exist_ok):
            (tmp_path / repo_id).mkdir(parents=True, exist_ok=exist_ok)
            calls.append(("private", private))
            return SimpleNamespace(repo_id=repo_id)

        def file_exists(self, repo_id, name):
            return (tmp_path / repo_id / name).exists()

        def upload_folder(self, repo_id, folder_path, commit_message):
            for file in Path(folder_path).iterdir():
                (tmp_path / repo_id / file.name).write_bytes(file.read_bytes())
            return SimpleNamespace(commit_url=f"http://localhost/{repo_id}/commit/1")

    def hf_hub_download(repo_id, name, revision, token):
        calls.append((name, revision, token))
        return str(tmp_path / repo_id / name)

    module = SimpleNamespace(HfApi=HfApi, hf_hub_download=hf_hub_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)
    return tmp_path, calls


def test_a_model_comes_back_from_the_hub(fitted, fake):
    model, x = fitted
    folder, calls = fake
    assert model.push_to_hub("me/toy", license="mit", token="t") == (
        "http://localhost/me/toy/commit/1"
    )
    again = IMA.from_pretrained("me/toy", revision="abc", token="t")
    assert (again.transform(x) == model.transform(x)).all()
    assert calls == [("token", "t"), ("private", True), ("model.safetensors", "abc", "t")]
    names = {file.name for file in (folder / "me/toy").iterdir()}
    assert names == {"model.safetensors", "README.md"}
    _, metadata, text = (folder / "me/toy/README.md").read_text().split("---\n")
    assert yaml.safe_load(metadata)["license"] == "mit"
    assert "a (3), b (2)" in text and 'from_pretrained("me/toy")' in text


def test_a_card_that_exists_is_kept(fitted, fake):
    folder, _ = fake
    (folder / "me/toy").mkdir(parents=True)
    (folder / "me/toy/README.md").write_text("mine")
    fitted[0].push_to_hub("me/toy", private=False)
    assert (folder / "me/toy/README.md").read_text() == "mine"
    assert (folder / "me/toy/model.safetensors").exists()


def test_a_folder_needs_no_package(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    model, x = fitted
    model.save(tmp_path / hub.MODEL)
    assert (IMA.from_pretrained(tmp_path).transform(x) == model.transform(x)).all()
    with pytest.raises(ImportError, match=r"huggingface_hub is missing.*ima\[hub\]"):
        IMA.from_pretrained("me/toy")
    with pytest.raises(ImportError, match="huggingface_hub is missing"):
        model.push_to_hub("me/toy")


class Bomb:
    """Unpickled, it leaves a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_is_never_loaded(fake):
    folder, _ = fake
    (folder / "me/toy").mkdir(parents=True)
    for name in (hub.MODEL, "pytorch_model.bin", "model.pkl"):
        (folder / "me/toy" / name).write_bytes(pickle.dumps(Bomb(folder / "exploded")))
    with pytest.raises(InputError, match="a safetensors checkpoint"):
        IMA.from_pretrained("me/toy")
    assert not (folder / "exploded").exists()
    pickle.loads((folder / "me/toy/model.pkl").read_bytes())
    assert (folder / "exploded").exists()  # it would have


def test_a_model_that_is_not_fitted_is_not_pushed(fake):
    with pytest.raises(InputError, match="a fitted model"):
        IMA().push_to_hub("me/toy")
    assert fake[1] == []


class Server(BaseHTTPRequestHandler):
    """The parts of the hub's API that an upload and a download use; `files` are what it has."""

    files: dict[str, bytes]

    def log_message(self, *_):
        """Print nothing."""

    def reply(self, status=200, content=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(content), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        here = f"http://{self.headers['Host']}"
        if "/preupload/" in self.path:
            names = [of["path"] for of in json.loads(body)["files"]]
            modes = [{"path": n, "uploadMode": "regular", "shouldIgnore": False} for n in names]
            answer = {"files": modes}
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    content = base64.b64decode(line["value"]["content"])
                    self.files[line["value"]["path"]] = content
            answer = {"commitUrl": f"{here}/me/toy/commit/{'1' * 40}", "commitOid": "1" * 40}
        else:
            answer = {"url": f"{here}/me/toy"}
        self.reply(content=json.dumps(answer).encode(), Content_Type="application/json")

    def do_GET(self):
        content = self.files.get(self.path.partition("?")[0].rpartition("/")[2])
        if "/resolve/" not in self.path or content is None:
            self.reply(404, X_Error_Code="EntryNotFound")
        else:
            self.reply(content=content, ETag='"1"', X_Repo_Commit="1" * 40)

    do_HEAD = do_GET


PUSH_AND_PULL = """
from ima import IMA
model = IMA.from_pretrained("local")
print(model.push_to_hub("me/toy", token="hf_x"))
IMA.from_pretrained("me/toy", token="hf_x").save("again.safetensors")
"""


@pytest.mark.skipif(
    importlib.util.find_spec("huggingface_hub") is None, reason="huggingface-hub is not installed"
)
def test_the_package_itself_against_a_server_of_this_machine(fitted, tmp_path):
    (tmp_path / "local").mkdir()
    fitted[0].save(tmp_path / "local" / hub.MODEL)
    handler = type("Handler", (Server,), {"files": {}})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        here = f"http://127.0.0.1:{server.server_port}"
        environment = {"HF_ENDPOINT": here, "HF_HOME": str(tmp_path / "home"), "NO_PROXY": "*"}
        command = [sys.executable, "-c", PUSH_AND_PULL]
        done = subprocess.run(
            command, env=os.environ | environment, cwd=tmp_path, capture_output=True, text=True
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{here}/me/toy/commit/{'1' * 40}"
    assert set(handler.files) == {"model.safetensors", "README.md"}
    saved = (tmp_path / "local" / hub.MODEL).read_bytes()
    assert (
        handler.files["model.safetensors"] == saved == (tmp_path / "again.safetensors").read_bytes()
    )
