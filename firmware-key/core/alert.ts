/**
 * One event from press to end: who takes part, what they have not acknowledged, and when something is due.
 *
 * Every function takes an alert and gives the next one; what leaves the Key is pushed to the draft's effects. The same
 * functions serve the visible alert and the covert one.
 */
import {
  type Ack,
  ackClasses,
  capsuleKeys,
  encodeSubmission,
  expectedMac,
  type Fix,
  type Purpose,
  type ReceivedAck,
  sealCapsule,
  sealControl,
  sealUpdate,
  type Verb,
} from './alert-format.ts';
import { type Draft, nextSequence } from './draft.ts';
import { channels, encodeFrame } from './frame.ts';
import type { Capsule } from './inputs.ts';
import { ofHex, sameBytes, toHex } from './octets.ts';
import { chainStep, firstChainKey } from './ratchet.ts';
import { type Alert, alertMs, type Engaged, limits, without } from './state.ts';

/** A fresh event: its key lives as long as this function. */
export const makeAlert = (draft: Draft, purpose: Purpose): Alert => ({
  purpose,
  event: draft.entropy.slice(32, 48),
  chainKey: firstChainKey(draft.crypto, draft.entropy.subarray(0, 32)),
  index: 0,
  tier: 0,
  engaged: [],
  awaiting: [],
  wantsFix: false,
  retries: 0,
  endMs: draft.atMs + (purpose === 'test' ? alertMs.longestTest : alertMs.longest),
});

/** The first tier is told, before there is a position; then the position is asked for. */
export const openAlert = (draft: Draft, alert: Alert): Alert => askForFix(draft, engageTier(draft, alert, 1));

/** The next tier that has anybody in it, from `tier` on. */
const engageTier = (draft: Draft, alert: Alert, tier: number): Alert => {
  const known = [...alert.engaged.map(({ contact }) => contact), ...alert.awaiting];
  const contacts = draft.state.setup.contacts.filter((contact) => contact.tier === tier && !known.includes(contact.id));
  if (contacts.length === 0 && tier < limits.tiers) return engageTier(draft, alert, tier + 1);
  const begun: Alert = {
    ...without(alert, 'tierMs'),
    tier,
    ...(tier < limits.tiers ? { tierMs: draft.atMs + alertMs.tier } : {}),
  };
  return contacts.reduce((waiting: Alert, { id }) => invite(draft, waiting, id), begun);
};

/** The contact waits for its capsule, which the secure side takes from its store or makes. */
const invite = (draft: Draft, alert: Alert, contact: string): Alert => {
  draft.effects.push({ do: 'prepare', contact });
  return arm(draft, alert.awaiting.includes(contact) ? alert : { ...alert, awaiting: [...alert.awaiting, contact] });
};

/** Seal the chain as it stands to a contact that waits; the capsule's own secret ends here. */
export const engage = (draft: Draft, alert: Alert, contact: string, capsule: Capsule): Alert => {
  if (alert.chainKey === undefined || !alert.awaiting.includes(contact)) return alert;
  const keys = capsuleKeys(draft.crypto, capsule.secret);
  const sequence = nextSequence(draft);
  const message = sealCapsule(draft.crypto, keys.open, { event: alert.event, sequence }, capsule.enc, {
    purpose: alert.purpose,
    battery: draft.state.battery,
    index: alert.index,
    chainKey: alert.chainKey,
  });
  const outbox = [{ sequence, message }];
  const engaged: Engaged = { contact, control: keys.control, ack: keys.ack, outbox, answered: 0, counter: 0, hasResolved: false };
  transmit(draft, sequence, [contact], message);
  const awaiting = alert.awaiting.filter((other) => other !== contact);
  return arm(draft, { ...alert, engaged: [...alert.engaged, engaged], awaiting });
};

const transmit = (draft: Draft, sequence: number, contacts: readonly string[], message: Uint8Array): void => {
  const body = encodeSubmission({ sequence, contacts: contacts.map(ofHex), message });
  draft.effects.push({ do: 'transmit', bytes: encodeFrame({ channel: channels.event, sequence, body }) });
};

const isWaiting = (alert: Alert): boolean => alert.awaiting.length > 0 || alert.engaged.some(({ outbox }) => outbox.length > 0);

/** The retry timer runs exactly while somebody has not answered; a tenth of it is chance. */
const arm = (draft: Draft, alert: Alert): Alert => {
  if (!isWaiting(alert)) return { ...without(alert, 'retryMs'), retries: 0 };
  if (alert.retryMs !== undefined && alert.retryMs > draft.atMs) return alert;
  const { retries } = alertMs;
  const wait = retries[Math.min(alert.retries, retries.length - 1)] ?? 0;
  const jitter = Math.floor((wait * (draft.entropy[63] ?? 0)) / 2560);
  return { ...alert, retries: alert.retries + 1, retryMs: draft.atMs + wait + jitter };
};

const resend = (draft: Draft, alert: Alert): Alert => {
  for (const { contact, outbox } of alert.engaged)
    for (const { sequence, message } of outbox) transmit(draft, sequence, [contact], message);
  return arm(
    draft,
    alert.awaiting.reduce((waiting: Alert, contact) => invite(draft, waiting, contact), alert),
  );
};

export const askForFix = (draft: Draft, alert: Alert): Alert => {
  if (alert.chainKey === undefined) return alert;
  draft.effects.push({ do: 'locate' });
  const every = draft.state.battery.isLow ? alertMs.lowBatteryUpdate : alertMs.update;
  return { ...alert, wantsFix: true, updateMs: draft.atMs + every };
};

/** A position that was asked for, sealed once for everybody who still listens; the key that sealed it is gone after. */
export const sealFix = (draft: Draft, alert: Alert, fix: Fix): Alert => {
  const listeners = alert.engaged.filter(({ hasResolved }) => !hasResolved).map(({ contact }) => contact);
  if (!alert.wantsFix || alert.chainKey === undefined || listeners.length === 0) return alert;
  const { messageKey, next } = chainStep(draft.crypto, alert.chainKey);
  const sequence = nextSequence(draft);
  const head = { event: alert.event, sequence };
  const message = sealUpdate(draft.crypto, messageKey, head, alert.index, fix, draft.state.battery);
  transmit(draft, sequence, listeners, message);
  return { ...alert, chainKey: next, index: alert.index + 1, wantsFix: false };
};

/** Tell everybody that it ends, one by one, and forget what could seal another position. */
export const endAlert = (draft: Draft, alert: Alert, verb: Verb): Alert => {
  const engaged = alert.engaged.map((one): Engaged => {
    const sequence = nextSequence(draft);
    const message = sealControl(draft.crypto, one.control, { event: alert.event, sequence }, verb, draft.state.battery);
    transmit(draft, sequence, [one.contact], message);
    return { ...one, outbox: [...one.outbox, { sequence, message }] };
  });
  const ended = without(alert, 'chainKey', 'tierMs', 'updateMs', 'objectMs', 'retryMs');
  return arm(draft, { ...ended, engaged, awaiting: [], wantsFix: false, retries: 0, ending: verb });
};

export interface Answered {
  readonly alert: Alert;
  readonly isNews: boolean;
  readonly isAll: boolean;
}

/**
 * A contact's answer. What it acknowledges leaves the outbox whenever it comes; its class counts only if its counter is
 * higher than any before, so that an old RESOLVED says nothing after an objection.
 *
 * @returns undefined for an ack of another event, of somebody who does not take part, or with a wrong MAC
 */
export const takeAck = (draft: Draft, alert: Alert, ack: ReceivedAck): Answered | undefined => {
  const contact = toHex(ack.contact);
  const one = alert.engaged.find((engaged) => engaged.contact === contact);
  if (one === undefined || !sameBytes(ack.event, alert.event)) return undefined;
  if (!sameBytes(expectedMac(draft.crypto, one.ack, ack), ack.mac)) return undefined;
  const outbox = one.outbox.filter(({ sequence }) => sequence !== ack.sequence);
  const isAcknowledging = outbox.length < one.outbox.length;
  // Once the event ends, only answers to what is still open count: a covert copy's answers change nothing here.
  const isNewer = ack.counter > one.counter && (alert.ending === undefined || isAcknowledging);
  const next: Engaged = isNewer ? { ...one, outbox, ...progress(one, ack) } : { ...one, outbox };
  const after = { ...alert, engaged: alert.engaged.map((engaged) => (engaged === one ? next : engaged)) };
  const isNews = isAcknowledging || next.answered > one.answered || next.hasResolved !== one.hasResolved;
  return { alert: arm(draft, after), isNews, isAll: !isWaiting(after) };
};

const progress = (one: Engaged, { counter, ackClass }: Ack) => ({
  counter,
  answered: Math.max(one.answered, ackClasses.indexOf(ackClass)),
  hasResolved: ackClass === 'resolved',
});

/** Two named contacts say that it is over: the wearer has a minute to object (SR-27). */
export const proposeEnd = (draft: Draft, alert: Alert): Alert => {
  const named = draft.state.setup.contacts.filter(({ isNamed }) => isNamed).map(({ id }) => id);
  const resolved = alert.engaged.filter(({ contact, hasResolved }) => hasResolved && named.includes(contact));
  if (resolved.length < 2) return without(alert, 'objectMs');
  if (alert.objectMs !== undefined) return alert;
  draft.effects.push({ do: 'haptic', pattern: 'ending' });
  return { ...alert, objectMs: draft.atMs + alertMs.objection };
};

export const objectToEnd = (alert: Alert): Alert => ({
  ...without(alert, 'objectMs'),
  engaged: alert.engaged.map((one) => ({ ...one, hasResolved: false })),
});

/** Whatever of this alert is due now: begin, retry, the next tier, the next position. */
export const passTime = (draft: Draft, before: Alert): Alert => {
  const isDue = (dueMs: number | undefined): boolean => dueMs !== undefined && dueMs <= draft.atMs;
  let alert = before;
  if (alert.beginMs !== undefined) {
    if (!isDue(alert.beginMs)) return alert;
    alert = without(alert, 'beginMs');
    alert = alert.tier === 0 ? openAlert(draft, alert) : askForFix(draft, resend(draft, alert));
  }
  if (isDue(alert.retryMs)) alert = resend(draft, alert);
  if (isDue(alert.tierMs)) alert = hasAnswer(draft, alert) ? without(alert, 'tierMs') : engageTier(draft, alert, alert.tier + 1);
  return isDue(alert.updateMs) ? askForFix(draft, alert) : alert;
};

/** Somebody of the present tier has the alert. */
const hasAnswer = (draft: Draft, alert: Alert): boolean => {
  const tier = draft.state.setup.contacts.filter((contact) => contact.tier === alert.tier).map(({ id }) => id);
  return alert.engaged.some(({ contact, answered }) => answered > 0 && tier.includes(contact));
};

export const nextAlertMs = (alert: Alert | undefined): number | undefined => {
  if (alert === undefined) return undefined;
  if (alert.beginMs !== undefined) return alert.beginMs;
  const { retryMs, tierMs, updateMs, objectMs, endMs } = alert;
  const due = [retryMs, tierMs, updateMs, objectMs, alert.ending === undefined && alert.tier > 0 ? endMs : undefined];
  return due.reduce((least, one) => (one === undefined || (least !== undefined && least <= one) ? least : one), undefined);
};
