/**
 * Whether a release that is offered stands in the log of releases, as the mind sees it: the metadata that names it, and
 * the statement that the hands will judge once more by themselves. Proofs lie in the repository beside what they prove.
 */
import type { ReadRange } from '#agents/mind/far-ends';
import { readWhole } from '#agents/policy/source';
import { fromHex } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import { type LogEntry, proofPath } from '#ota-client/transparency/entry';
import { judgeLogged, type LogJudge, type LogStanding } from '#ota-client/transparency/judge';
import { maxProofBytes } from '#ota-client/transparency/proof';
import type { Repository } from '#ota-client/trust/refresh';
import type { BundleClass } from '#ota-client/trust/release';
import type { GrantUse } from './grant-uses.ts';
import type { Offer } from './offer.ts';

export interface LogSource extends LogJudge {
  readonly read: ReadRange;
}

/** An offer, how it stands, and what the hands are shown of it. */
export interface LoggedOffer extends Offer {
  readonly standing: LogStanding;
  /** Of the statement; absent where none was found. */
  readonly proof?: Uint8Array;
  /** Absent where the director named it. */
  readonly grant?: GrantUse;
}

/**
 * @param name of the class that offers it
 * @returns the offer; or, where policy requires proof, the faults of `judgeLogged` and of fetching it
 */
export const loggedOffer = async (
  source: LogSource,
  { snapshot }: Repository,
  offer: Offer,
  name: BundleClass & ('os' | 'repair'),
  signal: AbortSignal,
): Promise<Result<LoggedOffer>> => {
  const isRepair = name === 'repair';
  if (source.trust === undefined || source.trust.policy === 'off') return ok({ ...offer, standing: { is: 'unasked' } });
  const targets = fromHex(snapshot.meta.get(`${name}.json`)?.hashes?.get('sha256') ?? '');
  // Without it nobody can say which metadata was meant to be in the log.
  if (targets?.length !== 32 && !isRepair) return deny('integrity', 'log-proof-invalid', 'a snapshot without a hash');
  const judge = async (entry: LogEntry) => {
    const proof = await stapled(source.read, entry, signal);
    if (!proof.ok && !isRepair && source.trust?.policy === 'require') return proof;
    const found = proof.ok ? proof.value : undefined;
    // Both are held against what was seen before; a publisher may be just between the one proof and the other.
    let keep: () => Result<void> = () => done;
    const store: LogSource['store'] = {
      get: (key) => source.store.get(key),
      put: (key, bytes) => {
        keep = () => source.store.put(key, bytes);
        return done;
      },
    };
    const standing = judgeLogged({ ...source, store }, { entry, isRepair }, found);
    return standing.ok ? ok({ standing: standing.value, found, keep: () => keep() }) : standing;
  };
  const metadata = await judge({ kind: 'targets', digest: targets ?? new Uint8Array(32) });
  if (!metadata.ok) return metadata;
  const statement = await judge({ kind: 'statement', digest: offer.statement.release.digest });
  if (!statement.ok) return statement;
  const [larger] = [metadata.value, statement.value].toSorted((a, b) => sizeOf(b.standing) - sizeOf(a.standing));
  const kept = larger?.keep() ?? done;
  if (!kept.ok) return kept;
  const { found } = statement.value;
  const standing = metadata.value.standing.is === 'unproved' ? metadata.value.standing : statement.value.standing;
  return ok({ ...offer, standing, ...(found === undefined ? {} : { proof: found }) });
};

const sizeOf = (standing: LogStanding): number => (standing.is === 'proved' ? standing.proved.size : 0);

/** @returns undefined where the repository has none; or why it could not be asked */
const stapled = async (read: ReadRange, entry: LogEntry, signal: AbortSignal): Promise<Result<Uint8Array | undefined>> => {
  const fetched = await readWhole(read, proofPath(entry), maxProofBytes, signal);
  if (fetched.ok || fetched.fault.reason !== 'not-found') return fetched;
  return ok(undefined);
};
