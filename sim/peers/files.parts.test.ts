import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { httpsRange } from '#hal/linux/https-range';
import { type HttpRange, maxRangeBytes } from '#hal/ports/http-range';
import { type Authority, certifyServer, newAuthority } from './authority.ts';
import { type FilesPeer, startFiles } from './files.ts';

const clock = linuxClock();
const signal = new AbortController().signal;

describe('files over HTTPS, in ranges', () => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-files-'));
  const bytes = Uint8Array.from({ length: 3000 }, (_, index) => index % 251);
  let authority: Authority;
  let peer: FilesPeer;
  let files: HttpRange;

  beforeAll(async () => {
    authority = await newAuthority('test TLS', 'ed25519', clock);
    mkdirSync(join(directory, 'targets'));
    writeFileSync(join(directory, 'targets/image.bin'), bytes);
    writeFileSync(join(directory, 'empty'), '');
    peer = await startFiles({ directory, secrets: { tlsAuthority: authority }, clock });
    files = httpsRange({ repository: { url: peer.url, authority: authority.certificate } });
  });
  afterAll(async () => {
    await peer.close();
    rmSync(directory, { recursive: true });
  });
  const read = (path: string, offset: number, mostBytes: number) => files.read('repository', path, offset, mostBytes, signal);

  test('come as asked for; fewer bytes at the end, none after it', async () => {
    expect(unwrap(await read('targets/image.bin', 0, 10))).toEqual(bytes.slice(0, 10));
    expect(unwrap(await read('targets/image.bin', 2990, 100))).toEqual(bytes.slice(2990));
    expect(unwrap(await read('targets/image.bin', 3000, 1))).toEqual(new Uint8Array());
    expect(unwrap(await read('empty', 0, 1))).toEqual(new Uint8Array());
    expect(await read('targets/none', 0, 1)).toMatchObject({ ok: false, fault: { reason: 'not-found' } });
  });

  test('are files: a folder is none, and costs no server its life', async () => {
    expect(await read('targets', 0, 11)).toMatchObject({ ok: false, fault: { reason: 'not-found' } });
    expect(unwrap(await read('targets/image.bin', 0, 10))).toEqual(bytes.slice(0, 10));
  });

  test.each(['../secrets', '/etc/passwd', 'a/../b', 'a//b', 'a?b', 'a%2e', '.', 'a/.hidden', ''])(
    'are never asked for at %j',
    async (path) => {
      const before = peer.asked.length;
      expect(await read(path, 0, 1)).toMatchObject({ ok: false, fault: { category: 'protocol' } });
      expect(peer.asked.length).toBe(before);
    },
  );

  test('are bounded: no range above 1 MiB, no byte more than was asked for', async () => {
    expect(await read('targets/image.bin', 0, maxRangeBytes + 1)).toMatchObject({ ok: false, fault: { reason: 'too-large' } });
    peer.takePath((_path, _offset, part) => Buffer.concat([part, part]));
    expect(await read('targets/image.bin', 0, 10)).toMatchObject({ ok: false, fault: { reason: 'too-large' } });
    peer.takePath();
  });

  test('are refused from a server of another authority', async () => {
    const other = await newAuthority('another', 'ed25519', clock);
    const strict = httpsRange({ repository: { url: peer.url, authority: other.certificate } });
    expect(await strict.read('repository', 'empty', 0, 1, signal)).toMatchObject({
      ok: false,
      fault: { reason: 'peer-unreachable' },
    });
    expect(await files.read('nobody', 'empty', 0, 1, signal)).toMatchObject({ ok: false, fault: { category: 'unavailable' } });
  });

  test('come from whoever answers where no authority is named: recovery has no clock for certificates (SR-16)', async () => {
    const anybody = httpsRange({ repository: { url: peer.url } });
    expect(unwrap(await anybody.read('repository', 'targets/image.bin', 0, 10, signal))).toEqual(bytes.slice(0, 10));
  });

  test.each([
    [200, {}, 'range-ignored'],
    [206, { 'content-range': 'bytes 7-9/10' }, 'range-ignored'],
    [302, { location: 'https://127.0.0.1/' }, 'peer-refused-us'],
    [500, {}, 'peer-refused-us'],
  ])('are not taken from a server that answers %d %j', async (status, headers, reason) => {
    const { certificate: cert, key } = await certifyServer(authority, clock);
    const server = createServer({ cert, key }, (_, response) => response.writeHead(status, headers).end('0123456789'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const from = httpsRange({ repository: { url, authority: authority.certificate } });
    expect(await from.read('repository', 'file', 2, 3, signal)).toMatchObject({ ok: false, fault: { reason } });
    server.closeAllConnections();
    server.close();
  });

  test('are taken however small the pieces are in which they come', async () => {
    const { certificate: cert, key } = await certifyServer(authority, clock);
    const bytes = 200_000;
    const server = createServer({ cert, key }, (_, response) => {
      response.writeHead(206, { 'content-range': `bytes 0-${bytes - 1}/${bytes}` });
      for (let at = 0; at < bytes; at += 1) response.write('x');
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const from = httpsRange({ repository: { url, authority: authority.certificate } });
    expect(unwrap(await from.read('repository', 'file', 0, bytes, signal))).toHaveLength(bytes);
    server.closeAllConnections();
    server.close();
  });

  test.each([
    ['are given up where they come a byte now and then, for whoever waits for a repair (SR-12)', 3000, 'resource/time-limit'],
    ['are taken where they come slowly, and are done in time', 10, 'ok'],
  ])('%s', async (_, length, expected) => {
    const { certificate: cert, key } = await certifyServer(authority, clock);
    const server = createServer({ cert, key }, (_, response) => {
      response.writeHead(206, { 'content-range': `bytes 0-${length - 1}/${length}`, 'content-length': length });
      const dripping = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(dripping));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const limits = { idleMs: 1_000, lowestBytesPerSecond: 10_000 };
    const from = httpsRange({ repository: { url, authority: authority.certificate } }, limits);
    const part = await from.read('repository', 'file', 0, length, signal);
    expect(part.ok ? 'ok' : codeOf(part.fault)).toBe(expected);
    server.closeAllConnections();
    server.close();
  });

  test('end with the signal', async () => {
    expect(await files.read('repository', 'empty', 0, 1, AbortSignal.abort())).toMatchObject({
      ok: false,
      fault: { reason: 'aborted' },
    });
  });
});
