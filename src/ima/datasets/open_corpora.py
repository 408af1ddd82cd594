"""Addresses and checksums of the corpora that `ima.datasets.download` downloads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class File:
    """A file, gzipped if its name says so: the size in bytes and the sha256 of its content."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Archive:
    """A zip archive of recordings.

    Args:
        urls: download addresses, tried in order.
        home: the folder of its files in the folder of the corpus, '' for the latter itself.
        member: matches the names of its recordings; the group is their path in `home`.
        members: their number.
        size: their maximum total size in bytes.
        packed: the maximum size of the archive in bytes.
        digest: `ima.utils.trees.tree_digest` of the recordings, '' if unknown.
        md5: MD5 of the archive, '' if unknown.
    """

    urls: Sequence[str]
    home: str
    member: re.Pattern[str]
    members: int
    size: int
    packed: int
    digest: str = ""
    md5: str = ""


MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
MNIST = (
    File(
        "train-images-idx3-ubyte.gz",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    File(
        "train-labels-idx1-ubyte.gz",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    File(
        "t10k-images-idx3-ubyte.gz",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    File(
        "t10k-labels-idx1-ubyte.gz",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)
FSDD = Archive(
    urls=(
        "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",
        "https://codeload.github.com/Jakobovski/free-spoken-digit-dataset/zip/refs/tags/v1.0.10",
    ),
    home="recordings",
    member=re.compile(r"[^/]+/recordings/([^/]+\.wav)"),
    members=3000,
    size=50_000_000,
    packed=50_000_000,
    digest="dbd573d7cafe79c4b49f65718115e1304e24e067fa39eff18a660dc6cb9c360f",
)
#: Zenodo's record 1188976 states the MD5 and size of the owners' archive. They are quoted from
#: ml/data/ser_audio.py of github.com/advay-sinha/SAHAY-AI at 1e989f5.
RAVDESS = Archive(
    urls=(
        "https://zenodo.org/records/1188976/files/Audio_Speech_Actors_01-24.zip",
        "https://zenodo.org/api/records/1188976/files/Audio_Speech_Actors_01-24.zip/content",
    ),
    home="",
    member=re.compile(r"(Actor_\d\d/03-01(?:-\d\d){5}\.wav)"),
    members=1440,
    size=600_000_000,
    packed=208_468_073,
    md5="bc696df654c87fed845eb13823edef8a",
)
#: The commit of the last change of these files; sizes and checksums are those of the files there.
MELD_MIRRORS = (
    "https://raw.githubusercontent.com/declare-lab/MELD/ca3e1266db4cc4a4e802156e2f721c4cd114a696/data/MELD/",
    "https://github.com/declare-lab/MELD/raw/ca3e1266db4cc4a4e802156e2f721c4cd114a696/data/MELD/",
)
MELD = (
    File(
        "train_sent_emo.csv",
        1_119_290,
        "d2fa2d6529cf03cac2989efec05c9b27d8fd2f4c8fc5974c7ae88aa537fa02db",
    ),
    File(
        "dev_sent_emo.csv",
        121_640,
        "2e89c6f8aa182d6f62f8c6331aece905ac7273ca4999660bfb5213e1d0370c1c",
    ),
    File(
        "test_sent_emo.csv",
        294_526,
        "8d37103938f7067600839fe29d5a114a6cd1bcdafb75bec101e06464c5006888",
    ),
)
