/**
 * A field grant: for some days a technician says, in the director's place and without a network, which release a device
 * takes. Its custodians publish it as a target of the class `grants`, one for each hardware class: whose keys, until when,
 * which releases, how many on one device. The word of the technician is targets metadata, and is held against the image
 * repository as the director's is: it narrows what is published, and nothing else.
 */
import { type Decoded, integer, text } from '#hal/core/config';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type Bundle, findBundle } from './bundle.ts';
import { custodianRule, custodiansOf } from './custodians.ts';
import { type DirectorWord, eligibleTarget } from './eligible.ts';
import { decodeFields, fields } from './fields.ts';
import { parseJson } from './json.ts';
import { deviceSchemes, keyRing } from './keys.ts';
import { instant, readTargets } from './metadata.ts';
import type { Repository } from './refresh.ts';
import type { Installed } from './release.ts';
import { roleKeys } from './role-keys.ts';
import type { Authority } from './rule.ts';

/** A grant for one technician has 3.5 kB, nearly all of it keys; a word 7.3 kB, nearly all of it signatures. */
export const maxGrantBytes = 64 * 1024;
export const maxWordBytes = 64 * 1024;
export const maxGrantLifetimeMs = 31 * 86_400_000;
/** An archive is made for a day's work: what was halted since is not carried around for longer. */
export const maxWordLifetimeMs = 86_400_000;
/** Releases that one device takes under one grant. */
export const maxGrantUses = 16;

export const grantFormat = 'enigm-field-grant-1';

const counter = integer(1, Number.MAX_SAFE_INTEGER);
const grantFields = fields({
  format: text(new RegExp(`^${grantFormat}$`), grantFormat),
  /** The counter of its target. */
  version: counter,
  expires: instant,
  /** Counters of the releases that may be named, both included. */
  releases: fields({ first: counter, last: counter }),
  uses: integer(1, maxGrantUses),
  keys: keyRing(deviceSchemes),
  technicians: roleKeys,
});
export type FieldGrant = Decoded<typeof grantFields>;

/** There is one at a time, which a device without a listing finds by its own hardware class. */
export const grantPath = (hardware: string): string => `grants/${hardware}`;

/** Where the word of a technician lies in what is carried, beside the files of the repository. */
export const wordPath = (hardware: string): string => `director/${hardware}.json`;

/** @returns what a grant says, whoever published it; or a fault of reading, and `integrity/hybrid-rule`, `integrity/key-scheme` */
export const readGrant = (bytes: Uint8Array): Result<FieldGrant> => {
  const json = parseJson(bytes, maxGrantBytes);
  if (!json.ok) return json;
  const grant = decodeFields(grantFields, json.value, 'grant');
  if (!grant.ok) return grant;
  const { first, last } = grant.value.releases;
  if (first > last) return deny('protocol', 'field-invalid', 'grant.releases: expected the first before the last');
  const technicians = custodiansOf(authorityOf(grant.value));
  return technicians.ok ? grant : technicians;
};

/** Names of those who may speak under it. */
export const techniciansOf = (grant: FieldGrant): readonly string[] => {
  const technicians = custodiansOf(authorityOf(grant));
  return technicians.ok ? [...technicians.value.keys()] : [];
};

const authorityOf = ({ keys, technicians }: FieldGrant): Authority => ({ role: 'technicians', roleKeys: technicians, keys });

/**
 * @param image repository, verified as of a time that is known
 * @returns the target of the grant; or `policy/grant-missing`, `policy/hardware-mismatch` for one that is not for this hardware
 * class alone, and the faults of `findBundle`
 */
export const findGrant = async (image: Repository, hardware: string): Promise<Result<Bundle>> => {
  const found = await findBundle(image, 'grants', grantPath(hardware));
  if (!found.ok) return found.fault.reason === 'target-missing' ? deny('policy', 'grant-missing', hardware) : found;
  const { hw } = found.value.release;
  return hw?.length === 1 && hw[0] === hardware
    ? found
    : deny('policy', 'hardware-mismatch', 'a grant is for one hardware class');
};

/** What a device keeps of a grant while it counts. */
export interface CountedGrant {
  /** SHA-256 of the file. */
  readonly digest: Uint8Array;
  readonly expiresMs: number;
  readonly uses: number;
}

export interface GrantedBundle extends Bundle {
  readonly grant: CountedGrant;
}

export interface Granted {
  /** The file of `findGrant`, verified against its target. */
  readonly grant: Uint8Array;
  /** Targets metadata of one release, signed by a technician. */
  readonly word: Uint8Array;
}

/**
 * The release that a technician names, and the image repository as well.
 * @param counter of the target of the grant
 * @returns undefined when the technician names none; `policy/grant-expired`, `policy/grant-range`,
 * `integrity/grant-lifetime`, `integrity/grant-mismatch`, `integrity/target-mismatch`, `policy/metadata-expired`, and the faults
 * of `readGrant`, of `eligibleTarget` and of the custodian rule
 */
export const grantedTarget = async (
  crypto: CryptoBackend,
  { grant: grantBytes, word }: Granted,
  counter: number,
  image: Repository,
  device: Installed,
): Promise<Result<GrantedBundle | undefined>> => {
  const grant = readGrant(grantBytes);
  if (!grant.ok) return grant;
  if (grant.value.version !== counter) return deny('integrity', 'target-mismatch', 'version of the grant');
  const { startMs } = image.session;
  const valid = checkPeriod(grant.value, startMs);
  if (!valid.ok) return valid;
  const said = readWord(crypto, grant.value, word, startMs);
  if (!said.ok) return said;
  const bundle = await eligibleTarget(crypto, said.value, image, { ...device, nonce: grantBytes }, maxWordLifetimeMs);
  if (!bundle.ok)
    return bundle.fault.reason === 'director-nonce' ? deny('integrity', 'grant-mismatch', 'a word under another grant') : bundle;
  if (bundle.value === undefined) return ok(undefined);
  const allowed = checkRange(grant.value, bundle.value);
  if (!allowed.ok) return allowed;
  const { expires: expiresMs, uses } = grant.value;
  return ok({ ...bundle.value, grant: { digest: crypto.hash('sha256', grantBytes), expiresMs, uses } });
};

const checkPeriod = ({ expires }: FieldGrant, startMs: number): Result<void> => {
  if (expires <= startMs) return deny('policy', 'grant-expired');
  return expires - startMs > maxGrantLifetimeMs ? deny('integrity', 'grant-lifetime') : done;
};

const readWord = (crypto: CryptoBackend, grant: FieldGrant, bytes: Uint8Array, startMs: number): Result<DirectorWord> => {
  if (bytes.length > maxWordBytes) return deny('protocol', 'too-large', 'word of a technician');
  const read = readTargets(bytes, deviceSchemes);
  if (!read.ok) return read;
  const signed = custodianRule.checkSignatures(crypto, authorityOf(grant), read.value.signed);
  if (!signed.ok) return signed;
  const targets = read.value.content;
  if (targets.expires <= startMs) return deny('policy', 'metadata-expired', 'word of a technician');
  return ok({ targets, session: { startMs } });
};

const checkRange = ({ releases: { first, last } }: FieldGrant, { release: { releaseCounter } }: Bundle): Result<void> =>
  releaseCounter >= first && releaseCounter <= last
    ? done
    : deny('policy', 'grant-range', `${releaseCounter}, and the grant is for ${first} to ${last}`);
