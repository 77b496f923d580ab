/**
 * Desired → plan → apply → read back → compared. What cannot be read back as it was wanted is not in force, and says so.
 *
 * A bundle is decided on like everything else, with its signers as the actor, and applied by the hands under permits.
 */
import { createHash } from 'node:crypto';
import type { Authorizer, Effect } from '#agents/mind/authorizer';
import { toHex } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { codeOf, deny, done, type Fault, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Log } from '#hal/ports/log';
import type { PermittedCall, RemoteHands } from '#hal/remote/hands-client';
import type { ConfigurationBundle } from '#protos/gen/types';
import { decodeBundle, type ManagedClass, type SignedBundle } from './bundles.ts';
import { desiredOf } from './desired.ts';
import { shelf } from './shelf.ts';

export interface Enforcer {
  /**
   * @returns what is in force now; or why the bundle is not. A bundle that failed half way may have changed a part of
   * what was in force before: `status` reads that and says so
   */
  apply(bundle: SignedBundle): Promise<Result<InForce>>;
  /**
   * After a restart of the mind or of the hands: what was in force before, from the device's own store. What still holds
   * is left alone and leaves no record.
   */
  restore(): Promise<void>;
  /** Reads again what should be in force. */
  status(): Promise<readonly InForce[]>;
  configuration(): ConfigurationBundle | undefined;
}

export interface InForce {
  readonly kind: ManagedClass;
  readonly version: number;
  /** SHA-256 of the bundle's payload. */
  readonly digest: Uint8Array;
  /** Whether what was read back is what the bundle says. */
  readonly holds: boolean;
}

export interface EnforcerParts {
  readonly hands: RemoteHands;
  readonly authorizer: Authorizer;
  readonly store: DurableStore;
  readonly clock: Clock;
  readonly log: Log;
}

interface Held {
  readonly version: number;
  readonly digest: Uint8Array;
  /** Reads back. */
  readonly holds: () => Promise<boolean>;
}

/** An administrator's signature is as fresh as the moment it was verified in. */
const signatureAgeMs = 60_000;

export const enforcer = ({ hands, authorizer, store, clock, log }: EnforcerParts): Enforcer => {
  const kept = shelf(store);
  const inForce = new Map<ManagedClass, Held>();
  let configuration: ConfigurationBundle | undefined;

  const perform = async (call: PermittedCall, signer: Uint8Array): Promise<Result<void>> => {
    const effect: Effect = {
      action: 'apply-bundle',
      resource: 'policy',
      event: 'admin.bundle',
      call,
      actor: signedBy(signer, clock.bootMs()),
    };
    const performed = await authorizer.perform(effect, 'bundle');
    if (!performed.ok) return performed;
    const { decision } = performed.value;
    return decision.isAllowed ? done : { ok: false, fault: decision.fault ?? notPermitted };
  };

  /** @param begin what must be written before the first effect; absent where the bundle was in force before */
  const put = async (bundle: SignedBundle, begin?: () => Result<void>): Promise<Result<InForce>> => {
    const decoded = decodeBundle(bundle);
    if (!decoded.ok) return decoded;
    const { version } = decoded.value.value;
    const before = inForce.get(bundle.kind);
    if (before !== undefined && version < before.version) return deny('policy', 'stale', `version ${version} of ${bundle.kind}`);
    const begun = begin?.() ?? done;
    if (!begun.ok) return begun;
    const { plan, holds } = desiredOf(hands, decoded.value, bundle.payload);
    const calls = await plan(begin !== undefined);
    if (!calls.ok) return calls;
    for (const call of calls.value) {
      const performed = await perform(call, bundle.signer);
      if (!performed.ok) return performed;
    }
    if (decoded.value.kind === 'configuration') configuration = decoded.value.value;
    const digest = sha256(bundle.payload);
    inForce.set(bundle.kind, { version, digest, holds });
    return (await holds())
      ? ok({ kind: bundle.kind, version, digest, holds: true })
      : deny('integrity', 'read-back', bundle.kind);
  };

  const apply = async (bundle: SignedBundle): Promise<Result<InForce>> => {
    const applied = await put(bundle, () => kept.begin(bundle));
    if (!applied.ok) return applied;
    const stored = kept.keep(bundle);
    return stored.ok ? applied : stored;
  };
  const restore = async (): Promise<void> => {
    const classes = kept.kept();
    if (!classes.ok) return failed('shelf', classes.fault, log);
    for (const bundles of classes.value)
      for (const bundle of bundles) {
        const applied = await (bundle.wasInForce ? put(bundle) : apply(bundle));
        if (applied.ok) break;
        failed(bundle.kind, applied.fault, log);
      }
  };

  const turn = inTurn();
  return {
    apply: (bundle) => turn(() => apply(bundle)),
    restore: () => turn(restore),
    status: () =>
      Promise.all(
        [...inForce].map(async ([kind, { version, digest, holds }]) => ({ kind, version, digest, holds: await holds() })),
      ),
    configuration: () => configuration,
  };
};

const notPermitted: Fault = { category: 'authorization', reason: 'not-permitted' };

const failed = (what: string, fault: Fault, log: Log): void => log.error('bundle.not-in-force', { what, code: codeOf(fault) });

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

const signedBy = (signer: Uint8Array, nowBootMs: number): NonNullable<Effect['actor']> => ({
  value: { subject: toHex(signer), assurance: 'administrator' },
  source: 'bundle-signatures',
  measuredBootMs: nowBootMs,
  maxAgeMs: signatureAgeMs,
  isVerified: true,
});
