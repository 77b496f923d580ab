/** A release that is started where everything of a simulator is plugged in: it listens to nothing of it (SR-04). */
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { channelsOn } from '#sim/doors/channels';
import { releaseImageOfBuild } from '#sim/image/image';
import { buildTestImage, clock, project, started, testDevice } from './machine.fixture.ts';
import { powerOn, type RunningMachine } from './machine.ts';

/** The image of the simulator, on the same host, answers long before. */
const listensForMs = 90_000;
const everyMs = 1_000;
const question = 'echo is-somebody-$((20+3))-there';
const answer = /is-somebody-23-there/;

/** Knocks at the serial line and at the console of the doors, again and again. @returns what came back */
const knock = async (machine: RunningMachine): Promise<readonly string[]> => {
  const heard: string[] = [];
  const line = connect(machine.link).on('error', () => undefined);
  await once(line, 'connect');
  const channels = channelsOn({
    side: 'host',
    write: (bytes) => void line.write(bytes),
    onOpen: (name) => void heard.push(`asks for ${name}`),
    onHello: () => void heard.push('hello'),
  });
  line.on('data', (bytes) => channels.receive(bytes));
  for (const untilMs = clock.bootMs() + listensForMs; clock.bootMs() < untilMs && heard.length === 0; ) {
    channels.say('reset');
    const said = await machine.shell(question, everyMs);
    if (said.ok || answer.test(machine.serial())) heard.push('shell');
  }
  line.destroy();
  return heard;
};

describe('a release', () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-release-'));
  beforeAll(async () => {
    await buildTestImage();
    await releaseImageOfBuild(project, folder, () => undefined);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('has no file of a simulator', () => {
    const names = readdirSync(join(folder, 'root'), { recursive: true, encoding: 'utf8' });
    expect(names).toContain('usr/lib/enigm/hald.cjs');
    expect(names.filter((name) => /enigm-sim|machine\.sh|doors/.test(name))).toEqual([]);
  });

  test('starts, and whoever sits at its lines gets no answer', async () => {
    using made = await testDevice(undefined, folder);
    await using machine = unwrap(await powerOn(made.device, { clock }));
    unwrap(await machine.until(/BdsDxe: starting/));
    expect(await knock(machine)).toEqual([]);
    // It is no machine that hangs: its kernel runs, and its programs take their time.
    expect(machine.cpuSeconds()).toBeGreaterThan(10);
  });

  test('is told from the image of the simulator by these questions', async () => {
    using made = await testDevice();
    await using machine = await started(made.device);
    expect((await knock(machine)).length).toBeGreaterThan(0);
  });
});
