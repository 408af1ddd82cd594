"""Time of large pages (`results/index.html`) in Chromium: until they can be used, and per filter.

    PYTHONPATH=src python -m benchmarks.page
    PYTHONPATH=src python -m benchmarks.page --keep FOLDER
    PYTHONPATH=src python -m benchmarks.page FOLDER/large.html OTHER/large.html --turns 9

The first makes two pages of synthetic results with the project's own code and times them by turns:
`large` has maps of 100,000 points, 5,000 utterances and a table of 1,000 rows; `items` has 1,000
results, half of them tables and half figures. `--keep` leaves the pages in a folder. With paths of
pages, these are timed, such as those of two revisions.

All times are milliseconds that the browser measures, as medians over `--turns`: of the clock, and
in parentheses of the CPU in the page's main thread, which other work on the machine lengthens less.
A page is open once its scripts have run and the next frame is painted; a filter takes from its
event until the frame after it is painted; a map, from scrolling to it until it is painted.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure
from tests.chromium import Chromium, find

from ima.reporting.page import maps
from ima.reporting.page.document import Item, page
from ima.utils.emotions import EMOTIONS
from ima.utils.schemas import EMBEDDINGS
from ima.utils.schemas_emotion import EMBEDDINGS_EMOTION

#: Views of the maps of pairs, and the two of words and voices.
VIEWS = ("hidden_image", "hidden_speech", "u_image", "u_speech", "z")
WIDTH = 1280

#: Before a page's own scripts: note when it is open, and how to wait for the next painted frame.
NOTES = """
function painted() {
  return new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = done;
    channel.port2.postMessage(0);
  }));
}
addEventListener("load", () => painted().then(() => { window.opened = performance.now(); }));
"""
#: What a reader does, with the condition that the page has it: an expression that does it.
FILTERS = {
    "words of utterances": ("utterances-words", "choose(on, 'so word4')"),
    "no such word": ("utterances-words", "choose(on, 'nowhere')"),
    "class of utterances": ("utterances-label", "choose(on, '2')"),
    "shading of utterances": ("utterances-what", "choose(on, 'acoustic')"),
    "order of utterances": ("utterances-order", "choose(on, 'range')"),
    "rows of a table": ("table-search", "choose(on, 'model 77')"),
    "sort a table": ("table-sort", "on.click()"),
    "more columns": ("table-columns", "on.click()"),
    "colours of a drawn map": ("modes-0", "choose(on, '1')"),
    "colours of all drawn maps": ("modes-0", "choose(on, '2'); await coloured('mode-2')"),
}
DO = """
(async () => {
  const choose = (on, value) => {
    on.value = value;
    on.dispatchEvent(new Event(on.matches("select[id^=modes]") ? "change" : "input",
      { bubbles: true }));
  };
  const coloured = async name => {
    const views = Object.values(Bokeh.index.roots ?? Bokeh.index).filter(view =>
      view.model.name?.startsWith("map-0-"));
    const done = () => views.every(view =>
      view.model.select_one("points").glyph.fill_color.transform.name === name);
    while (!done()) await painted();
    await painted();
  };
  const on = document.getElementById("%s");
  if (!on) return null;
  await painted();
  const start = performance.now();
  %s;
  await painted();
  return performance.now() - start;
})()
"""
#: Name the tools of the longest table, which have no ids.
NAME_TOOLS = """
(() => {
  const longest = [...document.querySelectorAll("table.sorted")]
    .reduce((a, b) => b.rows.length > a.rows.length ? b : a);
  const tools = longest.parentElement.previousElementSibling;
  tools.querySelector("input").id = "table-search";
  (tools.querySelector("button") ?? {}).id = "table-columns";
  longest.tHead.querySelectorAll("button")[2].id = "table-sort";
})()
"""
DRAW = """
(async () => {
  const place = document.getElementById("%s"), start = performance.now();
  place.scrollIntoView();
  while (place.dataset.drawn !== "yes") await painted();
  await painted();
  return performance.now() - start;
})()
"""


def main() -> None:
    """Make pages, or take those of the command line, and print the medians of their times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--utterances", type=int, default=5_000)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        pages = options.pages or made(folder, options)
        found: dict[Path, list[dict]] = {path: [] for path in pages}
        with Chromium(find() or "chromium", Path(temporary) / "profile") as browser:
            browser.send("Page.addScriptToEvaluateOnNewDocument", source=NOTES)
            browser.send("Performance.enable", timeDomain="threadTicks")
            for domain in ("Accessibility", "Log", "Network"):  # which slow a page down
                browser.send(f"{domain}.disable")
            for path in pages:
                timed(browser, path)  # the first time, files are read from the disk
            for _ in range(options.turns):
                for path in pages:
                    found[path].append(timed(browser, path))
    print(f"load of the machine: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores")
    report(found)


def report(found: dict[Path, list[dict]]) -> None:
    """Print the medians of all times in milliseconds: a row per action, a column per page."""
    rows = dict.fromkeys(name for runs in found.values() for run in runs for name in run)
    print(f"| ms (CPU) | {' | '.join(f'{path.parent.name}/{path.stem}' for path in found)} |")
    print("|---|" + "---|" * len(found))
    for name in rows:
        cells = []
        for runs in found.values():
            times = zip(*(run[name] for run in runs if name in run), strict=True)
            wall, cpu = map(statistics.median, times) if name in runs[0] else (None, None)
            cells.append(f"{wall:.0f} ({cpu:.0f})" if wall is not None else "")
        print(f"| {name} | {' | '.join(cells)} |")


def timed(browser: Chromium, path: Path) -> dict[str, tuple[float, float]]:
    """Return milliseconds, of the clock and of the CPU, of opening a page and of what it does."""

    def cpu() -> float:
        """Return the CPU time of the page's main thread since it began to load."""
        metrics = browser.send("Performance.getMetrics")["metrics"]
        return 1000 * next(of["value"] for of in metrics if of["name"] == "ThreadTime")

    def both(script: str) -> tuple[float, float] | None:
        before = cpu()
        took = browser.run(script)
        return None if took is None else (took, cpu() - before)

    browser.open(path, WIDTH)
    browser.until("window.opened !== undefined")
    took = {"open": (browser.run("window.opened"), cpu())}
    browser.run(NAME_TOOLS)
    places = browser.run("[...document.querySelectorAll('.map')].map(e => e.id)")
    drawn = [both(DRAW % place) for place in places]
    if drawn:
        took["slowest map"] = max(drawn)
        took["all maps"] = tuple(map(sum, zip(*drawn, strict=True)))
    found = {name: both(DO % action) for name, action in FILTERS.items()}
    return took | {name: times for name, times in found.items() if times}


def made(folder: Path, options: argparse.Namespace) -> list[Path]:
    """Write the pages of synthetic results, and print their sizes."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, make in (("large", large), ("items", many)):
        (folder / name).mkdir(exist_ok=True)
        start = time.perf_counter()
        text = make(folder / name, options)
        took = time.perf_counter() - start
        paths.append(folder / f"{name}.html")
        paths[-1].write_text(text, encoding="utf-8")
        print(f"{name}: {len(text.encode()) / 1e6:.1f} MB, made in {took:.1f} s")
    return paths


def large(folder: Path, options: argparse.Namespace) -> str:
    """Return a page with maps of many points, many utterances and a long table."""
    rng = np.random.default_rng(0)
    table = written(folder / "long.csv", 1000, rng)
    items = [Item(str(table), "Long", "Section 6.2", "**Long.** A table of many rows.")]
    words = options.points // 10
    pairs = (options.points - 2 * words) // len(VIEWS)
    y = {name: rng.random(pairs) for name in ("image", "speech")}
    explored = [
        maps.pair_maps(pair_embeddings(pairs, rng), y, list("0123456789"), noise=True),
        maps.emotion_maps(emotion_embeddings(words, rng), [f"word{i}" for i in range(words)]),
    ]
    utterances = [utterance(i, rng) for i in range(options.utterances)]
    return page("large", items, explored, utterances, "Synthetic results.", folder.parent)


def many(folder: Path, options: argparse.Namespace) -> str:
    """Return a page with many results: tables of ten rows, and figures."""
    rng, items = np.random.default_rng(0), []
    for i in range(options.items // 2):
        caption = f"**Result {i}.** A table, and a figure of the same numbers."
        table = written(folder / f"t{i}.csv", 10, rng)
        figure = Figure(figsize=(3, 2))
        figure.subplots().plot(rng.normal(size=(50, 3)).cumsum(0))
        figure.savefig(folder / f"f{i}.png", dpi=200)
        of = (f"Result {i}", f"Section {i % 10}", caption)
        items += [Item(str(table), *of), Item(str(folder / f"f{i}.png"), *of)]
    return page("items", items, about="Synthetic results.", folder=folder.parent)


def written(path: Path, rows: int, rng: np.random.Generator) -> Path:
    """Write a table like those of a run: names, sizes, and means with standard deviations."""
    lines = [["run", "model", "representation", "latent", "seeds"]]
    lines[0] += [name for i in range(9) for name in (f"score{i}", f"score{i}_sd")]
    for i in range(rows):
        values = rng.random(18).round(5).tolist()
        lines.append(["r", f"model {i}", ("joint", "image")[i % 2], 50 if i % 3 else 2, 5, *values])
    path.write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n")
    return path


def pair_embeddings(n: int, rng: np.random.Generator) -> pa.Table:
    """Return maps of n pairs in all views."""
    labels, noise = rng.integers(10, size=n), rng.random(n) < 0.1
    columns = {
        "view": np.repeat(VIEWS, n),
        "pair": np.tile(np.arange(n), len(VIEWS)),
        "label": np.tile(labels, len(VIEWS)),
        "pair_type": np.tile(np.where(noise, "image_noise", "clean"), len(VIEWS)),
        "noise": np.tile(noise, len(VIEWS)),
        **{name: rng.normal(size=len(VIEWS) * n) for name in ("x", "y")},
    }
    return pa.table(columns).cast(EMBEDDINGS)


def emotion_embeddings(n: int, rng: np.random.Generator) -> pa.Table:
    """Return maps of n words and n voices."""
    columns = {
        "view": np.repeat(["verbal", "acoustic"], n),
        "item": np.tile(np.arange(n), 2),
        "category": np.tile(rng.choice([*EMOTIONS, "not emotional"], n), 2),
        **{name: rng.random(2 * n) for name in ("importance", "x", "y")},
    }
    return pa.table(columns).cast(EMBEDDINGS_EMOTION)


def utterance(i: int, rng: np.random.Generator) -> dict:
    """Return an utterance of 5 to 25 words, of which a few lack a vector."""
    count = int(rng.integers(5, 26))
    drawn = rng.random((2, count)).tolist()
    words = [f"word{number}" for number in rng.integers(2000, size=count - 1)]
    return {
        **{"id": f"Ses0{i % 5}F_impro{i}", "speaker": f"s{i % 10}", "label": i % len(EMOTIONS)},
        **{"split": "validation", "tokens": ["so", *words]},
        "verbal": [None if y > 0.95 else y for y in drawn[0]],
        "acoustic": drawn[1],
    }


if __name__ == "__main__":
    main()
