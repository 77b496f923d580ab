/** What is asked of the audit log, and the record that becomes of it. */
import { codeOf, type Fault } from '#hal/core/result';
import type { AuditOutcome, AuditRecord } from '#protos/gen/types';
import { type AuditEvent, auditEvents, retentionDays } from './events.ts';

export interface AuditEntry {
  readonly event: AuditEvent;
  readonly outcome: AuditOutcome;
  /** Where something was refused. */
  readonly fault?: Fault;
  readonly actor?: Uint8Array;
  readonly action?: string;
  readonly resource?: string;
  readonly changeReference?: Uint8Array;
  readonly handle?: Uint8Array;
  /** Which client caused it, where the mind did not by itself: the unit of rate limits. Not written. */
  readonly source?: string;
}

export interface AuditReceipt {
  readonly index: number;
  /** RFC 6962 leaf hash: what a permit names. */
  readonly leaf: Uint8Array;
}

/** When and where something was recorded. */
export interface Moment {
  readonly nowMs: number;
  readonly bootMs: number;
  readonly bootId: Uint8Array;
}

/** @param repeats how often the same came again since it was recorded */
export const recordOf = (entry: AuditEntry, { nowMs, bootMs, bootId }: Moment, repeats?: number): AuditRecord => {
  const { event, outcome, fault, actor, action, resource, changeReference, handle } = entry;
  const { category, retention } = auditEvents[event];
  return {
    ...{ category, event, outcome, timeMs: nowMs, bootId, bootMs, retention },
    ...(fault === undefined ? {} : { code: codeOf(fault) }),
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
    ...(resource === undefined ? {} : { resource }),
    ...(changeReference === undefined ? {} : { changeReference }),
    ...(handle === undefined ? {} : { handle }),
    ...(repeats === undefined ? {} : { repeats }),
  };
};

const dayMs = 86_400_000;

/** Wall time after which only the record's hash is kept; Infinity for never. */
export const keepUntilMs = (event: AuditEvent, nowMs: number): number =>
  nowMs + retentionDays[auditEvents[event].retention] * dayMs;
