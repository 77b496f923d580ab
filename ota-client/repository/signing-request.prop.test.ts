import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { encodeStatement } from '#ota-client/slots/statement';
import { listToSign, reviewRelease } from './publisher.ts';
import { custodian, drafted, id, keepers } from './repository.fixture.ts';
import { messagesOf, type SigningItem } from './signing-item.ts';
import {
  decodeRequest,
  decodeSignatures,
  encodeRequest,
  encodeSignatures,
  maxRequestBytes,
  type SigningRequest,
} from './signing-request.ts';
import { whatIsSigned } from './what-is-signed.ts';

const payload = encodeStatement(nodeCrypto, {
  release: { counter: 2, floorEpoch: 0, imageBytes: 4096, verityRoot: new Uint8Array(32).fill(7) },
  ...{ salt: new Uint8Array(32), uuid: new Uint8Array(16), hardware: 'board-1' },
});
const statement: SigningItem = { kind: 'statement', role: 'os', payload, hardware: 'board-1' };

const request = async (): Promise<SigningRequest> => {
  const here = await drafted();
  unwrap(reviewRelease(here.desk, id, 'bea'));
  const { version, signed } = unwrap(await listToSign(here.desk, id));
  const files = [{ path: `os/${id}`, bytes: new Uint8Array(8) }];
  const items: SigningItem[] = [statement, { kind: 'metadata', role: 'os', version, signed, files }];
  return { release: id, logHead: 'ab'.repeat(32), items };
};

describe('a request for signatures', () => {
  test('is read as it was written, and signed as the same bytes', async () => {
    const asked = await request();
    const read = unwrap(decodeRequest(encodeRequest(asked)));
    for (const [at, item] of asked.items.entries())
      expect(messagesOf(nodeCrypto, read.items[at] ?? statement)).toEqual(messagesOf(nodeCrypto, item));
    expect(read).toMatchObject({ release: id, logHead: 'ab'.repeat(32) });
  });

  test('with anything changed is refused, or says what it says; nothing of it crashes', async () => {
    const bytes = encodeRequest(await request());
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const read = decodeRequest(bytes.with(at, (bytes[at] ?? 0) ^ change));
        if (read.ok) for (const item of read.value.items) await whatIsSigned(nodeCrypto, item);
      }),
    );
  });

  test('of any bytes is refused by value', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => !decodeRequest(bytes).ok && !decodeSignatures(bytes).ok));
    fc.assert(fc.property(fc.json(), (text) => !decodeRequest(Buffer.from(text)).ok && !decodeSignatures(Buffer.from(text)).ok));
  });

  test('has limits', async () => {
    expect(decodeRequest(new Uint8Array(maxRequestBytes + 1))).toMatchObject({ fault: { reason: 'too-large' } });
    const items = Array.from({ length: 17 }, () => statement);
    expect(decodeRequest(encodeRequest({ ...(await request()), items }))).toMatchObject({ fault: { reason: 'field-invalid' } });
  });
});

describe('a file of signatures', () => {
  test('is read as it was written', async () => {
    const [keeper = custodian('os-keeper')] = keepers('os');
    const signature = unwrap(await keeper.sign(messagesOf(nodeCrypto, statement)));
    const signatures = [{ item: 0, name: keeper.name, ...signature }];
    const file = encodeSignatures('cd'.repeat(32), keeper.name, signatures);
    expect(unwrap(decodeSignatures(file))).toEqual({ request: 'cd'.repeat(32), signatures });
  });
});
