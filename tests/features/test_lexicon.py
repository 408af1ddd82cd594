"""Lexicons: the .dic format of LIWC with its special cases, and the open alternatives."""

import importlib.util

import pytest

from ima.features import lexicon
from ima.utils.errors import InputError
from ima.utils.schemas_emotion import LEXICON

HEAD = "%\n1\tfunct\n126\tposemo\n127\tnegemo\n128\tanx\n129\tanger\n130\tsad\n%\n"
ENTRIES = "a\t1\nhappi*\t126\ncry\t127\t130\nhate\t127\t129\nhat*\t1\nworr*\t127\t128\n"


@pytest.fixture
def dic(tmp_path):
    def write(text):
        path = tmp_path / "LIWC.dic"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("cry", {"negative", "sad"}),
        ("crying", set()),
        ("happiness", {"positive"}),
        ("happi", {"positive"}),
        ("happy", set()),
        ("hate", {"negative", "anger"}),
        ("hats", set()),
        ("worried", {"negative", "anxiety"}),
        ("a", set()),
        ("absent", set()),
    ],
)
def test_categories_of_words_and_prefixes(dic, word, found):
    assert lexicon.load_lexicon(dic(HEAD + ENTRIES)).categories(word) == found


def test_longest_prefix_wins(dic):
    liwc = lexicon.read_dic(dic(HEAD + "h*\t127\nhap*\t126\n"))
    assert liwc.categories("happy") == {"positive"} and liwc.categories("hope") == {"negative"}


def test_table_of_words(dic):
    table = lexicon.read_dic(dic(HEAD + ENTRIES)).table(["hate", "table", "hate"])
    assert table.schema == LEXICON
    hate = {"sad": False, "anger": True, "anxiety": False, "negative": True, "positive": False}
    assert table.to_pylist()[2] == {"word": "hate", **hate, "emotional": True}
    assert table["emotional"].to_pylist() == [True, False, True]


def test_category_names_of_other_liwc_versions(dic):
    head = "%\n1\tPosemo (Positive)\n2 Negemo\n3\tAnx\n4\tAnger\n5\tSad\n%\n"
    assert lexicon.read_dic(dic(head + "GRIEF\t2 5\n")).categories("grief") == {"negative", "sad"}
    head = "%\n1\temo_pos\n2\temo_neg\n3\temo_anx\n4\temo_anger\n5\temo_sad\n%\n"
    assert lexicon.read_dic(dic("\ufeff" + head + "grief\t5\n")).categories("grief") == {"sad"}


def test_broken_lines_are_listed(dic):
    odd = "lonely\nlike\t(02 134)125/464\t126\nkind\t(02 134)125/464\nx*y\t126\n"
    odd += "oops\t126\t999\nb\tc\n"
    liwc = lexicon.read_dic(dic(HEAD + ENTRIES + odd))
    assert [(line, text.split()[0], reason) for line, text, reason in liwc.broken] == [
        (15, "lonely", "expected a word and category numbers"),
        (16, "like", "a conditional category, ignored"),
        (17, "kind", "a conditional category, ignored"),
        (18, "x*y", "expected a word and category numbers"),
        (19, "oops", "category 999 is not named in the header"),
        (20, "b", "category c is not named in the header"),
    ]
    assert liwc.categories("like") == liwc.categories("oops") == {"positive"}
    assert not any(map(liwc.categories, ("lonely", "kind", "b")))
    assert liwc.categories("cry") == {"negative", "sad"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "between two lines '%', found 0 such line"),
        (HEAD[:-2] + ENTRIES, "found 1 such line"),
        ("hello\n" + HEAD + ENTRIES, "found text before them"),
        (HEAD, "expected words with category numbers, found none"),
        (
            HEAD.replace("anx", "xna") + ENTRIES,
            "categories anx/emo_anx/anxiety, found funct, posemo",
        ),
        (HEAD.replace("128\t", "") + ENTRIES, "line 5: expected a number and a name, found 'anx'"),
    ],
)
def test_malformed_files_are_rejected(dic, text, message):
    with pytest.raises(InputError, match=message):
        lexicon.read_dic(dic(text))


def test_missing_file_is_reported(tmp_path):
    with pytest.raises(InputError, match=r"a .dic file, found No such file"):
        lexicon.load_lexicon(tmp_path / "none.dic")


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Substitutes with the layouts of the packages, neither of which may be imported."""
    for name in ("empath", "nrclex"):
        (tmp_path / name / "data").mkdir(parents=True)
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    (tmp_path / "empath/data/categories.tsv").write_text(
        "sadness\tcry\tgrief\nanger\thate\nnervousness\tworry\nhelp\taid\n"
        "negative_emotion\thate\tcry\npositive_emotion\tlove\n"
    )
    (tmp_path / "nrclex/data/nrc_en.json").write_text(
        '{"cry": ["negative", "sadness"], "fear": ["fear"], "sir": ["trust"]}'
    )
    monkeypatch.syspath_prepend(tmp_path)


def test_empath(packages):
    empath = lexicon.load_lexicon("empath")
    assert empath.categories("cry") == {"sad", "negative"} and empath.name == "empath 0.89"
    assert empath.categories("worry") == {"anxiety"} and not empath.categories("aid")


def test_nrclex(packages):
    nrc = lexicon.load_lexicon("nrclex")
    assert nrc.categories("cry") == {"sad", "negative"}
    assert nrc.categories("fear") == {"anxiety"} and not nrc.categories("sir")


@pytest.mark.parametrize("name", ["empath", "nrclex"])
def test_real_packages(name):
    if importlib.util.find_spec(name) is None:
        with pytest.raises(InputError, match=f"pip install --no-deps {name}=="):
            lexicon.load_lexicon(name)
        pytest.skip(f"{name} is not installed")
    open_ = lexicon.load_lexicon(name)
    assert "negative" in open_.categories("hate") and "positive" in open_.categories("love")
    assert not open_.categories("the") and not open_.categories("table")
