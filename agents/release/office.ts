/**
 * A publisher's office in a folder. It holds no key: what is signed comes back from custodians at their own machines.
 *
 * `office.json`: custodians by name, and when a rollout halts. `repository/`: what is served. `releases.db`: records and
 * the log. `drafts/ID/`: what is to be said of an image. `requests/ID/`: what custodians were asked, and what came back.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, toHex, utf8 } from '#hal/core/bytes';
import { decodeJson, integer, list, object } from '#hal/core/config';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { readIfThere, writeAtomically } from '#hal/linux/atomic-file';
import { openDurableStore } from '#hal/linux/durable-store';
import type { Clock } from '#hal/ports/clock';
import type { Quorum } from '#ota-client/repository/custodian';
import { type ClassQuorums, type ImageRepository, lifetimes } from '#ota-client/repository/publish';
import type { Desk } from '#ota-client/repository/publisher';
import { maxFailedDevices } from '#ota-client/repository/release-record';
import { type OfficeRole, officeRoleOf, officeRoles } from '#ota-client/repository/signing-item';
import { hasFloor } from '#ota-client/repository/succession';
import { bundleClasses } from '#ota-client/trust/release';
import { draftVerityRoot } from './draft-folder.ts';
import { folderFiles } from './folder-files.ts';
import { custodianOf, type PublicKey, publicKey, publicKeyJson } from './keys.ts';
import { officeLog } from './office-transparency.ts';
import type { QuorumsOf } from './requests.ts';

export interface OfficeParts {
  readonly crypto: CryptoBackend;
  readonly clock: Pick<Clock, 'nowMs'>;
}

export interface Office {
  readonly folder: string;
  readonly repository: ImageRepository;
  readonly quorumOf: (role: OfficeRole) => Quorum;
  readonly quorumsOf: QuorumsOf;
  readonly custodians: readonly PublicKey[];
  readonly haltAfterFailures: number;
}

export const officeName = 'office.json';
const maxCustodians = 256;
const officeFile = object({ haltAfterFailures: integer(1, maxFailedDevices), custodians: list(publicKey, maxCustodians) });

/** Two of a role must sign; the publishing machine is one, and signs nothing but what others signed. */
const thresholdOf = (role: OfficeRole): number => (role === 'publisher' ? 1 : 2);

/**
 * Harmless where the same office is written down already.
 * @returns nothing; or `protocol/event-refused` where there is another one, `integrity/custodians-missing`, `integrity/hybrid-rule`
 */
export const layOutOffice = (folder: string, custodians: readonly PublicKey[], haltAfterFailures: number): Result<void> => {
  const known = readIfThere(join(folder, officeName));
  if (!known.ok) return known;
  const office = { custodians, haltAfterFailures };
  if (known.value !== undefined)
    return Buffer.from(known.value).equals(utf8(officeText(office)))
      ? done
      : deny('protocol', 'event-refused', `${folder} holds another office already`);
  const separate = checkSeparation(custodians);
  return separate.ok ? writeOffice(folder, officeName, office) : separate;
};

/** SR-03, SR-09: each role has enough custodians, and no name and no key stands for two of them. */
export const checkSeparation = (custodians: readonly PublicKey[]): Result<void> => {
  for (const role of officeRoles) {
    const held = custodians.filter((custodian) => custodian.role === role).length;
    if (held < thresholdOf(role)) return deny('integrity', 'custodians-missing', `${role}: ${held} of ${thresholdOf(role)}`);
  }
  const stranger = custodians.find(({ role }) => role === 'technician');
  if (stranger !== undefined)
    return deny('integrity', 'role-mismatch', `${stranger.name} is a technician, and signs for no office`);
  const marks = custodians.flatMap(({ name, classical, postQuantum }) => [name, toHex(classical), toHex(postQuantum)]);
  return new Set(marks).size === marks.length
    ? ok(undefined)
    : deny('integrity', 'hybrid-rule', 'two custodians have one name or one key');
};

/** @returns the office, or `unavailable/not-found`, `protocol/config-invalid` */
export const openOffice = (crypto: CryptoBackend, folder: string, name: string = officeName): Result<Office> => {
  const bytes = readIfThere(join(folder, name));
  if (!bytes.ok) return bytes;
  if (bytes.value === undefined) return deny('unavailable', 'not-found', `${folder} holds no office`);
  const decoded = decodeJson(Buffer.from(bytes.value).toString('utf8'), officeFile);
  if (!decoded.ok) return decoded;
  return ok(officeOf(crypto, folder, decoded.value.custodians, decoded.value.haltAfterFailures));
};

/** The office of this folder as it is with these custodians. */
export const officeOf = (
  crypto: CryptoBackend,
  folder: string,
  custodians: readonly PublicKey[],
  haltAfterFailures: number,
): Office => {
  const quorumOf = (role: OfficeRole): Quorum => ({
    custodians: custodians.filter((custodian) => custodian.role === role).map(custodianOf),
    threshold: thresholdOf(role),
  });
  const [owners, online] = [quorumOf('owner'), quorumOf('publisher')];
  const repository: ImageRepository = {
    ...{ crypto, lifetimes, files: folderFiles(join(folder, 'repository')) },
    top: { root: owners, targets: owners, snapshot: online, timestamp: online },
    classes: Object.fromEntries(bundleClasses.map((name) => [name, quorumOf(name)])) as ClassQuorums,
  };
  return { folder, repository, quorumOf, quorumsOf: (item) => [quorumOf(officeRoleOf(item))], custodians, haltAfterFailures };
};

/** @returns nothing; or `protocol/config-invalid` for what could not be read again */
export const writeOffice = (
  folder: string,
  name: string,
  office: Pick<Office, 'custodians' | 'haltAfterFailures'>,
): Result<void> => {
  const said = officeText(office);
  const decoded = decodeJson(said, officeFile);
  if (!decoded.ok) return decoded;
  mkdirSync(folder, { recursive: true });
  return writeAtomically(join(folder, name), utf8(said), 0o644);
};

const officeText = ({ custodians, haltAfterFailures }: Pick<Office, 'custodians' | 'haltAfterFailures'>): string =>
  `${JSON.stringify({ haltAfterFailures, custodians: custodians.map(publicKeyJson) })}\n`;

/**
 * @param liveRoots hash trees whose reference values the verifier has (SR-13); what is no image measures nothing
 * @returns what `work` makes of the desk, or the faults of `openOffice`
 */
export const atDesk = async <T>(
  { crypto, clock }: OfficeParts,
  folder: string,
  liveRoots: readonly string[],
  work: (desk: Desk, office: Office) => Promise<Result<T>> | Result<T>,
): Promise<Result<T>> => {
  const office = openOffice(crypto, folder);
  if (!office.ok) return office;
  const { repository, haltAfterFailures } = office.value;
  const log = officeLog(crypto, folder, repository.files);
  if (!log.ok) return log;
  const logged = log.value === undefined ? {} : { transparency: log.value.transparency };
  const opened = openDurableStore(join(folder, 'releases.db'));
  if (!opened.ok) return opened;
  const areReferencesLive: Desk['areReferencesLive'] = async (release) => {
    if (!hasFloor(release)) return ok(true);
    const root = draftVerityRoot(crypto, folder, release);
    return root.ok ? ok(liveRoots.includes(toHex(root.value))) : root;
  };
  try {
    return await work({ repository, store: opened.value, clock, areReferencesLive, haltAfterFailures, ...logged }, office.value);
  } finally {
    opened.value.close();
  }
};

/** One root in hexadecimal a line. @returns the roots, or `protocol/file-unreadable`, `protocol/config-invalid` */
export const readRoots = (path: string): Result<readonly string[]> => {
  const bytes = readIfThere(path);
  if (!bytes.ok || bytes.value === undefined) return deny('protocol', 'file-unreadable', path);
  const lines = Buffer.from(bytes.value).toString('utf8').trim().split(/\s+/);
  const wrong = lines.find((line) => fromHex(line)?.length !== 32);
  return wrong === undefined ? ok(lines) : deny('protocol', 'config-invalid', `${path}: expected roots in hexadecimal`);
};
