import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import { linuxSupply } from './supply.ts';

type Tree = Readonly<Record<string, string>>;

/** Names inside a folder, as sysfs would list them. */
const namesOf = (tree: Tree) => (path: string) => {
  const inside = Object.keys(tree).filter((file) => file.startsWith(`${path}/`));
  return inside.length === 0 ? undefined : [...new Set(inside.map((file) => file.slice(path.length + 1).split('/')[0] ?? ''))];
};
const read = async (tree: Tree) => unwrap(await linuxSupply((path) => tree[path], namesOf(tree)).read());

const power = '/sys/class/power_supply';
const charger = { [`${power}/AC/type`]: 'Mains\n', [`${power}/AC/online`]: '1\n' };
const battery = {
  [`${power}/BAT0/type`]: 'Battery\n',
  [`${power}/BAT0/capacity`]: '57\n',
  [`${power}/BAT0/status`]: 'Discharging\n',
};
const mouse = {
  [`${power}/hid-mouse/type`]: 'Battery\n',
  [`${power}/hid-mouse/scope`]: 'Device\n',
  [`${power}/hid-mouse/capacity`]: '2\n',
};
const zone = '/sys/class/thermal/thermal_zone0';
const warm = (millidegrees: number, kind: string) => ({
  [`${zone}/temp`]: `${millidegrees}\n`,
  [`${zone}/trip_point_0_type`]: `${kind}\n`,
  [`${zone}/trip_point_0_temp`]: '95000\n',
});

describe('how a device is fed', () => {
  test('by its charger and its battery', async () => {
    expect(await read({ ...charger, ...battery })).toEqual({ isOnMains: true, batteryPercent: 57 });
    expect(await read({ ...charger, [`${power}/AC/online`]: '0\n', ...battery })).toEqual({
      isOnMains: false,
      batteryPercent: 57,
    });
  });

  test('the emptiest of two batteries counts, and none of those of what is plugged in', async () => {
    const second = { [`${power}/BAT1/type`]: 'Battery\n', [`${power}/BAT1/capacity`]: '12\n' };
    expect(await read({ ...battery, ...second, ...mouse })).toEqual({ isOnMains: false, batteryPercent: 12 });
    expect(await read(mouse)).toEqual({ isOnMains: true });
  });

  test('a battery whose charge cannot be read has none that is known', async () => {
    expect(await read({ ...battery, [`${power}/BAT0/capacity`]: 'many' })).toEqual({ isOnMains: false });
  });

  test('by the level of a battery that has no percentage', async () => {
    const said = async (level: string) =>
      (await read({ [`${power}/BAT0/type`]: 'Battery\n', [`${power}/BAT0/capacity_level`]: `${level}\n` })).batteryPercent;
    expect(await Promise.all(['Low', 'Normal', 'Full', 'Unknown'].map(said))).toEqual([5, 30, 100, undefined]);
  });

  test('from the mains where the kernel knows of no supplies', async () => {
    expect(await read({ '/sys/class/net/lo/type': '772' })).toEqual({ isOnMains: true });
  });

  test('nothing is said where there is nothing to read', async () => {
    expect(await read({})).toEqual({});
  });
});

describe('how warm a device is', () => {
  test.each([
    [94_999, 'passive', false],
    [95_000, 'passive', true],
    [95_000, 'hot', true],
    [84_999, 'critical', false],
    [85_000, 'critical', true],
    [120_000, 'active', false],
  ])('%i at a trip point of 95 degrees of the kind %s', async (millidegrees, kind, isHot) => {
    expect((await read(warm(millidegrees, kind))).isHot).toBe(isHot);
  });

  test('a zone below freezing, or one that cannot be read, is not hot', async () => {
    expect((await read(warm(-5_000, 'hot'))).isHot).toBe(false);
    expect((await read({ ...warm(0, 'hot'), [`${zone}/temp`]: '' })).isHot).toBe(false);
  });
});

test('whatever sysfs says, the facts can be told', async () => {
  const files = fc.constantFrom(...Object.keys({ ...charger, ...battery, ...mouse, ...warm(0, 'hot') }));
  const said = fc.oneof(fc.string(), fc.constantFrom('Battery', 'Mains', 'Device', '1', '100', '4294967296', 'hot'));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(files, said), async (tree) => {
      const facts = await read(tree);
      expect(unwrap(decodeMessage('SupplyFacts', encodeMessage('SupplyFacts', facts)))).toEqual(facts);
    }),
  );
});
