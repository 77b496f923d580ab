/** Which keys of the registry this device knows by id: its own, and those that it believes. Public data only. */
import { rotatingClasses } from '#agents/hands/key-ledger';
import type { Site } from '#agents/management/site';
import { ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { keyId } from '#hal/crypto/envelope';
import { deviceKeyId } from '#hal/crypto/succession';
import type { HybridPublicKey } from '#hal/crypto/suites';
import { epochIn } from '#hal/ports/key-ledger';
import type { RemoteHands } from '#hal/remote/hands-client';
import type { KeysState } from '#protos/gen/types';
import type { KeyClassName } from './registry.ts';

export interface KnownKey {
  readonly keyClass: KeyClassName;
  /** 32 bytes. */
  readonly keyId: Uint8Array;
  readonly epoch?: number;
  /** Whether something is signed with it, or believed by it, today. */
  readonly isInUse: boolean;
}

/** Every service that the site configuration names. */
export const believedKeysOf = (crypto: CryptoBackend, site: Site): readonly KnownKey[] => {
  const known = (keyClass: KeyClassName, keys: readonly HybridPublicKey[] = []): readonly KnownKey[] =>
    keys.map((key) => ({ keyClass, keyId: keyId(crypto, key), isInUse: true }));
  return [
    ...site.verifier.keys.map((keys) => ({ keyClass: 'verifier' as const, keyId: deviceKeyId(crypto, keys), isInUse: true })),
    ...known('issuer', site.statementKeys.identity),
    ...known('account', site.statementKeys.account),
    ...known('intelligence', site.outcomeKeys),
    ...known('command', site.fleet?.command.keys),
    ...known('os', site.fleet?.update?.releaseKeys),
    ...known('repair', site.fleet?.update?.repairKeys),
  ];
};

/** Every key pair that this device has or had, oldest first. */
export const ownKeysOf = async (
  crypto: CryptoBackend,
  keys: Pick<RemoteHands['keys'], 'publicKey'>,
  state: KeysState,
): Promise<Result<readonly KnownKey[]>> => {
  const wanted = rotatingClasses.flatMap((keyClass) => {
    if (keyClass === 'handle') return [];
    const present = epochIn(state, keyClass).epoch;
    return Array.from({ length: present }, (_, at) => ({ keyClass, epoch: at + 1, isInUse: at + 1 === present }));
  });
  const made = await Promise.all(wanted.map(({ keyClass, epoch }) => keys.publicKey(keyClass, epoch)));
  const known: KnownKey[] = [];
  for (const [at, key] of made.entries()) {
    const which = wanted[at];
    if (!key.ok) return key;
    if (which !== undefined) known.push({ ...which, keyId: deviceKeyId(crypto, key.value) });
  }
  return ok(known);
};
