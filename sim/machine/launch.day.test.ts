/** The seat belts as they run (SR-31): programs with their flags, an exploit under the same ones, strangers at the sockets. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceLayout, socketNames, socketPath } from '#agents/programs/layout';
import { type Launch, type ProgramName, programNames } from '#agents/supervisor/launch';
import { encodeMessage } from '#hal/core/message';
import { frame } from '#hal/remote/frames';
import { copyBuild, makeReady, openTestWorld, type TestWorld } from '#sim/levels/device.fixture';
import { type Attempt, attempts, exploitSource } from './exploit.fixture.ts';
import { type LaunchParts, launchOf } from './launch.ts';
import { simulatedLayout } from './layout.ts';

describe('the programs of a running device', () => {
  let directory: string;
  let opened: TestWorld;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-launch-'));
    // Programs overwrite their command line with their title, so whoever starts them writes it down first.
    const node = join(directory, 'node');
    writeFileSync(node, `#!/bin/sh\nprintf '%s\\n' "$@" > '${directory}'/$$\nexec '${process.execPath}' "$@"\n`, { mode: 0o755 });
    opened = await openTestWorld('embedded', { node });
  });
  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  const processOf = (name: ProgramName): number =>
    opened.world.machine.status().find((status) => status.name === name)?.processId ?? 0;

  test.each(programNames)('%s was started with exactly the flags of its launch', (name) => {
    const { machine } = opened.world;
    const { flags, script, words } = launchOf(name, { ...machine, paths: opened.paths }, 'embedded');
    expect(
      readFileSync(join(directory, String(processOf(name))), 'utf8')
        .trim()
        .split('\n'),
    ).toEqual([...flags, script, ...words]);
  });

  /** Memory that is executable and comes from no file, beside the kernel's own pages. */
  const generatedCode = (name: ProgramName): readonly string[] =>
    readFileSync(`/proc/${processOf(name)}/maps`, 'utf8')
      .split('\n')
      .filter((line) => /^\S+ ..x. /.test(line) && !/\s(?:\/|\[vdso\]|\[vsyscall\])/.test(line));

  test('hands, mouth and relay hold no memory that code was generated into; a program with a compiler does', () => {
    expect(generatedCode('hald')).toEqual([]);
    expect(generatedCode('linkd')).toEqual([]);
    expect(generatedCode('beacond')).toEqual([]);
    expect(generatedCode('agentd').length).toBeGreaterThan(0);
  });
});

describe('an exploit inside a program', () => {
  let directory: string;
  let parts: LaunchParts;
  let script: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-exploit-'));
    parts = { directory: join(directory, 'device'), runDirectory: join(directory, 'run'), paths: copyBuild(directory) };
    const device = deviceLayout(parts.directory);
    const { firmware, tpm } = simulatedLayout(parts.directory);
    for (const folder of [device.hands, device.mind, device.beacon, firmware, tpm, parts.runDirectory])
      mkdirSync(folder, { recursive: true });
    for (const folder of [device.hands, device.mind]) writeFileSync(join(folder, 'secret'), 'secret');
    script = join(parts.runDirectory, 'exploit.cjs');
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const exploit = (flags: Launch['flags'], name: ProgramName): Readonly<Record<Attempt, string>> => {
    const device = deviceLayout(parts.directory);
    const secret = join(name === 'hald' ? device.mind : device.hands, 'secret');
    writeFileSync(script, exploitSource(secret, directory, parts.runDirectory, parts.paths.programs, parts.paths.addon));
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, script], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Readonly<Record<Attempt, string>>;
  };
  const expected = (done: readonly Attempt[], changed: Partial<Record<Attempt, string>> = {}) => ({
    ...Object.fromEntries(attempts.map((attempt) => [attempt, done.includes(attempt) ? 'done' : 'ERR_ACCESS_DENIED'])),
    ...changed,
  });
  const noAddon = { addon: 'ERR_DLOPEN_DISABLED' };
  const noCompiler = { 'machine-code': 'ReferenceError' };

  test('does all of it in a program without the seat belt', () => {
    expect(exploit(['--no-warnings'], 'agentd')).toEqual(expected(attempts));
  });

  test.each<[ProgramName, Readonly<Record<string, string>>]>([
    ['agentd', expected(['machine-code'], noAddon)],
    ['inferd', expected(['machine-code'], noAddon)],
    ['paged', expected(['machine-code'], noAddon)],
    ['linkd', expected([], { ...noAddon, ...noCompiler })],
    ['beacond', expected(['addon'], noCompiler)],
    // Limit: what may read /proc reaches every file by way of /proc/self/root, and an addon is bound by nothing of Node.
    ['hald', expected(['addon', 'by-proc'], noCompiler)],
  ])('reads, writes, starts and loads nothing in %s that is not its own', (name, said) => {
    expect(exploit(launchOf(name, parts, 'embedded').flags, name)).toEqual(said);
  });
});

const isRoot = process.getuid?.() === 0;
const stranger = 65_534;

describe.skipIf(!isRoot)('a stranger at the sockets of a device (needs root)', () => {
  let opened: TestWorld;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  type Door = keyof typeof socketNames;
  const helloCall = frame(encodeMessage('Frame', { call: { id: 1, method: 'hands.hello', arguments: new Uint8Array() } }));
  /** TPM2_GetRandom in the framing of mssim: the filter answers it, if only with a refusal. */
  const tpmCommand = Buffer.from('00000008000000000c80010000000c0000017b0008', 'hex');
  /** Says `answered`, `closed`, or the error code of the connection. */
  const knock = `
    const [, path, bytes] = process.argv;
    const socket = require('node:net').connect({ path });
    const say = (word) => { console.log(word); process.exit(); };
    socket.on('connect', () => socket.write(Buffer.from(bytes, 'hex')));
    socket.on('data', () => say('answered')).on('close', () => say('closed')).on('error', ({ code }) => say(code));`;
  const knockAs = (user: number, door: Door): string => {
    const bytes = Buffer.from(door === 'tpm' ? tpmCommand : helloCall).toString('hex');
    const path = socketPath(opened.world.machine.runDirectory, door);
    const words = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', process.execPath, '-e', knock, path, bytes];
    return spawnSync('setpriv', words, { encoding: 'utf8' }).stdout.trim();
  };
  const doors = (): readonly Door[] =>
    (Object.keys(socketNames) as Door[]).filter((name) => {
      const path = socketPath(opened.world.machine.runDirectory, name);
      return existsSync(path) && statSync(path).isSocket();
    });
  const openFolder = (): void => {
    chmodSync(opened.world.machine.runDirectory, 0o711);
    for (const door of doors()) chmodSync(socketPath(opened.world.machine.runDirectory, door), 0o777);
  };
  const refused = expect.stringMatching(/^(?:closed|ECONNRESET|EPIPE)$/);

  test('reaches none of them: the folder is closed to others', async () => {
    await opened.world.until('every program serves its door', () => doors().length === 10);
    expect(doors().join(' ')).toBe('hands factory relay link tpm tpmControl inference api feed beacon');
    for (const door of doors()) expect(knockAs(stranger, door), door).toBe('EACCES');
  });

  test('is refused by the hands, whom the kernel tells who connects, where the folder is open', async () => {
    openFolder();
    for (const door of ['hands', 'factory', 'relay'] as const) {
      expect(knockAs(0, door), door).toBe('answered');
      expect(knockAs(stranger, door), door).toEqual(refused);
    }
    const { device } = opened.world;
    await makeReady(opened.world);
    await device.powerOff();
    await device.powerOn();
    await device.answers();
    openFolder();
    expect(doors()).not.toContain('factory');
    for (const door of ['hands', 'tpm', 'relay'] as const) {
      expect(knockAs(0, door), door).toBe('answered');
      expect(knockAs(stranger, door), door).toEqual(refused);
    }
  });
});
