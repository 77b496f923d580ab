/** What a TPM wrapped lies in files; a spoilt one is no key, and never a malformed command, which would end the program. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { nobleCrypto } from '#hal/crypto/noble';
import { joinAreas, maxPrivateBytes, splitAreas } from './areas.ts';
import { sealToBoot, unsealAtBoot } from './boot-seal.ts';
import { sealSecret, unsealSecret } from './device-secret.ts';
import type { Esys } from './esys.ts';
import { createLinkKey, holdsLinkKey } from './link-key.ts';
import { storageRootOf } from './seal.ts';
import { buildAddons, startEmbedded, temporaryDirectory } from './testing.ts';

const missing = buildAddons();
const scalar = new Uint8Array(32).fill(7);
const key = nobleCrypto.p256.publicKey(scalar);
const approval = { key, floorEpoch: 0, policy: new Uint8Array(32), signature: new Uint8Array(64).fill(1) };

interface Kind {
  make(esys: Esys): Promise<Uint8Array>;
  /** Whether this TPM takes it. */
  take(esys: Esys, wrapped: Uint8Array): Promise<boolean>;
  /** Whether it does as it was made; to open one that is sealed to a boot takes more than this test has. */
  readonly isTaken: boolean;
}

const kinds: Readonly<Record<string, Kind>> = {
  'the secret of a device': {
    make: async (esys) => unwrap(await sealSecret(esys, { secret: new Uint8Array(32).fill(7), counterBase: 9 })),
    take: async (esys, wrapped) => (await unsealSecret(esys, wrapped)).ok,
    isTaken: true,
  },
  'the key of the link': {
    make: async (esys) => joinAreas(unwrap(await createLinkKey(esys))),
    async take(esys, wrapped) {
      const areas = splitAreas(wrapped);
      return areas !== undefined && (await holdsLinkKey(esys, areas));
    },
    isTaken: true,
  },
  'the key of the data partition': {
    make: async (esys) => unwrap(await sealToBoot(esys, new Uint8Array(32).fill(7), key)),
    take: async (esys, wrapped) => (await unsealAtBoot(esys, wrapped, approval)).ok,
    isTaken: false,
  },
};

describe.skipIf(missing !== undefined)(`what a TPM wrapped ${missing ?? ''}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let esys: Esys;
  beforeAll(async () => {
    directory = temporaryDirectory();
    esys = await startEmbedded(directory.path);
    await storageRootOf(esys);
  });
  afterAll(async () => {
    await esys.close();
    directory[Symbol.dispose]();
  });

  test.each(Object.entries(kinds))('%s is not taken with any bit of it changed, nor cut', async (_, { make, take, isTaken }) => {
    const whole = await make(esys);
    expect(await take(esys, whole)).toBe(isTaken);
    const flipped = (bit: number) => whole.with(bit >> 3, (whole[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    for (let bit = 0; bit < 8 * whole.length; bit++) expect(await take(esys, flipped(bit)), `bit ${bit}`).toBe(false);
    for (let length = 0; length < whole.length; length++)
      expect(await take(esys, whole.slice(0, length)), `${length} bytes`).toBe(false);
    expect(await take(esys, whole)).toBe(isTaken);
  });

  test('its private area is at most of a size that the stack takes', async () => {
    const { publicArea } = unwrap(await createLinkKey(esys));
    const of = (bytes: number) => {
      const privateArea = new Uint8Array(2 + bytes).fill(1);
      new DataView(privateArea.buffer).setUint16(0, bytes);
      return splitAreas(joinAreas({ privateArea, publicArea }));
    };
    expect(of(maxPrivateBytes + 1)).toBeUndefined();
    const most = of(maxPrivateBytes);
    expect(most?.publicArea).toEqual(publicArea);
    if (most !== undefined) expect(await holdsLinkKey(esys, most)).toBe(false);
  });
});
