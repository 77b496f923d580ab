/**
 * `Supply` read from sysfs, as Documentation/ABI/testing/sysfs-class-power and sysfs-class-thermal of the kernel say.
 * What is not there stays absent.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ok } from '#hal/core/result';
import type { Supply } from '#hal/ports/supply';
import type { SupplyFacts } from '#protos/gen/types';
import { type ReadText, readTextFile } from './text-file.ts';

/** A folder of sysfs, by its path: names inside; undefined where it cannot be read. */
export type ReadNames = (path: string) => readonly string[] | undefined;

const classes = '/sys/class';
const supplies = `${classes}/power_supply`;
const zones = `${classes}/thermal`;
const maxNames = 64;

/** @param readText, readNames how sysfs is read; tests give recorded files */
export const linuxSupply = (readText: ReadText = readTextFile, readNames: ReadNames = namesIn): Supply => ({
  read: async () => {
    const facts: { [K in keyof SupplyFacts]: SupplyFacts[K] | undefined } = {
      ...powerOf(readText, readNames),
      isHot: isHot(readText, readNames),
    };
    return ok(Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as SupplyFacts);
  },
});

const namesIn: ReadNames = (path) => {
  try {
    return readdirSync(path).sort().slice(0, maxNames);
  } catch {
    return undefined;
  }
};

interface Fed {
  readonly isOnMains: boolean | undefined;
  readonly batteryPercent: number | undefined;
}

/** What a battery says that has no better measure: the least that it may mean, in percent. */
const levels: Readonly<Record<string, number>> = { Critical: 0, Low: 5, Normal: 30, High: 60, Full: 100 };

/** A kernel that knows of no battery runs from the mains. Batteries of mice and pens are not the device's: scope `Device`. */
const powerOf = (readText: ReadText, readNames: ReadNames): Fed => {
  // A kernel without the class knows of no battery either; a folder that cannot be read says nothing.
  const names = readNames(supplies) ?? (readNames(classes)?.includes('power_supply') === false ? [] : undefined);
  if (names === undefined) return { isOnMains: undefined, batteryPercent: undefined };
  const all = names.map((name) => {
    const read = (file: string) => readText(join(supplies, name, file))?.trim();
    return {
      type: read('type'),
      scope: read('scope'),
      online: whole(read('online')),
      capacity: whole(read('capacity')) ?? levels[read('capacity_level') ?? ''],
    };
  });
  const own = all.filter(({ scope }) => scope !== 'Device');
  const batteries = own.filter(({ type }) => type === 'Battery');
  const capacities = batteries.flatMap(({ capacity }) => (capacity === undefined ? [] : [Math.min(capacity, 100)]));
  return {
    // 1: fixed voltage, 2: programmable voltage.
    isOnMains: batteries.length === 0 || own.some(({ type, online }) => type !== 'Battery' && (online ?? 0) > 0),
    batteryPercent: capacities.length === 0 ? undefined : Math.min(...capacities),
  };
};

/** The kernel slows a machine down at `passive`, and has it act at `hot`; at `critical` it switches it off. */
const marginOf: Readonly<Record<string, number>> = { passive: 0, hot: 0, critical: 10_000 };

/** Whether any zone stands at a temperature where the kernel acts, or near the one where it gives up; in millidegrees Celsius. */
const isHot = (readText: ReadText, readNames: ReadNames): boolean | undefined => {
  const names = readNames(zones)?.filter((name) => name.startsWith('thermal_zone'));
  return names?.some((name) => {
    const files = readNames(join(zones, name)) ?? [];
    const read = (file: string) => readText(join(zones, name, file))?.trim();
    const now = whole(read('temp'));
    if (now === undefined) return false;
    return files.some((file) => {
      const trip = /^(trip_point_\d+)_type$/.exec(file)?.[1];
      const marginMillidegrees = marginOf[(trip === undefined ? undefined : read(file)) ?? ''];
      const limit = trip === undefined ? undefined : whole(read(`${trip}_temp`));
      return marginMillidegrees !== undefined && limit !== undefined && limit > 0 && now >= limit - marginMillidegrees;
    });
  });
};

/** Below zero is a sign of no supply, and of no heat. */
const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
