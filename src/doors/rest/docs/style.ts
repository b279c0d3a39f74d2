/** The style of the documentation, in the page itself. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2530; --soft: #5a6675; --line: #dde3ea; --ground: #fff; --tint: #f5f7fa; --accent: #0b5fa5;
  --get: #0a6b4f; --post: #0b5fa5; --patch: #8a5a00; --delete: #a32020; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9ef; --soft: #9aa7b5; --line: #2c3744; --ground: #12181f; --tint: #1a222b;
  --accent: #6cb4f0; --get: #5cc9a3; --post: #6cb4f0; --patch: #e0b050; --delete: #f08a8a; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 4.5rem; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; overflow-wrap: anywhere; }
p code, dd code, td code { background: var(--tint); padding: .1em .3em; border-radius: 4px; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 8px; padding: .75rem 1rem; overflow-x: auto; overflow-wrap: normal; margin: .5rem 0; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .5rem; } h2 { font-size: 1.3rem; margin: 2.5rem 0 .25rem; }
h4 { font-size: .8rem; margin: 1.25rem 0 .25rem; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); }
.top { position: sticky; top: 0; z-index: 2; display: flex; gap: 1rem; align-items: center; padding: .6rem 1.25rem; background: var(--ground); border-bottom: 1px solid var(--line); }
.top strong { font-size: 1.05rem; } .top strong a { color: inherit; } .top nav { margin-left: auto; display: flex; gap: 1rem; font-size: .9rem; }
.soft { color: var(--soft); } .top .soft { font-size: .85rem; }
.layout { display: grid; grid-template-columns: minmax(0, 1fr); max-width: 84rem; margin: 0 auto; padding: 0 1.25rem 4rem; }
main { min-width: 0; padding-top: 1.5rem; } .lead { max-width: 46rem; }
input[type=search] { width: 100%; font: inherit; font-size: .95rem; padding: .45rem .7rem; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 8px; }
.side { padding-top: 1.25rem; } .side ul { display: none; list-style: none; margin: .25rem 0 1rem; padding: 0; font-size: .875rem; } .side .group { display: none; }
.op { border: 1px solid var(--line); border-radius: 10px; margin: .6rem 0; } .op[open] { border-color: var(--accent); }
.op > summary { display: grid; grid-template-columns: 4.2rem minmax(0, 1fr); gap: .15rem .75rem; align-items: baseline; padding: .6rem .9rem; cursor: pointer; list-style: none; }
.op > summary::-webkit-details-marker { display: none; } .op > summary:hover { background: var(--tint); border-radius: 10px; }
.op .sum { grid-column: 2; color: var(--soft); font-size: .95rem; } .op .path { font-weight: 600; } .op .path i { font-style: normal; color: var(--accent); }
.method { font: 700 .75rem/1.9 ui-monospace, monospace; text-align: center; border: 1px solid; border-radius: 6px; }
.get { color: var(--get); } .post { color: var(--post); } .patch { color: var(--patch); } .delete { color: var(--delete); }
.op .body { padding: 0 .9rem 1rem; border-top: 1px solid var(--line); }
dl { margin: 0; } dl > div { padding: .45rem 0; border-top: 1px solid var(--line); } dl > div:first-child { border-top: 0; }
dt code { font-weight: 600; } dt .type { color: var(--soft); font-size: .85rem; margin-left: .5rem; } dt .need { color: var(--delete); font-size: .8rem; margin-left: .5rem; }
dd { margin: .1rem 0 0; font-size: .92rem; } dd:empty { display: none; } dd .values { font-size: .9em; } dd .values code { display: inline-block; }
.codes { display: grid; grid-template-columns: 2.6rem minmax(0, 1fr); gap: .15rem .5rem; font-size: .85rem; } .codes b { color: var(--soft); font-weight: 600; }
.codes a { margin-right: .75rem; display: inline-block; }
table { width: 100%; border-collapse: collapse; font-size: .92rem; margin-top: 1rem; } th { text-align: left; color: var(--soft); font-size: .8rem; }
th, td { padding: .55rem .6rem .55rem 0; border-top: 1px solid var(--line); vertical-align: top; } thead th { border: 0; }
tr:target { background: var(--tint); } td.code { white-space: nowrap; } td.code code { background: none; padding: 0; font-weight: 600; }
[hidden] { display: none !important; }
@media (max-width: 47.9rem) {
  thead { display: none; } tbody, tr, td { display: block; } tr { border-top: 1px solid var(--line); padding: .7rem 0; } td { border: 0; padding: .1rem 0; }
  td[data-label="Status"], td[data-label="Retry"] { display: inline-block; margin-right: 1.5rem; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); font-size: .85rem; }
}
@media (min-width: 64rem) {
  .layout { grid-template-columns: 17rem minmax(0, 1fr); gap: 2.5rem; } .layout.wide { grid-template-columns: minmax(0, 1fr); }
  .side { position: sticky; top: 3.2rem; align-self: start; max-height: calc(100vh - 3.2rem); overflow-y: auto; padding-bottom: 2rem; }
  .side ul, .side .group { display: block; } .side .group { margin-top: 1rem; font-weight: 600; font-size: .9rem; }
  .side li a { display: block; padding: .12rem 0; color: var(--soft); overflow-wrap: anywhere; } .side li a:hover { color: var(--accent); }
  dl > div { display: grid; grid-template-columns: minmax(13rem, 2fr) 3fr; gap: 1rem; } dt .type { display: block; margin: 0; }
}
`;

/** Filters by what is typed, and opens the operation that the address names. Without it the page is whole. */
export const SCRIPT = `
const search = document.querySelector("input[type=search]");
const sections = [...document.querySelectorAll("main section")];
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\\s+/u).filter(Boolean);
  const fits = (element) => words.every((word) => element.dataset.words.includes(word));
  for (const item of document.querySelectorAll("[data-words]")) item.hidden = !fits(item);
  for (const section of sections) section.hidden = words.length > 0 && !section.querySelector("[data-words]:not([hidden])");
  for (const group of document.querySelectorAll(".side .group")) group.hidden = !group.nextElementSibling.querySelector("li:not([hidden])");
});
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target?.tagName !== "DETAILS") return;
  target.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", open);
open();
`;
