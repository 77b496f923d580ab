import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { openEsys } from './esys.ts';
import { codecOracle, openSimulatedEsys } from './esys-sim.ts';
import { structureNames } from './structures.ts';
import { addonPaths, buildAddons, startEmbedded, temporaryDirectory } from './testing.ts';
import { bundleOf, runChild } from './testing-child.ts';
import { fakeTpm } from './testing-fake.ts';
import { noConnectionRc, tpmResult } from './tpm-error.ts';

const missing = buildAddons();
const suite = (name: string, tests: () => void) => describe.skipIf(missing !== undefined)(`${name} ${missing ?? ''}`, tests);

const preamble = `
import { openSimulatedEsys } from './esys-sim.ts';
import { createPrimary, rsaStorageTemplate } from './testing.ts';
import { unwrap } from '#hal/core/result';
declare const addon: string;
const open = async (options: object) => unwrap(await openSimulatedEsys({ addon, ...options } as never));
`;
const embedded = (path: string) => `const esys = await open({ embedded: ${JSON.stringify(path)} }); await esys.startup(0);`;
const socket = (path: string) => `const esys = await open({ swtpm: { path: ${JSON.stringify(path)} } });`;

/** Registered before all others, it runs after them: what libraries clean up at the end of a process is gone by then. */
const slowEnd = `
#include <cstdlib>
#include <unistd.h>
[[gnu::constructor]] static void wait() { std::atexit([] { usleep(300'000); }); }`;
const librarySlowEnd = (folder: string): string => {
  const path = join(folder, 'slow-end.so');
  const made = spawnSync('g++', ['-shared', '-fPIC', '-xc++', '-', '-o', path], { input: slowEnd, encoding: 'utf8' });
  expect(made.stderr).toBe('');
  return path;
};

suite('a process that ends', () => {
  test.each([
    ['by process.exit', 'process.exit(7);', 7],
    ['by an uncaught error', `throw new Error('on purpose');`, 1],
  ])('%s while the TPM inside it computes, until it is gone', async (_, ending, code) => {
    using directory = temporaryDirectory();
    const ended = await runChild(
      `${preamble}${embedded(join(directory.path, 'state'))}
      for (let count = 0; count < 50; count++)
        createPrimary(esys, 0x101, rsaStorageTemplate).then(() => console.log('made'), () => undefined);
      setTimeout(() => { ${ending} }, 5);`,
      [],
      { LD_PRELOAD: librarySlowEnd(directory.path) },
    );
    expect(ended).toMatchObject({ code, signal: null });
    expect(ended.stdout.length).toBeLessThan(30);
    // Nothing holds the state any more: the next process opens it.
    await (await startEmbedded(join(directory.path, 'state'))).close();
  });

  test.each([
    ['exits', 'process.exit(7);', 7],
    ['is thrown out', `throw new Error('on purpose');`, 1],
  ])('%s while a TPM does not answer', async (_, ending, code) => {
    await using fake = await fakeTpm();
    const ended = await runChild(`${preamble}${socket(fake.path)}
      esys.getRandom([], 8).catch(() => undefined);
      setTimeout(() => { ${ending} }, 100);`);
    expect(ended).toMatchObject({ code, signal: null });
    expect(fake.commands.length).toBe(1);
  });

  test('by itself: an idle TPM does not keep it alive, a pending command does', async () => {
    using directory = temporaryDirectory();
    const ended = await runChild(`${preamble}${embedded(directory.path)}
      esys.getRandom([], 8).then((bytes) => console.log(bytes.length));`);
    expect(ended).toEqual({ code: 0, signal: null, stdout: '10\n', stderr: '' });
  });

  test('after the garbage collector closed a TPM that nobody holds', async () => {
    using directory = temporaryDirectory();
    const ended = await runChild(
      `${preamble}
      const use = async () => { ${embedded(directory.path)} await esys.getRandom([], 8); };
      await use();
      let again;
      for (let turn = 0; turn < 50 && again?.ok !== true; turn++) {
        gc();
        await new Promise((resolve) => setTimeout(resolve, 1));
        again = await openSimulatedEsys({ addon, embedded: ${JSON.stringify(directory.path)} });
      }
      console.log(again?.ok);`.replace('declare const addon', 'declare const gc: () => void;\ndeclare const addon'),
      ['--expose-gc'],
    );
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'true\n', stderr: '' });
  });

  test('as a worker thread, terminated while a TPM does not answer', async () => {
    using directory = temporaryDirectory();
    await using fake = await fakeTpm();
    const bundle = join(directory.path, 'worker.mjs');
    await bundleOf(`${preamble}${socket(fake.path)} esys.getRandom([], 8).catch(() => undefined);`, bundle);
    for (let round = 1; round <= 5; round++) {
      const worker = new Worker(bundle);
      await fake.received(round);
      await worker.terminate();
    }
  });
});

suite('a process without just-in-time compiler and with permissions', () => {
  test('opens and uses a TPM when addons are allowed', async () => {
    using directory = temporaryDirectory();
    const flags = ['--jitless', '--permission', '--allow-addons', '--allow-fs-read=BUNDLE', `--allow-fs-read=${addonPaths.sim}`];
    const ended = await runChild(
      `${preamble}${embedded(directory.path)} console.log((await esys.getRandom([], 8)).length); await esys.close();`,
      flags,
    );
    expect(ended).toMatchObject({ code: 0, stdout: '10\n' });
  });

  test('gets a fault where addons are not allowed', async () => {
    const ended = await runChild(
      `import { openEsys } from './esys.ts';
      declare const addonRelease: string;
      const opened = await openEsys({ addon: addonRelease, device: '/dev/tpmrm0' });
      console.log(opened.ok ? '' : opened.fault.reason + ' ' + opened.fault.detail);`,
      ['--permission', '--allow-fs-read=BUNDLE'],
    );
    expect(ended.stdout).toContain('tpm-missing cannot load the TPM addon');
  });
});

suite('close', () => {
  test('finishes the running command, refuses those that wait and all later ones', async () => {
    const success = Buffer.from('80010000000a00000000', 'hex');
    const { promise: answered, resolve: answer } = Promise.withResolvers<Uint8Array>();
    await using fake = await fakeTpm(() => answered);
    const esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: fake.path } }));
    const running = tpmResult(esys.transmit(Buffer.alloc(12)));
    const waiting = Array.from({ length: 20 }, () => tpmResult(esys.getRandom([], 4)));
    await fake.received(1);
    const closing = [esys.close(), esys.close()];
    await expect(esys.getRandom([], 4)).rejects.toMatchObject({ rc: 0xa0008, message: 'GetRandom: the TPM is closed' });
    await expect(esys.transmit(new Uint8Array(12))).rejects.toMatchObject({ rc: 0xa0008 });
    for (const result of await Promise.all(waiting))
      expect(result).toMatchObject({ ok: false, fault: { reason: 'tpm-missing' } });
    answer(success);
    await Promise.all(closing);
    expect(toHex(unwrap(await running))).toBe(toHex(success));
    expect(fake.commands.length).toBe(1);
  });
});

suite('a transport that fails', () => {
  test('gives its failure to the command, and to every later one', async () => {
    await using fake = await fakeTpm(() => 'hang-up');
    const esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: fake.path } }));
    await expect(esys.getRandom([], 8)).rejects.toMatchObject({ rc: noConnectionRc });
    await expect(esys.getRandom([], 8)).rejects.toMatchObject({ rc: noConnectionRc });
    expect(fake.commands.length).toBe(1);
    await esys.close();
  });

  test.each([
    ['a size below the header', '80010000000900000000'],
    ['a size above the largest message', '80017fffffff00000000'],
  ])('is a response with %s', async (_, response) => {
    await using fake = await fakeTpm(() => Buffer.from(response, 'hex'));
    const esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: fake.path } }));
    expect(await tpmResult(esys.getRandom([], 8))).toMatchObject({ ok: false, fault: { reason: 'tpm-failed' } });
    await esys.close();
  });

  test('is not needed for a raw command that follows: each has its own answer', async () => {
    let isUp = false;
    await using fake = await fakeTpm(() => (isUp ? Buffer.from('80010000000a00000101', 'hex') : 'hang-up'));
    const esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: fake.path } }));
    await expect(esys.transmit(Buffer.alloc(12))).rejects.toMatchObject({ rc: noConnectionRc });
    isUp = true;
    expect(toHex(await esys.transmit(Buffer.alloc(12)))).toBe('80010000000a00000101');
    await esys.close();
  });

  test('is named when it cannot be opened', async () => {
    const nothing = await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: '/nonexistent/tpm' } });
    expect(nothing.ok ? '' : nothing.fault.detail).toContain('cannot connect to swtpm at /nonexistent/tpm: No such file');
    const tcp = await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { host: '127.0.0.1', port: 1 } });
    expect(tcp.ok ? '' : tcp.fault.detail).toContain('cannot connect to swtpm at 127.0.0.1:1: Connection refused');
    const device = await openEsys({ addon: addonPaths.release, device: '/nonexistent/tpmrm0' });
    expect(device.ok ? '' : device.fault.detail).toContain('cannot open the TPM device /nonexistent/tpmrm0: No such file');
  });
});

suite('the two builds (SR-04)', () => {
  test('the release addon names no software TPM, in code or in needed libraries', () => {
    const printable = readFileSync(addonPaths.release, 'latin1').match(/[\x20-\x7e]{4,}/g) ?? [];
    expect(printable.length).toBeGreaterThan(1000);
    expect(printable.some((text) => text.includes('Tss2_Tcti_Device_Init'))).toBe(true);
    for (const forbidden of [/libtpms/i, /swtpm/i, /mssim/i, /tctildr/i, /TPMLIB/, /memfd/i, /embedded/i])
      expect(printable.filter((text) => forbidden.test(text))).toEqual([]);
    expect(readFileSync(addonPaths.sim, 'latin1')).toContain('libtpms');
  });

  test('a release program bundles no way to a software TPM', async () => {
    using directory = temporaryDirectory();
    const bundle = join(directory.path, 'release.mjs');
    await bundleOf(`export { openEsys } from './esys.ts';`, bundle);
    expect(readFileSync(bundle, 'utf8')).not.toMatch(/swtpm|libtpms|embedded|socket-/);
  });

  test('each opener refuses the other build', async () => {
    const release = await openEsys({ addon: addonPaths.sim, device: '/dev/tpmrm0' });
    expect(release.ok ? '' : release.fault.detail).toContain('is not the release build');
    const sim = await openSimulatedEsys({ addon: addonPaths.release, embedded: '/nonexistent' });
    expect(sim.ok ? '' : sim.fault.detail).toContain('is not the sim build');
  });

  test('what is no addon is a fault', async () => {
    using directory = temporaryDirectory();
    const path = join(directory.path, 'tpm.node');
    writeFileSync(path, 'not a library');
    for (const addon of [path, join(directory.path, 'absent.node')])
      expect(await openEsys({ addon, device: '/dev/tpmrm0' })).toMatchObject({ ok: false, fault: { reason: 'tpm-missing' } });
  });

  test('the release addon ignores the environment of the TPM software stack', async () => {
    using directory = temporaryDirectory();
    await using fake = await fakeTpm();
    const log = join(directory.path, 'log');
    const tcti = `swtpm:path=${fake.path}`;
    const ended = await runChild(
      `import { openEsys } from './esys.ts';
      declare const addonRelease: string;
      const opened = await openEsys({ addon: addonRelease, device: '/nonexistent' });
      console.log(opened.ok);`,
      [],
      { TSS2_TCTI: tcti, TPM2TOOLS_TCTI: tcti, TCTI: tcti, TSS2_LOG: 'all+TRACE', TSS2_LOGFILE: log },
    );
    expect(ended).toEqual({ code: 0, signal: null, stdout: 'false\n', stderr: '' });
    expect(fake.commands).toEqual([]);
    expect(() => readFileSync(log)).toThrow('ENOENT');
  });
});

suite('libraries', () => {
  test('the OpenSSL of the TPM software stack is its own, never the one that Node exports', async () => {
    using directory = temporaryDirectory();
    const ended = await runChild(`${preamble}${embedded(join(directory.path, 'state'))} await esys.getRandom([], 8);`, [], {
      LD_DEBUG: 'bindings',
      LD_DEBUG_OUTPUT: join(directory.path, 'ld'),
    });
    expect(ended.code).toBe(0);
    const { stdout } = spawnSync('sh', ['-c', `grep -ohE "binding file .*OPENSSL_3" ${directory.path}/ld.*`], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    const targets = new Set([...stdout.matchAll(/ to (\S+) \[0\]: normal symbol/g)].map(([, target]) => target));
    expect(targets.size).toBe(1);
    expect([...targets][0]).toMatch(/\/libcrypto\.so\.3$/);
  });

  const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-c'];
  const canHide = spawnSync('unshare', [...unshare, 'true']).status === 0;
  test.skipIf(!canHide)('a missing libtpms is a sentence (skipped without user namespaces)', async () => {
    using directory = temporaryDirectory();
    const bundle = join(directory.path, 'child.mjs');
    await bundleOf(
      `import { openSimulatedEsys } from './esys-sim.ts';
      declare const addon: string;
      const opened = await openSimulatedEsys({ addon, embedded: ${JSON.stringify(join(directory.path, 'state'))} });
      console.log(opened.ok ? '' : opened.fault.detail);`,
      bundle,
    );
    const hide = 'for library in /usr/lib/*/libtpms.so.0; do mount --bind /dev/null "$(readlink -f "$library")"; done';
    const { stdout } = spawnSync('unshare', [...unshare, `${hide}; "$0" "$1"`, process.execPath, bundle], { encoding: 'utf8' });
    expect(stdout).toContain('libtpms.so.0 is missing (apt-get install libtpms0)');
  });
});

suite('the codec oracle', () => {
  test('knows every structure that has a name, and no other', () => {
    const oracle = unwrap(codecOracle(addonPaths.sim));
    for (const name of structureNames) expect(oracle(name, new Uint8Array(5000))).toBeUndefined();
    expect(() => oracle('TPMT_NOTHING' as 'TPMT_HA', new Uint8Array(2))).toThrow('no structure');
  });

  test.each([
    ['TPM2B_DIGEST', '0003010203'],
    ['TPMT_HA', `000b${'11'.repeat(32)}`],
    ['TPML_PCR_SELECTION', '00000001000b03010800'],
    ['TPMT_SYM_DEF', '000600800043'],
    ['TPMT_SIG_SCHEME', '0018000b'],
    ['TPMT_SIGNATURE', `0018000b0020${'22'.repeat(32)}0020${'33'.repeat(32)}`],
    ['TPMS_NV_PUBLIC', '01500020000b0606001200000008'],
    ['TPMT_TK_VERIFIED', '80224000000b0002abcd'],
  ] as const)('gives %s back as it was, and refuses a byte more or less', (name, hex) => {
    const oracle = unwrap(codecOracle(addonPaths.sim));
    const bytes = Buffer.from(hex, 'hex');
    expect(toHex(oracle(name, bytes) ?? new Uint8Array())).toBe(hex);
    expect(oracle(name, Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined();
    expect(oracle(name, bytes.subarray(0, -1))).toBeUndefined();
  });
});

suite('an event loop', () => {
  test('turns while a TPM is slow to answer', async () => {
    await using fake = await fakeTpm();
    const esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: fake.path } }));
    const pending = tpmResult(esys.getRandom([], 8));
    await fake.received(1);
    let turns = 0;
    while (turns < 10) {
      await setTimeout(1);
      turns++;
    }
    expect(await Promise.race([pending, 'pending'])).toBe('pending');
    fake.hangUp();
    expect(await pending).toMatchObject({ ok: false });
    await esys.close();
  });
});
