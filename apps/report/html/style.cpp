// Colours come in pairs, light and dark; text has a contrast of at least 4.5 on its background, and
// what is drawn of 3 on the page (WCAG 2.2, 1.4.3 and 1.4.11). The colours of methods never stand
// alone: the order of lanes and rows says the same.
#include "apps/report/html/assets.h"

namespace intaglio::html {

const std::string_view style = R"css(
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --soft: #59636e; --line: #d0d7de;
  --panel: #f4f6f8; --bars: #7d8fa3; --link: #0b57d0; --warn: #fff4ce; --warn-line: #9a6700; --miss: #b3261e;
  --m0: #0b57d0; --m1: #b3410e; --m2: #1a7f37; --m3: #8250df; --m4: #a3195b; --m5: #0f7285; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181d; --text: #e6eaef; --soft: #9aa7b4; --line: #3a434d; --panel: #1d232a;
    --bars: #73869a; --link: #8ab4f8; --warn: #3a2f0b; --warn-line: #e3b341; --miss: #f28b82;
    --m0: #8ab4f8; --m1: #f0a070; --m2: #6fcf85; --m3: #c3a2f7; --m4: #f48fb8; --m5: #5fc9db; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 96rem; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1, h2 { line-height: 1.25; }
h1 code { font-size: .9em; }
h2 { margin-top: 2.5rem; padding-top: .5rem; border-top: 1px solid var(--line); }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; padding: 0; list-style: none; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere; unicode-bidi: isolate; }
.warnings { background: var(--warn); border-left: .4rem solid var(--warn-line); padding: .5rem 1rem; margin: 1rem 0; }
.missed { border-left: .4rem solid var(--miss); padding-left: 1rem; }
.missed h2, .missed td strong { color: var(--miss); }
.warnings h2 { margin: 0; padding: 0; border: 0; font-size: 1.15rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem; }
dt { color: var(--soft); }
dd { margin: 0; min-width: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th, td { padding: .25rem .6rem; text-align: right; vertical-align: top; font-weight: inherit; }
th.t, td.t { text-align: left; }
thead th { background: var(--panel); font-weight: 600; vertical-align: bottom; }
thead th.t { white-space: nowrap; }
tbody { border-top: 1px solid var(--line); }
tbody.best { background: var(--panel); }
tbody th { min-width: 9rem; max-width: 24rem; }
th ul { margin: .2rem 0 0; padding-left: 1rem; color: var(--soft); font-size: .8125em; }
.soft { color: var(--soft); font-size: .875em; }
.note { display: block; min-width: 18rem; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: 1.5rem; }
.sample { min-width: 0; border: 1px solid var(--line); border-radius: .4rem; padding: .75rem 1rem; }
.sample.line { grid-column: 1 / -1; }
.sample h3 { margin: 0 0 .5rem; font-size: 1em; overflow-wrap: anywhere; }
.sample dl { grid-template-columns: minmax(4rem, max-content) 1fr; gap: .15rem .75rem; margin: .5rem 0 0; }
.sample dd { overflow-wrap: anywhere; }
.sample dd code { white-space: pre-wrap; }
.pictures { display: flex; flex-wrap: wrap; gap: .75rem; }
.line .pictures { display: block; }
figure { flex: 1 1 8rem; min-width: 0; max-width: 20rem; margin: 0; }
.line figure { max-width: 62rem; margin-bottom: .5rem; }
figcaption { color: var(--soft); font-size: .8125em; }
svg.bar { width: 6rem; margin-left: auto; }
svg.picture { width: 100%; height: auto; background: var(--panel); }
.line svg.picture { width: min(100%, calc(var(--w) * 1.5)); }
svg.coarse image { image-rendering: pixelated; }
svg .box-float rect, svg .box-int8 rect { fill: none; stroke-width: 1.75; vector-effect: non-scaling-stroke; }
svg .box-float rect { stroke: #2f9bff; }
svg .box-int8 rect { stroke: #ff8a1f; stroke-dasharray: 6 3; }
span.box-float { border-bottom: 3px solid #2f9bff; }
span.box-int8 { border-bottom: 3px dashed #ff8a1f; }
th button { all: unset; cursor: pointer; padding: .1rem .2rem; border-radius: .2rem; }
th button:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
th button::after { content: "\00a0\2195"; color: var(--soft); }
th[aria-sort="ascending"] button::after { content: "\00a0\2191"; color: inherit; }
th[aria-sort="descending"] button::after { content: "\00a0\2193"; color: inherit; }
summary { cursor: pointer; padding: .25rem; }
svg { display: block; width: 16rem; max-width: none; color: var(--soft); }
svg path { fill: none; stroke-width: 1.5; shape-rendering: crispEdges; }
svg .bars { fill: var(--bars); }
svg .codes { fill: var(--line); stroke: var(--soft); stroke-width: .75; }
svg .zero { stroke: currentColor; stroke-width: .75; }
svg text { font: 9px system-ui, sans-serif; fill: currentColor; }
.m0 { stroke: var(--m0); } .m1 { stroke: var(--m1); } .m2 { stroke: var(--m2); }
.m3 { stroke: var(--m3); } .m4 { stroke: var(--m4); } .m5 { stroke: var(--m5); }
.k code { overflow-wrap: normal; white-space: nowrap; }
.k.m0 { color: var(--m0); } .k.m1 { color: var(--m1); } .k.m2 { color: var(--m2); }
.k.m3 { color: var(--m3); } .k.m4 { color: var(--m4); } .k.m5 { color: var(--m5); }
@media (min-width: 96rem) {
  svg { width: 20rem; }
  .wide { overflow: visible; }
  thead th { position: sticky; top: 0; }
}
@media (max-width: 40rem) {
  body { padding: .75rem; }
  dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .5rem; }
  .sample dl { grid-template-columns: minmax(4rem, max-content) 1fr; }
  th, td { padding: .2rem .35rem; }
  tbody th { min-width: 7rem; max-width: 10rem; }
  thead th.t { white-space: normal; }
  caption span { display: block; position: sticky; left: 0; max-width: calc(100vw - 2rem); }
}
@media print {
  :root { --page: #fff; --text: #000; --soft: #444; --line: #bbb; --panel: #eee; --bars: #777; --link: #000;
    --warn: #fff; --warn-line: #000; --miss: #000; --m0: #0b57d0; --m1: #b3410e; --m2: #1a7f37; --m3: #8250df;
    --m4: #a3195b; --m5: #0f7285; }
  body { padding: 0; font-size: 8pt; max-width: none; }
  nav, th button::after { display: none; }
  th button { display: contents; }
  .wide { overflow: visible; }
  thead th { position: static; }
  thead { display: table-header-group; }
  tbody, .warnings, svg, .sample { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  svg { width: 12rem; print-color-adjust: exact; }
  .samples { grid-template-columns: repeat(6, 1fr); gap: .5rem; }
  .sample dl { grid-template-columns: 1fr; gap: 0; margin: 0; line-height: 1.3; }
  .sample dt { font-size: .8125em; }
  .sample { padding: .3rem .4rem; font-size: .85em; }
  .line figure { max-width: 40rem; }
  @page { size: landscape; margin: 12mm; }
}
)css";

}  // namespace intaglio::html
