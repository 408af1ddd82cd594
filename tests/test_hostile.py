"""Files made by an attacker (docs/dev/security.md): each is refused, soon and with one error."""

import base64
import gzip
import hashlib
import json
import pickle
import re
import struct
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from ima import IMA
from ima.audio import sphere
from ima.datasets import mnist, user_files
from ima.datasets.user import read_items
from ima.datasets.user_files import read_table
from ima.estimator import files
from ima.models.autoencoder import Stage1
from ima.models.importance import Stage2
from ima.reporting.claims.spec import read_claims
from ima.reporting.page import captions
from ima.reporting.page.document import Item, page
from ima.utils import text_files
from ima.utils.errors import InputError
from ima.utils.io import read_json, read_tensors, write_tensors
from ima.utils.trees import tree_digest
from tests.test_fuzz import limited

BAD = "</script><img src=x onerror=alert(1)>\"'><b>"


class Bomb:
    """Unpickled, it leaves the file `exploded`."""

    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, in which nothing may explode."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not Path("exploded").exists()


# Models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Return the tensors and the config of a saved model."""
    rng = np.random.default_rng(0)
    quick = {"stage1": Stage1(epochs=1), "stage2": Stage2("mixture", steps=2, rounds=1, folds=3)}
    x = {"a": rng.normal(size=(60, 4)), "b": rng.normal(size=(60, 3))}
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    IMA(latent=2, random_state=0, **quick).fit(x).save(path)
    return read_tensors(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["modalities"][0][1].update(encoder="evil.py:N"), "settings that name no code"),
        (lambda c: c["modalities"][0][1].update(own=["encoder"]), "the modules with which it was"),
        (lambda c: c["estimator"].update(layers=[["a", {"decoder": "evil.py:N"}]]), "name no code"),
        (lambda c: c["modalities"][0][1].update(dimension=10**6, hidden=10**6), "fit its config"),
        (lambda c: c.update(hidden=10**10), "fit its config"),
        (lambda c: c.update(latent=10**12), "fit its config"),
        (lambda c: c.update(latent=10**30), "fit its config"),
        (lambda c: c.update(hidden=0), "fit its config"),
        (lambda c: c.pop("modalities"), "a model of IMA.save"),
        (lambda c: c.update(latent="x"), "fit its config"),
        (lambda c: c.update(modalities=[[]]), "a model of IMA.save"),
    ],
)
def test_a_model_runs_no_code_and_takes_no_more_memory_than_its_file(model, change, message):
    tensors, config = model
    config = json.loads(json.dumps(config))
    change(config)
    Path("evil.py").write_text("import pathlib\npathlib.Path('exploded').touch()\n")
    write_tensors(tensors, "m.safetensors", config)
    with limited(), pytest.raises(InputError, match=message):
        IMA.load("m.safetensors")


def padded(name, values, change):
    """Return a change of tensors and config by which the file has further values."""
    return lambda t, c: (t.update({name: torch.zeros(values)}), change(c))


WIDE = {"dimension": 1000, "hidden": 1000, "loss": "sse"}


@pytest.mark.parametrize(
    "change",
    [
        padded("importance.pad", 160_000, lambda c: c.update(hidden=40_000)),
        padded(
            "autoencoder.pad",
            10**6,
            lambda c: c.update(modalities=[[f"m{i}", WIDE] for i in range(1000)]),
        ),
        padded(
            "autoencoder.pad",
            10**6,
            lambda c: c["modalities"].extend([f"m{i}", WIDE] for i in range(10**5)),
        ),
        lambda t, c: t.update({"shared_encoders.log_scale": torch.zeros(1)}),
        lambda t, c: t.update({"scale.a": torch.zeros(2, 9, 1)}),
        lambda t, c: t.update({"shared.a.mean": torch.zeros(9, 2)}),
        lambda t, c: t.update({"shared.b.projection": torch.zeros(9, 2, 2)}),
        lambda t, c: t.update({"concordance.a.mean": torch.zeros(9, 4)}),
        lambda t, c: t.update({"concordance.a.scale": torch.ones(2, 9, 2)}),
        lambda t, c: t.update({"concordance.b.directions": torch.zeros(3, 0)}),
        lambda t, c: t.update({"concordance.b.canonical.mean_u": torch.zeros(9, 1)}),
        lambda t, c: t.update({"concordance.b.among.own": torch.zeros(9, 9)}),
        lambda t, c: t.update({"concordance.b.density": torch.zeros(9)}),
    ],
)
def test_the_tensors_of_a_model_are_those_of_its_config(model, change):
    tensors, config = dict(model[0]), json.loads(json.dumps(model[1]))
    change(tensors, config)
    write_tensors(tensors, "m.safetensors", config)
    with limited(), pytest.raises(InputError, match=r"m\.safetensors, checkpoint: .* its config"):
        IMA.load("m.safetensors")


@pytest.mark.parametrize("part", ["scale.z", "shared.z.mean", "concordance.z.numbers"])
def test_a_part_of_a_modality_that_the_model_lacks(model, part):
    extra = {
        name.replace(".a.", ".z."): of.clone() for name, of in model[0].items() if ".a." in name
    }
    extra |= {"scale.z": torch.ones(2, 4)}
    kept = {name: of for name, of in extra.items() if name.startswith(part.partition(".")[0] + ".")}
    write_tensors({**model[0], **kept}, "m.safetensors", model[1])
    with pytest.raises(InputError, match=r"m\.safetensors: expected a model .*'z'.* in a model of"):
        IMA.load("m.safetensors")


def test_no_scale_is_broadcast():
    x = {"a": np.random.default_rng(0).normal(size=(30, 3000)), "b": np.ones((30, 3))}
    quick = {"stage1": Stage1(epochs=1), "stage2": Stage2("paper", steps=1, restarts=1)}
    layers = {name: {"hidden": 2} for name in x}
    IMA(layers, latent=2, importance_hidden=2, **quick).fit(x).save("m.safetensors")
    tensors, config = read_tensors("m.safetensors")
    write_tensors({**tensors, "scale.a": torch.ones(2, 300_000, 1)}, "m.safetensors", config)
    with limited(), pytest.raises(InputError, match=r"scale\.a of shape \(2, 300000, 1\) where it"):
        IMA.load("m.safetensors")


def test_own_modules_get_no_items_that_the_file_does_not_explain(model):
    config = json.loads(json.dumps(model[1]))
    config["modalities"][0][1].update(dimension=10**9, own=["encoder", "decoder"])
    write_tensors(model[0], "m.safetensors", config)
    layers = {"a": dict.fromkeys(("encoder", "decoder"), torch.nn.Flatten())}
    with limited(), pytest.raises(InputError, match="fit its config"):
        IMA.load("m.safetensors", layers=layers)


@pytest.mark.parametrize(
    "change",
    [
        *(lambda c, n=n: c["estimator"].update({n: 1}) for n in ("foo", "self", "network_")),
        lambda c: c["estimator"].update(device="cuda"),
        lambda c: c["estimator"].update(threads=10_000),
        lambda c: c["estimator"].update(verbose="x"),
        lambda c: c["estimator"].update(latent="2"),
        lambda c: c["estimator"].update(latent=None),
        lambda c: c["estimator"].update(importance_hidden=0),
        lambda c: c["estimator"].update(alternations=1e400),
        lambda c: c["estimator"].update(held_out=7),
        lambda c: c["estimator"].update(shared=["x"]),
        lambda c: c["estimator"].update(standardize="x"),
        lambda c: c["estimator"].update(random_state="x"),
        lambda c: c["estimator"].update(rho={"z": 0.5}),
        lambda c: c["estimator"].update(layers=[["z", {}]]),
        lambda c: c["estimator"].update(layers=[["a", {"hidden": "x"}]]),
        lambda c: c["estimator"].update(layers=7),
        lambda c: c["estimator"]["stage1"].update(epochs="x"),
        lambda c: c["estimator"]["stage2"].update(foo=1),
        lambda c: c.update(estimator=[]),
        lambda c: c["modalities"][0][1].update(shape=[4, 1.0]),
        lambda c: c["modalities"][0][1].update(shape=[-2, -2]),
        lambda c: c.update(seed=-1),
        lambda c: c.update(rho={"z": "<b>"}),
        lambda c: c.update(rho=0.5),
        lambda c: c.update(columns=7),
        lambda c: c.update(columns={"a": 7}),
        lambda c: c.update(columns={"a": [["x"]]}),
        lambda c: c.update(columns={"z": ["x"]}),
        lambda c: c.update(folds=[1]),
        lambda c: c.update(folds={"a": {"kappa": "x"}}),
    ],
)
def test_settings_of_a_model_are_checked(model, change):
    config = json.loads(json.dumps(model[1]))
    change(config)
    write_tensors(model[0], "m.safetensors", config)
    with pytest.raises(InputError, match=r"^m\.safetensors"):
        IMA.load("m.safetensors")


def test_all_arguments_are_saved_or_not():
    assert set(IMA().get_params()) - set(files.NOT_SAVED) == files.SAVED


@pytest.mark.parametrize("config", ["[" * 10**5, "[]", "{", '{"latent": ' + "9" * 5000 + "}"])
def test_metadata_of_a_model_that_is_no_config(config):
    save_file({"x.y": torch.zeros(1)}, "m.safetensors", metadata={"config": config})
    with pytest.raises(InputError, match=r"m\.safetensors: expected a safetensors checkpoint"):
        IMA.load("m.safetensors")


def test_other_tensors_than_those_of_a_model():
    write_tensors({"x.y": torch.zeros(1)}, "m.safetensors", {})
    with pytest.raises(InputError, match=r"m\.safetensors: expected a model of IMA\.save"):
        IMA.load("m.safetensors")


# Arrays and tables


def test_no_array_is_unpickled():
    np.save("a.npy", np.array([Bomb()], object), allow_pickle=True)
    np.savez("a.npz", x=np.array([Bomb()], object))
    Path("b.npy").write_bytes(pickle.dumps(Bomb()))
    for name in ("a.npy", "a.npz", "b.npy"):
        with pytest.raises(InputError, match=r"expected (a NumPy file|numbers, found objects)"):
            read_table(name)


def test_an_extension_type_of_arrow_is_not_unpickled():
    about = {"ARROW:extension:name": "arrow.py_extension_type"}
    about["ARROW:extension:metadata"] = pickle.dumps(Bomb())
    schema = pa.schema([pa.field("x", pa.float64(), metadata=about)])
    table = pa.table([[1.0]], schema=schema)
    pq.write_table(table, "a.parquet")
    with pa.ipc.new_file("a.arrow", schema) as file:
        file.write(table)
    for name in ("a.parquet", "a.arrow"):
        assert read_table(name)["x"].to_pylist() == [1.0]


@pytest.mark.parametrize("folder_of", [False, True])
def test_a_table_is_not_larger_than_its_file_explains(monkeypatch, folder_of):
    monkeypatch.setattr(user_files, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(user_files, "EXPANSION", 1)
    column = pa.array(["a" * 1000]).take(pa.array(np.zeros(5000, int)))
    Path("t").mkdir()
    pq.write_table(pa.table({"x": column}), "t/a.parquet")
    assert Path("t/a.parquet").stat().st_size < 10**5
    with pytest.raises(InputError, match="more than 1,048,576 bytes in a file that is much smalle"):
        read_table("t" if folder_of else "t/a.parquet")
    monkeypatch.setattr(user_files, "MAX_BYTES", 1 << 23)
    assert len(read_table("t" if folder_of else "t/a.parquet")) == 5000


def test_members_of_an_archive_are_not_larger_than_it_explains():
    with zipfile.ZipFile("a.npz", "w", zipfile.ZIP_LZMA) as archive:
        array = np.lib.format.magic(1, 0) + struct.pack("<H", 118)
        array += b"{'descr': '|u1', 'fortran_order': False, 'shape': (3000000000,), }".ljust(118)
        archive.writestr("x.npy", array)
    raw = Path("a.npz").read_bytes()
    raw = raw.replace(struct.pack("<I", len(array)), struct.pack("<I", 3_000_000_128))
    Path("a.npz").write_bytes(raw)
    with limited(), pytest.raises(InputError, match="in a file that is much smaller"):
        read_table("a.npz")


def test_a_line_of_a_million_columns():
    Path("a.csv.gz").write_bytes(gzip.compress(b"a," * (user_files.MAX_COLUMNS + 1) + b"\n"))
    with limited(), pytest.raises(InputError, match="more than 1,048,576 columns"):
        read_table("a.csv.gz")


@pytest.mark.parametrize(("start", "stop"), [(0, 10**30), (10**30, 10**30 + 2)])
def test_an_index_beyond_integers(start, stop):
    index = {"kind": "range", "name": None, "start": start, "stop": stop, "step": 1}
    about = {"pandas": json.dumps({"index_columns": [index], "columns": []})}
    table = pa.table({"x": [[1.0, 2.0]] * 2}).replace_schema_metadata(about)
    pq.write_table(table, "a.parquet")
    with pytest.raises(InputError, match="an index of the range"):
        read_items("a.parquet", {"vector": "x"}, "sse")


@pytest.mark.parametrize("case", ["external", "link", "virtual", "huge"])
def test_hdf5_takes_nothing_from_elsewhere(case):
    h5py = pytest.importorskip("h5py")
    Path("secret").write_bytes(bytes(24))
    with h5py.File("a.h5ad", "w") as file:
        if case == "external":
            file.create_dataset("X", (3, 2), "f4", external=[("secret", 0, 24)])
        elif case == "link":
            file["X"] = h5py.ExternalLink("other.h5", "X")
        elif case == "virtual":
            layout = h5py.VirtualLayout((3, 2), "f4")
            layout[:] = h5py.VirtualSource("other.h5", "X", (3, 2))
            file.create_virtual_dataset("X", layout)
        else:
            file.create_dataset("X", (3, 1 << 30), "f4", chunks=(1, 1 << 20))
    message = "much smaller" if case == "huge" else "X, data from another file"
    with pytest.raises(ValueError, match=message):
        user_files._check_hdf5(Path("a.h5ad"))


# Text, images and audio


def test_devices_are_not_read():
    for name in ("a.wav", "a.txt", "a.idx"):
        Path(name).symlink_to("/dev/zero")
    for read in (sphere.read_audio, sphere.read_header):
        with limited(), pytest.raises(InputError, match="found a pipe or device"):
            read("a.wav")
    for read, name in ((text_files.read_text, "a.txt"), (mnist.read_idx, "a.idx")):
        with limited(), pytest.raises(InputError, match="found a pipe or device"):
            read(name)
    with limited(), pytest.raises(InputError, match="found a pipe or device"):
        tree_digest(".")


def test_gzipped_text_has_a_limit(monkeypatch):
    monkeypatch.setattr(text_files, "MAX_TEXT", 1 << 16)
    Path("a.txt").write_bytes(gzip.compress(b"a" * (1 << 16)))
    assert len(text_files.read_text("a.txt")) == 1 << 16
    Path("a.txt").write_bytes(gzip.compress(b"a" * ((1 << 16) + 1)))
    with pytest.raises(InputError, match="at most 65,536 bytes of text, found more"):
        text_files.read_text("a.txt")


@pytest.mark.parametrize("shape", [(1 << 31, 1 << 31), (0xFFFFFFFF,), (1 << 30,)])
def test_an_idx_file_that_declares_too_much(shape):
    header = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
    Path("a.idx").write_bytes(gzip.compress(header + bytes(1 << 16)))
    with limited(), pytest.raises(InputError, match="at most 536,870,912 values"):
        mnist.read_idx("a.idx")


def test_silence_in_few_bytes_has_a_limit(monkeypatch):
    monkeypatch.setattr(sphere, "MAX_SAMPLES", 1 << 21)
    soundfile.write("a.flac", np.zeros((1 << 21) + 1, np.int16), 8000)
    assert Path("a.flac").stat().st_size < 10**5
    with pytest.raises(InputError, match="at most 2,097,152 samples, found more"):
        sphere.read_audio("a.flac")
    soundfile.write("a.flac", np.zeros(1 << 21, np.int16), 8000)
    assert len(sphere.read_audio("a.flac")[0]) == 1 << 21


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (f"sample_rate -i {'9' * 400}", "a positive integer 'sample_rate'"),
        ("sample_rate -i 99999999999", "a positive integer 'sample_rate'"),
        (f"sample_count -i {2**31 - 1}", "at most 268,435,456 samples"),
        ("channel_count -i 40000", "up to 1024 channels"),
    ],
)
@pytest.mark.parametrize("data", [bytes(8), b"ajkg\2" + b"\xfb\x8c" * 20])
def test_numbers_of_a_sphere_header_have_limits(field, message, data):
    name = field.split()[0]
    given = {"channel_count -i 1", "sample_count -i 4", "sample_rate -i 8000"}
    given |= {"sample_n_bytes -i 2", "sample_byte_format -s2 01"}
    lines = [line for line in given if not line.startswith(name)]
    head = "\n".join(["NIST_1A", "   1024", *lines, field, "end_head\n"]).encode().ljust(1024)
    Path("a.sph").write_bytes(head + data)
    with limited(), pytest.raises(InputError, match=message):
        sphere.read("a.sph", channel=0)


def test_control_characters_do_not_reach_a_terminal():
    error = InputError("a\x1b]0;x\x07", expected="b\n\tc", found="\x1b[2J\u202e\udc80\xa0é")
    assert str(error) == "a?]0;x?: expected b\n\tc, found ?[2J??\xa0é."
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


# YAML and JSON


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:pathlib.Path.touch [exploded]",
        "paper: [!!python/name:os.system x]\nours: []",
        "[" * 500,
        "paper:\n- &a0 [x, x]\n"
        + "".join(f"- &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12))
        + "ours: []",
    ],
)
def test_claims_make_no_objects_and_do_not_grow(text):
    Path("c.yaml").write_text(text)
    with limited(), pytest.raises(InputError, match=r"c\.yaml"):
        read_claims("c.yaml")


@pytest.mark.parametrize("text", ["[" * 10**6, "9" * 5000])
def test_json_of_any_depth(text):
    Path("c.json").write_text(text)
    with pytest.raises(InputError, match=r"c\.json: expected JSON"):
        read_json("c.json")


# The page


class Tags(HTMLParser):
    """Counts the elements of a page, and lists attributes that run code."""

    def __init__(self):
        super().__init__()
        self.found, self.code = [], []

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        self.code += [name for name, value in attrs if name.startswith("on")]


def page_of(word: str) -> str:
    """Return a page in which every text is `word`."""
    table = pa.table({word: [word, word + "2"], "verdict": [word] * 2, "q": [word, None]})
    with Path("a.csv").open("wb") as file:
        pa.csv.write_csv(table, file)
    spoken = {"id": word, "speaker": word, "label": 0, "split": word, "tokens": [word]}
    spoken |= {"verbal": [0.5], "acoustic": [None]}
    return page(word, [Item("a.csv", word, word, word)], (), [spoken], word, ".")


def tags(word: str) -> Tags:
    parser = Tags()
    parser.feed(page_of(word))
    return parser


def test_text_of_strangers_adds_no_element_to_the_page():
    plain, hostile = tags("word"), tags(BAD)
    assert hostile.found == plain.found and not hostile.code
    assert "img" not in hostile.found and "b" not in hostile.found


def test_the_policy_of_the_page_allows_its_own_scripts_alone():
    made = page_of(BAD)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', made)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    scripts = re.findall(r"<script>(.*?)</script>", made, re.S)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert scripts and rules["script-src"].split() == [f"'sha256-{digest}'" for digest in digests]


def test_captions_read_no_file_and_no_html():
    Path("secret").write_text("hidden")
    for text in (".. raw:: html\n\n   <script>x</script>", ".. include:: secret", "<script>x"):
        made = captions.as_html(text)
        assert "<script" not in made and "hidden" not in made
