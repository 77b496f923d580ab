/** The whole page, as the server sends it; it is complete without scripts. */
import { type Html, html } from './html.ts';
import { mark, rungIcons, toneIcons } from './icons.ts';
import { ageSpan, evidenceSection, findingsSection, historySection, limitsSection, nextSection } from './sections.ts';
import { ageIds, type PageView } from './view.ts';
import { words } from './words.ts';

/** Where scripts are off, the page renews itself this often. */
const renewSeconds = 30;

export const documentOf = (view: PageView, nonce: string): string =>
  shell(
    titleOf(view),
    nonce,
    html`<noscript><meta http-equiv="refresh" content="${renewSeconds}"></noscript>
<script type="module" src="/client.js" nonce="${nonce}"></script>`,
    html`
<a class="skip" href="#findings">${words.skip}</a>
${header(liveState)}
<main id="page">${contentOf(view)}</main>
<p id="announcer" class="visually-hidden" role="status"></p>`,
  );

/** The part that changes while the page is open. */
export const contentOf = (view: PageView): Html => html`
${headlineSection(view)}
<div class="columns">
<div class="column">${nextSection(view)}${findingsSection(view)}</div>
<div class="column aside">${evidenceSection(view)}${historySection(view)}</div>
</div>
${limitsSection}`;

export const titleOf = ({ title }: PageView): string => `${title} · ${words.title}`;

/** For whoever has no session: how to get one, and nothing about the device. */
export const refusedDocument = (nonce: string): string =>
  shell(
    words.refused.title,
    nonce,
    undefined,
    html`${header(undefined)}
<main id="page"><section class="card refused" aria-labelledby="headline">
<h2 id="headline">${words.refused.title}</h2>
<p>${words.refused.sentence}</p>
</section></main>`,
  );

const shell = (title: string, nonce: string, head: Html | undefined, body: Html): string =>
  html`<!doctype html>
<html lang="${words.language}" dir="${words.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css" nonce="${nonce}">
${head}
</head>
<body>${body}
</body>
</html>
`.text;

const header = (live: Html | undefined): Html => html`
<header class="top">
  <div class="brand">${mark}<div><h1>${words.title}</h1><p>${words.product}</p></div></div>
  ${live}
</header>`;

/** The client shows the one that is so. */
const liveState = html`<p id="live" class="live"><span data-when="live" hidden>${words.live.live}</span><span data-when="lost" hidden>${words.live.lost}</span><span data-when="ended" hidden>${words.live.ended}</span><noscript>${words.live.withoutScripts(renewSeconds)}</noscript></p>`;

const headlineSection = ({ tone, isAlarm, title, sentence, ladder, ages }: PageView): Html => html`
<section class="hero tone-${tone}" aria-labelledby="headline">
  <div class="badge">${toneIcons[tone]}</div>
  <div class="hero-text">
    <p class="eyebrow">${words.state}</p>
    <h2 id="headline">${title}</h2>
    ${isAlarm ? html`<p class="sentence" id="alarm" role="alert">${sentence}</p>` : html`<p class="sentence" id="sentence">${sentence}</p>`}
    <p class="measured">${ageSpan(ages, ageIds.posture)}</p>
  </div>
  <div class="meter">
    <p id="meter-title">${words.level}</p>
    <ol class="steps" aria-labelledby="meter-title">${ladder.map(
      ({ level, word, state, isPresent }) =>
        html`<li id="step-${level}" class="step step-${state}"${isPresent ? currentStep : undefined}>${rungIcons[state]}<span>${word}</span><span class="visually-hidden">, ${words.ladder.states[state]}</span></li>`,
    )}</ol>
  </div>
</section>`;

const currentStep = html` aria-current="step"`;
