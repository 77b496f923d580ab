/** enigm-beacond as it ships, in a process of its own: no Key, no courier, nobody else of the device (SR-11). */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beaconMethods } from '#agents/beacon/methods';
import { ok } from '#hal/core/result';
import { socketClient } from '#hal/remote/socket-client';
import { deviceLayout, socketPath } from './layout.ts';

const programs = join(import.meta.dirname, '../../dist/device');

describe('enigm-beacond', () => {
  let directory: string;
  let run: string;
  let child: ChildProcess | undefined;
  let said = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-beacond-'));
    run = join(directory, 'run');
    said = '';
    for (const folder of [run, deviceLayout(directory).beacon]) mkdirSync(folder);
  });
  afterEach(async () => {
    if (child?.exitCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true, force: true });
  });

  const start = (site: unknown): ChildProcess => {
    const layout = deviceLayout(directory);
    writeFileSync(layout.site, JSON.stringify(site));
    const reads = [programs, run, layout.beacon, layout.site, '/proc/uptime', '/dev/no-such-line'];
    const flags = [
      ...['--no-warnings', '--permission', '--jitless', '--allow-addons'],
      ...[...reads.map((path) => `--allow-fs-read=${path}`), ...[run, layout.beacon].map((path) => `--allow-fs-write=${path}`)],
    ];
    const started = spawn(process.execPath, [...flags, join(programs, 'beacond.cjs'), '--directory', directory, '--run', run], {
      stdio: ['pipe', 'ignore', 'pipe'],
    });
    started.stderr?.on('data', (text: Buffer) => {
      said += text.toString();
    });
    child = started;
    return started;
  };

  test('serves its door where there is neither line nor courier, whatever else stands in the site, and ends with its parent', async () => {
    // Nobody listens there, so nobody looks at the certificate.
    const authority = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const courier = { url: 'https://127.0.0.1:1/courier', authority };
    const started = start({ version: 'nonsense', beacon: { link: '/dev/no-such-line', courier } });
    await expect.poll(() => existsSync(socketPath(run, 'beacon')), { timeout: 10_000 }).toBe(true);
    const relay = socketClient(beaconMethods, socketPath(run, 'beacon'));
    expect(await relay.call('beacon.status', { asksKey: false })).toEqual(
      ok({ isLineUp: false, isPaired: false, protection: 'waiting', courier: 'unavailable/peer-unreachable' }),
    );
    expect(await relay.call('beacon.pair', { secret: new Uint8Array(16) })).toMatchObject({
      fault: { category: 'unavailable', reason: 'pairing-locked' },
    });
    expect(await relay.call('beacon.contacts', {})).toEqual(ok({ contacts: [] }));
    relay.close();
    expect(readFileSync(join(deviceLayout(directory).beacon, 'beacon.db')).length).toBeGreaterThan(0);
    started.stdin?.end();
    expect(await once(started, 'exit')).toEqual([0, null]);
    expect(existsSync(socketPath(run, 'beacon'))).toBe(false);
  });

  test('does not start on a device without a Key', async () => {
    expect(await once(start({ version: 1 }), 'exit')).toEqual([1, null]);
    expect(said).toContain('beacon: expected an object');
  });
});
