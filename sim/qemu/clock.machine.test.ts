/** A machine whose clock is wrong, from its first moment on and by a jump: it starts, measures and answers all the same (SR-16). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { buildTestImage, healthy, started, type TestDevice, testDevice } from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';

const [longAgo, farAhead] = [Date.UTC(2001, 1, 3), Date.UTC(2099, 0, 1)];
const dayMs = 86_400_000;

describe('a machine whose clock is wrong', () => {
  let made: TestDevice;
  let machine: RunningMachine;
  beforeAll(async () => {
    await buildTestImage();
    made = await testDevice();
    machine = await started(made.device, { clockBaseMs: longAgo });
  });
  afterAll(async () => {
    await machine?.powerCut();
    made?.[Symbol.dispose]();
  });

  const shows = async () => Number(unwrap(await machine.shell('date +%s'))) * 1000;
  const status = async () =>
    JSON.parse(unwrap(await machine.shell('enigmctl --json status'))) as {
      readonly lifecycle?: string;
      readonly fault?: unknown;
    };

  test('comes to all of its programs with a clock that stands at its beginning', async () => {
    expect(await healthy(machine)).toBe('a');
    expect(Math.abs((await shows()) - longAgo)).toBeLessThan(dayMs);
    expect((await status()).fault).toBeUndefined();
  });

  test('answers after a jump over a century, and after the jump back', async () => {
    for (const to of [farAhead, longAgo]) {
      unwrap(await machine.setClock(to));
      expect(Math.abs((await shows()) - to)).toBeLessThan(dayMs);
      expect((await status()).fault).toBeUndefined();
    }
  });
});
