"""CSS of a run's page, in light and dark mode."""

STYLE = """
:root { color-scheme: light dark; font: 16px/1.55 system-ui, sans-serif; scroll-padding-top: 4rem;
  --page: #fff; --text: #1a1a1a; --soft: #555; --line: #d0d0d0; --edge: #767676; --head: #eee;
  --link: #0b5394; --ours: #0072b2; --other: #707070; --yes: #0072b2; --no: #d55e00;
  --no-text: #a83f00; --open: #9a9a9a; --untested: #e4e4e4; }
@media (prefers-color-scheme: dark) { :root { --page: #16181c; --text: #e8e8e8; --soft: #b4b4b4;
  --line: #3c4046; --edge: #8c9097; --head: #272a30; --link: #8ec5f5; --ours: #56b4e9;
  --other: #a5a5a5; --yes: #56b4e9; --no: #ef8b4d; --no-text: #f2a06e; --open: #7d8188;
  --untested: #34383e; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 84rem; padding: 0 1rem 3rem; color: var(--text);
  background: var(--page); }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1.2rem 0 .3rem; }
h2 { margin-top: 3rem; border-bottom: 2px solid var(--text); }
h3 { margin: 2.2rem 0 .4rem; }
p, li, dd, figcaption { max-width: 46rem; overflow-wrap: anywhere; }
header ul { margin: .3rem 0; }
header li p { margin: .2rem 0; }
header > div { display: grid; gap: 0 3rem;
  grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .9rem 0;
  align-content: start; font-size: .9rem; }
dt { color: var(--soft); }
dd { margin: 0; }
nav { background: var(--page); border-bottom: 1px solid var(--line); position: sticky; top: 0;
  z-index: 3; overflow-x: auto; }
nav ul { display: flex; gap: .2rem 1.2rem; margin: 0; padding: .5rem 0; list-style: none; }
nav li { white-space: nowrap; }
@media (min-width: 60rem) { nav ul { flex-wrap: wrap; } :root { scroll-padding-top: 6rem; } }
.many .result { content-visibility: auto; contain-intrinsic-size: auto 30rem;
  overflow-clip-margin: 8px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; background: var(--page); padding: .3rem .6rem; z-index: 4; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
code, pre, .literal { font-family: ui-monospace, monospace; font-size: .9em;
  overflow-wrap: anywhere; }
pre { white-space: pre-wrap; background: var(--head); padding: .6rem .8rem; margin: .3rem 0; }
summary { cursor: pointer; }
.cards { display: grid; gap: 1rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(min(17.5rem, 100%), 1fr)); }
.card { border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem; min-width: 0; }
.card h3 { margin: 0; font-size: 1rem; }
.card p { margin: .2rem 0; font-size: .875rem; color: var(--soft); }
.card .lead { display: flex; flex-wrap: wrap; gap: 0 1.2rem; margin: .3rem 0; color: var(--text); }
.lead b { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.two { display: grid; gap: 0 3rem;
  grid-template-columns: repeat(auto-fit, minmax(min(26rem, 100%), 1fr)); }
.two h3 { margin-top: 1rem; font-size: 1rem; }
.chart { display: block; width: 100%; max-width: 22rem; height: auto; }
.chart text { font-size: 12px; fill: var(--text); font-variant-numeric: tabular-nums; }
.chart .rule { stroke: var(--line); }
.chart .ours { fill: var(--ours); stroke: var(--ours); }
.chart .other { fill: var(--other); stroke: var(--other); }
.chart .strong { font-weight: 600; }
.bar { display: block; width: 100%; height: 1.4rem; border: 1px solid var(--edge); }
.yes { fill: var(--yes); } .no { fill: var(--no); } .open { fill: var(--open); }
.untested { fill: var(--untested); }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; list-style: none; padding: 0;
  margin: .3rem 0 .8rem; font-size: .875rem; }
.key svg { width: .8em; height: .8em; border: 1px solid var(--edge); margin-right: .35em; }
.tools { display: flex; flex-wrap: wrap; gap: .4rem 1rem; align-items: end; margin: .6rem 0 .4rem; }
.tools label { display: grid; font-size: .8rem; color: var(--soft); max-width: 100%; }
.tools output { font-size: .875rem; padding: .25rem 0; }
input, select, button { font: inherit; color: var(--text); background: var(--page);
  border: 1px solid var(--edge); border-radius: .2rem; padding: .2rem .4rem; max-width: 100%; }
button { cursor: pointer; }
.tools :is(input, select, button) { font-size: .875rem; }
.wide { overflow: auto; width: fit-content; max-width: 100%; max-height: 30rem;
  border: 1px solid var(--edge); position: relative; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .6rem; text-align: left; vertical-align: top; }
tbody th { font-weight: inherit; }
tbody th:not(.t) { white-space: nowrap; }
tbody :is(th, td) { border-top: 1px solid var(--line); max-width: 28rem; }
:is(td, th).n { text-align: right; white-space: nowrap; }
:is(td, th).t { min-width: 16rem; }
table:not(.all) .x { display: none; }
thead th { position: sticky; top: 0; background: var(--head); padding: 0; vertical-align: bottom;
  z-index: 1; }
thead button { font-weight: 600; text-align: inherit; width: 100%; border: 0; padding: .3rem .6rem;
  background: none; }
thead button:hover { background: var(--line); }
thead button:focus-visible { outline-offset: -3px; }
thead button::after { content: "\\00a0\\2195"; color: var(--soft); }
th[aria-sort="ascending"] button::after { content: "\\00a0\\2191"; color: var(--text); }
th[aria-sort="descending"] button::after { content: "\\00a0\\2193"; color: var(--text); }
.verdict { white-space: nowrap; }
.verdict.yes b { color: var(--link); } .verdict.no b { color: var(--no-text); }
.note, .made, .from { font-size: .875rem; color: var(--soft); }
.from { margin: .4rem 0; }
figure { margin: 1rem 0 1.6rem; }
.figures { display: flex; flex-wrap: wrap; gap: 0 1rem; align-items: start; }
.figures figure { max-width: min(100%, 60rem); }
.figures > div { width: 100%; }
.figures figcaption { max-width: 40rem; }
img, .map { background: #fff; border: 1px solid var(--line); }
img { max-width: 100%; height: auto; }
.gallery { display: grid; gap: 0 1rem; align-items: start;
  grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); }
.maps { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr));
  gap: 1rem; }
.maps figure { margin: 0; min-width: 0; }
.map { aspect-ratio: 1; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem .9rem; max-width: none; min-height: 1.6em; }
.legend i { display: inline-block; width: .8em; height: .8em; border: 1px solid #404040;
  border-radius: 50%; margin-right: .3em; }
.legend i.bar { width: 8em; border-radius: 0; margin: 0 .4em; }
@media print { .wide { max-height: none; overflow: visible; }
  .skip, nav, .tools { display: none; } }

.utterances form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end;
  margin: 1rem 0; }
.utterances label { display: grid; font-size: .85rem; }
.utterances input { width: 16rem; max-width: 80vw; }
.utterances ol { list-style: none; margin: 0; padding: 0; }
.utterances li { border-top: 1px solid var(--line); padding: .4rem 0; max-width: none; }
.utterances li small { color: var(--soft); display: block; }
.utterances .w { display: inline-block; padding: 0 .3rem; margin: .1rem; border-radius: .2rem; }
.utterances .none { border: 1px dashed var(--edge); }
.utterances .scale { display: inline-block; width: 8rem; height: .8rem; vertical-align: middle;
  background: linear-gradient(90deg, #fff, #08306b); border: 1px solid var(--edge); }
"""
