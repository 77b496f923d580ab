import { describe, expect, test } from 'vitest';
import { encodeMessage } from '#hal/core/message';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { directorCall, directorCallBytes, fetchFromAnswer, rolloutDigest, rolloutPlaces } from './asking.ts';
import { manifestOf, readManifest, releaseIdOf, releasePath } from './manifest.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const signal = new AbortController().signal;
const key = new Uint8Array(16).fill(1);

describe('what a device asks of a director', () => {
  test('SR-21: buckets are the same for one key, others for another, and the newest 32 are named', () => {
    const ids = Array.from({ length: 40 }, (_, index) => `release-${index}`);
    const places = rolloutPlaces(nodeCrypto, key, ids);
    expect(places.places.map(({ release }) => release)).toEqual(ids.slice(8));
    expect(rolloutPlaces(nodeCrypto, key, ids)).toEqual(places);
    expect(rolloutPlaces(nodeCrypto, new Uint8Array(16), ids)).not.toEqual(places);
    expect(rolloutDigest(places)).not.toEqual(rolloutDigest({ places: places.places.slice(1) }));
    expect(rolloutDigest(places)).toHaveLength(32);
  });

  test('names no release that nobody can roll out, whatever custodians called it', () => {
    const ids = ['', 'one', '1.0+build', 'r'.repeat(65), 'two'];
    const places = rolloutPlaces(nodeCrypto, key, ids);
    expect(places.places.map(({ release }) => release)).toEqual(['one', 'two']);
    expect(rolloutDigest(places)).toHaveLength(32);
  });

  test('is signed together with the result: neither can be put beside another', () => {
    const secret = new Uint8Array(32).fill(2);
    const sign = (message: Uint8Array) => nodeCrypto.ed25519.sign(secret, message) as Uint8Array;
    const question = { nonce: new Uint8Array(32), hardware: 'board-1', releaseCounter: 1, floorEpoch: 0, places: { places: [] } };
    const call = directorCall({ result: new Uint8Array(10), sign }, question);
    const holds = (changed: Partial<typeof call>) =>
      nodeCrypto.ed25519.verify(nodeCrypto.ed25519.publicKey(secret), directorCallBytes({ ...call, ...changed }), call.signature);
    expect(holds({})).toBe(true);
    expect(holds({ result: new Uint8Array(11) })).toBe(false);
    expect(holds({ question: new Uint8Array(11) })).toBe(false);
  });

  test('is answered by files, and what is not among them is not there', async () => {
    const fetch = fetchFromAnswer({ files: [{ name: 'timestamp.json', bytes: new Uint8Array(10) }] });
    expect(unwrap(await fetch('timestamp.json', 10, signal))).toHaveLength(10);
    expect(code(await fetch('timestamp.json', 9, signal))).toBe('protocol/too-large');
    expect(code(await fetch('2.root.json', 10, signal))).toBe('unavailable/not-found');
  });
});

describe('the manifest of a release', () => {
  test('is read as it was written, and noise is none', () => {
    const file = (path: string) => ({ path, sha256: new Uint8Array(32).fill(3), lengthBytes: 5 });
    const source = (name: string) => ({ recipe: file(`${name}.recipe`), piecesPath: `${name}.pieces` });
    const files = {
      ...{ index: file('index'), full: source('full'), pairs: [{ base: new Uint8Array(32), ...source('pair') }] },
      units: { locator: file('units.locator'), piecesPath: 'units.pieces' },
    };
    const { units: _, ...withoutUnits } = files;
    const content = { statement: new Uint8Array(100), files };
    const bytes = encodeMessage('ReleaseManifest', manifestOf(content));
    const read = unwrap(readManifest(bytes));
    expect(encodeMessage('ReleaseManifest', manifestOf(read))).toEqual(bytes);
    expect(read.files.units).toMatchObject({ locator: { path: 'units.locator', lengthBytes: 5 }, piecesPath: 'units.pieces' });
    expect(
      unwrap(readManifest(encodeMessage('ReleaseManifest', manifestOf({ ...content, files: withoutUnits })))).files.units,
    ).toBe(undefined);
    expect(read.files.pairs.map(({ piecesPath }) => piecesPath)).toEqual(['pair.pieces']);
    expect(code(readManifest(new Uint8Array(20).fill(255)))).toBe('protocol/malformed');
  });

  test('has the id of its release in its name', () => {
    expect(releaseIdOf(releasePath('release-2'))).toBe('release-2');
    expect(releaseIdOf('repair/board-1')).toBeUndefined();
  });
});
