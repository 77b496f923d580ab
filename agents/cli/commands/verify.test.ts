/** What anybody verifies without a device: a repository that an office published, its manifest, its image, its log. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeReleaseTrust } from '#agents/hands/release-trust';
import { writeArchive } from '#agents/release/archive';
import { folderFiles } from '#agents/release/folder-files';
import { readKey } from '#agents/release/keys';
import { readManifest } from '#agents/update/manifest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridSignatureSuites } from '#hal/crypto/suites';
import { openStatement } from '#ota-client/slots/statement';
import { proofPath } from '#ota-client/transparency/entry';
import { entry, logTrust, newLog, newWitnesses } from '#ota-client/transparency/log.fixture';
import { openCarried } from '../carried-release.ts';
import { ask, askJson } from '../enigmctl.fixture.ts';
import { exitCodes } from '../exit-codes.ts';
import { cliOffice } from './release.fixture.ts';

const office = await cliOffice();
afterAll(() => office.remove());
const { at } = office;
const key = (name: string) => at(`keys/${name}.json`);
const repository = at('office/repository');
const root = join(repository, 'metadata/1.root.json');
const read = (path: string) => new Uint8Array(readFileSync(path));
const hardware = 'board-1';

const publicKeys = (name: 'os' | 'repair') =>
  ['first', 'second'].map((which) => {
    const { ed25519, mlDsa65 } = unwrap(readKey(key(`${name}-${which}`))).signer;
    return { suite: hybridSignatureSuites['enigm-ed25519-mldsa65'], classical: ed25519, postQuantum: mlDsa65 };
  });
const quorum = (name: 'os' | 'repair') => ({ keys: publicKeys(name), threshold: 2 });
let manifest: string;
let statement: { readonly kind: 'statement'; readonly digest: Uint8Array };
const run = (...words: readonly string[]) => ask('verify', ...words);
/** The code of the refusal, which is on standard error. */
const refusal = async (...words: readonly string[]) => {
  const { code, out, error } = await run(...words);
  expect([code, out]).toEqual([exitCodes.unverified, '']);
  return error.split(':')[0];
};
/** A copy of the repository with one file changed. */
const spoilt = (name: string, path: string, change = (bytes: Uint8Array) => bytes.fill(0x20, 100, 101)): string => {
  cpSync(repository, at(name), { recursive: true });
  writeFileSync(join(at(name), path), change(read(join(repository, path))));
  return at(name);
};

beforeAll(async () => {
  await office.add('release-2', '--counter', '2', '--floor', '1');
  await office.review('release-2', 'bea');
  expect((await office.signImage('release-2')).code).toBe('ok');
  expect((await office.stage('release-2', await office.referencesOf('release-2'))).code).toBe('ok');
  manifest = join(repository, 'targets/os', readdirSync(join(repository, 'targets/os'))[0] ?? '');
  const trust = { hardware, quorums: [quorum('os'), { ...quorum('repair'), isRepair: true }], soakMs: 0 };
  writeFileSync(at('trust'), writeReleaseTrust(trust));
  writeFileSync(at('trust-log'), writeReleaseTrust({ ...trust, log: logTrust() }));
  const policy = { crypto: nodeCrypto, hardware, ...quorum('os') };
  const { digest } = unwrap(openStatement(policy, unwrap(readManifest(read(manifest))).statement)).release;
  statement = { kind: 'statement', digest };
  const metadata = readdirSync(join(repository, 'metadata')).filter((name) => name.endsWith('.os.json'));
  const targets = metadata.map((name) => read(join(repository, 'metadata', name)));
  cpSync(repository, at('logged'), { recursive: true });
  const entries = targets.map((bytes) => ({ kind: 'targets', digest: nodeCrypto.hash('sha256', bytes) }) as const);
  unwrap(await newLog(newWitnesses().slice(0, 2), folderFiles(at('logged'))).record([...entries, statement]));
});

describe('verify release', () => {
  test('says what was verified from the root, by whom, and what was not', async () => {
    const { code, out } = await run('release', repository, '--root', root);
    expect(code).toBe(exitCodes.done);
    expect(out).toContain('verified      repository: from your root to version 1 of it, and down; good until 2');
    expect(out).toContain(
      'os/release-2: release 2, floor epoch 1 for board-1; metadata and statement by 2 of os-first, os-second; 3 pinned files',
    );
    expect(out).toContain('not verified  the log of releases: no log was given by --trust');
    const { json } = await askJson('verify', 'release', repository, '--root', root);
    expect(json).toMatchObject({
      ...{ isVerified: true, rootVersion: 1 },
      releases: [{ path: 'os/release-2', counter: 2, custodians: ['os-first', 'os-second'], digest: toHex(statement.digest) }],
    });
  });

  test('asks the log where one is given: metadata and statement must stand in it', async () => {
    const { code, out } = await run('release', at('logged'), '--root', root, '--trust', at('trust-log'));
    expect(code).toBe(exitCodes.done);
    expect(out).toContain('os/release-2: entry 2 of 3 in the log of releases, seen by witness.example/a at 2023-11-14T22:13:20Z');
    expect(out).not.toContain('no log was given');
    expect(await refusal('release', repository, '--root', root, '--trust', at('trust-log'))).toBe('integrity/log-proof-missing');
  });

  test('reads the whole log, and names what in it no release here accounts for', async () => {
    cpSync(at('logged'), at('watched'), { recursive: true });
    const foreign = entry('of a thief', 'statement');
    const [keeper, watched] = [newLog(newWitnesses().slice(0, 2), folderFiles(at('watched'))), at('watched')];
    const list = entry('a list of a thief', 'targets');
    unwrap(await keeper.record([foreign, list, { ...entry('of no kind'), kind: 'other' as 'targets' }]));
    const words = ['release', watched, '--root', root, '--trust', at('trust-log')];
    const { out } = await run(...words);
    expect(out).toContain('verified      log of releases: all 6 entries lead to its signed checkpoint');
    expect(out).toContain(`not verified  who signed what the log has as ${toHex(foreign.digest)}: no release here is that`);
    expect(out).toContain(`not verified  who signed the list that the log has as ${toHex(list.digest)}: no list here is that`);
    expect(out).toContain('not verified  what entry 5 of the log is: nobody here reads it');
    // Both lists of os that were ever public are accounted for.
    expect((await askJson('verify', ...words)).json).toMatchObject({
      log: {
        ...{ size: 6, unaccounted: [toHex(foreign.digest)] },
        ...{ unaccountedLists: [toHex(list.digest)], unknownEntries: [5] },
      },
    });
    const tile = join(watched, 'log/tile/entries/000.p/6');
    writeFileSync(tile, read(tile).fill(0x20, 60, 61));
    expect(await refusal(...words)).toBe('integrity/log-split');
  });

  test('whose proofs are of another tree than its log is refused', async () => {
    cpSync(at('logged'), at('split'), { recursive: true });
    rmSync(join(at('split'), 'log/checkpoint'));
    const words = ['release', at('split'), '--root', root, '--trust', at('trust-log')];
    expect(await refusal(...words)).toBe('integrity/log-proof-missing');
    const other = newLog(newWitnesses().slice(0, 2), folderFiles(at('split')));
    unwrap(await other.record([1, 2, 3, 4].map((name) => entry(`another ${name}`))));
    expect(await refusal(...words)).toBe('integrity/log-split');
  });

  test('refuses another root, a changed manifest, a changed recipe, and what is no folder', async () => {
    await ask('release', 'init', at('other'), '--keys', at('other-keys'));
    const other = at('other/repository/metadata/1.root.json');
    expect(await refusal('release', repository, '--root', other)).toBe('integrity/custodians-missing');
    const path = `targets/os/${manifest.split('/').at(-1)}`;
    expect(await refusal('release', spoilt('a', path), '--root', root)).toBe('integrity/target-mismatch');
    const recipe = 'targets/payload/release-2/full.recipe';
    expect(await refusal('release', spoilt('b', recipe), '--root', root)).toBe('integrity/target-mismatch');
    expect(await refusal('release', manifest, '--root', root)).toBe('protocol/file-unreadable');
    expect(await refusal('release', at('keys'), '--root', root)).toBe('unavailable/not-found');
  });
});

describe('verify manifest', () => {
  test('by the keys that hands are started with, with a proof or without', async () => {
    const { code, out } = await run('manifest', manifest, '--trust', at('trust'));
    expect(code).toBe(exitCodes.done);
    expect(out).toContain('statement: release 2, floor epoch 1 for board-1, signed by custodians of');
    expect(out).toContain('not verified  the log of releases: no proof was given');
    const proof = join(at('logged'), proofPath(statement));
    const proved = await run('manifest', manifest, '--trust', at('trust-log'), '--proof', proof);
    expect(proved.out).toContain('statement: entry 2 of 3 in the log of releases');
    expect(proved.code).toBe(exitCodes.done);
  });

  test('refuses keys of others, another hardware class, a proof of something else, and a proof without a log', async () => {
    const strangers = { hardware, quorums: [quorum('repair')], soakMs: 0 };
    writeFileSync(at('strangers'), writeReleaseTrust(strangers));
    writeFileSync(at('elsewhere'), writeReleaseTrust({ ...strangers, hardware: 'board-2', quorums: [quorum('os')] }));
    expect(await refusal('manifest', manifest, '--trust', at('strangers'))).toBe('integrity/signature-missing');
    expect(await refusal('manifest', manifest, '--trust', at('elsewhere'))).toBe('policy/hardware-mismatch');
    const [other = ''] = readdirSync(at('logged/log/proofs')).filter((name) => name.startsWith('targets-'));
    const wrong = at(`logged/log/proofs/${other}`);
    expect(await refusal('manifest', manifest, '--trust', at('trust-log'), '--proof', wrong)).toBe('integrity/log-proof-invalid');
    expect(await refusal('manifest', manifest, '--trust', at('trust'), '--proof', wrong)).toBe('protocol/config-invalid');
    expect(await refusal('manifest', at('two'), '--trust', at('trust'))).toMatch(/^protocol\//);
  });
});

describe('verify artifact', () => {
  test('holds every block of an image against the manifest', async () => {
    const { code, out } = await run('artifact', at('two'), '--against', manifest, '--trust', at('trust'));
    expect(code).toBe(exitCodes.done);
    expect(out).toContain('verified      image: its hash tree has the root that the statement names');
    expect(out).toContain('not verified  what the image does');
  });

  test('refuses an image with one bit changed, a longer one, and one that is not there', async () => {
    const image = read(at('two'));
    image[123_456] = (image[123_456] ?? 0) ^ 1;
    writeFileSync(at('bit'), image);
    writeFileSync(at('long'), new Uint8Array(310_000).fill(2));
    for (const name of ['bit', 'long'])
      expect(await refusal('artifact', at(name), '--against', manifest, '--trust', at('trust'))).toBe('integrity/image-mismatch');
    expect(await refusal('artifact', at('nowhere'), '--against', manifest, '--trust', at('trust'))).toBe(
      'protocol/file-unreadable',
    );
  });
});

test('what a technician carries has the proofs with it, and is verified as any repository is', async () => {
  const size = unwrap(await writeArchive(folderFiles(at('logged')), at('logged'), at('archive')));
  const without = unwrap(await writeArchive(folderFiles(repository), repository, at('archive-without')));
  // The log has the list of the class from before this release too; the archive has the newest.
  const proofs = readdirSync(at('logged/log/proofs')).length;
  expect(size.files - without.files).toBe(proofs - 1);
  const carried = unwrap(openCarried(at('archive')));
  expect(unwrap(carried.read(proofPath(statement), 0, 1 << 20))).toEqual(read(join(at('logged'), proofPath(statement))));
  carried.close();
});

test('help names what is needed, and a missing root is a usage fault', async () => {
  expect((await run('release', '--help')).out).toContain('--root <file>');
  expect((await run('release', repository)).code).toBe(exitCodes.usage);
});
