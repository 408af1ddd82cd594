"""Utterances with their words shaded by importance, searchable in a browser."""

import json
from collections.abc import Sequence

from ima.utils.emotions import EMOTIONS, OTHER

#: Style of the search form and the list.
STYLE = """
.utterances form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end;
  margin: 1rem 0; }
.utterances label { display: grid; font-size: .85rem; }
.utterances :is(input, select) { font: inherit; padding: .25rem .4rem; border: 1px solid #767676; }
.utterances input { width: 16rem; max-width: 80vw; }
.utterances ol { list-style: none; margin: 0; padding: 0; }
.utterances li { border-top: 1px solid #ddd; padding: .4rem 0; overflow-wrap: anywhere; }
.utterances li small { color: #555; display: block; }
.utterances .w { display: inline-block; padding: 0 .3rem; margin: .1rem; border-radius: .2rem; }
.utterances .none { border: 1px dashed #999; }
.utterances .scale { display: inline-block; width: 8rem; height: .8rem; vertical-align: middle;
  background: linear-gradient(90deg, #fff, #08306b); border: 1px solid #999; }
.utterances button { font: inherit; padding: .25rem .8rem; margin: 1rem 0; }
"""

_SCRIPT = """
{  // a block: its names are its own, whatever else a page has
const get = id => document.getElementById("utterances-" + id), list = get("list");
const data = JSON.parse(get("data").textContent), step = 100;
let found = [], shown = 0;
function shade(y) {
  const mix = (a, b) => Math.round(a + (b - a) * y);
  return `rgb(${mix(255, 8)}, ${mix(255, 48)}, ${mix(255, 107)})`;  // to #08306b
}
function item([id, speaker, label, split, tokens, verbal, acoustic]) {
  const li = document.createElement("li"), head = document.createElement("small");
  head.textContent = [data.classes[label] ?? "other", speaker, split, id].join(" \\u00b7 ");
  li.append(head);
  const y = get("what").value === "verbal" ? verbal : acoustic;
  tokens.forEach((token, i) => {
    const span = document.createElement("span");
    span.className = "w";
    span.textContent = token;
    if (y[i] === null) { span.classList.add("none"); span.title = "no vector"; }
    else {
      const value = y[i] / 100;
      span.style.background = shade(value);
      span.style.color = value > .65 ? "#fff" : "#000";
      span.title = "importance " + value.toFixed(2);
    }
    li.append(span);
  });
  return li;
}
function more() {
  const next = found.slice(shown, shown + step);
  list.append(...next.map(item));
  shown += next.length;
  get("more").hidden = shown >= found.length;
}
function search() {
  const words = get("words").value.toLowerCase().split(/\\s+/).filter(Boolean);
  const label = get("label").value, split = get("split").value;
  found = data.utterances.filter(u =>
    (label === "" || u[2] === +label) && (split === "" || u[3] === split) &&
    words.every(word => u[4].includes(word) || u[0].toLowerCase().includes(word)));
  if (get("order").value === "range") {
    const y = get("what").value === "verbal" ? 5 : 6;
    const range = u => { const k = u[y].filter(v => v !== null);
      return k.length ? Math.max(...k) - Math.min(...k) : -1; };
    found = found.map(u => [range(u), u]).sort((a, b) => b[0] - a[0]).map(pair => pair[1]);
  }
  list.replaceChildren();
  shown = 0;
  get("count").textContent = `${found.length} of ${data.utterances.length} utterances`;
  more();
}
get("form").addEventListener("input", search);
get("form").addEventListener("submit", event => event.preventDefault());
get("more").addEventListener("click", more);
search();
}
"""


def search_html(utterances: Sequence[dict]) -> str:
    """Return the HTML of the search form, with the utterances' data and the script.

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
    splits = "".join(f"<option>{name}</option>" for name in dict.fromkeys(row[3] for row in rows))
    return f"""<div class="utterances">
<p>Importance: 0 <span class="scale" role="img" aria-label="white to dark blue"></span> 1; a dashed
frame marks a word without a vector. Hold the pointer over a word for its number.</p>
<form id="utterances-form" role="search" aria-label="utterances">
<label>words or id<input id="utterances-words" type="search" autocomplete="off"></label>
<label>class<select id="utterances-label"><option value="">all</option>{classes}
<option value="-1">other</option></select></label>
<label>split<select id="utterances-split"><option value="">all</option>{splits}</select></label>
<label>shading<select id="utterances-what"><option value="verbal">words</option>
<option value="acoustic">voices</option></select></label>
<label>order<select id="utterances-order"><option value="id">id</option>
<option value="range">range of importances</option></select></label>
</form>
<p id="utterances-count" role="status" aria-live="polite"></p>
<ol id="utterances-list"></ol><button id="utterances-more" type="button">more</button></div>
<script type="application/json" id="utterances-data">{data}</script>
<script>{_SCRIPT}</script>
"""


def _hundredths(values: Sequence[float | None]) -> list[int | None]:
    return [None if value is None else round(100 * value) for value in values]
