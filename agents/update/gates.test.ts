import { describe, expect, test } from 'vitest';
import { deny, ok } from '#hal/core/result';
import { gatesOf, readGates } from './gates.ts';

describe('whether a device can be written', () => {
  test.each([
    [{ isOnMains: true }, true],
    [{ isOnMains: true, batteryPercent: 3 }, true],
    [{ isOnMains: false, batteryPercent: 30 }, true],
    [{ isOnMains: false, batteryPercent: 29 }, false],
    [{ isOnMains: false }, false],
    [{}, false],
  ])('by its power: %o', (facts, isPowered) => {
    expect(gatesOf(facts).isPowered).toBe(isPowered);
  });

  test('by its heat, where the kernel knows of any', () => {
    expect([{ isHot: true }, { isHot: false }, {}].map((facts) => gatesOf(facts).isCool)).toEqual([false, true, true]);
  });

  test('a repair in any state, also where nobody can tell it (SR-12)', async () => {
    const empty = { read: async () => ok({ isOnMains: false, batteryPercent: 1, isHot: true }) };
    const away = { read: async () => deny('unavailable', 'program-down') };
    expect(await readGates(empty, 'repair')).toEqual(ok({ isPowered: true, isCool: true }));
    expect(await readGates(away, 'repair')).toEqual(ok({ isPowered: true, isCool: true }));
    expect(await readGates(empty, 'update')).toEqual(ok({ isPowered: false, isCool: false }));
    expect(await readGates(away, 'update')).toMatchObject({ fault: { reason: 'program-down' } });
  });
});
