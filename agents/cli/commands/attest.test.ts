import { createHash } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { maxLogBytes } from '#attestation/eventlog/parse';
import { sampleBoot, writeLog } from '#attestation/eventlog/sample.fixture';
import { eventLogWriter } from '#attestation/eventlog/write';
import { concat, utf8 } from '#hal/core/bytes';
import { deny, ok } from '#hal/core/result';
import { ask, askJson, noDevice, serveDevice, type TestDevice } from '../enigmctl.fixture.ts';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

describe('enigmctl attest eventlog', () => {
  let place: TestDevice;
  beforeEach(() => {
    place = noDevice();
  });
  afterEach(() => place[Symbol.asyncDispose]());

  const file = (bytes: Uint8Array): string => {
    const path = join(place.directory, 'boot.log');
    writeFileSync(path, bytes);
    return path;
  };
  const read = (bytes: Uint8Array) => askJson('attest', 'eventlog', file(bytes));

  test('prints the algorithms, the count of events and the registers that they lead to, and nothing else', async () => {
    const log = eventLogWriter(['sha256']);
    log.add({ pcr: 0, type: 'EV_S_CRTM_VERSION', data: utf8('one'), measured: utf8('one') });
    log.add({ pcr: 11, type: 'EV_IPL', data: utf8('two'), measured: utf8('code of two') });
    log.add({ pcr: 11, type: 'EV_IPL', data: utf8('three'), measured: utf8('code of three') });
    const extend = (...measured: readonly string[]) =>
      measured.reduce((old, text) => sha256(concat(old, sha256(utf8(text)))), Buffer.alloc(32)).toString('hex');
    expect(await read(log.bytes())).toEqual({
      code: 0,
      json: {
        algorithms: ['sha256'],
        events: 4,
        pcrs: { sha256: { 0: extend('one'), 11: extend('code of two', 'code of three') } },
      },
    });
  });

  test('prints every bank of a log that has several', async () => {
    const { code, json } = await read(writeLog(sampleBoot, ['sha1', 'sha256', 'sha384']));
    expect(code).toBe(0);
    expect(json).toMatchObject({ algorithms: ['sha1', 'sha256', 'sha384'], events: sampleBoot.length + 1 });
    const { pcrs } = json as { readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>> };
    for (const [bank, digits] of Object.entries({ sha1: 40, sha256: 64, sha384: 96 }))
      for (const value of Object.values(pcrs[bank] ?? {})) expect(value).toMatch(new RegExp(`^[0-9a-f]{${digits}}$`));
    expect(Object.keys(pcrs['sha256'] ?? {})).toEqual(Object.keys(pcrs['sha384'] ?? {}));
  });

  test('prints the same for people', async () => {
    const { out, error, code } = await ask('attest', 'eventlog', file(writeLog(sampleBoot)));
    expect(code).toBe(0);
    expect(error).toBe('');
    expect(out).toMatch(/^\d+ events, sha256\nsha256\n(?: {2}[ \d]\d {2}[0-9a-f]{64}\n)+$/);
    expect(out).toContain(`${sampleBoot.length + 1} events`);
  });

  const whole = writeLog(sampleBoot);
  const malformed = { fault: { category: 'attestation', reason: 'log-malformed' } };
  test.each<[string, Uint8Array]>([
    ['an empty file', new Uint8Array()],
    ['text', utf8('this is no boot log')],
    ['zeros', new Uint8Array(4096)],
    ['ones', new Uint8Array(4096).fill(0xff)],
    ['a log that ends in its header', whole.subarray(0, 40)],
    ['a log that ends in an event', whole.subarray(0, -1)],
    ['a log with a byte after it', concat(whole, Uint8Array.of(1))],
  ])('refuses %s with exit code 4 and the fault', async (_, bytes) => {
    expect(await read(bytes)).toEqual({ code: 4, json: malformed });
  });

  test('refuses or reads a log cut anywhere: exit code 4 and a fault, or 0 and a description', async () => {
    for (let length = 0; length < whole.length; length += 37) {
      const { code, json } = await read(whole.subarray(0, length));
      expect([0, 4]).toContain(code);
      expect(Object.keys(json as object)).toEqual(code === 4 ? ['fault'] : ['algorithms', 'events', 'pcrs']);
    }
  });

  test('refuses a file that is larger than a boot log may be, without reading it', async () => {
    const path = file(new Uint8Array());
    truncateSync(path, maxLogBytes + 1);
    expect(await askJson('attest', 'eventlog', path)).toEqual({ code: 4, json: malformed });
    truncateSync(path, 64 * 1024 ** 3);
    expect(await askJson('attest', 'eventlog', path)).toEqual({ code: 4, json: malformed });
  });

  test('refuses what cannot be read: no file, a directory', async () => {
    const unreadable = { code: 4, json: { fault: { category: 'protocol', reason: 'file-unreadable' } } };
    expect(await askJson('attest', 'eventlog', join(place.directory, 'missing'))).toEqual(unreadable);
    expect((await askJson('attest', 'eventlog', place.directory)).code).toBe(4);
  });

  test('says to people what the code means and what to do, and nothing on the data stream', async () => {
    const { code, out, error } = await ask('attest', 'eventlog', file(new Uint8Array(9)));
    expect([code, out]).toEqual([4, '']);
    expect(error).toContain('attestation/log-malformed: The boot log cannot be read.');
    expect(error).toContain('next: ');
  });
});

describe('enigmctl attest now', () => {
  const handle = new Uint8Array(16).fill(0xab);
  const outcome = { status: 'affirming', tpmClass: 'software', handle, epoch: 1, expiresMs: 0 };

  test('asks for the relying party that is named, and shows the handle', async () => {
    await using device = await serveDevice({
      'device.attest': async ({ relyingParty }) => ok({ ...outcome, status: relyingParty }),
    });
    const now = (...words: readonly string[]) => askJson('--run', device.directory, 'attest', 'now', ...words);
    expect(await now()).toEqual({ code: 0, json: { ...outcome, status: 'account', handle: 'ab'.repeat(16) } });
    expect(await now('--relying-party', 'command')).toMatchObject({ json: { status: 'command' } });
  });

  test('ends with exit code 4 when the verifier refuses, with 6 when it does not answer in time', async () => {
    await using device = await serveDevice({
      'device.attest': async ({ relyingParty }) =>
        relyingParty === 'slow' ? deny('resource', 'time-limit') : deny('attestation', 'log-replay', 'a detail that stays here'),
    });
    const refused = await askJson('--run', device.directory, 'attest', 'now');
    expect(refused).toEqual({ code: 4, json: { fault: { category: 'attestation', reason: 'log-replay' } } });
    expect((await ask('--run', device.directory, 'attest', 'now', '--relying-party', 'slow')).code).toBe(6);
  });
});
