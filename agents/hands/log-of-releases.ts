/**
 * The log of releases as the hands follow it: they judge the proof of a statement themselves (SR-01), and remember for
 * each slot how what they wrote there stood, so that a mind cannot forget it for them.
 */
import { concat, equalBytes, utf8 } from '#hal/core/bytes';
import { codeOf, done, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Log } from '#hal/ports/log';
import type { SlotName } from '#hal/ports/slots';
import { judgeLogged, type LogStanding } from '#ota-client/transparency/judge';
import type { LogTrust } from '#ota-client/transparency/log-trust';

export interface LogOfReleases {
  /** @param digest of the release: SHA-256 of its statement. @returns how it stands; or the faults of `judgeLogged` */
  judge(digest: Uint8Array, isRepair: boolean, proof: Uint8Array | undefined): Result<LogStanding>;
  /** Durable before a byte of the release is written. */
  note(slot: SlotName, digest: Uint8Array, standing: LogStanding): Result<void>;
  /** @returns why the release of that slot has no proof, empty where it has; undefined where it was never asked for one */
  noted(slot: SlotName, release: { readonly digest: Uint8Array } | undefined): string | undefined;
}

const digestBytes = 32;
const notAsked = 'unasked';

/** @param trust absent where these hands follow no log */
export const logOfReleases = (
  crypto: CryptoBackend,
  trust: LogTrust | undefined,
  store: Pick<DurableStore, 'get' | 'put'>,
  log: Log,
): LogOfReleases => {
  const key = (slot: SlotName) => `log-of-slot-${slot}`;
  return {
    judge: (digest, isRepair, proof) =>
      judgeLogged({ crypto, trust, store }, { entry: { kind: 'statement', digest }, isRepair }, proof),
    note(slot, digest, standing) {
      if (standing.is === 'unproved') log.warn('update.unlogged', { slot, code: codeOf(standing.fault) });
      const next = concat(digest, utf8(saidOf(standing)));
      const before = store.get(key(slot));
      if (before.ok && before.value !== undefined && equalBytes(before.value, next)) return done;
      return store.put(key(slot), next);
    },
    noted(slot, release) {
      const stored = store.get(key(slot));
      if (!stored.ok || stored.value === undefined || release === undefined) return undefined;
      if (!equalBytes(stored.value.subarray(0, digestBytes), release.digest)) return undefined;
      const said = Buffer.from(stored.value.subarray(digestBytes)).toString('utf8');
      return said === notAsked ? undefined : said;
    },
  };
};

const saidOf = (standing: LogStanding): string => {
  if (standing.is === 'unproved') return codeOf(standing.fault);
  return standing.is === 'proved' ? '' : notAsked;
};
