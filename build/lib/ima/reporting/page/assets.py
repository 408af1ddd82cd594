"""CSS and JavaScript of a run's page."""

STYLE = """
:root { color-scheme: light; font: 16px/1.55 system-ui, sans-serif; scroll-padding-top: 1rem; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 0 1rem 3rem; color: #1a1a1a; background: #fff; }
a { color: #0b5394; }
:focus-visible { outline: 3px solid #0b5394; outline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin-bottom: .3rem; }
h2 { margin-top: 3rem; border-bottom: 2px solid #1a1a1a; }
h3 { margin: 2.2rem 0 .4rem; }
header p, p, figcaption { max-width: 46rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; list-style: none; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: #fff; padding: .3rem .6rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
code, .literal { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
p, li, figcaption { overflow-wrap: anywhere; }
.wide { overflow: auto; max-height: 30rem; border: 1px solid #999; position: relative; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: left; vertical-align: top; }
td { border-top: 1px solid #ddd; max-width: 28rem; }
td.n, th.n { text-align: right; }
td.t { min-width: 16rem; }
thead th { position: sticky; top: 0; background: #eee; padding: 0; vertical-align: bottom; }
th button { font: inherit; font-weight: 600; text-align: inherit; width: 100%; border: 0;
  padding: .3rem .6rem; background: none; cursor: pointer; white-space: nowrap; }
th button:hover { background: #ddd; }
th button:focus-visible { outline-offset: -3px; }
th button::after { content: " \\2195"; color: #666; }
th[aria-sort="ascending"] button::after { content: " \\2191"; color: #1a1a1a; }
th[aria-sort="descending"] button::after { content: " \\2193"; color: #1a1a1a; }
.verdict { white-space: nowrap; }
figure { margin: 1rem 0; }
img { max-width: 100%; height: auto; border: 1px solid #ddd; }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr));
  gap: 1rem; }
.maps figure { margin: 0; min-width: 0; }
.map { border: 1px solid #ddd; aspect-ratio: 1; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem .9rem; max-width: none; min-height: 1.6em; }
.legend i { display: inline-block; width: .8em; height: .8em; border: 1px solid #404040;
  border-radius: 50%; margin-right: .3em; }
.legend i.bar { width: 8em; border-radius: 0; margin: 0 .4em; }
select, p > button { font: inherit; padding: .2rem .4rem; border: 1px solid #767676;
  max-width: 100%; }
footer { margin-top: 4rem; border-top: 1px solid #999; }
@media print { .wide { max-height: none; overflow: visible; } .skip, nav { display: none; } }
"""

#: Sorts tables, with empty cells always last and equal rows in their original order.
SORTING = """
{
const key = cell => cell ? cell.dataset.v ?? cell.textContent.trim() : "";
function compare(a, b) {
  const x = Number(a.replace(/,/g, "")), y = Number(b.replace(/,/g, ""));
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, "en", { numeric: true }) : x - y;
}
for (const table of document.querySelectorAll("table.sorted")) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(other => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...body.rows].map(row => [key(row.cells[column]), row]);
    rows.sort(([a], [b]) => a === "" || b === "" ? (a === "") - (b === "")
      : (down ? -1 : 1) * compare(a, b));
    body.append(...rows.map(([, row]) => row));
  }));
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
groups.forEach((group, i) => {
  const choice = document.getElementById(`modes-${i}`), plots = [];
  const chosen = () => group.modes[+choice.value];
  const near = new IntersectionObserver(entries => entries.filter(e => e.isIntersecting)
    .forEach(async entry => {
      near.unobserve(entry.target);
      const item = group.items.find(item => item.target_id === entry.target.id);
      const views = await Bokeh.embed.embed_item(item);
      const plot = (views.roots ? views.roots[0] : views[0]).model;
      plots.push(plot);
      colour(plot, +choice.value, chosen());
      unstop(entry.target);
      entry.target.dataset.drawn = "yes";
    }), { rootMargin: "300px" });
  group.items.forEach(item => near.observe(document.getElementById(item.target_id)));
  choice.addEventListener("change", () => {
    plots.forEach(plot => colour(plot, +choice.value, chosen()));
    legend(i, chosen());
  });
  document.getElementById(`whole-${i}`).addEventListener("click", () =>
    plots.forEach(plot => plot.reset.emit()));
  legend(i, chosen());
});
}
"""
