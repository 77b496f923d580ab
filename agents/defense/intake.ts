/**
 * Takes outcomes of the intelligence service: verified, newer than any before, kept, held as a fact; and a block becomes
 * a call of the hands under a permit. What does not verify changes nothing and is recorded.
 *
 * Limit: who hands outcomes in may keep one back. That is as if the service had said nothing; what was said before
 * counts until it expires.
 */
import { createHash } from 'node:crypto';
import type { Authorizer, Effect } from '#agents/mind/authorizer';
import type { MindParts } from '#agents/mind/parts';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, done, type Fault, ok, type Result } from '#hal/core/result';
import type { IsRevoked } from '#hal/crypto/envelope';
import type { HybridPublicKey } from '#hal/crypto/suites';
import type { DurableStore } from '#hal/ports/durable-store';
import type { OutcomeShelf } from '#protos/gen/types';
import { maxOutcomes, outcomeShelf } from './outcome-shelf.ts';
import { type Outcome, openOutcome } from './outcomes.ts';

export interface OutcomeIntake {
  /**
   * @returns the outcome that counts now, its block in force; a fault of `openOutcome`, `intelligence/outcome-replayed`,
   * `resource/count-limit`, or why the block is not in force, though the outcome counts
   */
  present(envelope: Uint8Array, source: string): Promise<Result<Outcome>>;
  /** After a restart: what was said before and has not expired. */
  restore(): Promise<void>;
  /** Puts in force every block that is said to be and is not, as after a restart of the hands. */
  enforce(): Promise<void>;
  /** What counts now. */
  current(): readonly Outcome[];
}

export type IntakeParts = Pick<MindParts, 'clock' | 'crypto' | 'hands' | 'trust' | 'time' | 'audit' | 'watchers' | 'log'> & {
  readonly authorizer: Authorizer;
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly outcomeKeys: readonly HybridPublicKey[];
  readonly isRevoked: IsRevoked;
  /** The device's handle for the intelligence service. */
  readonly intelligenceHandle: Uint8Array;
};

interface Kept {
  readonly outcome: Outcome;
  readonly envelope: Uint8Array;
  readonly untilBootMs: number;
}

/** A signature is as fresh as the moment it was verified in. */
const signatureAgeMs = 60_000;
/** Between two attempts at a block that did not come into force. */
const retryMs = 60_000;

export const outcomeIntake = (parts: IntakeParts): OutcomeIntake => {
  const {
    clock,
    crypto,
    hands,
    trust,
    time,
    audit,
    watchers,
    log,
    authorizer,
    store,
    outcomeKeys,
    isRevoked,
    intelligenceHandle,
  } = parts;
  const shelf = outcomeShelf(store);
  /** By what it is about: an app, or the device under the empty name. */
  const kept = new Map<string, Kept>();
  /** How far the service has come; undefined until it was read. */
  let mark: Pick<OutcomeShelf, 'sequence' | 'issuedMs'> | undefined;
  let triedBootMs = Number.NEGATIVE_INFINITY;

  // Never before the newest outcome was issued: a clock that starts at zero after a power cut ends no outcome.
  const nowMs = () => Math.max(time.nowMs() ?? clock.nowMs(), mark?.issuedMs ?? 0);
  const readShelf = (): Result<OutcomeShelf> => {
    const stored = shelf.read();
    if (stored.ok) mark = stored.value;
    return stored;
  };
  const open = (envelope: Uint8Array) =>
    openOutcome(crypto, envelope, { keys: outcomeKeys, isRevoked, handle: intelligenceHandle, nowMs: nowMs() });
  const dropExpired = (): void => {
    for (const [about, { untilBootMs }] of kept) if (untilBootMs < clock.bootMs()) kept.delete(about);
  };
  const hold = (outcome: Outcome, envelope: Uint8Array): void => {
    const lifeMs = outcome.expiresMs - nowMs();
    kept.set(outcome.app ?? '', { outcome, envelope, untilBootMs: clock.bootMs() + lifeMs });
    trust.holdOutcome(outcome.app ?? '', outcome.category, lifeMs);
  };

  const accept = (envelope: Uint8Array): Result<Outcome> => {
    const stored = mark === undefined ? readShelf() : ok(mark);
    if (!stored.ok) return stored;
    const opened = open(envelope);
    if (!opened.ok) return opened;
    const outcome = opened.value;
    const { sequence, issuedMs } = stored.value;
    if (outcome.sequence <= sequence) return deny('intelligence', 'outcome-replayed', `${outcome.sequence} after ${sequence}`);
    dropExpired();
    const others = [...kept].filter(([about]) => about !== (outcome.app ?? ''));
    if (others.length >= maxOutcomes) return deny('resource', 'count-limit', 'outcomes');
    const envelopes = [...others.map(([, other]) => other.envelope), envelope];
    const next = { sequence: outcome.sequence, issuedMs: Math.max(issuedMs, outcome.issuedMs), envelopes };
    const written = shelf.write(next);
    if (!written.ok) return written;
    mark = next;
    hold(outcome, envelope);
    return opened;
  };

  const block = async ({ outcome: { app = '', signer }, untilBootMs }: Kept, source: string): Promise<Result<void>> => {
    const effect: Effect = {
      action: 'block-app',
      resource: 'apps',
      event: 'risk.block',
      call: hands.effectors.blockApp({ app, untilBootMs: Math.ceil(untilBootMs) }),
      actor: {
        value: { subject: toHex(signer), assurance: 'intelligence-service' },
        source: 'outcome-signatures',
        measuredBootMs: clock.bootMs(),
        maxAgeMs: signatureAgeMs,
        isVerified: true,
      },
    };
    const performed = await authorizer.perform(effect, source);
    if (!performed.ok) return performed;
    const { isAllowed, fault } = performed.value.decision;
    if (!isAllowed) return { ok: false, fault: fault ?? { category: 'authorization', reason: 'not-permitted' } };
    return (await isInForce(app, untilBootMs)) ? done : deny('integrity', 'read-back', app);
  };
  const isInForce = async (app: string, untilBootMs: number): Promise<boolean> => {
    const read = await hands.apps.read();
    return (
      read.ok &&
      !read.value.running.includes(app) &&
      read.value.blocks.some((entry) => entry.app === app && entry.untilBootMs >= untilBootMs)
    );
  };

  const record = async (event: 'risk.outcome' | 'verify.outcome', source: string, envelope: Uint8Array, fault?: Fault) => {
    await audit.record({
      event,
      outcome: fault === undefined ? 'done' : 'denied',
      source,
      changeReference: createHash('sha256').update(envelope).digest(),
      ...(fault === undefined ? {} : { fault }),
    });
  };

  return {
    async present(envelope, source) {
      const accepted = accept(envelope);
      const fault = accepted.ok ? undefined : accepted.fault;
      await record('verify.outcome', source, envelope, fault);
      await record('risk.outcome', source, envelope, fault);
      watchers.notify();
      if (!accepted.ok || !accepted.value.isBlock) return accepted;
      const held = kept.get(accepted.value.app ?? '');
      const blocked = held === undefined ? done : await block(held, source);
      return blocked.ok ? accepted : blocked;
    },
    async restore() {
      const stored = readShelf();
      if (!stored.ok) return log.error('outcomes.unreadable', { code: codeOf(stored.fault) });
      for (const envelope of stored.value.envelopes) {
        const opened = open(envelope);
        if (opened.ok) hold(opened.value, envelope);
        else log.info('outcome.ended', { code: codeOf(opened.fault) });
      }
    },
    async enforce() {
      dropExpired();
      if (clock.bootMs() - triedBootMs < retryMs) return;
      for (const held of kept.values()) {
        if (!held.outcome.isBlock || (await isInForce(held.outcome.app ?? '', held.untilBootMs))) continue;
        triedBootMs = clock.bootMs();
        const blocked = await block(held, 'restore');
        if (!blocked.ok) log.error('block.not-in-force', { code: codeOf(blocked.fault) });
      }
    },
    current() {
      dropExpired();
      return [...kept.values()].map(({ outcome }) => outcome);
    },
  };
};

/** What an answer says of an outcome. */
export const outcomeEntry = ({ category, band, app, isBlock, expiresMs }: Outcome) => ({
  category,
  band,
  ...(app === undefined ? {} : { app }),
  isBlock,
  expiresMs: Math.floor(expiresMs),
});
