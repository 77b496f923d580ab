import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import type { CryptoBackend } from './backend.ts';
import { cpaceFinish, cpaceStart } from './cpace.ts';
import { nobleCrypto } from './noble.ts';
import { nodeCrypto } from './node.ts';

const inputs = (code: string, sessionId = 'session') => ({
  secret: utf8(code),
  channel: utf8('host|key|serial'),
  sessionId: utf8(sessionId),
});

const run = (a: CryptoBackend, b: CryptoBackend, ours = inputs('12345678'), theirs = ours) => {
  const host = cpaceStart(a, ours, utf8('host'), seededRandom('a'));
  const key = cpaceStart(b, theirs, utf8('key'), seededRandom('b'));
  const isk = unwrap(cpaceFinish(a, ours, 'initiator', host, key));
  return [isk, unwrap(cpaceFinish(b, theirs, 'responder', key, host))] as const;
};

describe('CPace', () => {
  test('gives both sides the same 64 bytes, whichever back end they use', () => {
    const [a, b] = run(nodeCrypto, nobleCrypto);
    expect(a).toEqual(b);
    expect(a.length).toBe(64);
    expect(run(nobleCrypto, nodeCrypto)[0]).toEqual(a);
  });

  test('gives different keys for another code, session or channel', () => {
    const [a, b] = run(nodeCrypto, nodeCrypto, inputs('12345678'), inputs('12345679'));
    expect(a).not.toEqual(b);
    const [c, d] = run(nodeCrypto, nodeCrypto, inputs('12345678'), inputs('12345678', 'other'));
    expect(c).not.toEqual(d);
    const own = inputs('12345678');
    const [e, f] = run(nodeCrypto, nodeCrypto, own, { ...own, channel: utf8('host|key|ble') });
    expect(e).not.toEqual(f);
  });

  test('a long secret takes a length of two bytes and no padding', () => {
    const [a, b] = run(nodeCrypto, nobleCrypto, inputs('x'.repeat(300)));
    expect(a).toEqual(b);
  });

  test.each([nodeCrypto, nobleCrypto])('$name refuses a share of small order and wipes its own scalar', (backend) => {
    const own = cpaceStart(backend, inputs('1'), utf8(''), seededRandom(1));
    const finished = cpaceFinish(backend, inputs('1'), 'initiator', own, { share: new Uint8Array(32), associated: utf8('') });
    expect(finished.ok ? '' : codeOf(finished.fault)).toBe('integrity/peer-key-invalid');
    expect(own.scalar).toEqual(new Uint8Array(32));
  });
});
