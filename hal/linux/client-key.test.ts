import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { clientKeys } from './client-key.ts';
import { socketReplaced } from './replaced-socket.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'enigm-client-key-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the key of a client where OpenSSL has no provider for TPMs (SR-02)', () => {
  const codeFor = (make: (path: string) => void): string => {
    const path = join(directory, 'key.pem');
    make(path);
    const { fault, pem, publicKey } = clientKeys(path)();
    const own = createPublicKey(createPrivateKey(pem));
    expect(own.asymmetricKeyType).toBe('ed25519');
    expect(new Uint8Array(own.export({ format: 'der', type: 'spki' }))).toEqual(publicKey);
    return fault === undefined ? 'none' : codeOf(fault);
  };

  test.each<[string, (path: string) => void, string]>([
    ['there is no file', () => undefined, 'unavailable/not-provisioned'],
    ['the file is a folder', (path) => mkdirSync(path), 'unavailable/storage-failed'],
    ['nobody knows what is in the file', (path) => writeFileSync(path, 'nonsense'), 'unavailable/not-supported'],
    [
      'the file is of a TPM',
      (path) => writeFileSync(path, '-----BEGIN TSS2 PRIVATE KEY-----\nMAA=\n-----END TSS2 PRIVATE KEY-----\n'),
      'unavailable/not-supported',
    ],
  ])('is one of its own, and it says why: %s', (_, make, code) => {
    expect(codeFor(make)).toBe(code);
  });

  test('is the same one for the life of the process, and another in another', () => {
    const keyNow = clientKeys(join(directory, 'key.pem'));
    const first = keyNow();
    expect(keyNow()).toEqual(first);
    expect(clientKeys(join(directory, 'key.pem'))().publicKey).not.toEqual(first.publicKey);
  });
});

describe('a socket that was made later', () => {
  let clock: VirtualClock;
  const ending = () => new AbortController();
  beforeEach(() => {
    // Files of this test are made at the time of the machine that runs it, which is before that.
    clock = virtualClock(Date.UTC(2099, 0, 1));
  });

  test('is seen when it comes, and when it is another one than before', async () => {
    const path = join(directory, 'socket');
    const seen = socketReplaced(path, clock, ending().signal);
    await clock.advance(5_000);
    writeFileSync(path, '');
    await clock.advance(500);
    expect(await seen).toBe(true);
  });

  test('is seen at once where it is younger than the process', async () => {
    const path = join(directory, 'socket');
    writeFileSync(path, '');
    expect(await socketReplaced(path, clock, ending().signal)).toBe(true);
  });

  test('is not one from the future: the clock was set back since', async () => {
    const path = join(directory, 'socket');
    writeFileSync(path, '');
    const past = virtualClock(0);
    const end = ending();
    const seen = socketReplaced(path, past, end.signal);
    await past.advance(60_000);
    // And set right again, to a time after the socket was made.
    past.jumpWall(statSync(path).ctimeMs + 60_000);
    await past.advance(60_000);
    end.abort();
    expect(await seen).toBe(false);
  });

  test('is not one that was there before the process', async () => {
    expect(statSync('/etc/passwd').ctimeMs).toBeLessThan(performance.timeOrigin);
    const end = ending();
    const seen = socketReplaced('/etc/passwd', clock, end.signal);
    await clock.advance(60_000);
    end.abort();
    expect(await seen).toBe(false);
  });
});
