/** The TPM addon that ships, as the linker and the loader see it, and hands that somebody's environment would lead astray. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { loadAddon } from '#hal/native/load';
import { addonPaths, buildAddons, temporaryDirectory } from '#hal/native/testing';
import { simulatorWordsIn } from './release.ts';

const root = join(import.meta.dirname, '../..');
const hands = join(root, 'dist/device/hald.cjs');
const tpmDevice = '/dev/tpmrm0';
const hasTools = spawnSync('sh', ['-c', 'command -v nm && command -v readelf']).status === 0;
const missing = hasTools ? buildAddons() : 'nm and readelf are missing: apt-get install binutils';

const lines = (command: string, ...words: readonly string[]): readonly string[] =>
  spawnSync(command, words, { encoding: 'utf8' }).stdout.split('\n');
const libraries = (path: string) => lines('readelf', '-d', path).flatMap((line) => /\(NEEDED\).*\[(.+)\]/.exec(line)?.[1] ?? []);
const wanted = (path: string) => lines('nm', '-D', '--undefined-only', path).flatMap((line) => /\bU (\w+)/.exec(line)?.[1] ?? []);

describe.skipIf(missing !== undefined)(`the TPM addon of a release (SR-04) ${missing ?? ''}`, () => {
  test('knows no software TPM, links one transport, and finds no other at run time', () => {
    expect(simulatorWordsIn(new Uint8Array(readFileSync(addonPaths.release)))).toEqual([]);
    const linked = libraries(addonPaths.release);
    expect(linked.filter((name) => /tcti/.test(name))).toEqual(['libtss2-tcti-device.so.0']);
    expect(linked.filter((name) => /tpms|swtpm|mssim/.test(name))).toEqual([]);
    const functions = wanted(addonPaths.release);
    expect(functions).toContain('Tss2_Tcti_Device_Init');
    expect(
      functions.filter((name) => /^(?:dlopen|dlsym|getenv|secure_getenv|socket|connect)$|Tcti(?:Ldr|_Swtpm|_Mssim)/.test(name)),
    ).toEqual([]);
  });

  test('is told apart by the same scan from the one for simulators', () => {
    expect(simulatorWordsIn(new Uint8Array(readFileSync(addonPaths.sim)))).toEqual(expect.arrayContaining(['swtpm', 'libtpms']));
    expect(wanted(addonPaths.sim)).toEqual(expect.arrayContaining(['dlopen', 'connect']));
  });

  test('opens no transport but the device, and the other build does not pass for it', () => {
    const addon = unwrap(loadAddon(addonPaths.release, 'release'));
    for (const transport of ['socket-path', 'socket-tcp', 'embedded'] as const)
      expect(() => new addon.Esys(transport, '/nowhere'), transport).toThrow('"device" wanted');
    expect(addon.mu).toBeUndefined();
    expect(loadAddon(addonPaths.sim, 'release')).toMatchObject({ ok: false, fault: { reason: 'tpm-missing' } });
  });

  test.skipIf(existsSync(tpmDevice))('the hands ask the kernel’s TPM, whatever the environment or a word says', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'tpm');
    let knocks = 0;
    await using server = createServer((socket) => {
      knocks += 1;
      socket.destroy();
    }).listen(path);
    await once(server, 'listening');
    const run = (...words: readonly string[]) =>
      spawnSync(
        process.execPath,
        [
          ...['--no-warnings', hands, '--directory', directory.path, '--run', directory.path, '--addon', addonPaths.release],
          ...[
            '--tpm-run',
            directory.path,
            '--data',
            'opened',
            '--mind-user',
            '0',
            '--mouth-user',
            '0',
            '--relay-user',
            '0',
            ...words,
          ],
        ],
        {
          encoding: 'utf8',
          env: {
            TPM2TOOLS_TCTI: `swtpm:path=${path}`,
            TSS2_TCTI: `swtpm:path=${path}`,
            TPM2TSS_TCTI: `swtpm:path=${path}`,
            TCTI: `swtpm:path=${path}`,
            TPM_DEVICE: path,
          },
        },
      );
    const ran = run();
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain(`cannot open the TPM device ${tpmDevice}`);
    expect(run('--tpm', path).status).not.toBe(0);
    expect(run('--tpm', path).stderr).toContain('--tpm');
    // Ours is the first that ever came: connections are taken in their order.
    connect(path).on('error', () => undefined);
    await once(server, 'connection');
    expect(knocks).toBe(1);
  });
});
