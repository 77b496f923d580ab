import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { bytesImage } from '#ota-client/payload/image';
import { targetEntry } from '#ota-client/repository/compose';
import { consistentPath, fetchMetadata } from '#ota-client/repository/files';
import { nameTargets, stageRelease } from '#ota-client/repository/publisher';
import { loadRelease, maxFailedDevices } from '#ota-client/repository/release-record';
import { decodeRequest, decodeSignatures, encodeRequest, encodeSignatures } from '#ota-client/repository/signing-request';
import { findBundle } from '#ota-client/trust/bundle';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { refresh } from '#ota-client/trust/refresh';
import { bundleClasses } from '#ota-client/trust/release';
import { showRequest, signRequest } from './custodian-desk.ts';
import { addDraft } from './drafts.ts';
import { beginOffice, publishFounding } from './founding.ts';
import { publicKeyOf } from './keys.ts';
import { draftOf, type TestOffice, testOffice } from './office.fixture.ts';
import { atDesk, layOutOffice, openOffice } from './office.ts';
import { acceptFiles, requestSignatures } from './signatures.ts';

let office: TestOffice;
beforeAll(async () => {
  office = await testOffice();
  for (const name of bundleClasses) await office.add(draftOf(office, name));
});
afterAll(() => office.remove());

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const crypto = () => office.parts.crypto;
const asked = async (id: string) => unwrap(await requestSignatures(office.parts, office.folder, id));

describe('a custodian', () => {
  const image = new Uint8Array(10_000).fill(1);

  test('is shown what the bytes say, and that the image is the one', async () => {
    const shown = unwrap(await showRequest(crypto(), await asked('os-2'), bytesImage(image)));
    expect(shown.release).toBe('os-2');
    expect(shown.lines[0]).toBe('statement of os 2 for board-1, on floor 0');
    expect(shown.lines[1]).toMatch(/^ {2}image of 12288 bytes, hash tree [0-9a-f]{64}$/);
    expect(shown.lines[2]).toBe('  the image that was given is this one');
  });

  test('signs nothing for another image than the one that is meant', async () => {
    const bytes = await asked('os-2');
    const key = office.key('os-first');
    expect(code(await signRequest(crypto(), bytes, key, { image: bytesImage(image) }))).toBe('ok');
    for (const other of [image.with(0, 9), image.slice(0, 4096), new Uint8Array()])
      expect(code(await signRequest(crypto(), bytes, key, { image: bytesImage(other) }))).toBe('integrity/image-mismatch');
  });

  test('signs no list whose manifest holds another statement than the own one', async () => {
    expect(code(await office.sign('os-2', 'os-first', 'os-second'))).toBe('ok');
    const bytes = await asked('os-2');
    expect(code(await signRequest(crypto(), bytes, office.key('os-first')))).toBe('ok');
    expect(code(await signRequest(crypto(), bytes, office.key('os-third')))).toBe('integrity/signature-missing');
    const request = unwrap(decodeRequest(bytes));
    const changed = request.items.map((item) =>
      item.kind === 'metadata' ? { ...item, files: item.files.map((file) => ({ ...file, bytes: new Uint8Array(9) })) } : item,
    );
    const swapped = encodeRequest({ ...request, items: changed });
    expect(code(await signRequest(crypto(), swapped, office.key('os-first')))).toBe('integrity/target-mismatch');
  });

  test('signs no list of images without a manifest, but where nothing in it is expected to be new', async () => {
    const request = unwrap(decodeRequest(await asked('os-2')));
    const bare = encodeRequest({ ...request, items: request.items.map((item) => ({ ...item, files: [] })) });
    const key = office.key('os-first');
    expect(code(await signRequest(crypto(), bare, key))).toBe('integrity/signature-missing');
    expect(code(await signRequest(crypto(), bare, key, { isNothingNew: true }))).toBe('ok');
    const empty = request.items.map((item) =>
      item.kind === 'metadata' ? { ...item, signed: { ...item.signed, targets: {} }, files: [] } : item,
    );
    expect(code(await signRequest(crypto(), encodeRequest({ ...request, items: empty }), key))).toBe('ok');
  });

  test('signs no grant unseen, and none that a device could not read', async () => {
    const request = unwrap(decodeRequest(await asked('grants-2')));
    const key = office.key('grants-first');
    const lines = unwrap(await showRequest(crypto(), encodeRequest(request))).lines;
    expect(lines.at(-1)).toMatch(/^ {4}until \d{4}-.+Z tess may name releases 1 to 9, 2 on one device$/);
    const [item] = request.items;
    if (item?.kind !== 'metadata') throw new Error('a list was expected');
    const bare = encodeRequest({ ...request, items: [{ ...item, files: [] }] });
    expect(code(await signRequest(crypto(), bare, key))).toBe('integrity/signature-missing');
    expect(code(await signRequest(crypto(), bare, key, { isNothingNew: true }))).toBe('ok');
    const file = utf8('{"format":"enigm-field-grant-1"}');
    const { length, sha256, custom } = targetEntry(crypto(), 'grants/board-1', file, { releaseCounter: 2, hw: ['board-1'] });
    const targets = { 'grants/board-1': { length, hashes: { sha256 }, custom } };
    const odd = { ...item, signed: { ...item.signed, targets }, files: [{ path: 'grants/board-1', bytes: file }] };
    expect(code(await signRequest(crypto(), encodeRequest({ ...request, items: [odd] }), key))).toBe('protocol/field-invalid');
  });

  test('is asked for no list whose manifest is too large to be shown', async () => {
    const { parts, folder } = office;
    const { repository } = unwrap(openOffice(parts.crypto, folder));
    const large = targetEntry(crypto(), 'os/os-2', new Uint8Array(256 * 1024 + 1), { releaseCounter: 2, hw: ['board-1'] });
    const kept = unwrap(await atDesk(parts, folder, [], ({ store }) => loadRelease(store, 'os-2')));
    const name = (entries: typeof kept.entries) => atDesk(parts, folder, [], (desk) => nameTargets(desk, 'os-2', entries));
    unwrap(await repository.files.put(consistentPath(large), new Uint8Array(256 * 1024 + 1)));
    unwrap(await name([large]));
    expect(code(await requestSignatures(parts, folder, 'os-2'))).toBe('protocol/too-large');
    unwrap(await name(kept.entries));
  });

  test('signs nothing that says more than its role may', async () => {
    const request = unwrap(decodeRequest(await asked('policy-2')));
    const [item] = request.items;
    if (item?.kind !== 'metadata') throw new Error('a list was expected');
    const targets = { 'os/evil': { length: 1, hashes: { sha256: '00'.repeat(32) } } };
    const delegations = { keys: {}, roles: [] };
    for (const more of [{ targets }, { delegations }]) {
      const bytes = encodeRequest({ ...request, items: [{ ...item, signed: { ...item.signed, ...more } }] });
      expect(code(await signRequest(crypto(), bytes, office.key('policy-first')))).toBe('integrity/role-mismatch');
    }
  });
});

describe.each(bundleClasses)('SR-03, SR-09: the class %s', (name) => {
  const others = bundleClasses.filter((other) => other !== name);
  const own = `${name}-first`;

  test('is signed by its own custodians alone', async () => {
    const bytes = await asked(`${name}-2`);
    for (const other of [...others, 'owner' as const])
      expect(code(await signRequest(crypto(), bytes, office.key(`${other}-first`)))).toBe('integrity/role-mismatch');
    expect(code(await signRequest(crypto(), bytes, office.key('publisher-only')))).toBe('integrity/role-mismatch');
  });

  test('takes no signature of another class, under its own name or a borrowed one', async () => {
    const bytes = await asked(`${name}-2`);
    for (const other of others) {
      const stranger = office.key(`${other}-first`);
      const disguised = { ...stranger, role: name };
      const signed = await signRequest(crypto(), bytes, disguised);
      // What holds an image's own statement is not even signed.
      if (!signed.ok) {
        expect(code(signed)).toBe('integrity/signature-missing');
        continue;
      }
      const { request, signatures } = unwrap(decodeSignatures(signed.value.signatures));
      const accept = (as: string) =>
        acceptFiles(office.parts, office.folder, `${name}-2`, [encodeSignatures(request, as, signatures)]);
      expect(code(await accept(stranger.signer.name))).toBe('integrity/role-mismatch');
      expect(code(await accept(own))).toBe('integrity/signature-invalid');
    }
  });

  test('takes no half of a signature, nor one for another request', async () => {
    const bytes = await asked(`${name}-2`);
    const file = unwrap(await signRequest(crypto(), bytes, office.key(own))).signatures;
    const { request, signatures } = unwrap(decodeSignatures(file));
    const accept = (changed: Uint8Array) => acceptFiles(office.parts, office.folder, `${name}-2`, [changed]);
    for (const half of ['classical', 'postQuantum'] as const) {
      const broken = signatures.map((signature) => ({ ...signature, [half]: new Uint8Array(signature[half].length) }));
      expect(code(await accept(encodeSignatures(request, own, broken)))).toBe('integrity/signature-invalid');
    }
    expect(code(await accept(encodeSignatures('00'.repeat(32), own, signatures)))).toBe('integrity/target-mismatch');
    expect(code(await accept(encodeSignatures(request, own, [])))).toBe('integrity/signature-missing');
  });

  test('goes on with two of its three, in any order, one at a time', async () => {
    const id = `${name}-2`;
    const isStated = name !== 'repair';
    if (!isStated) expect(code(await office.sign(id, 'repair-third', 'repair-first'))).toBe('ok');
    const bytes = await asked(id);
    const sign = async (which: string) => unwrap(await signRequest(crypto(), bytes, office.key(`${name}-${which}`))).signatures;
    const [one, two] = name === 'os' ? ['second', 'first'] : ['third', 'first'];
    const first = unwrap(await acceptFiles(office.parts, office.folder, id, [await sign(one ?? '')]));
    expect(first).toMatchObject({ release: { state: 'reviewed' }, isMoreToSign: false });
    expect(first.waitingFor).toHaveLength(2);
    const second = unwrap(await acceptFiles(office.parts, office.folder, id, [await sign(two ?? '')]));
    expect(second).toMatchObject({ release: { state: 'signed' }, waitingFor: [] });
  });

  test('is published, and a device finds it', async () => {
    const { parts, folder } = office;
    const live = await atDesk(parts, folder, [], (desk) =>
      stageRelease({ ...desk, areReferencesLive: async () => ({ ok: true, value: true }) }, `${name}-2`, [
        office.key('publisher-only').signer,
      ]),
    );
    expect(unwrap(live).state).toBe('staged');
    const served = office.served();
    const trust = deviceTrust({
      ...{ crypto: parts.crypto, store: memoryStore(), pinnedRoot: office.root },
      fetch: fetchMetadata({
        get: async (path) => {
          const found = served.get(path);
          return found === undefined ? deny('unavailable', 'not-found', path) : { ok: true, value: Buffer.from(found, 'base64') };
        },
      }),
    });
    const time = { nowMs: parts.clock.nowMs(), floorMs: 0 };
    const repository = unwrap(await refresh(trust, time, new AbortController().signal));
    const paths: Partial<Record<string, string>> = { os: 'os/os-2', repair: 'repair/board-1', grants: 'grants/board-1' };
    const path = paths[name] ?? `${name}/current`;
    expect(unwrap(await findBundle(repository, name, path)).release.releaseCounter).toBe(2);
  });
});

describe('a draft of a file', () => {
  const refused = async (change: Parameters<TestOffice['add']>[0]) =>
    code(await addDraft(office.parts, office.folder, { author: 'ada', floorEpoch: 0, hardware: [], bases: [], ...change }));

  test.each(['policy', 'configuration', 'apps', 'models'] as const)('of %s is what its class holds', async (name) => {
    const file = office.file('junk', new Uint8Array([0xff, 0xff, 1]));
    expect(await refused({ id: 'junk', class: name, file })).toMatch(/^protocol\//);
  });

  test('has the version of the file as its counter, and a counter where it has none', async () => {
    expect(await refused({ ...draftOf(office, 'policy'), id: 'other', counter: 9 })).toBe('integrity/target-mismatch');
    const { counter: _, ...firmware } = { counter: 0, ...draftOf(office, 'firmware-key') };
    expect(await refused({ ...firmware, id: 'other' })).toBe('protocol/config-invalid');
  });
});

describe('an office is opened', () => {
  const keys = () =>
    ['owner', 'publisher', ...bundleClasses].flatMap((role) =>
      (role === 'publisher' ? ['only'] : ['first', 'second']).map((which) => publicKeyOf(office.key(`${role}-${which}`))),
    );
  const begin = async (custodians: ReturnType<typeof keys>) =>
    code(await beginOffice(office.parts, `${office.folder}-other`, custodians, 2));

  test('with a threshold of failures that can be reached', async () => {
    for (const wrong of [0, maxFailedDevices + 1, 1_000_000, Number.NaN])
      expect(code(layOutOffice(`${office.folder}-counted`, keys(), wrong))).toBe('protocol/config-invalid');
    expect(code(layOutOffice(`${office.folder}-counted`, keys(), maxFailedDevices))).toBe('ok');
  });

  test('SR-09: with two custodians of each role, no name and no key twice', async () => {
    expect(await begin(keys().slice(1))).toBe('integrity/custodians-missing');
    expect(await begin(keys().filter(({ role }) => role !== 'publisher'))).toBe('integrity/custodians-missing');
    const [first, second, ...rest] = keys();
    if (first === undefined || second === undefined) throw new Error('nobody');
    expect(await begin([first, { ...second, name: first.name }, ...rest])).toBe('integrity/hybrid-rule');
    expect(await begin([first, { ...second, classical: first.classical }, ...rest])).toBe('integrity/hybrid-rule');
    expect(await begin([first, { ...second, postQuantum: first.postQuantum }, ...rest])).toBe('integrity/hybrid-rule');
    expect(await begin(keys())).toBe('ok');
    expect(await begin(keys().toReversed())).toBe('protocol/event-refused');
  });

  test('and a cut before its request leaves one that can be founded', async () => {
    const folder = `${office.folder}-cut`;
    const own = [office.key('publisher-only').signer];
    // All that was written before the cut.
    unwrap(layOutOffice(folder, keys(), 2));
    expect(code(await publishFounding(office.parts, folder, own))).toBe('unavailable/not-found');
    const asked = unwrap(await beginOffice(office.parts, folder, keys(), 2));
    const sign = async (name: string) => unwrap(await signRequest(crypto(), asked, office.key(name))).signatures;
    unwrap(await acceptFiles(office.parts, folder, 'founding', [await sign('owner-first')]));
    expect(unwrap(await beginOffice(office.parts, folder, keys(), 2))).toEqual(asked);
    for (const name of keys().flatMap(({ name, role }) => (role === 'publisher' || name === 'owner-first' ? [] : [name])))
      unwrap(await acceptFiles(office.parts, folder, 'founding', [await sign(name)]));
    unwrap(await publishFounding(office.parts, folder, own));
    expect(code(await beginOffice(office.parts, folder, keys(), 2))).toBe('protocol/event-refused');
  });

  test('once', async () => {
    const own = [office.key('publisher-only').signer];
    expect(code(await publishFounding(office.parts, office.folder, own))).toBe('protocol/event-refused');
  });

  test('to nobody before everybody signed', async () => {
    const own = [office.key('publisher-only').signer];
    expect(code(await publishFounding(office.parts, `${office.folder}-other`, own))).toBe('integrity/custodians-missing');
  });
});
