/** What a cold start costs is measured and printed; the target is the bench's, a test allows a busy host half of it more. */
import { beforeAll, describe, expect, test } from 'vitest';
import { writeSite } from '#sim/qemu/device';
import { buildTestImage, clock, testDevice } from '#sim/qemu/machine.fixture';
import { lonelySite } from '#sim/qemu/site';
import { measureStart, type Start } from './start.ts';

const boundCpuSeconds = 30 * 1.5;
const phases = [
  'firmware',
  'boot image read and measured, kernel unpacked',
  'kernel, to its first program',
  'first root: drivers',
  'first root: root verified and mounted',
  'first root: data opened and mounted',
  'root, to the supervisor',
  'supervisor, to the programs',
  'programs, until all are healthy',
];

describe('a cold start of the machine', () => {
  let first: Start;
  let next: Start;
  beforeAll(async () => {
    await buildTestImage();
    using made = await testDevice();
    writeSite(made.device, await lonelySite(clock));
    first = await measureStart(made.device, clock, 'first');
    next = await measureStart(made.device, clock, 'next');
    for (const [name, start] of [
      ['first', first],
      ['next', next],
    ] as const)
      console.log(`${name}: healthy after ${start.cpuSeconds.toFixed(1)} CPU s, ${start.wallSeconds.toFixed(1)} s by the clock`);
  });

  test('is divided into phases without a gap, each of which took something', () => {
    for (const { phases: found, cpuSeconds } of [first, next]) {
      expect(found.map(({ name }) => name)).toEqual(phases);
      for (const phase of found) expect(phase.cpuSeconds, phase.name).toBeGreaterThanOrEqual(0);
      expect(found.reduce((sum, phase) => sum + phase.cpuSeconds, 0)).toBeCloseTo(cpuSeconds, 6);
    }
  });

  test('has healthy programs in its time, of a device that is used and of one that is new', () => {
    expect(next.cpuSeconds).toBeLessThan(boundCpuSeconds);
    expect(first.cpuSeconds).toBeLessThan(boundCpuSeconds);
  });
});
