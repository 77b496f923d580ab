/** Icons by shape, not by colour alone; decoration only, because a word always stands beside them. */
import type { FindingResult } from '#protos/gen/types';
import { Html } from './html.ts';
import type { RungState } from './ladder.ts';
import type { Tone } from './tone.ts';
import type { GroupName } from './view.ts';

const icon = (paths: string): Html =>
  new Html(
    `<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${paths}</svg>`,
  );

const shield = '<path d="M12 3 4.5 5.8v5.4c0 4.6 3.1 8 7.5 9.8 4.4-1.8 7.5-5.2 7.5-9.8V5.8Z"/>';
const check = icon('<circle cx="12" cy="12" r="9"/><path d="m8 12.4 2.8 2.8L16 9.6"/>');
const cross = icon('<path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3Z"/><path d="m9.2 9.2 5.6 5.6m0-5.6-5.6 5.6"/>');
const dash = icon('<circle cx="12" cy="12" r="9"/><path d="M8 12h8"/>');
const question = icon(
  '<circle cx="12" cy="12" r="9" stroke-dasharray="3.2 2.46"/><path d="M9.6 9.4a2.5 2.5 0 1 1 3.7 2.2c-.9.5-1.3 1-1.3 1.9m0 2.9v.1"/>',
);
const clock = icon('<circle cx="12" cy="12" r="9"/><path d="M12 7v5.2l3.4 2"/>');
const person = icon('<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5c.9-3.7 3.8-5.6 7.5-5.6s6.6 1.9 7.5 5.6"/>');
const building = icon('<path d="M5 21V4.5h9V21M14 10h5v11M3 21h18M8.2 8.5h2.6M8.2 12.5h2.6M8.2 16.5h2.6"/>');

export const resultIcons: Readonly<Record<FindingResult, Html>> = {
  pass: check,
  fail: cross,
  'not-applicable': dash,
  unknown: question,
  stale: clock,
};

export const toneIcons: Readonly<Record<Tone, Html>> = {
  good: icon(`${shield}<path d="m8.6 11.9 2.5 2.5 4.4-4.8"/>`),
  attention: icon(`${shield}<path d="M12 8v4.4m0 3.2v.1"/>`),
  bad: icon(`${shield}<path d="m9.5 9.3 5 5m0-5-5 5"/>`),
  unknown: icon(`${shield}<path d="M10 9.6a2.1 2.1 0 1 1 3.1 1.9c-.8.4-1.1.9-1.1 1.6m0 2.6v.1"/>`),
};

export const groupIcons: Readonly<Record<GroupName, Html>> = {
  you: person,
  administrator: building,
  'not-known': question,
  holds: check,
};

export const rungIcons: Readonly<Record<RungState, Html>> = {
  start: icon('<circle cx="12" cy="12" r="9"/><circle cx="12" cy="12" r="2.5" fill="currentColor"/>'),
  reached: check,
  waiting: icon('<circle cx="12" cy="12" r="9"/>'),
};

export const mark = icon(`${shield}<path d="M9 9h6M9 12h5M9 15h6"/>`);

/** The icon of the page in the browser's tabs. */
export const favicon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#3565d8" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">${shield}<path d="M9 9h6M9 12h5M9 15h6"/></svg>`;
