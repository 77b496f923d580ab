/**
 * Anchors the log in the TPM: checkpoint n+1 is written, then the TPM counter advances to n+1, so a start accepts exactly
 * {n, n+1}, and anything else means that the log or the TPM is not what it was (SR-14).
 */
import { toHex } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { codeOf, deny, done, type Fault, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { leafHash, rootOf } from '#hal/crypto/merkle';
import type { Clock } from '#hal/ports/clock';
import type { HybridPair } from '#hal/ports/device-keys';
import type { Counter } from '#hal/ports/tpm';
import { type Checkpoint, checkpointText, encodeCheckpoint, openCheckpoint } from './checkpoint.ts';
import type { AuditHealth } from './health.ts';
import type { AuditStore } from './store.ts';

export interface AuditAnchor {
  /** A checkpoint over the whole log, and the counter after it. Anchors never overlap: each waits for the one before. */
  anchor(): Promise<Result<void>>;
  /** A checkpoint for who asks for a proof: it belongs to the counter as it stands, since asking must not wear it out. */
  checkpointOnly(): Promise<Result<void>>;
  /** At the start: compares the log with the TPM; a log that is not what it was is tampered from here on. */
  open(): Promise<void>;
  /** Public keys that signed the newest checkpoint. */
  keys(): HybridPair;
  /** When the last one was made. */
  anchoredBootMs(): number;
}

export interface AnchorParts {
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly crypto: CryptoBackend;
  /** Public keys of the audit class that are in use at the start. */
  readonly keys: HybridPair;
  /** Of a device that rotates them. */
  readonly rotation?: AuditKeyRotation;
  readonly sign: (message: Uint8Array) => Promise<Result<HybridPair>>;
  readonly readCounter: () => Promise<Result<Counter>>;
  readonly advanceCounter: () => Promise<Result<Counter>>;
}

export interface AuditKeyRotation {
  /** The first key of the device, after which its log is named for good. */
  readonly first: HybridPair;
  /** The key before the one in use, unless it was revoked: the newest checkpoint at a start may still be by it. */
  readonly previous?: HybridPair;
  /** The key in use, which may change while the log is open. */
  current(): Promise<Result<HybridPair>>;
}

export const auditAnchor = (parts: AnchorParts, health: AuditHealth): AuditAnchor => {
  const { store, clock, rotation } = parts;
  const origin = `enigm.device/audit/${toHex(leafHash((rotation?.first ?? parts.keys).classical)).slice(0, 16)}`;
  let signers = parts.keys;
  let anchoredSize = -1;
  let anchoredBootMs = clock.bootMs();
  const failed = (cause: Fault): Result<void> => {
    health.degrade(cause);
    return { ok: false, fault: cause };
  };

  // At the start, or when the hands first answer: nothing is anchored over a log that was not compared with the TPM.
  let isCompared = false;
  const compare = async (): Promise<Result<void>> => {
    const opened = await verifyAtStart(parts, origin);
    if (!opened.ok) {
      if (opened.fault.reason !== 'audit-tampered') return failed(opened.fault);
      health.tamper(opened.fault);
      return opened;
    }
    isCompared = true;
    signers = opened.value.keys;
    if (opened.value.counter === 'current') return done;
    const advanced = await parts.advanceCounter();
    return advanced.ok ? done : failed(advanced.fault);
  };

  /** By the key in use; where that changed in between, what came out is no checkpoint, and none is kept. */
  const signCheckpoint = async (
    checkpoint: Checkpoint,
  ): Promise<Result<{ readonly note: Uint8Array; readonly keys: HybridPair }>> => {
    const keys = rotation === undefined ? ok(parts.keys) : await rotation.current();
    if (!keys.ok) return keys;
    const signatures = await parts.sign(checkpointText(checkpoint));
    if (!signatures.ok) return signatures;
    const note = encodeCheckpoint(checkpoint, keys.value, signatures.value);
    const opened = openCheckpoint(parts.crypto, note, keys.value);
    return opened.ok ? ok({ note, keys: keys.value }) : deny('integrity', 'audit-degraded', 'signed by another key');
  };
  const checkpointNow = async (isWanted: boolean): Promise<Result<void>> => {
    const size = store.size();
    // A degraded log takes the first chance to be whole again; that ends the chance, so nobody wears the counter out by it.
    const isAdvancing = isWanted || health.state() !== 'intact';
    if (size === anchoredSize || health.state() === 'tampered') return done;
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
    const signed = await signCheckpoint(checkpoint);
    if (!signed.ok) return failed(signed.fault);
    const saved = store.saveCheckpoint(size, signed.value.note);
    if (!saved.ok) return failed(saved.fault);
    signers = signed.value.keys;
    if (!isAdvancing) return done;
    const advanced = await parts.advanceCounter();
    if (!advanced.ok) return failed(advanced.fault);
    if (advanced.value.value !== checkpoint.anchor)
      return failed({ category: 'integrity', reason: 'audit-degraded', detail: 'another user of the counter' });
    anchoredSize = size;
    anchoredBootMs = clock.bootMs();
    health.recover();
    return done;
  };

  const turn = inTurn();
  const anchor = () => turn(() => checkpointNow(true));
  return {
    anchor,
    checkpointOnly: () => turn(() => checkpointNow(false)),
    async open() {
      await compare();
      // The first checkpoint of a log, and the first one by a new key: the one before signs none of what counts from here on.
      const isFirst = store.checkpoint() === undefined || signers !== parts.keys;
      if (health.state() !== 'tampered' && isFirst) await anchor();
    },
    keys: () => signers,
    anchoredBootMs: () => anchoredBootMs,
  };
};

interface AtStart {
  /** Whether it stands where the newest checkpoint left it, or one before: cut in between. */
  readonly counter: 'current' | 'advance';
  /** Who signed the newest checkpoint. */
  readonly keys: HybridPair;
}

const verifyAtStart = async (parts: AnchorParts, origin: string): Promise<Result<AtStart>> => {
  const { store, rotation } = parts;
  const tampered = (detail: string) => deny('integrity', 'audit-tampered', detail);
  const counter = await parts.readCounter();
  if (!counter.ok) return counter;
  const { value, base } = counter.value;
  const stored = store.checkpoint();
  if (stored === undefined && value !== base) return tampered('the log is gone, or has no checkpoint');
  const tree = store.verify();
  if (!tree.ok) return tampered(tree.fault.detail ?? 'tree');
  // The TPM never counted for this log: whatever records there are, none was anchored yet.
  if (stored === undefined) return ok({ counter: 'current', keys: parts.keys });
  let keys = parts.keys;
  let opened = openCheckpoint(parts.crypto, stored.note, keys);
  if (!opened.ok && rotation?.previous !== undefined) {
    keys = rotation.previous;
    opened = openCheckpoint(parts.crypto, stored.note, keys);
  }
  if (!opened.ok) return tampered(`checkpoint: ${codeOf(opened.fault)}`);
  const checkpoint = opened.value;
  if (checkpoint.origin !== origin) return tampered('checkpoint of another log');
  if (checkpoint.anchor !== value && checkpoint.anchor !== value + 1)
    return tampered(`checkpoint ${checkpoint.anchor}, counter ${value}`);
  if (checkpoint.size > store.size()) return tampered('records are missing');
  if (Buffer.compare(rootOf(store.nodes, checkpoint.size), checkpoint.root) !== 0) return tampered('root');
  return ok({ counter: checkpoint.anchor === value ? 'current' : 'advance', keys });
};
