/**
 * What a device does about the log. A release that is not proved is refused where policy requires it; elsewhere it is
 * installed and told of.
 *
 * A repair is never refused for the log's sake (SR-12): a log that has ended, or whose keys or witnesses were lost, must
 * not close the last way out, and a repair release may have lain on a stick since before the newest tree that this device
 * saw. It is as loud as anything else without proof.
 */
import { type Fault, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DurableStore } from '#hal/ports/durable-store';
import { checkProof, type ProvedEntry } from './check.ts';
import type { LogEntry } from './entry.ts';
import type { LogTrust } from './log-trust.ts';
import { checkNotBefore, type SeenLog, seenLog } from './seen.ts';

export interface LogJudge {
  readonly crypto: CryptoBackend;
  /** Absent where this device follows no log. */
  readonly trust: LogTrust | undefined;
  /** Remembers the largest tree that was seen of each log. */
  readonly store: Pick<DurableStore, 'get' | 'put'>;
}

export interface LogSubject {
  readonly entry: LogEntry;
  readonly isRepair: boolean;
}

export type LogStanding =
  | { readonly is: 'unasked' }
  | { readonly is: 'proved'; readonly proved: ProvedEntry }
  | { readonly is: 'unproved'; readonly fault: Fault };

/** @returns how it stands; or, where policy requires proof, the faults of `checkProof`, of `checkNotBefore` and of the store */
export const judgeLogged = (
  { crypto, trust, store }: LogJudge,
  { entry, isRepair }: LogSubject,
  proof: Uint8Array | undefined,
): Result<LogStanding> => {
  if (trust === undefined || trust.policy === 'off') return ok({ is: 'unasked' });
  const checked = checkProof(crypto, trust, entry, proof);
  const held = checked.ok && !isRepair ? holdAgainst(seenLog(store, `log seen ${trust.origin}`), checked.value) : checked;
  if (held.ok) return ok({ is: 'proved', proved: held.value });
  return trust.policy === 'require' && !isRepair ? held : ok({ is: 'unproved', fault: held.fault });
};

const holdAgainst = (seen: SeenLog, proved: ProvedEntry): Result<ProvedEntry> => {
  const before = seen.read();
  if (!before.ok) return before;
  const checked = checkNotBefore(before.value, proved);
  if (!checked.ok) return checked;
  const kept = seen.keep(proved);
  return kept.ok ? ok(proved) : kept;
};
