import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { handles } from '#hal/native/commands';
import { type Esys, openEsys } from '#hal/native/esys';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { addonPaths, buildAddons, createAttestationKey, password, sha256Pcrs, temporaryDirectory } from '#hal/native/testing';
import { bundleOf } from '#hal/native/testing-child';
import { tpmResult } from '#hal/native/tpm-error';
import { transientScope } from '#hal/native/transient';
import { nvAttribute } from '#hal/tpm/constants';
import { p256Point, parsePublic, tpm2b } from '#hal/tpm/public';
import { contentOf, empty2b, keyScheme, nvPublic } from '#hal/tpm/wire';
import { type Swtpm, startSwtpm } from './swtpm.ts';

const clock = linuxClock();
const has = (program: string) => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const absent = has('swtpm') ? undefined : 'swtpm is missing: apt-get install swtpm';
const missing = absent ?? buildAddons();

const isAlive = (processId: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${processId}/status`, 'utf8'));
  } catch {
    return false;
  }
};

const eventually = async (fact: () => boolean) => {
  for (let waitedMs = 0; waitedMs < 10_000 && !fact(); waitedMs += 10) await setTimeout(10);
  expect(fact()).toBe(true);
};

const start = (directory: string) => startSwtpm({ stateDirectory: join(directory, 'state'), socketDirectory: directory, clock });

describe.skipIf(missing !== undefined)(`a TPM in a process of its own ${missing ?? ''}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let swtpm: Swtpm;
  const open = async (): Promise<Esys> =>
    unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: swtpm.commandPath } }));

  beforeEach(async () => {
    directory = temporaryDirectory();
    swtpm = unwrap(await start(directory.path));
  });
  afterEach(async () => {
    await swtpm.stop();
    expect(isAlive(swtpm.processId)).toBe(false);
    directory[Symbol.dispose]();
  });

  test('is opened by the addon, by its path or by TCP', async () => {
    const esys = await open();
    await esys.startup(0);
    expect((await esys.getRandom([], 8)).length).toBe(10);
    await using listener = createServer((client) => {
      const server = connect(swtpm.commandPath);
      client.pipe(server).pipe(client);
      for (const socket of [client, server]) socket.on('error', () => undefined);
    }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as { readonly port: number };
    const tcp = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { host: '127.0.0.1', port } }));
    expect((await tcp.getRandom([], 8)).length).toBe(10);
    await Promise.all([tcp.close(), esys.close()]);
  });

  test('keeps an NV counter over a power cycle, and forgets its registers', async () => {
    const esys = await open();
    await esys.startup(0);
    const attributes = nvAttribute.counter | nvAttribute.authWrite | nvAttribute.authRead | nvAttribute.noDa;
    const index = await esys.nvDefineSpace(handles.owner, password, empty2b, nvPublic(0x01500020, attributes, 8));
    await esys.nvIncrement(index, index, password);
    const value = await esys.nvRead(index, index, password, 8, 0);
    await esys.pcrEvent(16, password, tpm2b(Uint8Array.of(1)));

    expect(await swtpm.powerCycle()).toMatchObject({ ok: true });
    expect(await tpmResult(esys.getRandom([], 8))).toMatchObject({ ok: false });
    await esys.startup(0);
    expect(await esys.nvRead(index, index, password, 8, 0)).toEqual(value);
    const [, , registers] = await esys.pcrRead([], sha256Pcrs([16]));
    expect(toHex(registers.subarray(6))).toBe('00'.repeat(32));
    await esys.close();
  });

  test.skipIf(!has('tpm2_checkquote'))(
    'shares the TPM with tpm2-tools, which verify a quote (apt-get install tpm2-tools)',
    async () => {
      const esys = await open();
      await esys.startup(0);
      await using scope = await transientScope(esys);
      const ak = await createAttestationKey(esys);
      scope.keep(ak.handle);
      const nonce = Buffer.alloc(32, 7);
      const [attest, signature] = await esys.quote(ak.handle, password, tpm2b(nonce), keyScheme, sha256Pcrs([0, 7]));
      const file = (name: string, bytes: Uint8Array | string) => {
        writeFileSync(join(directory.path, name), bytes);
        return join(directory.path, name);
      };
      // SubjectPublicKeyInfo of an EC key on P-256 (RFC 5480), then the point.
      const header = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107034200', 'hex');
      const point = p256Point(unwrap(parsePublic(ak.publicArea))) ?? new Uint8Array();
      const base64 = Buffer.concat([header, point])
        .toString('base64')
        .match(/.{1,64}/g)
        ?.join('\n');
      const pem = file('ak.pem', `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`);
      const message = file('attest', contentOf(attest));
      const check = (qualification: string) =>
        spawnSync(
          'tpm2_checkquote',
          ['-u', pem, '-m', message, '-s', file('signature', signature), '-q', qualification, '-g', 'sha256'],
          { encoding: 'utf8' },
        ).status;
      expect(check(nonce.toString('hex'))).toBe(0);
      expect(check('08'.repeat(32))).not.toBe(0);

      const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${swtpm.commandPath}` };
      expect(spawnSync('tpm2_pcrread', ['sha256:0'], { env }).status).toBe(0);
      expect((await esys.getRandom([], 8)).length).toBe(10);
      await scope[Symbol.asyncDispose]();
      await esys.close();
    },
  );

  test.skipIf(!has('socat'))(
    'is a device to the release addon, which its children do not inherit (apt-get install socat)',
    async () => {
      const device = join(directory.path, 'tpmrm0');
      const socat = spawn('socat', [`PTY,link=${device},rawer`, `UNIX-CONNECT:${swtpm.commandPath}`]);
      await eventually(() => existsSync(device));
      const esys = unwrap(await openEsys({ addon: addonPaths.release, device }));
      await esys.startup(0);
      await using scope = await transientScope(esys);
      const ak = await createAttestationKey(esys);
      scope.keep(ak.handle);
      const [attest] = await esys.quote(ak.handle, password, tpm2b(new Uint8Array(32)), keyScheme, sha256Pcrs([0]));
      expect(contentOf(attest).length).toBeGreaterThan(100);
      expect(toHex(await esys.transmit(Buffer.from('80010000000a000001ff', 'hex')))).toBe('80010000000a00000143');
      await expect(esys.flushContext(handles.password)).rejects.toMatchObject({ name: 'TpmError' });

      const terminal = readlinkSync(device);
      const descriptors = readdirSync('/proc/self/fd').filter((name) => {
        try {
          return readlinkSync(`/proc/self/fd/${name}`) === terminal;
        } catch {
          return false;
        }
      });
      expect(descriptors.length).toBe(1);
      const flags = /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptors[0]}`, 'utf8'))?.[1];
      expect(Number.parseInt(flags ?? '0', 8) & 0o2000000).toBe(0o2000000);

      await scope[Symbol.asyncDispose]();
      await esys.close();
      socat.kill();
      await once(socat, 'close');
    },
  );

  test('is not waited for at the end of a process, even when it hangs', async () => {
    const bundle = join(directory.path, 'child.mjs');
    await bundleOf(
      `import { openSimulatedEsys } from './esys-sim.ts';
      declare const addon: string;
      const opened = await openSimulatedEsys({ addon, swtpm: { path: ${JSON.stringify(swtpm.commandPath)} } });
      process.kill(${swtpm.processId}, 'SIGSTOP');
      if (opened.ok) opened.value.startup(0).catch(() => undefined);
      setTimeout(() => process.exit(7), 100);`,
      bundle,
    );
    const child = spawn(process.execPath, [bundle]);
    expect(await once(child, 'close')).toEqual([7, null]);
    process.kill(swtpm.processId, 'SIGCONT');
  });

  test('refuses a second process on the same state, and says why', async () => {
    const second = await startSwtpm({
      stateDirectory: join(directory.path, 'state'),
      socketDirectory: join(directory.path, 'second'),
      clock,
    });
    expect(second).toMatchObject({ ok: false, fault: { category: 'unavailable', reason: 'tpm-missing' } });
  });

  test('starts again on its state after it was killed', async () => {
    process.kill(swtpm.processId, 'SIGKILL');
    await eventually(() => !isAlive(swtpm.processId));
    expect(await swtpm.powerCycle()).toMatchObject({ ok: false, fault: { reason: 'tpm-failed' } });
    await swtpm.stop();
    swtpm = unwrap(await start(directory.path));
    const esys = await open();
    await esys.startup(0);
    await esys.close();
  });

  test('dies with the process that started it', async () => {
    const source = `import { linuxClock } from ${JSON.stringify(join(import.meta.dirname, '../../hal/linux/clock.ts'))};
      import { startSwtpm } from ${JSON.stringify(join(import.meta.dirname, 'swtpm.ts'))};
      const started = await startSwtpm({ stateDirectory: process.argv[2], socketDirectory: process.argv[2], clock: linuxClock() });
      console.log(started.ok && started.value.processId);
      setInterval(() => undefined, 1000);`;
    const bundle = join(directory.path, 'parent.mjs');
    await bundleOf(source, bundle);
    const parent = spawn(process.execPath, [bundle, join(directory.path, 'other')]);
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const processId = Number(line.toString());
    expect(isAlive(processId)).toBe(true);
    parent.kill('SIGKILL');
    await eventually(() => !isAlive(processId));
  });
});

describe('a machine without swtpm', () => {
  test('gets a sentence', async () => {
    using directory = temporaryDirectory();
    const path = process.env['PATH'];
    process.env['PATH'] = directory.path;
    const started = await start(directory.path);
    process.env['PATH'] = path;
    expect(started.ok ? '' : started.fault.detail).toContain('apt-get install swtpm');
  });
});
