/** An office whose keys all lie in one folder of one machine: for trials, and for whoever has nothing to protect yet. */
import { deny, type Result } from '#hal/core/result';
import type { Random } from '#hal/ports/random';
import type { OfficeRole } from '#ota-client/repository/signing-item';
import { bundleClasses } from '#ota-client/trust/release';
import { signRequest } from './custodian-desk.ts';
import { founding } from './drafts.ts';
import { beginOffice, publishFounding } from './founding.ts';
import { type CustodianKey, keyIn, publicKeyOf } from './keys.ts';
import type { OfficeParts } from './office.ts';
import { acceptFiles } from './signatures.ts';

/** Two of three owners, so that one key may be lost; two of two for each class, which owners can replace. */
const everybody: readonly (readonly [name: string, role: OfficeRole])[] = [
  ['owner-first', 'owner'],
  ['owner-second', 'owner'],
  ['owner-third', 'owner'],
  ['publisher', 'publisher'],
  ...bundleClasses.flatMap((role) => [[`${role}-first`, role] as const, [`${role}-second`, role] as const]),
];

/** Keys where there are none, every signature, and an empty repository. @returns the root, for the image of a device */
export const openTrialOffice = async (
  parts: OfficeParts,
  random: Random,
  folder: string,
  keysFolder: string,
  haltAfterFailures: number,
): Promise<Result<Uint8Array>> => {
  const keys: CustodianKey[] = [];
  for (const [name, role] of everybody) {
    const key = await keyIn(keysFolder, name, role, random);
    if (!key.ok) return key;
    if (key.value.role !== role) return deny('integrity', 'role-mismatch', `${name} signs for ${key.value.role}`);
    keys.push(key.value);
  }
  const asked = await beginOffice(parts, folder, keys.map(publicKeyOf), haltAfterFailures);
  if (!asked.ok) return asked;
  const files: Uint8Array[] = [];
  for (const key of keys.filter(({ role }) => role !== 'publisher')) {
    const signed = await signRequest(parts.crypto, asked.value, key);
    if (!signed.ok) return signed;
    files.push(signed.value.signatures);
  }
  const accepted = await acceptFiles(parts, folder, founding, files);
  if (!accepted.ok) return accepted;
  const machine = keys.filter(({ role }) => role === 'publisher').map(({ signer }) => signer);
  return publishFounding(parts, folder, machine);
};
