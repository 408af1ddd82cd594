"""The claims audit: config/claims.yaml, how claims are tested, and why some can not be."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import yaml

from ima import claims_scores
from ima.claims import MissingScoreError, chosen, evaluate, expand, paired, paper_value, read_claims
from ima.claims_audit import COLUMNS, audit, summary
from ima.claims_page import page
from ima.embed_emotion import word_categories
from ima.errors import InputError
from ima.features.lexicon import CATEGORIES
from ima.schema_emotion import NOT_EMOTIONAL
from ima.tables import read_paper_values
from ima.verdicts import FAILS, HOLDS, UNDECIDED, UNTESTABLE

ROOT = Path(__file__).parents[1]
CLAIMS = read_claims(ROOT / "config/claims.yaml")
PAPER = read_paper_values(ROOT / "config/paper_values.csv")
DATA = {
    "digits": {"name": "MNIST, FSDD", "paper": False, "lacks": ""},
    "emotion": {"name": "a demo", "paper": False, "lacks": "this run has no data/iemocap"},
}
CLAIM = {
    "id": "better",
    "section": "6.2",
    "sentence": "A is better at {k}.",
    "test": "above",
    "each": {"k": [10, 50]},
    "a": {"of": "digits", "model": "A", "k": "{k}"},
    "b": {"of": "digits", "model": "B", "k": "{k}"},
    "table": "results/tables/table1.csv",
}


def rows(model, k, values, of="digits", **more):
    return [
        {"of": of, "model": model, "k": k, "seed": seed, "value": value, **more}
        for seed, value in enumerate(values)
    ]


def audited(claims, scores, data=DATA):
    return audit(claims, scores, PAPER, data, "test").to_pylist()


# The file


@pytest.mark.parametrize("claim", CLAIMS, ids=[claim["id"] for claim in CLAIMS])
def test_every_claim_can_be_expanded_and_has_its_paper_value(claim):
    for one in expand(claim):
        assert set(re.findall(r"\{(\w+)\}", str(one))) <= {"paper"}
        value = paper_value(one, PAPER)
        assert (value is not None) == ("paper" in one)
        assert "only" not in one or value is not None
        assert one["a"]["of"] in {"digits", "noise", "emotion", "corpus", "cost"}


def test_ids_of_what_claims_expand_to_are_unique():
    names = [one["id"] for claim in CLAIMS for one in expand(claim)]
    assert len(set(names)) == len(names) > 100


def test_every_value_that_the_paper_reports_is_claimed_or_is_a_setting():
    settings = {"t-SNE perplexity", "t-SNE delta (read as the Barnes-Hut angle)"}
    told = [one["paper"] for claim in CLAIMS for one in expand(claim) if "paper" in one]
    for row in PAPER:
        if row["quantity"] not in settings:
            assert any(all(row[k] == v for k, v in keys.items()) for keys in told), row


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda claims: claims[0].pop("a"), "better"),
        (lambda claims: claims[0].update(threshold=3), "threshold"),
        (lambda claims: claims[0].update(test="equal"), "above"),
        (lambda claims: claims.append(claims[0]), "each id once"),
        (lambda claims: claims.clear(), "a list of claims"),
        (lambda claims: claims.append("a claim"), "a claim"),
    ],
)
def test_claims_that_cannot_be_read_name_the_file(tmp_path, change, said):
    claims = yaml.safe_load(yaml.safe_dump([CLAIM]))
    change(claims)
    (tmp_path / "claims.yaml").write_text(yaml.safe_dump(claims))
    with pytest.raises(InputError, match=re.escape(str(tmp_path / "claims.yaml"))) as error:
        read_claims(tmp_path / "claims.yaml")
    assert said in str(error.value)


# Choosing and pairing


def test_scores_are_chosen_by_all_their_keys():
    scores = [*rows("A", 10, [1, 2]), *rows("B", 10, [3]), *rows("A", 50, [4])]
    assert chosen(scores, {"model": "A", "k": 10}) == {0: 1, 1: 2}
    with pytest.raises(MissingScoreError, match=r"no k 7 in this run \(it has 10, 50\)"):
        chosen(scores, {"model": "A", "k": 7})
    with pytest.raises(InputError, match="several of seed 0"):
        chosen(scores, {"k": 10})


def test_pairs_are_of_the_seeds_that_both_have():
    a, b = {0: 1.0, 1: 2.0, 2: 4.0}, {1: 1.0, 2: 2.0, 3: 9.0}
    assert paired(a, b) == [1.0, 2.0]
    assert paired(a, b, "ratio") == [2.0, 2.0]
    assert paired(a, {None: 1.0}) == [0.0, 1.0, 3.0]  # what has no seed stands beside each
    assert paired({None: 3.0}, {None: 1.0}) == [2.0]
    with pytest.raises(MissingScoreError, match="no seed"):
        paired({0: 1.0}, {1: 1.0})


def test_growth_is_counted():
    claim = {"test": "linear", "a": {"of": "cost", "score": "encoders"}, "than": "modalities"}

    def found(counts, test="linear"):
        scores = [
            {"of": "cost", "score": "encoders", "modalities": m, "seed": None, "value": v}
            for m, v in enumerate(counts, 2)
        ]
        return evaluate({**claim, "test": test}, scores, None).verdict

    assert found([2, 3, 4]) == HOLDS and found([2, 3, 4], "as_many") == HOLDS
    assert found([3, 5, 7]) == HOLDS and found([3, 5, 7], "as_many") == FAILS
    assert found([3, 7, 15]) == FAILS and found([4, 4, 4]) == FAILS
    with pytest.raises(MissingScoreError, match="three are needed"):
        found([2, 3])


def test_what_has_no_seed_is_counted():
    claim = {"test": "about", "than": 10, "within": 1, "a": {"of": "corpus"}}
    for value, said in ((10.5, HOLDS), (12, FAILS)):
        scores = [{"of": "corpus", "seed": None, "value": value}]
        assert evaluate(claim, scores, None).verdict == said


# The audit


def test_a_sentence_shares_its_level():
    good, close = [0.05, 0.051, 0.052, 0.05], [0.05, 0.09, 0.03, 0.1]
    scores = [*rows("A", 10, good), *rows("A", 50, close)]
    scores += [*rows("B", 10, [0] * 4), *rows("B", 50, [0] * 4)]
    first, second = audited([CLAIM], scores)
    assert (first["id"], first["sentence"]) == ("better[k=10]", "A is better at 10.")
    assert first["verdict"] == HOLDS and first["p_adjusted"] == pytest.approx(2 * first["p"])
    assert first["ours"] == pytest.approx(0.05075) and first["seeds"] == 4
    assert second["p_adjusted"] == second["p"] and second["p_signflip"] == 2 / 16
    assert list(first) == list(COLUMNS)


def test_what_cannot_be_tested_says_why():
    claim = {**CLAIM, "only": "paper", "test": "about", "than": "paper", "within": 0.01}
    claim |= {"each": {}, "sentence": "A has it.", "paper": {"quantity": "best rho", "value": 0.8}}
    claim["a"], claim["b"] = ({**claim[side], "k": 10} for side in "ab")
    scores = [*rows("A", 10, [0.8, 0.81, 0.79]), *rows("B", 10, [0, 0, 0])]
    (row,) = audited([claim], scores)
    assert row["verdict"] == UNTESTABLE and "MNIST, FSDD" in row["why"]
    assert row["ours"] == pytest.approx(0.8) and row["p"] is None and row["paper"] == 0.8
    as_setting = {**claim, "than": 0.8, "sentence": "At {paper}."}
    (row,) = audited([as_setting], scores)
    assert row["sentence"] == "At 0.8." and row["paper"] is None
    theirs = {**DATA, "digits": {**DATA["digits"], "paper": True}}
    (row,) = audited([claim], scores, theirs)
    assert row["verdict"] == UNDECIDED and row["p"] is not None
    (row, _) = audited([CLAIM], rows("A", 10, [1, 2, 3]))
    assert row["verdict"] == UNTESTABLE and "no model B in this run (it has A)" in row["why"]
    of_words = {**CLAIM, "each": {}, "sentence": "So.", "a": {"of": "emotion"}}
    (row,) = audited([{k: v for k, v in of_words.items() if k != "b"}], [])
    assert row["verdict"] == UNTESTABLE and row["why"] == "this run has no data/iemocap"


def every_score(claims, rng, spread):
    """Return scores of five seeds for all that claims are about, the same but for chance."""
    found = {}
    for claim in claims:
        for one in expand(claim):
            sides = [one[side] for side in "ab" if side in one]
            if "others" in one:
                key = one["others"]["key"]
                sides += [{**one["a"], key: value} for value in one["others"]["values"]]
            for keys in sides:
                found[str(sorted(keys.items(), key=str))] = keys
    return [
        {**keys, "seed": seed, "value": 0.7 + spread * rng.normal()}
        for keys in found.values()
        for seed in range(5)
    ]


def test_no_claim_holds_where_all_models_are_alike():
    """Scores shuffled over models: verdicts are no more than the level gives by chance."""
    compared = [
        claim
        for claim in CLAIMS
        if claim["a"]["of"] in ("digits", "emotion", "noise")
        and claim["test"] in ("above", "best")
        and ("b" in claim or "others" in claim)
        and float(claim.get("than", 0)) == 0
    ]
    data = {part: {**about, "lacks": ""} for part, about in DATA.items()}
    rng, decided, sentences, alive = np.random.default_rng(0), 0, 0, 0
    for _ in range(12):
        scores = every_score(compared, rng, 0.01)
        for claim in compared:
            verdicts = {row["verdict"] for row in audited([claim], scores, data)}
            assert UNTESTABLE not in verdicts
            sentences += 1
            decided += HOLDS in verdicts
            alive += bool(verdicts - {UNDECIDED})
    assert sentences > 150
    # Two-sided: a twentieth of the sentences has a verdict by chance, half of these that it holds.
    assert decided / sentences < 0.025 + 3 * np.sqrt(0.025 * 0.975 / sentences)
    assert 0 < alive / sentences < 0.05 + 3 * np.sqrt(0.05 * 0.95 / sentences)


# Scores


def test_scores_of_the_sweep_lose_to_the_best_rho():
    sweep = pa.Table.from_pylist(
        [
            {"objective": "paper", "modality": "image", "rho": rho, "f1_noise": f1}
            for rho, f1 in ((0.3, 0.5), (0.8, 0.9))
        ]
    )
    found = [*claims_scores.swept([(3, sweep)])]
    lost = {row["rho"]: row["value"] for row in found if row["score"] == "f1_lost"}
    assert lost == {0.3: pytest.approx(0.4), 0.8: 0.0}
    assert {row["seed"] for row in found} == {3}


def test_periphery_of_the_map_by_hand():
    at = [(0, 3), (0, -3), (1, 0), (-1, 0)]
    has = {name: [i == (name == "anger") for i in range(4)] for name in ("sad", "anger")}
    lexicon = pa.table({name: has.get(name, [False] * 4) for name in CATEGORIES})
    categories = word_categories(lexicon)
    assert categories == ["sad", "anger", NOT_EMOTIONAL, NOT_EMOTIONAL]
    words = [
        {"view": "verbal", "x": x, "y": y, "category": c, "importance": i}
        for (x, y), c, i in zip(at, categories, [0.9, 0.8, 0.1, 0.2], strict=True)
    ]
    voices = [{"view": "acoustic", "x": 9, "y": 9, "category": "sad", "importance": 1.0}]
    found = {
        r["score"]: r["value"]
        for r in claims_scores.mapped([(0, pa.Table.from_pylist(words + voices))])
    }
    assert found["periphery"] == 1.0
    assert found["periphery_importance"] == pytest.approx(2 / np.sqrt(5))
    swapped = {"sad": NOT_EMOTIONAL, "anger": NOT_EMOTIONAL, NOT_EMOTIONAL: "sad"}
    inside = [{**word, "category": swapped[word["category"]]} for word in words]
    found = {
        r["score"]: r["value"] for r in claims_scores.mapped([(0, pa.Table.from_pylist(inside))])
    }
    assert found["periphery"] == 0.0


def test_periphery_of_random_words_is_chance():
    rng = np.random.default_rng(0)
    words = pa.table(
        {
            "view": ["verbal"] * 2000,
            "x": rng.normal(size=2000),
            "y": rng.normal(size=2000),
            "category": rng.choice([NOT_EMOTIONAL, "sad"], 2000).tolist(),
            "importance": rng.random(2000),
        }
    )
    found = {row["score"]: row["value"] for row in claims_scores.mapped([(0, words)])}
    assert found["periphery"] == pytest.approx(0.5, abs=0.04)
    assert found["periphery_importance"] == pytest.approx(0, abs=0.07)


# The page


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.links += [value for name, value in attributes if name in ("href", "src")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_asks_for_nothing_and_escapes():
    claim = {**CLAIM, "sentence": "A <b>&</b> at {k}.", "whose": "ours"}
    scores = [*rows("A", 10, [1.0, 1.1, 0.9]), *rows("B", 10, [0, 0, 0])]
    table = audit([claim, *CLAIMS], scores, PAPER, DATA, "a<run>")
    text = page(table, "a<run>")
    found = Page(text)
    assert found.open == [] and "script" not in found.tags
    assert all(link.startswith(("tables/", "figures/", "a&lt;", "a<")) for link in found.links)
    assert "A &lt;b&gt;&amp;&lt;/b&gt; at 10." in text and "a&lt;run&gt;" in text
    for verdict in summary(table)["ours"]:
        assert verdict in text
    assert text.count("<tr><td>") == len(table) + 1  # the head's first cell is empty


def test_every_verdict_is_counted():
    table = audit(CLAIMS, [], PAPER, DATA, "test")
    counts = summary(table)
    assert sum(map(sum, (c.values() for c in counts.values()))) == len(table)
    assert {v for c in counts.values() for v, n in c.items() if n} == {UNTESTABLE}
