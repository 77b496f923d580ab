import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { type MemoryLog, memoryLog } from '#hal/memory/log';
import { type ProgramSpec, type Programs, startPrograms } from './programs.ts';

/** Says on standard error that it runs, and each signal that it is sent; ends with its standard input. */
const script = (name: string, onTerm: string) => `
  process.on('SIGTERM', () => { process.stderr.write('${name}:term\\n'); ${onTerm} });
  process.stdin.on('end', () => process.exit(0)).resume();
  setInterval(() => undefined, 1000);
  process.stderr.write('${name}:ready\\n');
`;

describe('the supervisor of programs', () => {
  let clock: VirtualClock;
  let log: MemoryLog;
  let said: string;
  let output: PassThrough;
  let requests: [string, number][];
  let directory: string;
  let programs: Programs | undefined;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-programs-'));
    clock = virtualClock();
    log = memoryLog();
    said = '';
    requests = [];
    output = new PassThrough();
    output.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  });
  afterEach(async () => {
    const stopped = programs?.stop();
    await clock.advance(60_000);
    await stopped;
    programs = undefined;
    rmSync(directory, { recursive: true });
  });

  const program = (name: string, source = script(name, 'process.exit(0)')): ProgramSpec => ({
    name,
    command: process.execPath,
    arguments: ['-e', source],
    environment: {},
    output,
  });
  const start = (...specs: readonly ProgramSpec[]): Programs => {
    programs = startPrograms(specs, {
      clock,
      log,
      requestCodes: [86],
      restartCode: 75,
      onRequest: (name, code) => void requests.push([name, code]),
    });
    return programs;
  };
  const count = (word: string) => said.split('\n').filter((line) => line === word).length;
  const until = (word: string, times = 1) => expect.poll(() => count(word), { timeout: 10_000, interval: 5 }).toBe(times);
  const restarts = (running: Programs) => running.status().map((one) => one.restarts);
  const untilRestarts = (running: Programs, ...expected: readonly number[]) =>
    expect.poll(() => restarts(running), { timeout: 10_000, interval: 5 }).toEqual(expected);

  test('starts again what was killed, after a delay, and leaves the others alone', async () => {
    const running = start(program('first'), program('second'));
    await until('first:ready');
    await until('second:ready');
    const [, second] = running.status();
    expect(running.signal('first', 'SIGKILL')).toBe(true);
    await untilRestarts(running, 1, 0);
    expect(running.status()[0]?.processId).toBeUndefined();
    expect(running.signal('first', 'SIGKILL')).toBe(false);
    await clock.advance(99);
    expect(running.status()[0]?.processId).toBeUndefined();
    await clock.advance(1);
    await until('first:ready', 2);
    expect(running.status()[1]).toEqual(second);
    expect(log.entries).toMatchObject([{ event: 'program.ended', fields: { program: 'first', code: -1 } }]);
  });

  test('starts without delay what asked for it after a second, however often', async () => {
    const running = start(program('asking', script('asking', 'process.exit(75)')));
    for (const restarts of [1, 2, 3]) {
      await until('asking:ready', restarts);
      await clock.advance(1_001);
      running.signal('asking', 'SIGTERM');
      await untilRestarts(running, restarts);
      await clock.advance(50);
    }
    await until('asking:ready', 4);
  });

  test('waits longer each time for a program that falls at once, and no longer for one that had settled', async () => {
    const running = start(program('falling', 'process.exit(3)'));
    for (const [index, delayMs] of [100, 200, 400].entries()) {
      await untilRestarts(running, index + 1);
      await clock.advance(delayMs - 1);
      expect(running.status()[0]?.processId).toBeUndefined();
      await clock.advance(1);
    }
    await untilRestarts(running, 4);
    expect(log.entries.every(({ fields }) => fields['code'] === 3)).toBe(true);
    await running.stop();

    const settled = start(program('settled'));
    for (const [index, delayMs] of [100, 200, 400].entries()) {
      await until('settled:ready', index + 1);
      settled.signal('settled', 'SIGKILL');
      await untilRestarts(settled, index + 1);
      await clock.advance(delayMs);
    }
    await until('settled:ready', 4);
    await clock.advance(10_001);
    settled.signal('settled', 'SIGKILL');
    await untilRestarts(settled, 4);
    await clock.advance(50);
    await until('settled:ready', 5);
  });

  test('starts a program after what it waits for, and after ten seconds without it, with the environment that it is given and nothing of ours (SR-04)', async () => {
    const after = join(directory, 'made by another');
    const source =
      "process.stderr.write(process.env['ENIGM_WORD'] + Object.keys(process.env).length + '\\n'); process.stdin.on('end', () => process.exit(0)).resume();";
    const running = start({ ...program('patient', source), after, environment: { ENIGM_WORD: 'given' } });
    await clock.advance(9_949);
    expect(running.status()[0]?.processId).toBeUndefined();
    await clock.advance(51);
    await until('given1');
    running.signal('patient', 'SIGKILL');
    await untilRestarts(running, 1);
    await clock.advance(1_000);
    expect(running.status()[0]?.processId).toBeUndefined();
    writeFileSync(after, '');
    await clock.advance(50);
    await until('given1', 2);
  });

  test('starts again a program that cannot be started', async () => {
    const running = start({ ...program('missing'), command: '/nowhere/at-all' });
    await untilRestarts(running, 1);
    await clock.advance(100);
    await untilRestarts(running, 2);
  });

  test('stops in the reverse order of the start, each before the next', async () => {
    const running = start(program('first'), program('second'), program('third'));
    for (const name of ['first', 'second', 'third']) await until(`${name}:ready`);
    await running.stop();
    const ended = said.split('\n').filter((line) => line.endsWith(':term'));
    expect(ended).toEqual(['third:term', 'second:term', 'first:term']);
    expect(running.status().map(({ processId }) => processId)).toEqual([undefined, undefined, undefined]);
  });

  test('kills what ignores the request to end, and only after its time', async () => {
    const running = start(program('polite'), program('stubborn', script('stubborn', '')));
    await until('polite:ready');
    await until('stubborn:ready');
    const { processId = 0 } = running.status()[1] ?? {};
    const stopped = running.stop();
    await until('stubborn:term');
    await clock.advance(3_999);
    // It still answers, so it was not killed.
    running.signal('stubborn', 'SIGTERM');
    await until('stubborn:term', 2);
    expect(count('polite:term')).toBe(0);
    await clock.advance(1);
    await stopped;
    expect(() => process.kill(processId, 0)).toThrow('ESRCH');
    expect(count('polite:term')).toBe(1);
  });

  test('ends also what was stopped in its tracks', async () => {
    const running = start(program('frozen'));
    await until('frozen:ready');
    running.signal('frozen', 'SIGSTOP');
    await running.stop();
    expect(count('frozen:term')).toBe(1);
  });

  test('passes a request of a program on, and does not start it again', async () => {
    const running = start(program('asking', 'process.exit(86)'));
    await expect.poll(() => requests, { timeout: 10_000, interval: 5 }).toEqual([['asking', 86]]);
    await clock.advance(60_000);
    expect(running.status()).toEqual([{ name: 'asking', processId: undefined, restarts: 0 }]);
    expect(log.entries).toEqual([]);
  });

  test('holds the standard input of each program: when the supervisor is gone, they see its end', async () => {
    const marker = join(directory, 'ended');
    const child = `
      process.stdin.on('end', () => { require('node:fs').writeFileSync(${JSON.stringify(marker)}, ''); process.exit(0); }).resume();
      process.stderr.write('child:ready\\n');`;
    const parent = `
      const { startPrograms } = await import(${JSON.stringify(join(import.meta.dirname, 'programs.ts'))});
      const spec = { name: 'child', command: process.execPath, arguments: ['-e', ${JSON.stringify(child)}], output: process.stderr };
      const clock = { nowMs: () => 0, bootMs: () => 0, sleep: () => new Promise(() => undefined) };
      const log = { info() {}, warn() {}, error() {} };
      startPrograms([spec], { clock, log, requestCodes: [], restartCode: 75, onRequest() {} });`;
    const running = start({ ...program('parent'), arguments: ['--no-warnings', '--input-type=module', '-e', parent] });
    await until('child:ready');
    running.signal('parent', 'SIGKILL');
    await expect.poll(() => existsSync(marker), { timeout: 10_000, interval: 5 }).toBe(true);
  });
});
