/** The parts of the page below the headline, each from its part of the view. */
import { limits } from '#agents/posture/words';
import { instantText } from '#hal/core/instant-text';
import { type Html, html, prose } from './html.ts';
import { groupIcons, resultIcons, toneIcons } from './icons.ts';
import { ageIds, type FindingView, type GroupName, type PageView } from './view.ts';
import { words } from './words.ts';

export const ageSpan = (ages: PageView['ages'], id: string): Html => html`<span class="age" id="${id}">${ages[id]}</span>`;

export const nextSection = ({ next }: PageView): Html => html`
<section class="card next" aria-labelledby="next-title">
  <h2 id="next-title">${words.next}</h2>
  <p class="next-text">${prose(next.text)}</p>
  ${next.findings.length === 0 ? undefined : nextList(next)}
</section>`;

const nextList = ({ findings, more }: PageView['next']): Html => html`
  <ol class="next-list">${findings.map(
    ({ id, title, remedy }) =>
      html`<li><a href="#finding-${id}">${title}</a>${remedy === undefined ? undefined : html` <span>${prose(remedy.text)}</span>`}</li>`,
  )}</ol>${more === 0 ? undefined : html`<p class="note">${words.more(more)}</p>`}`;

export const findingsSection = ({ groups, ages }: PageView): Html => html`
<section id="findings" tabindex="-1" aria-labelledby="findings-title">
  <h2 id="findings-title">${words.findings}</h2>
  ${groups.map(
    ({ name, findings }) => html`
  <section class="group group-${name}" id="group-${name}" aria-labelledby="group-${name}-title">
    <h3 id="group-${name}-title">${groupIcons[name]} ${words.groups[name].title} <span class="count">${findings.length}</span></h3>
    <p class="note">${words.groups[name].note}</p>
    <ul class="${isCompact(name) ? 'rows' : 'cards'}">${findings.map((finding) => (isCompact(name) ? row(finding, ages) : card(finding, ages)))}</ul>
  </section>`,
  )}
</section>`;

const isCompact = (name: GroupName): boolean => name === 'holds' || name === 'not-known';

const stateOf = ({ result, resultWord }: FindingView): Html =>
  html`<span class="state state-${result}">${resultIcons[result]} <span>${resultWord}</span></span>`;

/** What wants something: everything in the open. */
const card = (finding: FindingView, ages: PageView['ages']): Html => html`
<li class="card finding finding-${finding.result}" id="finding-${finding.id}">
  <div class="finding-head"><h4>${finding.title}</h4>${stateOf(finding)}</div>
  ${facts(finding)}
  <p class="why"><strong>${words.why}</strong> ${finding.why}</p>
  ${finding.remedy === undefined ? undefined : html`<p class="remedy"><strong>${words.remedy}</strong> ${prose(finding.remedy.text)}</p>`}
  <p class="foot"><span>${words.neededFor} ${finding.levelWord}</span> ${ageSpan(ages, ageIds.finding(finding.id))}</p>
</li>`;

/** What is fine: one line, and the rest on request. */
const row = (finding: FindingView, ages: PageView['ages']): Html => html`
<li class="row" id="finding-${finding.id}">
  <details id="details-${finding.id}">
    <summary id="summary-${finding.id}">${stateOf(finding)}<h4>${finding.title}</h4>${finding.value === undefined ? undefined : html`<bdi class="value">${finding.value}</bdi>`}${ageSpan(ages, ageIds.finding(finding.id))}</summary>
    <div class="row-body">
      <p>${finding.meaning}</p>
      <p class="why"><strong>${words.why}</strong> ${finding.why}</p>
      <p class="foot"><span>${words.neededFor} ${finding.levelWord}</span></p>
    </div>
  </details>
</li>`;

const facts = ({ meaning, value, valueMeaning, items }: FindingView): Html => html`
  <dl class="facts">
    <div><dt>${words.expected}</dt><dd>${meaning}</dd></div>
    ${value === undefined ? undefined : html`<div><dt>${words.value}</dt><dd><bdi class="value">${value}</bdi>${valueMeaning === undefined ? undefined : html` <span>${valueMeaning}</span>`}</dd></div>`}
    ${items.length === 0 ? undefined : html`<div><dt>${words.items}</dt><dd><ul class="items">${items.map((item) => html`<li><bdi class="value">${item}</bdi></li>`)}</ul></dd></div>`}
  </dl>`;

export const evidenceSection = ({ ladder, cap }: PageView): Html => html`
<section class="card evidence" aria-labelledby="evidence-title">
  <h2 id="evidence-title">${words.evidence}</h2>
  <p>${words.ladder.lead}</p>
  ${cap === undefined ? undefined : html`<p class="cap">${cap}</p>`}
  <ol class="rungs">${ladder.toReversed().map(
    ({ level, word, meaning, state, isPresent, waitsFor }) => html`
    <li id="rung-${level}" class="rung rung-${state}${isPresent ? ' rung-present' : ''}">
      <p class="rung-head"><strong>${word}</strong> <span>${words.ladder.states[state]}</span></p>
      <p>${meaning}</p>
      ${waitsFor.length === 0 ? undefined : html`<p class="note">${words.ladder.waitsFor(waitsFor.join(', '))}</p>`}
    </li>`,
  )}</ol>
  <p class="note">${words.source}</p>
  <p><a href="/posture.json">${words.json}</a></p>
</section>`;

export const historySection = ({ changes, ages }: PageView): Html => html`
<section class="card history" aria-labelledby="history-title">
  <h2 id="history-title">${words.history}</h2>
  <ol>${changes.map(
    ({ number, title, level, tone, atMs }) => html`
    <li id="change-${number}" class="tone-${tone}">${toneIcons[tone]} <span class="change"><strong>${title}</strong> <span class="note">${words.level} ${level}</span></span>
      <time datetime="${instantText(atMs)}">${ageSpan(ages, ageIds.change(number))}</time></li>`,
  )}</ol>
</section>`;

export const limitsSection = html`
<section class="card limits" aria-labelledby="limits-title">
  <h2 id="limits-title">${words.limits}</h2>
  <ul>${limits.map((limit) => html`<li>${limit}</li>`)}</ul>
</section>`;
