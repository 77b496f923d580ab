/**
 * The style sheet of the page. Colours are named by what they say; every pair of text and ground has at least 4.5:1
 * (WCAG 2.2 §1.4.3), and nothing is said by colour alone (§1.4.1): forced colours and print lose no word or shape.
 * Sides are logical (`inline-start`), so the page can be turned around for languages that run from right to left.
 */
export const styleSheet = `:root {
  color-scheme: light dark;
  --paper: #f3f5f8;
  --card: #ffffff;
  --sunken: #f6f8fb;
  --ink: #141c28;
  --soft: #505c6e;
  --line: #dde3eb;
  --accent: #2352bd;
  --good: #0c6a45;
  --good-ground: #e3f4eb;
  --good-line: #b4dec9;
  --attention: #7c4a00;
  --attention-ground: #fdf2de;
  --attention-line: #efd6a4;
  --bad: #a61f24;
  --bad-ground: #fdebea;
  --bad-line: #f2c3c0;
  --unknown: #46536a;
  --unknown-ground: #eaeef4;
  --unknown-line: #cdd6e2;
  --shadow: 0 1px 2px rgb(20 28 40 / 5%), 0 8px 24px -12px rgb(20 28 40 / 14%);
  --round: 1rem;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0c1118;
    --card: #141b25;
    --sunken: #10161f;
    --ink: #e9eef5;
    --soft: #a8b4c5;
    --line: #253042;
    --accent: #93b5ff;
    --good: #74dcaa;
    --good-ground: #0f2a20;
    --good-line: #1f4d3a;
    --attention: #f0c36c;
    --attention-ground: #2b2110;
    --attention-line: #54421e;
    --bad: #ffa39c;
    --bad-ground: #341719;
    --bad-line: #66302f;
    --unknown: #b6c2d4;
    --unknown-ground: #1b2431;
    --unknown-line: #34425a;
    --shadow: 0 1px 2px rgb(0 0 0 / 40%);
  }
}
.tone-good { --tone: var(--good); --tone-ground: var(--good-ground); --tone-line: var(--good-line); }
.tone-attention { --tone: var(--attention); --tone-ground: var(--attention-ground); --tone-line: var(--attention-line); }
.tone-bad { --tone: var(--bad); --tone-ground: var(--bad-ground); --tone-line: var(--bad-line); }
.tone-unknown { --tone: var(--unknown); --tone-ground: var(--unknown-ground); --tone-line: var(--unknown-line); }

*, *::before, *::after { box-sizing: border-box; }
html { scroll-padding-block-start: 1.5rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0;
  padding: clamp(1rem, 3vw, 2.5rem) clamp(1rem, 4vw, 3rem) 4rem;
  background: var(--paper);
  color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif;
  overflow-wrap: break-word;
}
main, .top { max-inline-size: 76rem; margin-inline: auto; }
h1, h2, h3, h4, p, ol, ul, dl, dd { margin: 0; padding: 0; }
ol, ul { list-style: none; }
h2 { font-size: 1.125rem; line-height: 1.3; letter-spacing: -.005em; }
h3 { font-size: 1rem; line-height: 1.4; }
h4 { font-size: 1rem; line-height: 1.4; font-weight: 600; }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: .08em; }
a:hover { text-decoration-thickness: .16em; }
code, .value {
  font-family: ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", "DejaVu Sans Mono", monospace;
  font-size: .875em;
}
code {
  padding: .1em .38em;
  border: 1px solid var(--line);
  border-radius: .35em;
  background: var(--sunken);
  color: var(--ink);
  white-space: nowrap;
}
.value { overflow-wrap: anywhere; }
.note, .foot, .age { color: var(--soft); font-size: .875rem; }
.age { font-variant-numeric: tabular-nums; unicode-bidi: plaintext; white-space: nowrap; }
.icon { inline-size: 1.25em; block-size: 1.25em; flex: none; vertical-align: -.25em; }
.card {
  padding: 1.25rem 1.375rem;
  border: 1px solid var(--line);
  border-radius: var(--round);
  background: var(--card);
  box-shadow: var(--shadow);
}
.visually-hidden {
  position: absolute;
  inline-size: 1px;
  block-size: 1px;
  margin: -1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

/* Focus (WCAG 2.2 §2.4.7, §2.4.13): two colours, so that it is seen on any ground. */
:focus-visible { outline: .1875rem solid var(--accent); outline-offset: .1875rem; border-radius: .375rem; }
#findings:focus-visible { outline-offset: .5rem; }
.skip {
  position: absolute;
  inset-block-start: .75rem;
  inset-inline-start: .75rem;
  z-index: 1;
  padding: .625rem 1rem;
  border-radius: .625rem;
  background: var(--card);
  box-shadow: var(--shadow);
  transform: translateY(-300%);
}
.skip:focus { transform: none; }

.top {
  display: flex;
  flex-wrap: wrap;
  align-items: center;
  justify-content: space-between;
  gap: .75rem 1.5rem;
  margin-block-end: 1.5rem;
}
.brand { display: flex; align-items: center; gap: .75rem; }
.brand > .icon { inline-size: 2.25rem; block-size: 2.25rem; color: var(--accent); stroke-width: 1.6; }
.brand h1 { font-size: 1.125rem; line-height: 1.25; letter-spacing: -.01em; }
.brand p { color: var(--soft); font-size: .875rem; line-height: 1.3; }
.live { color: var(--soft); font-size: .875rem; }
.live [data-when]:not([hidden]) { display: inline-flex; align-items: center; gap: .5rem; }
.live [data-when]::before {
  content: "";
  flex: none;
  inline-size: .625rem;
  block-size: .625rem;
  border: 2px solid currentColor;
  border-radius: 50%;
}
.live [data-when="live"]::before { background: var(--good); border-color: var(--good); }
.live [data-when="lost"], .live [data-when="ended"] {
  padding: .375rem .75rem;
  border: 1px solid var(--attention-line);
  border-radius: .625rem;
  background: var(--attention-ground);
  color: var(--attention);
}

.hero {
  display: grid;
  grid-template-columns: auto minmax(0, 1fr) auto;
  align-items: center;
  gap: 1.25rem 1.75rem;
  padding: clamp(1.25rem, 3vw, 2.25rem);
  border: 1px solid var(--tone-line);
  border-radius: calc(var(--round) * 1.25);
  background: var(--tone-ground);
}
.badge {
  display: grid;
  place-items: center;
  inline-size: 5.5rem;
  block-size: 5.5rem;
  border: 1px solid var(--tone-line);
  border-radius: 50%;
  background: var(--card);
  color: var(--tone);
}
.badge .icon { inline-size: 3.25rem; block-size: 3.25rem; stroke-width: 1.5; }
.eyebrow { color: var(--tone); font-size: .875rem; font-weight: 600; }
.hero h2 { font-size: clamp(1.75rem, 1.3rem + 2vw, 2.5rem); line-height: 1.15; letter-spacing: -.02em; }
.sentence { max-inline-size: 52ch; margin-block-start: .5rem; font-size: 1.0625rem; }
.measured { margin-block-start: .375rem; }
.measured .age { color: var(--tone); }
.meter { min-inline-size: 11rem; }
.meter p { margin-block-end: .5rem; color: var(--tone); font-size: .875rem; font-weight: 600; }
.steps { display: flex; flex-direction: column-reverse; gap: .25rem; }
.step {
  display: flex;
  align-items: center;
  gap: .5rem;
  padding: .3125rem .75rem;
  border: 1px solid transparent;
  border-radius: .5rem;
  color: var(--soft);
  font-size: .9375rem;
  line-height: 1.4;
}
.step-reached { color: var(--tone); }
.step-start .icon { color: var(--soft); }
.step[aria-current] { border-color: var(--tone); background: var(--card); color: var(--ink); font-weight: 600; }
.step[aria-current] .icon { color: var(--tone); }

.columns { display: grid; gap: 1.5rem; margin-block-start: 1.5rem; }
.column { display: grid; gap: 1.5rem; align-content: start; min-inline-size: 0; }
@media (min-width: 64rem) {
  .columns { grid-template-columns: minmax(0, 1fr) 21.5rem; gap: 1.75rem; }
}

.next-text { margin-block-start: .375rem; }
.next-list { margin-block-start: .875rem; display: grid; gap: .625rem; counter-reset: next; }
.next-list li { position: relative; padding-inline-start: 2.25rem; counter-increment: next; }
.next-list li::before {
  content: counter(next);
  position: absolute;
  inset-inline-start: 0;
  inset-block-start: .0625rem;
  display: grid;
  place-items: center;
  inline-size: 1.5rem;
  block-size: 1.5rem;
  border: 1px solid var(--line);
  border-radius: 50%;
  background: var(--sunken);
  color: var(--soft);
  font-size: .8125rem;
  font-weight: 600;
}
.next-list a { display: inline-block; min-block-size: 1.5rem; font-weight: 600; }
.next-list span { display: block; color: var(--soft); font-size: .9375rem; }
.next .note { margin-block-start: .625rem; padding-inline-start: 2.25rem; }

#findings { display: grid; gap: 1.25rem; }
#findings > h2 { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
.group h3 { display: flex; align-items: center; gap: .5rem; font-size: 1.125rem; letter-spacing: -.005em; }
.group h3 .icon { color: var(--soft); }
.count {
  min-inline-size: 1.625rem;
  padding: .0625rem .5rem;
  border: 1px solid var(--line);
  border-radius: 1rem;
  background: var(--card);
  color: var(--soft);
  font-size: .8125rem;
  text-align: center;
}
.group > .note { margin-block: .125rem .75rem; }
.cards { display: grid; gap: .875rem; }
.finding { position: relative; scroll-margin-block-start: 1.5rem; }
.finding::before {
  content: "";
  position: absolute;
  inset-inline-start: -1px;
  inset-block-start: 1.25rem;
  inline-size: .25rem;
  block-size: 1.75rem;
  border-start-end-radius: .25rem;
  border-end-end-radius: .25rem;
  background: var(--unknown);
}
.finding-fail::before { background: var(--bad); }
.finding-stale::before { background: var(--attention); }
.finding:target { outline: .1875rem solid var(--accent); outline-offset: .125rem; }
.finding-head { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .375rem 1rem; }
.finding-head h4 { font-size: 1.0625rem; }
.finding > * + * { margin-block-start: .75rem; }
.state {
  display: inline-flex;
  align-items: center;
  gap: .375rem;
  padding: .125rem .625rem .125rem .5rem;
  border: 1px solid var(--unknown-line);
  border-radius: 1rem;
  background: var(--unknown-ground);
  color: var(--unknown);
  font-size: .875rem;
  font-weight: 600;
  white-space: nowrap;
}
.state-pass { border-color: var(--good-line); background: var(--good-ground); color: var(--good); }
.state-fail { border-color: var(--bad-line); background: var(--bad-ground); color: var(--bad); }
.state-stale { border-color: var(--attention-line); background: var(--attention-ground); color: var(--attention); }
.facts { display: grid; gap: .375rem; font-size: .9375rem; }
.facts > div { display: grid; grid-template-columns: 6rem minmax(0, 1fr); gap: .75rem; }
.facts dt { color: var(--soft); }
.items { display: flex; flex-wrap: wrap; gap: .375rem; }
.items li { padding: .0625rem .5rem; border: 1px solid var(--line); border-radius: .375rem; background: var(--sunken); }
.why { max-inline-size: 70ch; font-size: .9375rem; }
.why strong, .remedy strong { display: block; color: var(--soft); font-size: .8125rem; font-weight: 600; }
.remedy { padding: .75rem .875rem; border: 1px solid var(--line); border-radius: .625rem; background: var(--sunken); }
.remedy code { background: var(--card); }
.foot { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem 1rem; }

.rows { border: 1px solid var(--line); border-radius: var(--round); background: var(--card); box-shadow: var(--shadow); }
.row + .row { border-block-start: 1px solid var(--line); }
.row summary {
  display: grid;
  grid-template-columns: 9.25rem minmax(0, 1fr) auto 1.25rem;
  align-items: center;
  gap: .125rem .875rem;
  min-block-size: 3rem;
  padding: .625rem 1.125rem;
  border-radius: var(--round);
  cursor: pointer;
  list-style: none;
}
.row summary::-webkit-details-marker { display: none; }
.row summary::after {
  content: "";
  justify-self: center;
  grid-column: 4;
  grid-row: 1;
  inline-size: .5rem;
  block-size: .5rem;
  border: solid var(--soft);
  border-width: 0 2px 2px 0;
  transform: translateY(-.125rem) rotate(45deg);
}
.row details[open] summary::after { transform: translateY(.125rem) rotate(225deg); }
.row summary:hover h4 { text-decoration: underline; text-underline-offset: .18em; }
.row .state { justify-self: start; padding-inline: 0; border: 0; background: none; }
.row .value { grid-column: 2; grid-row: 2; justify-self: start; color: var(--soft); }
.row .age { grid-column: 3; grid-row: 1; }
.row-body { display: grid; gap: .625rem; padding: 0 1.125rem 1.125rem; padding-inline-start: calc(1.125rem + 9.25rem + .875rem); font-size: .9375rem; }

.aside .card > h2 + * { margin-block-start: .625rem; }
.aside .card > p { font-size: .9375rem; }
.evidence > * + * { margin-block-start: .75rem; }
.cap { padding: .625rem .75rem; border: 1px solid var(--attention-line); border-radius: .625rem; background: var(--attention-ground); color: var(--attention); }
.rungs { display: grid; }
.rung { position: relative; padding: 0 0 1rem; padding-inline-start: 1.625rem; font-size: .9375rem; }
.rung::before {
  content: "";
  position: absolute;
  inset-inline-start: .125rem;
  inset-block-start: .375rem;
  inline-size: .75rem;
  block-size: .75rem;
  border: 2px solid var(--soft);
  border-radius: 50%;
  background: var(--card);
}
.rung::after {
  content: "";
  position: absolute;
  inset-inline-start: calc(.5rem - 1px);
  inset-block: 1.375rem -.125rem;
  border-inline-start: 2px solid var(--line);
}
.rung:last-child::after { content: none; }
.rung:last-child { padding-block-end: 0; }
.rung-reached::before { border-color: var(--good); background: var(--good); }
.rung-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .25rem .75rem; }
.rung-head span { color: var(--soft); font-size: .875rem; }
.rung-present .rung-head strong { text-decoration: underline; text-decoration-thickness: .125em; text-underline-offset: .25em; }
.history li { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; align-items: start; gap: .625rem; padding-block: .5rem; }
.history li + li { border-block-start: 1px solid var(--line); }
.history .icon { margin-block-start: .125rem; color: var(--tone); }
.change { display: grid; line-height: 1.4; }
.limits { margin-block-start: 1.75rem; }
.limits ul { columns: 22rem auto; column-gap: 2.5rem; margin-block-start: .75rem; }
.limits li { position: relative; margin-block-end: .625rem; break-inside: avoid; padding-inline-start: 1.125rem; font-size: .9375rem; }
.limits li::before { content: ""; position: absolute; inset-inline-start: .125rem; inset-block-start: .6rem; inline-size: .5rem; border-block-start: 2px solid var(--soft); }
.refused { max-inline-size: 40rem; }
.refused p { margin-block-start: .5rem; }

@media (max-width: 48rem) {
  .hero { grid-template-columns: auto minmax(0, 1fr); }
  .badge { inline-size: 4rem; block-size: 4rem; align-self: start; }
  .badge .icon { inline-size: 2.375rem; block-size: 2.375rem; }
  .meter { grid-column: 1 / -1; }
  .steps { flex-flow: row wrap; }
}
@media (max-width: 36rem) {
  .badge { inline-size: 3.25rem; block-size: 3.25rem; }
  .badge .icon { inline-size: 2rem; block-size: 2rem; }
  .hero { gap: 1.25rem 1rem; }
  .steps { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .row summary { grid-template-columns: minmax(0, 1fr) 1.25rem; }
  .row .state { grid-row: 1; }
  .row h4, .row .value, .row .age { grid-column: 1; grid-row: auto; }
  .row summary::after { grid-column: 2; }
  .row-body { padding-inline-start: 1.125rem; }
  .facts > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
}
@media (max-width: 20rem) {
  .hero { grid-template-columns: minmax(0, 1fr); }
}
@media (prefers-reduced-motion: no-preference) {
  .skip { transition: transform .12s ease-out; }
  .row summary::after { transition: transform .12s ease-out; }
}
@media (prefers-contrast: more) {
  :root { --soft: var(--ink); --line: var(--soft); }
}
/* Shapes that were made of grounds become shapes made of lines. */
@media (forced-colors: active) {
  .step[aria-current] { border-width: 2px; border-color: Highlight; }
  .live [data-when="live"]::before, .rung-reached::before { background: CanvasText; border-color: CanvasText; forced-color-adjust: none; }
  .finding::before { background: CanvasText; forced-color-adjust: none; }
  .brand > .icon, .group h3 .icon, .step .icon.icon.icon, .history .icon { color: inherit; }
}
@media print {
  :root { --paper: #fff; --sunken: #fff; --shadow: none; }
  body { padding: 0; font-size: 10pt; }
  .skip, .live, .row summary::after { display: none; }
  .columns { display: block; }
  .column { display: block; }
  .column > * { margin-block-start: 1rem; }
  .card, .row { break-inside: avoid; }
  .evidence, .limits, .history { break-inside: auto; }
  details::details-content { display: block; content-visibility: visible; block-size: auto; }
  a[href="/posture.json"] { display: none; }
}
`;
