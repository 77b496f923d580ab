/**
 * The audit log of the device (SR-14).
 *
 * A record is acknowledged after it is durable. The tree is anchored in the TPM: checkpoint n+1 is written, then the
 * TPM counter advances to n+1, so a start accepts exactly {n, n+1} and anything else means that the log or the TPM is
 * not what it was. Losing the log degrades the device, it does not brick it.
 *
 * Limit: records after the newest checkpoint are durable but not yet anchored; who can write the disk while the
 * device is off can cut that tail, at most the last fifteen minutes of unprivileged records.
 */

import { toHex, utf8 } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf, deny, done, type Fault, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Clock } from '#hal/ports/clock';
import type { HybridPair } from '#hal/ports/device-keys';
import type { Counter } from '#hal/ports/tpm';
import type { AuditOutcome, AuditRecord } from '#protos/gen/types';
import { denialFolder, tokenBuckets } from './admission.ts';
import { type Checkpoint, checkpointText, encodeCheckpoint, openCheckpoint } from './checkpoint.ts';
import { type AuditEvent, auditEvents, retentionDays } from './events.ts';
import { inclusionProof, leafHash, rootOf } from './merkle.ts';
import type { AuditStore, StoredLeaf } from './store.ts';

export type AuditState = 'intact' | 'degraded' | 'tampered';

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
  /** Which agent or client caused it: the unit of rate limits. Not written. */
  readonly source?: string;
}

export interface AuditReceipt {
  readonly index: number;
  /** RFC 6962 leaf hash: what a permit names. */
  readonly leaf: Uint8Array;
}

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
  /** Public keys that sign the checkpoints. */
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

export interface AuditParts {
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly crypto: CryptoBackend;
  readonly bootId: Uint8Array;
  /** Public keys of the audit class. */
  readonly keys: HybridPair;
  readonly sign: (message: Uint8Array) => Promise<Result<HybridPair>>;
  readonly readCounter: () => Promise<Result<Counter>>;
  readonly advanceCounter: () => Promise<Result<Counter>>;
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
const maxQueue = 4096;
const dayMs = 86_400_000;

/** Opens and verifies the log; a log that is not what it was opens as `tampered`, and says so. */
export const openAuditLog = async (parts: AuditParts): Promise<AuditLog> => {
  const { store, clock, capacity = defaultCapacity } = parts;
  const origin = `enigm.device/audit/${toHex(leafHash(parts.keys.classical)).slice(0, 16)}`;
  const buckets = tokenBuckets(clock);
  const denials = denialFolder<AuditReceipt & { readonly entry: AuditEntry }>(clock);
  let fault: { readonly state: AuditState; readonly fault: Fault } | undefined;
  let anchoredSize = -1;
  let anchoredBootMs = clock.bootMs();
  let missed = 0;

  // One group commit for everything asked within one turn of the event loop.
  type Waiting = {
    readonly record: Uint8Array;
    readonly keepUntilMs: number;
    readonly answer: (result: Result<AuditReceipt>) => void;
  };
  let queue: Waiting[] = [];
  const flush = () => {
    const group = queue;
    queue = [];
    const stored = store.append(group);
    if (!stored.ok) degrade(stored.fault);
    for (const [offset, waiting] of group.entries())
      waiting.answer(stored.ok ? ok({ index: stored.value + offset, leaf: leafHash(waiting.record) }) : stored);
  };
  const append = (record: AuditRecord, keepUntilMs: number): Promise<Result<AuditReceipt>> =>
    new Promise((answer) => {
      if (queue.length >= maxQueue) return answer(deny('resource', 'queue-full'));
      if (queue.length === 0) setImmediate(flush);
      queue.push({ record: encodeMessage('AuditRecord', record), keepUntilMs, answer });
    });

  const degrade = (cause: Fault) => {
    if (fault?.state !== 'tampered') fault = { state: 'degraded', fault: cause };
  };
  const recover = () => {
    if (fault?.state === 'degraded') fault = undefined;
  };

  const write = (entry: AuditEntry, repeats?: number): Promise<Result<AuditReceipt>> => {
    const kind = auditEvents[entry.event];
    const nowMs = Math.max(0, Math.floor(clock.nowMs()));
    const record: AuditRecord = {
      category: kind.category,
      event: entry.event,
      outcome: entry.outcome,
      timeMs: nowMs,
      bootId: parts.bootId,
      bootMs: Math.floor(clock.bootMs()),
      retention: kind.retention,
      ...(entry.fault === undefined ? {} : { code: codeOf(entry.fault) }),
      ...(entry.actor === undefined ? {} : { actor: entry.actor }),
      ...(entry.action === undefined ? {} : { action: entry.action }),
      ...(entry.resource === undefined ? {} : { resource: entry.resource }),
      ...(entry.changeReference === undefined ? {} : { changeReference: entry.changeReference }),
      ...(entry.handle === undefined ? {} : { handle: entry.handle }),
      ...(repeats === undefined ? {} : { repeats }),
    };
    return append(record, nowMs + retentionDays[kind.retention] * dayMs);
  };

  const hasRoom = (isPrivileged: boolean): boolean => {
    const limit = isPrivileged ? capacity.records : capacity.records - capacity.reserved;
    if (store.kept() < limit) return true;
    store.prune(clock.nowMs());
    return store.kept() < limit;
  };

  // Anchors never overlap: each waits for the one before.
  let lastAnchor: Promise<Result<void>> = Promise.resolve(done);
  const anchor = (): Promise<Result<void>> => {
    lastAnchor = lastAnchor.then(() => checkpointNow(true));
    return lastAnchor;
  };
  /** A checkpoint for who asks for a proof: it belongs to the counter as it stands, since asking must not wear it out. */
  const checkpointOnly = (): Promise<Result<void>> => {
    lastAnchor = lastAnchor.then(() => checkpointNow(false));
    return lastAnchor;
  };
  const checkpointNow = async (isWanted: boolean): Promise<Result<void>> => {
    const size = store.size();
    // A degraded log takes the first chance to be whole again; that ends the chance, so nobody wears the counter out by it.
    const isAdvancing = isWanted || fault !== undefined;
    if (size === anchoredSize || fault?.state === 'tampered') return done;
    const compared = isCompared ? done : await compare();
    if (!compared.ok) return compared;
    const counter = await parts.readCounter();
    if (!counter.ok) return failed(counter.fault);
    const checkpoint: Checkpoint = {
      origin,
      size,
      root: rootOf(store.nodes, size),
      anchor: counter.value.value + (isAdvancing ? 1 : 0),
    };
    const signatures = await parts.sign(checkpointText(checkpoint));
    if (!signatures.ok) return failed(signatures.fault);
    const saved = store.saveCheckpoint(size, encodeCheckpoint(checkpoint, parts.keys, signatures.value));
    if (!saved.ok) return failed(saved.fault);
    if (!isAdvancing) return done;
    const advanced = await parts.advanceCounter();
    if (!advanced.ok) return failed(advanced.fault);
    if (advanced.value.value !== checkpoint.anchor)
      return failed({ category: 'integrity', reason: 'audit-degraded', detail: 'another user of the counter' });
    anchoredSize = size;
    anchoredBootMs = clock.bootMs();
    recover();
    return done;
  };
  const failed = (cause: Fault): Result<void> => {
    degrade(cause);
    return { ok: false, fault: cause };
  };

  // At the start, or when the hands first answer: nothing is anchored over a log that was not compared with the TPM.
  let isCompared = false;
  const compare = async (): Promise<Result<void>> => {
    const opened = await verifyAtStart(parts, origin);
    if (!opened.ok) {
      if (opened.fault.reason !== 'audit-tampered') return failed(opened.fault);
      fault = { state: 'tampered', fault: opened.fault };
      return opened;
    }
    isCompared = true;
    if (opened.value === 'current') return done;
    const advanced = await parts.advanceCounter();
    return advanced.ok ? done : failed(advanced.fault);
  };

  const writeEndedFolds = async (all: boolean): Promise<void> => {
    for (const { first, repeats } of denials.takeEnded(all)) await write(first.entry, repeats);
    if (missed === 0) return;
    const repeats = missed;
    missed = 0;
    await write({ event: 'audit.gap', outcome: 'failed', fault: { category: 'resource', reason: 'rate-limited' } }, repeats);
  };

  const log: AuditLog = {
    keys: parts.keys,
    async record(entry) {
      const { isPrivileged } = auditEvents[entry.event];
      const key = entry.outcome === 'denied' ? denialKey(entry) : undefined;
      const folded = key === undefined ? undefined : denials.fold(key);
      if (folded !== undefined) return ok({ index: folded.index, leaf: folded.leaf });
      if (!isPrivileged && !buckets.take(entry.source ?? 'mind')) {
        missed += 1;
        return deny('resource', 'rate-limited', `audit records of ${entry.source ?? 'mind'}`);
      }
      if (!hasRoom(isPrivileged)) {
        degrade({ category: 'resource', reason: 'storage-full' });
        return deny('resource', 'storage-full', 'audit log');
      }
      const receipt = await write(entry);
      if (!receipt.ok) return receipt;
      if (key !== undefined) denials.remember(key, { ...receipt.value, entry });
      if (isPrivileged) await anchor();
      return receipt;
    },
    status: () => {
      const size = store.size();
      const checkpoint = store.checkpoint();
      return {
        state: fault?.state ?? 'intact',
        size,
        root: fault?.state === 'tampered' ? rootOfNothing : rootOf(store.nodes, size),
        ...(fault === undefined ? {} : { fault: fault.fault }),
        ...(checkpoint === undefined ? {} : { checkpoint: checkpoint.note }),
      };
    },
    list: (from, count) => store.leaves(from, count),
    async prove(index) {
      if (fault?.state === 'tampered') return deny('integrity', 'audit-tampered');
      const [leaf] = store.leaves(index, 1);
      if (leaf?.index !== index || leaf.record === undefined)
        return deny('protocol', 'field-invalid', `no whole record ${index}`);
      const covers = store.checkpoint()?.size === store.size() ? done : await checkpointOnly();
      const checkpoint = store.checkpoint();
      if (!covers.ok) return covers;
      if (checkpoint === undefined) return deny('integrity', 'audit-degraded', 'no checkpoint');
      return ok({
        index,
        size: checkpoint.size,
        record: leaf.record,
        path: inclusionProof(store.nodes, index, checkpoint.size),
        checkpoint: checkpoint.note,
      });
    },
    async tend() {
      await writeEndedFolds(false);
      if (clock.bootMs() - anchoredBootMs < anchorIntervalMs && fault === undefined) return done;
      store.prune(clock.nowMs());
      return anchor();
    },
    async close() {
      await writeEndedFolds(true);
      await anchor();
      store.close();
    },
  };

  await compare();
  if (fault?.state !== 'tampered' && store.checkpoint() === undefined) await anchor();
  return log;
};

const rootOfNothing = rootOf(() => utf8(''), 0);

const denialKey = (entry: AuditEntry): string =>
  [
    entry.event,
    entry.fault === undefined ? '' : codeOf(entry.fault),
    entry.action,
    entry.resource,
    entry.actor && toHex(entry.actor),
  ].join(' ');

/** Whether the counter stands where the newest checkpoint left it (`current`) or one before (`advance`: cut in between). */
const verifyAtStart = async (parts: AuditParts, origin: string): Promise<Result<'current' | 'advance'>> => {
  const { store } = parts;
  const tampered = (detail: string) => deny('integrity', 'audit-tampered', detail);
  const counter = await parts.readCounter();
  if (!counter.ok) return counter;
  const { value, base } = counter.value;
  const stored = store.checkpoint();
  if (stored === undefined && value !== base) return tampered('the log is gone, or has no checkpoint');
  const tree = store.verify();
  if (!tree.ok) return tampered(tree.fault.detail ?? 'tree');
  // The TPM never counted for this log: whatever records there are, none was anchored yet.
  if (stored === undefined) return ok('current');
  const opened = openCheckpoint(parts.crypto, stored.note, parts.keys);
  if (!opened.ok) return tampered(`checkpoint: ${codeOf(opened.fault)}`);
  const checkpoint = opened.value;
  if (checkpoint.origin !== origin) return tampered('checkpoint of another log');
  if (checkpoint.anchor !== value && checkpoint.anchor !== value + 1)
    return tampered(`checkpoint ${checkpoint.anchor}, counter ${value}`);
  if (checkpoint.size > store.size()) return tampered('records are missing');
  if (Buffer.compare(rootOf(store.nodes, checkpoint.size), checkpoint.root) !== 0) return tampered('root');
  return ok(checkpoint.anchor === value ? 'current' : 'advance');
};
