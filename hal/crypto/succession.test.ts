import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { signedBytes } from './envelope.ts';
import { nodeCrypto as crypto } from './node.ts';
import {
  assembleSuccession,
  deviceKeyId,
  followSuccessions,
  isSuccession,
  openSuccession,
  successionBytes,
} from './succession.ts';
import { hybridKeyPair, hybridSign, hybridSignatureSuites } from './suites.ts';

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const random = seededRandom('successions');
const pairs = [1, 2, 3, 4].map(() => hybridKeyPair(crypto, suite, random));
const keyOf = (epoch: number) => {
  const { classical, postQuantum } = pairs[epoch - 1]?.publicKey ?? {
    classical: new Uint8Array(),
    postQuantum: new Uint8Array(),
  };
  return { classical, postQuantum };
};
const secretOf = (epoch: number) => pairs[epoch - 1]?.secretKey as NonNullable<(typeof pairs)[number]>['secretKey'];
/** The key of one epoch signs the key of the next, unless somebody else does. */
const succession = (epoch: number, signer = secretOf(epoch - 1)): Uint8Array => {
  const statement = { keyClass: 'audit', epoch, key: keyOf(epoch) } as const;
  return assembleSuccession(crypto, statement, keyOf(epoch - 1), hybridSign(crypto, signer, successionBytes(statement)));
};
const idOf = (epoch: number) => deviceKeyId(crypto, keyOf(epoch));
const follow = (successions: readonly Uint8Array[], from: number, to: number) => {
  const way = followSuccessions(crypto, successions, keyOf(from), idOf(to));
  return way.ok ? way.value.length : codeOf(way.fault);
};

describe('a succession of keys', () => {
  test('is what the old key says of the new one', () => {
    const opened = unwrap(openSuccession(crypto, succession(2), keyOf(1)));
    expect(opened).toMatchObject({ keyClass: 'audit', epoch: 2 });
    expect(Buffer.from(opened.key.postQuantum).equals(keyOf(2).postQuantum)).toBe(true);
  });

  test('leads from any key of the row to the one in use, in whatever order it is kept', () => {
    const row = [succession(3), succession(2), succession(4)];
    expect([follow(row, 1, 4), follow(row, 3, 4), follow(row, 4, 4)]).toEqual([4, 2, 1]);
  });

  test('leads nowhere over a gap, backwards, or by the word of another key', () => {
    expect(follow([succession(2), succession(4)], 1, 4)).toBe('integrity/proof-invalid');
    expect(follow([succession(2)], 2, 1)).toBe('integrity/proof-invalid');
    expect(follow([succession(2, secretOf(4))], 1, 2)).toBe('integrity/proof-invalid');
  });

  test('is told apart from everything else that is signed', () => {
    const statement = { keyClass: 'audit', epoch: 2, key: keyOf(2) } as const;
    expect(isSuccession(successionBytes(statement))).toBe(true);
    expect(isSuccession(successionBytes(statement).slice(0, -1))).toBe(true);
    for (const header of [
      { suite, audience: 'enigm-device-keys', payloadType: 'visit-receipt' },
      { suite, audience: 'enigm-technician', payloadType: 'key-succession' },
    ])
      expect(isSuccession(signedBytes(header, successionBytes(statement)))).toBe(false);
    expect(isSuccession(new Uint8Array())).toBe(false);
  });
});
