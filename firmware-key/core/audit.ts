/**
 * What stays of an event: no coordinates, no contact, times rounded to a quarter of an hour, each entry bound to the one
 * before by a hash chain. An alert recalled under duress stands as a cancelled one (SR-24); the covert alert has an
 * entry of its own, made when it ends.
 */
import { type Draft, set } from './draft.ts';
import { ascii, join, toHex, u32 } from './octets.ts';
import { type Alert, type AuditEntry, limits } from './state.ts';

/** An alert that was never opened leaves nothing. */
export const recordEnd = (draft: Draft, alert: Alert): void => {
  if (alert.ending === undefined) return;
  const { audit } = draft.state;
  const label = ascii('enigm audit');
  const event = draft.crypto.hmac(label, alert.event);
  const entry: AuditEntry = {
    event: toHex(event.subarray(0, 8)),
    purpose: alert.purpose,
    ending: alert.ending === 'duress' ? 'cancel' : alert.ending,
    quarter: Math.floor(draft.atMs / 900_000),
    answered: alert.engaged.filter(({ answered }) => answered > 0).length,
  };
  const content = join(audit.head, event, ascii(`${entry.purpose} ${entry.ending}`), u32(entry.quarter), u32(entry.answered));
  const entries = [...audit.entries, entry].slice(-limits.auditEntries);
  set(draft, { audit: { head: draft.crypto.hmac(label, content), entries } });
};
