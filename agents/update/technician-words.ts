/** What a technician says in the director's place, out of what was carried here: found, held against its grant, and counted. */
import type { ReadRange } from '#agents/mind/far-ends';
import { readWhole } from '#agents/policy/source';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DurableStore } from '#hal/ports/durable-store';
import {
  type CountedGrant,
  findGrant,
  type GrantedBundle,
  grantedTarget,
  maxGrantBytes,
  maxWordBytes,
  wordPath,
} from '#ota-client/trust/field-grant';
import type { GrantPolicy } from '#ota-client/trust/grant-policy';
import type { Repository } from '#ota-client/trust/refresh';
import type { Installed } from '#ota-client/trust/release';
import { checkTargetFile, targetFileName } from '#ota-client/trust/target-file';
import { countUse, type GrantUse } from './grant-uses.ts';

export interface TechnicianWords {
  /** @returns the word; undefined where the director is to be asked; or `policy/grant-missing` where policy requires one */
  carried(read: ReadRange, hardware: string, signal: AbortSignal): Promise<Result<Uint8Array | undefined>>;
  /** @returns what a technician and the image repository name; or the faults of `findGrant`, of `grantedTarget` and of the fetch */
  granted(
    word: Uint8Array,
    read: ReadRange,
    image: Repository,
    installed: Installed,
    signal: AbortSignal,
  ): Promise<Result<GrantedBundle | undefined>>;
  useOf(grant: CountedGrant, release: Uint8Array, floorMs: number): GrantUse;
}

export interface TechnicianWordParts {
  readonly crypto: CryptoBackend;
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly policy: GrantPolicy;
}

export const technicianWords = ({ crypto, store, policy }: TechnicianWordParts): TechnicianWords => ({
  async carried(read, hardware, signal) {
    if (policy === 'off') return ok(undefined);
    const word = await readWhole(read, wordPath(hardware), maxWordBytes, signal);
    if (word.ok || word.fault.reason !== 'not-found') return word;
    return policy === 'require' ? deny('policy', 'grant-missing', hardware) : ok(undefined);
  },
  async granted(word, read, image, installed, signal) {
    const found = await findGrant(image, installed.hardwareId);
    if (!found.ok) return found;
    const { target, release } = found.value;
    const mostBytes = Math.min(target.file.length, maxGrantBytes);
    const fetched = await readWhole(read, `targets/${targetFileName(image, target)}`, mostBytes, signal);
    if (!fetched.ok) return fetched;
    const grant = checkTargetFile(crypto, target.file, fetched.value);
    if (!grant.ok) return grant;
    return grantedTarget(crypto, { grant: grant.value, word }, release.releaseCounter, image, installed);
  },
  useOf: (grant, release, floorMs) => ({ digest: grant.digest, take: () => countUse(store, grant, release, floorMs) }),
});
