/**
 * The audit log of the device (SR-14): what is let in (`admission.ts`), made durable together (`group-commit.ts`) and
 * anchored in the TPM (`anchor.ts`). A record is acknowledged after it is durable.
 *
 * Limit: records after the newest checkpoint are durable but not yet anchored; who can write the disk while the
 * device is off can cut that tail, at most the last fifteen minutes of unprivileged records.
 */

import { utf8 } from '#hal/core/bytes';
import { attempt, deny, done, type Fault, ok, type Result } from '#hal/core/result';
import { inclusionProof, rootOf } from '#hal/crypto/merkle';
import type { HybridPair } from '#hal/ports/device-keys';
import { admission, denialFolder } from './admission.ts';
import { type AnchorParts, auditAnchor } from './anchor.ts';
import { type AuditEntry, type AuditReceipt, keepUntilMs, recordOf } from './entry.ts';
import { auditEvents } from './events.ts';
import { groupCommit } from './group-commit.ts';
import { type AuditState, auditHealth } from './health.ts';
import type { StoredLeaf } from './store.ts';

export interface AuditStatus {
  readonly state: AuditState;
  readonly fault?: Fault;
  readonly size: number;
  readonly root: Uint8Array;
  readonly checkpoint?: Uint8Array;
}

export interface AuditProof {
  readonly index: number;
  readonly size: number;
  readonly record: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly checkpoint: Uint8Array;
}

export interface AuditLog {
  /** Public keys that signed the newest checkpoint. */
  readonly keys: HybridPair;
  /** Resolves after the record is durable; a privileged one after it is anchored as well. */
  record(entry: AuditEntry): Promise<Result<AuditReceipt>>;
  status(): AuditStatus;
  list(from: number, count: number): readonly StoredLeaf[];
  /** To a checkpoint over the whole log, a new one where the newest is older; the TPM counts none of this. */
  prove(index: number): Promise<Result<AuditProof>>;
  /** For the clock: prunes, writes folded denials, anchors when the last anchor is older than its interval. */
  tend(): Promise<Result<void>>;
  /** A clean shutdown: everything folded is written, the log is anchored and closed. */
  close(): Promise<void>;
}

export interface AuditParts extends AnchorParts {
  readonly bootId: Uint8Array;
  readonly capacity?: Capacity;
}

export interface Capacity {
  /** Whole records that are kept at most. */
  readonly records: number;
  /** Of these, how many only privileged records may take. */
  readonly reserved: number;
}

const defaultCapacity: Capacity = { records: 200_000, reserved: 5_000 };
const anchorIntervalMs = 15 * 60_000;

/** Opens and verifies the log; a log that is not what it was opens as `tampered`, and says so. */
export const openAuditLog = async (parts: AuditParts): Promise<AuditLog> => {
  const { store, clock, bootId, capacity = defaultCapacity } = parts;
  const { admits } = admission(clock);
  const denials = denialFolder<AuditReceipt & { readonly entry: AuditEntry }>(clock);
  const health = auditHealth();
  const anchoring = auditAnchor(parts, health);
  const append = groupCommit(store, health);
  let missed = 0;

  const write = (entry: AuditEntry, repeats?: number): Promise<Result<AuditReceipt>> => {
    const nowMs = Math.max(0, Math.floor(clock.nowMs()));
    const record = recordOf(entry, { nowMs, bootMs: Math.floor(clock.bootMs()), bootId }, repeats);
    return append(record, keepUntilMs(entry.event, nowMs));
  };

  const hasRoom = (isPrivileged: boolean): boolean => {
    const limit = isPrivileged ? capacity.records : capacity.records - capacity.reserved;
    if (store.kept() < limit) return true;
    store.prune(clock.nowMs());
    return store.kept() < limit;
  };

  const writeEndedFolds = async (all: boolean): Promise<void> => {
    for (const { first, repeats } of denials.takeEnded(all)) await write(first.entry, repeats);
    if (missed === 0) return;
    const repeats = missed;
    missed = 0;
    await write({ event: 'audit.gap', outcome: 'failed', fault: { category: 'resource', reason: 'rate-limited' } }, repeats);
  };

  const log: AuditLog = {
    get keys() {
      return anchoring.keys();
    },
    async record(entry) {
      const { isPrivileged } = auditEvents[entry.event];
      const folded = denials.fold(entry);
      if (folded !== undefined) return ok({ index: folded.index, leaf: folded.leaf });
      if (!isPrivileged && !admits(entry)) {
        missed += 1;
        return deny('resource', 'rate-limited', `audit records of ${entry.source ?? 'mind'}`);
      }
      if (!hasRoom(isPrivileged)) {
        health.degrade({ category: 'resource', reason: 'storage-full' });
        return deny('resource', 'storage-full', 'audit log');
      }
      const receipt = await write(entry);
      if (!receipt.ok) return receipt;
      denials.remember(entry, { ...receipt.value, entry });
      if (isPrivileged) await anchoring.anchor();
      return receipt;
    },
    status: () => {
      const size = store.size();
      const checkpoint = store.checkpoint();
      const state = health.state();
      const fault = health.fault();
      return {
        state,
        size,
        root: state === 'tampered' ? rootOfNothing : rootOrNothing(store, size),
        ...(fault === undefined ? {} : { fault }),
        ...(checkpoint === undefined ? {} : { checkpoint: checkpoint.note }),
      };
    },
    list: (from, count) => store.leaves(from, count),
    async prove(index) {
      if (health.state() === 'tampered') return deny('integrity', 'audit-tampered');
      const [leaf] = store.leaves(index, 1);
      if (leaf?.index !== index || leaf.record === undefined)
        return deny('protocol', 'field-invalid', `no whole record ${index}`);
      const covers = store.checkpoint()?.size === store.size() ? done : await anchoring.checkpointOnly();
      const checkpoint = store.checkpoint();
      if (!covers.ok) return covers;
      if (checkpoint === undefined) return deny('integrity', 'audit-degraded', 'no checkpoint');
      const path = attempt(
        () => inclusionProof(store.nodes, index, checkpoint.size),
        (cause) => deny('integrity', 'audit-tampered', cause),
      );
      if (!path.ok) return path;
      return ok({ index, size: checkpoint.size, record: leaf.record, path: path.value, checkpoint: checkpoint.note });
    },
    async tend() {
      await writeEndedFolds(false);
      if (clock.bootMs() - anchoring.anchoredBootMs() < anchorIntervalMs && health.state() === 'intact') return done;
      store.prune(clock.nowMs());
      return anchoring.anchor();
    },
    async close() {
      await writeEndedFolds(true);
      await anchoring.anchor();
      store.close();
    },
  };

  await anchoring.open();
  return log;
};

/** A log that starts without its hands was not compared yet: what is wrong with its tree is found when they are back. */
const rootOrNothing = ({ nodes }: AuditParts['store'], size: number): Uint8Array => {
  const root = attempt(
    () => rootOf(nodes, size),
    (cause) => deny('integrity', 'audit-tampered', cause),
  );
  return root.ok ? root.value : rootOfNothing;
};

const rootOfNothing = rootOf(() => utf8(''), 0);
