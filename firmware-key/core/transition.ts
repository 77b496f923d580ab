/** One event through the table: the visible machine's cell, then the flag beside it. */
import { askForFix, endAlert, makeAlert, objectToEnd, openAlert } from './alert.ts';
import type { Verb } from './alert-format.ts';
import { recordEnd } from './audit.ts';
import { derive } from './crypto.ts';
import { type Draft, set } from './draft.ts';
import type { Pattern } from './effects.ts';
import { emptyReader } from './frame.ts';
import { u32 } from './octets.ts';
import { domainsOf } from './power.ts';
import { type Alert, alertMs, without } from './state.ts';
import { type Action, type Cell, covert, type Event, type State, stateMs, visible } from './table.ts';

export const fire = (draft: Draft, event: Event): void => {
  const { alert } = draft.state;
  const cell: Cell<State> | undefined = visible[draft.state.visible][event];
  if (cell === undefined) {
    const { ledger } = draft.state;
    set(draft, { ledger: { ...ledger, ignored: ledger.ignored + 1 } });
  } else {
    const [next, ...actions] = cell;
    for (const action of actions) act(draft, action, event);
    enter(draft, next);
  }
  fireCovert(draft, event, cell === undefined ? undefined : alert);
};

/**
 * The flag: raised by a duress PIN that the visible machine took, lowered by a cancel PIN that it took.
 *
 * @param ended the alert that the visible machine had, where it took the event
 */
const fireCovert = (draft: Draft, event: Event, ended: Alert | undefined): void => {
  if (event === 'duressPin' && ended !== undefined) beginCovert(draft, ended);
  const hidden = draft.state.covert;
  if (hidden === undefined) return;
  const [next, ...actions] = covert[event] ?? ['on'];
  if (actions.includes('locate') && hidden.beginMs === undefined) set(draft, { covert: askForFix(draft, hidden) });
  if (next === 'off' && ended !== undefined) endCovert(draft);
};

/** The same event goes on beside the visible machine, after a time that nobody can predict. */
const beginCovert = (draft: Draft, ended: Alert): void => {
  const { least, most } = alertMs.covertDelay;
  const chance = (draft.entropy[48] ?? 0) * 256 + (draft.entropy[49] ?? 0);
  const engaged = draft.state.alert?.engaged ?? ended.engaged; // after `recall`: with the message that says so
  const hidden: Alert = {
    ...without(ended, 'retryMs', 'updateMs', 'objectMs'),
    purpose: 'duress',
    engaged,
    wantsFix: false,
    retries: 0,
    endMs: draft.atMs + alertMs.longest,
    beginMs: draft.atMs + least + Math.floor((chance * (most - least)) / 0x1_0000),
  };
  set(draft, { covert: hidden });
};

/** Contacts are told once that it is over; what could seal or open anything more is gone. */
export const endCovert = (draft: Draft): void => {
  const { covert: hidden } = draft.state;
  if (hidden === undefined) return;
  if (hidden.beginMs === undefined) recordEnd(draft, endAlert(draft, hidden, 'close'));
  draft.state = without(draft.state, 'covert');
};

const enter = (draft: Draft, next: State): void => {
  if (next === draft.state.visible) return;
  const lasting = stateMs[next];
  const timer = lasting === undefined ? {} : { timerMs: draft.atMs + lasting };
  draft.state = { ...without(draft.state, 'timerMs'), ...timer, visible: next };
  if (domainsOf(next, false).includes('link')) return;
  draft.state = { ...without(draft.state, 'session', 'pending', 'setupUntilMs'), reader: emptyReader };
};

const patterns: { readonly [A in Action]?: Pattern } = {
  'feel-press': 'press',
  'feel-countdown': 'countdown',
  'feel-alert': 'alert',
  'feel-ack': 'ack',
  'feel-cancel': 'cancel',
  'feel-refused': 'refused',
};

const act = (draft: Draft, action: Action, event: Event): void => {
  const pattern = patterns[action];
  if (pattern !== undefined) draft.effects.push({ do: 'haptic', pattern });
  else effectful[action]?.(draft, event);
};

const change = (draft: Draft, next: (alert: Alert) => Alert): void => {
  const { alert } = draft.state;
  if (alert !== undefined) set(draft, { alert: next(alert) });
};

const effectful: { readonly [A in Action]?: (draft: Draft, event: Event) => void } = {
  advertise: (draft) => draft.effects.push({ do: 'advertise', id: advertisedId(draft) }),
  /** Every dock remakes the capsules of every contact (SR-26). */
  dock: (draft) => draft.effects.push({ do: 'dock' }),
  'make-alert': (draft) => set(draft, { alert: makeAlert(draft, 'alert'), tries: 0 }),
  'make-test': (draft) => set(draft, { alert: makeAlert(draft, 'test'), tries: 0 }),
  open: (draft) => change(draft, (alert) => openAlert(draft, alert)),
  recall: (draft, event) => end(draft, event === 'duressPin' ? 'duress' : 'cancel'),
  close: (draft) => end(draft, 'close'),
  erase: (draft) => {
    if (draft.state.alert !== undefined) recordEnd(draft, draft.state.alert);
    draft.state = without(draft.state, 'alert');
  },
  object: (draft) => change(draft, (alert) => (alert.objectMs === undefined ? alert : felt(draft, objectToEnd(alert)))),
  'count-try': (draft) => set(draft, { tries: draft.state.tries + 1 }),
  locate: (draft) => change(draft, (alert) => askForFix(draft, alert)),
  'save-ledger': (draft) => {
    draft.savesLedger = true;
    draft.effects.push({ do: 'tidy' });
  },
};

const end = (draft: Draft, verb: Verb): void => change(draft, (alert) => endAlert(draft, alert, verb));

const felt = (draft: Draft, alert: Alert): Alert => {
  draft.effects.push({ do: 'haptic', pattern: 'alert' });
  return alert;
};

const epochMs = 900_000;

/** Eight bytes that only the paired host can tell from chance, for a quarter of an hour; without a host, chance. */
const advertisedId = (draft: Draft): Uint8Array => {
  const { advertisingKey } = draft.state.setup;
  if (advertisingKey === undefined) return draft.entropy.slice(0, 8);
  return derive(draft.crypto, advertisingKey, 'adv', u32(Math.floor(draft.atMs / epochMs))).slice(0, 8);
};
