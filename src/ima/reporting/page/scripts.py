"""JavaScript of a run's page."""

#: Gives each table its tools: sorting, with empty cells always last and equal rows in their
#: original order; filters; and the columns that are hidden at first.
TABLES = """
{
const text = cell => cell ? cell.textContent.trim() : "";
const key = cell => cell ? cell.dataset.v ?? text(cell) : "";
function compare(a, b) {
  const x = Number(a.replace(/,/g, "")), y = Number(b.replace(/,/g, ""));
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
}
function add(parent, kind, about = {}) {
  return parent.appendChild(Object.assign(document.createElement(kind), about));
}
function sorted(heads, body, column) {
  const down = heads[column].getAttribute("aria-sort") === "ascending";
  heads.forEach(head => head.setAttribute("aria-sort", "none"));
  heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...body.rows].map(row => [key(row.cells[column]), row]);
  rows.sort(([a], [b]) => a === "" || b === "" ? (a === "") - (b === "")
    : (down ? -1 : 1) * compare(a, b));
  body.append(...rows.map(([, row]) => row));
}
function filters(tools, heads, body) {
  const words = add(add(tools, "label", { textContent: "rows with" }), "input", { type: "search" });
  const choices = heads.map((head, column) => {
    if (!("filter" in head.dataset)) return null;
    const values = [...new Set([...body.rows].map(row => text(row.cells[column])))].sort(compare);
    const choice = add(add(tools, "label", { textContent: text(head) }), "select");
    add(choice, "option", { textContent: "all", value: "\\n" });
    values.forEach(value => add(choice, "option", { textContent: value || "none", value }));
    return choice;
  });
  const count = add(tools, "output");
  tools.addEventListener("input", () => {
    const sought = words.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let left = 0;
    for (const row of body.rows) {
      const content = [...row.cells].map(text).join("\\n").toLowerCase();
      const chosen = choices.every((choice, column) =>
        !choice || choice.value === "\\n" || choice.value === text(row.cells[column]));
      row.hidden = !(chosen && sought.every(word => content.includes(word)));
      left += !row.hidden;
    }
    count.textContent = `${left} of ${body.rows.length} rows`;
  });
  count.textContent = `${body.rows.length} rows`;
}
for (const table of document.querySelectorAll("table.sorted")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const tools = document.createElement("div"), hidden = table.tHead.querySelectorAll(".x").length;
  tools.className = "tools";
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", `${table.dataset.title}: rows and columns`);
  heads.forEach((head, column) =>
    head.firstElementChild.addEventListener("click", () => sorted(heads, body, column)));
  if (body.rows.length > 7) filters(tools, heads, body);
  if (hidden) {
    const textContent = `${hidden} more column${hidden > 1 ? "s" : ""}`;
    const all = add(tools, "button", { type: "button", textContent });
    all.setAttribute("aria-pressed", "false");
    all.addEventListener("click", () =>
      all.setAttribute("aria-pressed", table.classList.toggle("all")));
  }
  if (tools.children.length) table.parentElement.before(tools);
}
}
"""

#: Draws maps when they come near the screen, and colours them by the selected mode.
MAPS = """
{
const groups = JSON.parse(document.getElementById("maps-data").textContent);
function swatch(colour, name) {
  const span = document.createElement("span"), dot = document.createElement("i");
  dot.style.background = colour;
  span.append(dot, name);
  return span;
}
function legend(i, mode) {
  const place = document.getElementById(`legend-${i}`);
  if (mode.names.length > 20) return place.replaceChildren(`${mode.names.length} classes`);
  if (mode.names.length) {
    const all = mode.names.map((name, n) => swatch(mode.colours[n], name));
    if (mode.other) all.push(swatch(mode.grey, mode.other));
    return place.replaceChildren(...all);
  }
  const bar = document.createElement("i");
  bar.className = "bar";
  bar.style.background = `linear-gradient(90deg, ${mode.colours.join(",")})`;
  const span = document.createElement("span");
  span.append("0", bar, "1");
  place.replaceChildren(span);
}
function colour(plot, number, mode) {
  const glyph = plot.select_one("points").glyph;
  glyph.fill_color = { field: mode.field, transform: plot.tags[number] };
}
// A map is for the pointer: its tools are no stops of the Tab key, which would be dozens.
function unstop(root) {
  for (const element of root.querySelectorAll("*")) {
    if (element.hasAttribute("tabindex")) element.tabIndex = -1;
    if (element.shadowRoot) unstop(element.shadowRoot);
  }
}
// One map a frame is drawn or coloured, so that the page answers in between.
const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
let turn = Promise.resolve();
function inTurn(work) {
  turn = turn.then(work).catch(reportError).then(frame);
}
groups.forEach((group, i) => {
  const choice = document.getElementById(`modes-${i}`), plots = [];
  const chosen = () => group.modes[+choice.value];
  async function draw(place) {
    const item = group.items.find(item => item.target_id === place.id);
    const views = await Bokeh.embed.embed_item(item);
    const plot = (views.roots ? views.roots[0] : views[0]).model;
    plots.push(plot);
    if (choice.value !== "0") colour(plot, +choice.value, chosen());
    unstop(place);
    place.dataset.drawn = "yes";
  }
  const near = new IntersectionObserver(entries => entries.filter(e => e.isIntersecting)
    .forEach(entry => {
      near.unobserve(entry.target);
      inTurn(() => draw(entry.target));
    }), { rootMargin: "300px" });
  group.items.forEach(item => near.observe(document.getElementById(item.target_id)));
  choice.addEventListener("change", () => {
    plots.forEach(plot => inTurn(() => colour(plot, +choice.value, chosen())));
    legend(i, chosen());
  });
  document.getElementById(`whole-${i}`).addEventListener("click", () =>
    plots.forEach(plot => plot.reset.emit()));
  legend(i, chosen());
});
}
"""

#: Searches utterances and shades their words by importance.
UTTERANCES = """
if (document.getElementById("utterances-data")) {
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
    li.append(span, " ");
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
    words.every(word => u[4].includes(word) ||
      /\\d/.test(word) && u[0].toLowerCase().includes(word)));
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
