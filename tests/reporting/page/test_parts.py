"""The parts of the page of a run."""

import base64
import io
import os
import re

import pyarrow as pa
import pytest
from PIL import Image
from tests.reporting.page.toy import (
    CAPTION,
    CLAIMS,
    RESOURCES,
    TABLE1,
    drawn,
    embeddings,
    emotion_embeddings,
    importances,
)

from ima.reporting.page import captions, made, maps, overview, pictures, tables
from ima.utils.errors import InputError
from ima.utils.io import read_csv, write_json

# Captions, tables, pictures


def test_captions():
    html = captions.as_html("**A <b>.** Of ``x``.\n\n*Data: the demo.*")
    assert html.count("<p>") == 2 and "<strong>A &lt;b&gt;.</strong>" in html
    assert captions.first_sentence(CAPTION) == "Table 1. Precision of x & more, of all pairs."
    assert captions.first_sentence("Short") == "Short"


def test_numbers_of_a_column_are_shown_alike():
    assert tables.shown([0.84119, None, 0.5, 0.00012, 12345.6]) == [
        *("0.841", "", "0.500", "0.00012", "12,346"),
    ]
    assert tables.shown([6.1, 5.0, None]) == ["6.1", "5", ""]  # none needs three decimals
    assert tables.shown([3, "a", True]) == ["3", "a", "True"]


def test_a_table_holds_every_value_and_escapes_text():
    table = read_csv(io.BytesIO(CLAIMS.encode()))
    html = tables.table_html(table, "Claims <1>", {"results/tables/table1.csv": "here"})
    assert (
        html.count("<tr>") == 4
        and html.count('scope="col"') == 5
        and html.count('scope="row"') == 3
    )
    assert '<a href="#here">tables/table1.csv</a>' in html
    assert "results/tables/none.csv</td>" in html  # not on the page: no link
    assert "&lt;rare&gt;" in html and "<rare>" not in html and "Claims &lt;1&gt;" in html
    assert 'data-v="0.8412">0.841</td>' in html and 'data-v="0.8409">0.841</td>' in html
    assert [sign in html for sign in "✓✗–"] == [True] * 3


def test_the_columns_that_matter_come_first_and_the_rest_on_demand():
    table = read_csv(io.BytesIO(CLAIMS.encode()))
    html = tables.table_html(table, "T", {}, "claims")
    heads = re.findall(r'<th scope="col"[^>]*?( class="[^"]*")?><button type="button">(\w+)', html)
    assert heads == [
        *(("", "verdict"), (' class="n"', "ours"), (' class="n"', "section")),
        *((' class="x"', "id"), (' class="x"', "link")),
    ]
    many = pa.table({f"c{i}": [i, i + 1] for i in range(tables.MANY + 1)})
    assert tables.table_html(many, "T", {}).count('class="n x"') == 3  # the last: head and cells


def test_a_standard_deviation_is_shown_with_its_mean_and_what_is_alike_below():
    html = tables.table_html(read_csv(io.BytesIO(TABLE1.encode())), "T", {})
    assert 'data-v="0.90001">0.900 ± 0.010</td>' in html and ">0.120</td>" in html
    assert html.count('scope="col"') == 5 and "_sd" not in html and "no shared sd" not in html
    assert (
        '<p class="note">±: sample standard deviation over seeds. All rows: run toy, k 10, '
        "seeds 2, precision noise 0.5. Columns without a value here: paper.</p>"
    ) in html


def test_columns_with_few_repeated_values_are_offered_as_filters():
    def choices(rows, values):
        table = pa.table({"c": [values[i % len(values)] for i in range(rows)], "n": range(rows)})
        return tables.table_html(table, "T", {}).count("data-filter")

    assert choices(9, ["a", "b", "c"]) == 1 and choices(8, ["a", "b", "c"]) == 0
    assert choices(90, list(range(13))) == 0 and choices(90, [0.1, None]) == 0
    score = pa.table({"c": [0.5, 1.0] * 9, "c_sd": [None] * 18}).cast(
        pa.schema([("c", pa.float64()), ("c_sd", pa.float64())])
    )
    html = tables.table_html(score, "T", {})
    assert "data-filter" not in html and "±" not in html


# The first screen


def rows_of(text):
    return read_csv(io.BytesIO(text.encode()))


def test_headline_scores_are_those_of_the_largest_latent_size():
    html = overview.overview({"table1": rows_of(TABLE1)}, {"table1": "here"})
    # 19 of the 37 baselines have latent size 50; of IMA, the joint representation alone.
    assert html.count("<circle") == 1 + 19 + 1 and html.count('<circle class="ours"') == 1
    assert "<b>0.900</b> IMA &lt;paper&gt;" in html and 'href="#here"' in html
    assert "Best of the others: M0, 0.860 ± 0.010." in html and "chance 0.120" in html


def test_noise_is_compared_with_calling_all_items_noise():
    tables_ = {
        "importance": rows_of(
            "variant,latent,modality,f1_noise,f1_noise_sd\npaper,2,a,.1,0\npaper,50,a,.7,.1\n"
        ),
        "weights": rows_of("pair_type,pairs\nall,110\na_noise,10\n"),
    }
    html = overview.overview(tables_, {"importance": "here"})
    assert "<b>0.700</b> paper, a" in html and html.count("<circle") == 2
    assert "all noise, a 0.167" in html  # 2 s / (1 + s) with s = 1 / 11


def test_claims_are_counted_and_times_are_summed():
    tables_ = {"claims": rows_of(CLAIMS), "resources": rows_of(RESOURCES)}
    html = overview.overview(tables_, {"claims": "c", "resources": "r"})
    assert "The paper's claims: 1 of 3 hold" in html.replace("&#x27;", "'")
    widths = re.findall(r'<rect class="\w+" x="([\d.]+)" width="([\d.]+)" height="10"', html)
    assert widths == [
        *(("0.000", "33.333"), ("33.333", "33.333"), ("66.667", "0.000"), ("66.667", "33.333")),
    ]
    assert "Time: 1.5 h" in html and "3 jobs" in html and "at most 1.5 GB" in html
    assert "longest took 1.0 h (<code>autoencoder</code>)" in html


def test_a_run_without_these_tables_has_no_first_screen():
    assert overview.overview({"trust": rows_of("a\n1\n")}, {"trust": "here"}) == ""


def test_facts_are_those_of_the_sidecars(tmp_path):
    for name, revision, dirty in (("a", "0123456789abc", False), ("b", "0123456789abc", True)):
        (tmp_path / f"{name}.csv").touch()
        os.utime(tmp_path / f"{name}.csv", (0, 86400 * (name == "b")))
        write_json(
            {
                "code": {"revision": revision, "dirty": dirty},
                "corpora": {"mnist": {"files": 4000, "bytes": 2500000, "sha256": ""}},
                "python": "3.11.7",
            },
            tmp_path / f"{name}.provenance.json",
        )
    assert overview.facts([str(tmp_path / f"{name}.csv") for name in "ab"]) == {
        "results made": "1 January 1970 to 2 January 1970",
        "code": "revision 0123456789, revision 0123456789, modified",
        "Python": "3.11.7",
        "data": "mnist (4,000 files, 2.5 MB)",
    }


def test_inputs_that_differ_by_seed_are_one_pattern():
    files = ["m/seed0/a.csv", "m/seed1/a.csv", "m/seeds0-1/b.csv", "c.csv"]
    assert made.patterns(files) == ["m/seed*/a.csv", "m/seeds0-1/b.csv", "c.csv"]


def test_missing_table_is_rejected(tmp_path):
    with pytest.raises(InputError, match="expected a CSV table"):
        read_csv(tmp_path / "none.csv")


def test_pictures_are_of_the_page_and_no_wider_than_needed(tmp_path):
    html = pictures.picture(drawn(tmp_path / "a.png", 3000), 'a "b" <c>')
    assert 'width="875"' in html and "&quot;b&quot; &lt;c&gt;" in html
    data = base64.b64decode(re.search(r"base64,([^\"]+)", html)[1])
    with Image.open(io.BytesIO(data)) as image:
        assert image.size[0] == 1400 and image.mode == "P"
        assert image.convert("L").getextrema()[0] < 60  # a line is drawn, not only white


def test_a_broken_picture_is_named(tmp_path):
    broken = drawn(tmp_path / "a.png")
    broken.write_bytes(broken.read_bytes()[:300])
    for path in (broken, tmp_path / "none.png"):
        with pytest.raises(InputError, match=rf"{path.name}: expected a PNG file"):
            pictures.picture(path, "broken")


# Maps


def test_hover_text_matches_the_tables():
    found = maps.pair_maps(embeddings(), importances(), list("0123456789"), noise=True)
    assert [panel.title for panel in found.panels] == [
        *("image, importance network", "speech, encoder", "joint"),
    ]
    image, speech, joint = (panel.columns for panel in found.panels)
    assert image["class"][:8].tolist() == [-1, 1, 2, 3, 4, 5, 6, -1]  # noise is grey
    assert joint["class"][:8].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]  # but not what is joint
    assert image["importance"][10] == pytest.approx(10 / 79)
    assert speech["importance"][10] == pytest.approx(1 - 10 / 79)
    assert joint["importance"][10] == pytest.approx(10 / 79)
    assert [mode.label for mode in found.modes] == [
        *("digit, colours of the paper", "digit, for the colour-blind", "noise", "importance"),
    ]


def test_maps_of_data_without_labels_or_known_noise():
    found = maps.pair_maps(embeddings(), importances(), [], noise=False)
    assert [mode.label for mode in found.modes] == ["importance"]
    assert [name for name, _ in found.panels[0].hover] == ["pair", "importance, image"]


def test_maps_of_words_and_voices():
    found = maps.emotion_maps(emotion_embeddings(), ["the", "grief"])
    words, voices = (panel.columns for panel in found.panels)
    assert words["word"] == ["grief", "the"] and words["class"].tolist() == [1, -1]
    assert [mode.label for mode in found.modes] == [
        *("emotion, colours of the paper", "emotion, for the colour-blind", "importance"),
    ]
    assert found.modes[0].names == ["angry", "sad"] and voices["class"].tolist() == [0]
    assert list(found.modes[0].colours) == ["red", "yellow"]


def test_maps_of_many_points_have_none_of_the_outlines_that_take_time():
    for n, outlined in ((maps.DENSE, True), (maps.DENSE + 1, False)):
        columns = {name: list(range(n)) for name in ("x", "y", "importance")}
        panel = maps.Panel("t", columns, [("x", "@x")])
        html = maps.maps_html([maps.Maps("g", [maps.scale()], [panel])])
        assert ("#404040" in html) == outlined


def test_a_table_of_another_kind_with_the_same_name_shows_its_first_columns():
    """Importances of user data have no variant, the first of the digits' table."""
    rows = pa.table({"modality": ["a", "b"], "mean_importance": [0.5, 0.25], "unimportant": [0, 1]})
    assert ' class="n x"' not in tables.table_html(rows, "T", {}, "importance")
