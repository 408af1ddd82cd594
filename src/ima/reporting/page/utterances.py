"""Utterances with their words shaded by importance, searchable in a browser."""

import html
import json
from collections.abc import Sequence

from ima.utils.emotions import EMOTIONS, OTHER


def search_html(utterances: Sequence[dict]) -> str:
    """Return the HTML of the search form and the utterances' data; a script searches them.

    Args:
        utterances: mappings with `id`, `speaker`, `label`, `split`, `tokens`, and the lists
            `verbal` and `acoustic` with a number in [0, 1] or None for each token.
    """
    rows = [
        [item[name] for name in ("id", "speaker", "label", "split")]
        + [list(item["tokens"]), *(_hundredths(item[name]) for name in ("verbal", "acoustic"))]
        for item in utterances
    ]
    data = json.dumps({"classes": EMOTIONS, "utterances": rows}, separators=(",", ":"))
    # Escape `<`, so that the data cannot close its element.
    data = data.replace("<", "\\u003c")
    labels = sorted({row[2] for row in rows} - {OTHER})
    classes = "".join(f'<option value="{n}">{EMOTIONS[n]}</option>' for n in labels)
    names = dict.fromkeys(row[3] for row in rows)
    splits = "".join(f"<option>{html.escape(name)}</option>" for name in names)
    hidden = "" if len(names) > 1 else " hidden"
    return f"""<div class="utterances">
<p>Importance: 0 <span class="scale" role="img" aria-label="white to dark blue"></span> 1; a dashed
frame marks a word without a vector. Hold the pointer over a word for its number.</p>
<form id="utterances-form" role="search" aria-label="utterances">
<label>words or id<input id="utterances-words" type="search" autocomplete="off"></label>
<label>class<select id="utterances-label"><option value="">all</option>{classes}
<option value="-1">other</option></select></label>
<label{hidden}>split<select id="utterances-split"><option value="">all</option>{splits}
</select></label>
<label>shading<select id="utterances-what"><option value="verbal">words</option>
<option value="acoustic">voices</option></select></label>
<label>order<select id="utterances-order"><option value="id">id</option>
<option value="range">range of importances</option></select></label>
</form>
<p id="utterances-count" role="status" aria-live="polite"></p>
<ol id="utterances-list"></ol><button id="utterances-more" type="button">more</button></div>
<script type="application/json" id="utterances-data">{data}</script>
"""


def _hundredths(values: Sequence[float | None]) -> list[int | None]:
    return [None if value is None else round(100 * value) for value in values]
