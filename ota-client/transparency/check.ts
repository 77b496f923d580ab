/**
 * Whether what was signed was also said in public: it is in the log, the log signed that, and enough witnesses saw the log
 * grow to it. All of it comes with the release; nobody is asked.
 */
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { verifyInclusion } from '#hal/crypto/merkle';
import { type LogHead, openLogCheckpoint } from './checkpoint.ts';
import { cosignedBy } from './cosignature.ts';
import { entryLeaf, type LogEntry } from './entry.ts';
import type { LogTrust } from './log-trust.ts';
import { readProof } from './proof.ts';

export interface ProvedEntry extends LogHead {
  readonly index: number;
  /** Names of those who count, and when each cosigned by its own clock. */
  readonly witnesses: readonly { readonly name: string; readonly cosignedMs: number }[];
}

/**
 * @param proof as it was stapled; undefined where there is none
 * @returns where the entry stands; or `integrity/log-proof-missing`, `integrity/log-proof-invalid`,
 *   `integrity/witnesses-missing`, and the faults of `readProof` and of `openLogCheckpoint`
 */
export const checkProof = (
  crypto: CryptoBackend,
  { origin, key, witnesses, threshold }: LogTrust,
  entry: LogEntry,
  proof: Uint8Array | undefined,
): Result<ProvedEntry> => {
  if (proof === undefined) return deny('integrity', 'log-proof-missing', entry.kind);
  const read = readProof(proof);
  if (!read.ok) return read;
  const { index, path, checkpoint } = read.value;
  const opened = openLogCheckpoint(crypto, checkpoint, origin, key);
  if (!opened.ok) return opened;
  const { size, root } = opened.value.checkpoint;
  if (!verifyInclusion(entryLeaf(entry), index, size, path, root)) return deny('integrity', 'log-proof-invalid', entry.kind);
  const counted: { readonly name: string; readonly cosignedMs: number }[] = [];
  for (const witness of witnesses) {
    const cosignedMs = cosignedBy(crypto, opened.value.note, witness);
    if (!cosignedMs.ok) return cosignedMs;
    if (cosignedMs.value !== undefined) counted.push({ name: witness.name, cosignedMs: cosignedMs.value });
  }
  if (counted.length < threshold) return deny('integrity', 'witnesses-missing', `${counted.length} of ${threshold}`);
  return ok({ size, root, index, witnesses: counted });
};
