/** For tests: an office, custodians each with a key at a machine of its own, a clock and seeded keys. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModel } from '#agents/defense/model.fixture';
import { encodeMessage } from '#hal/core/message';
import { type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import { signerFromSecret } from '#ota-client/repository/custodian';
import { grantFile } from '#ota-client/repository/field-grant';
import { reviewRelease } from '#ota-client/repository/publisher';
import { type OfficeRole, officeRoles } from '#ota-client/repository/signing-item';
import type { BundleClass } from '#ota-client/trust/release';
import { signRequest } from './custodian-desk.ts';
import { addDraft, type DraftInput, founding } from './drafts.ts';
import { beginOffice, publishFounding } from './founding.ts';
import { type CustodianKey, makeKey, publicKeyOf } from './keys.ts';
import { atDesk, type OfficeParts } from './office.ts';
import { type Accepted, acceptFiles, requestSignatures } from './signatures.ts';

/** One custodian more than must sign, but for the publishing machine. */
const held: readonly (readonly [string, OfficeRole])[] = officeRoles.flatMap((role) =>
  (role === 'publisher' ? ['only'] : ['first', 'second', 'third']).map((which) => [`${role}-${which}`, role] as const),
);

export interface TestOffice {
  readonly parts: OfficeParts;
  readonly folder: string;
  readonly root: Uint8Array;
  key(name: string): CustodianKey;
  /** A file of the test. @returns its path */
  file(name: string, bytes: Uint8Array): string;
  add(input: Partial<DraftInput> & Pick<DraftInput, 'id' | 'class' | 'file'>): Promise<void>;
  /** Request, signatures, accept. */
  sign(id: string, ...names: readonly string[]): Promise<Result<Accepted>>;
  /** Everything that is served, by path. */
  served(): ReadonlyMap<string, string>;
  remove(): void;
}

/** @param seed of the keys */
export const testOffice = async (seed = 'office'): Promise<TestOffice> => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-office-'));
  const random = seededRandom(seed);
  const keys = new Map<string, CustodianKey>();
  for (const [name, role] of held) keys.set(name, unwrap(await makeKey(join(directory, `${name}.json`), { name, role }, random)));
  const key = (name: string): CustodianKey => {
    const found = keys.get(name);
    if (found === undefined) throw new Error(`no key of ${name}`);
    return found;
  };
  const parts: OfficeParts = { crypto: nodeCrypto, clock: virtualClock() };
  const folder = join(directory, 'office');
  const asked = unwrap(await beginOffice(parts, folder, [...keys.values()].map(publicKeyOf), 2));
  const signatures: Uint8Array[] = [];
  for (const [name, role] of held.filter(([, role]) => role !== 'publisher')) {
    if (name === `${role}-third`) continue;
    signatures.push(unwrap(await signRequest(parts.crypto, asked, key(name))).signatures);
  }
  unwrap(await acceptFiles(parts, folder, founding, signatures));
  const root = unwrap(await publishFounding(parts, folder, [key('publisher-only').signer]));
  const file: TestOffice['file'] = (name, bytes) => {
    writeFileSync(join(directory, name), bytes);
    return join(directory, name);
  };
  return {
    ...{ parts, folder, root, key, file },
    async add(input) {
      const rest = { author: 'ada', floorEpoch: 0, hardware: [], bases: [] };
      unwrap(await addDraft(parts, folder, { ...rest, ...input }));
      unwrap(await atDesk(parts, folder, [], (desk) => reviewRelease(desk, input.id, 'bea')));
    },
    async sign(id, ...names) {
      const request = await requestSignatures(parts, folder, id);
      if (!request.ok) return request;
      const files: Uint8Array[] = [];
      for (const name of names) {
        const signed = await signRequest(parts.crypto, request.value, key(name));
        if (!signed.ok) return signed;
        files.push(signed.value.signatures);
      }
      return acceptFiles(parts, folder, id, files);
    },
    served: () => filesUnder(join(folder, 'repository')),
    remove: () => rmSync(directory, { recursive: true }),
  };
};

const filesUnder = (place: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(place, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted()
      .map((path) => [path.slice(place.length + 1), readFileSync(path).toString('base64')]),
  );

/** A release of each class, with counter 2. */
export const draftOf = (office: TestOffice, name: BundleClass): Parameters<TestOffice['add']>[0] => {
  const { bytes, counter, hardware = [] } = contents[name];
  const file = office.file(`${name}.file`, bytes);
  return { id: `${name}-2`, class: name, file, hardware, ...(counter === undefined ? {} : { counter }) };
};

interface Content {
  readonly bytes: Uint8Array;
  /** Where the file has no version of its own. */
  readonly counter?: number;
  readonly hardware?: readonly string[];
}

const grantOf = (version: number): Uint8Array => {
  const secret = hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], seededRandom('technician')).secretKey;
  const technicians = [signerFromSecret(nodeCrypto, 'tess', secret)];
  const bounds = { version, expiresMs: 7 * 86_400_000, releases: { first: 1, last: 9 }, uses: 2 };
  return unwrap(grantFile(nodeCrypto, { ...bounds, technicians }));
};

const network = { mode: 'silent', allowedUsers: [], deniedUsers: [] } as const;
const contents: Readonly<Record<BundleClass, Content>> = {
  os: { bytes: new Uint8Array(10_000).fill(1), counter: 2, hardware: ['board-1'] },
  repair: { bytes: new Uint8Array(10_000).fill(2), counter: 2, hardware: ['board-1'] },
  'firmware-key': { bytes: new Uint8Array(1_000).fill(3), counter: 2 },
  policy: { bytes: encodeMessage('PolicyBundle', { version: 2, privacy: 'standard', network }) },
  configuration: { bytes: encodeMessage('ConfigurationBundle', { version: 2, postureEverySeconds: 60 }) },
  apps: { bytes: encodeMessage('AppManifest', { version: 2, apps: [] }) },
  models: { bytes: encodeModel({ version: 2 }) },
  grants: { bytes: grantOf(2), hardware: ['board-1'] },
};
