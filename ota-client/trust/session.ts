/** What one update works with, and the few things that every step of it does. */
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DurableStore } from '#hal/ports/durable-store';
import { matchesHashes } from './content.ts';
import type { KeyScheme } from './keys.ts';
import type { MetaFile, Read } from './metadata.ts';
import type { Authority, SignatureRule } from './rule.ts';

/**
 * Fetch one file of a repository by its name there, `2.root.json`.
 * @param maxBytes no more is read: a longer file is `protocol/too-large`
 * @returns the bytes; `unavailable/not-found` where the repository says that it has none; any other fault ends the update
 */
export type Fetch = (name: string, maxBytes: number, signal: AbortSignal) => Promise<Result<Uint8Array>>;

/** One repository and how this device trusts it. */
export interface Trust {
  readonly crypto: CryptoBackend;
  readonly rule: SignatureRule;
  readonly schemes: readonly KeyScheme[];
  readonly fetch: Fetch;
  /** One store for each repository. It only remembers: all that it returns is verified again from `pinnedRoot`. */
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  /** The root in the verity image (SR-09): no root below it is ever looked at. */
  readonly pinnedRoot: Uint8Array;
}

/**
 * `update` knows the time and remembers versions. `repair` (SR-12) may come on a stick, offline and late, to a device
 * without a clock: the online roles' expiry and versions are not held against it; the offline roles' expiry is, as far
 * as the floor of time tells.
 */
export type Purpose = 'update' | 'repair';

export interface Session {
  readonly trust: Trust;
  readonly purpose: Purpose;
  /** TUF 1.0 §5.1: fixed for the whole update. */
  readonly startMs: number;
  readonly signal: AbortSignal;
}

/** Apart from the other names, whatever a delegated role may be called: those are quoted and have no slash. */
export const keptRoot = (version: number): string => `root/${version}`;

/** Repairs remember roots, which are offline-signed and only ever go up, and nothing else. */
const isRemembered = ({ purpose }: Session, name: string): boolean => purpose === 'update' || name.startsWith('root/');

export const recall = (session: Session, name: string): Result<Uint8Array | undefined> =>
  isRemembered(session, name) ? session.trust.store.get(name) : ok(undefined);

export const remember = (session: Session, name: string, bytes: Uint8Array): Result<void> =>
  isRemembered(session, name) ? session.trust.store.put(name, bytes) : done;

/** The arbitrary software attack of TUF 1.0 §5.3.4, §5.4.2, §5.5.3 and §5.6.3. */
export const checkSignatures = ({ trust }: Session, authority: Authority, { signed }: Read<unknown>): Result<void> =>
  trust.rule.checkSignatures(trust.crypto, authority, signed);

/** The freeze attack of TUF 1.0 §5.3.10, §5.4.4, §5.5.6 and §5.6.5: expiry must lie after the start of the update. */
export const checkExpiry = (session: Session, role: string, expiresMs: number): Result<void> => {
  const isOnlineRole = role === 'timestamp' || role === 'snapshot';
  if (expiresMs > session.startMs || (session.purpose === 'repair' && isOnlineRole)) return done;
  return deny('policy', 'metadata-expired', role);
};

/** The mix-and-match attack of TUF 1.0 §5.5.2 and §5.6.2: length and hashes that the role above gave, if any. */
export const checkContent = ({ trust }: Session, role: string, bytes: Uint8Array, { length, hashes }: MetaFile): Result<void> => {
  if (length !== undefined && bytes.length !== length) return deny('integrity', 'metadata-mismatch', `${role}: length`);
  return hashes === undefined || matchesHashes(trust.crypto, bytes, hashes)
    ? done
    : deny('integrity', 'metadata-mismatch', `${role}: hash`);
};

export const fetchFile = async ({ trust, signal }: Session, name: string, maxBytes: number): Promise<Result<Uint8Array>> =>
  signal.aborted ? deny('unavailable', 'aborted') : trust.fetch(name, maxBytes, signal);

/** The first fault, or nothing. */
export const firstFault = (...checks: readonly (() => Result<void>)[]): Result<void> => {
  for (const check of checks) {
    const checked = check();
    if (!checked.ok) return checked;
  }
  return done;
};
