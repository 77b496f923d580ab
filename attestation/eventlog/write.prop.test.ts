import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { type Bank, banks } from './algorithms.ts';
import { type EventTypeName, eventTypes, startupLocalityData } from './events.ts';
import { maxPcr, parseEventLog } from './parse.ts';
import { replay } from './replay.ts';
import { eventLogWriter, type Measurement } from './write.ts';

const names = Object.keys(eventTypes) as EventTypeName[];
const bytes = fc.uint8Array({ maxLength: 64 });
const measurement: fc.Arbitrary<Measurement> = fc.oneof(
  { weight: 9, arbitrary: fc.record({ pcr: fc.nat(maxPcr), type: fc.constantFrom(...names), data: bytes }) },
  { weight: 3, arbitrary: fc.record({ pcr: fc.nat(maxPcr), type: fc.constantFrom(...names), data: bytes, measured: bytes }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(0, 3, 4)
      .map((locality) => ({ pcr: 0, type: 'EV_NO_ACTION', data: startupLocalityData(locality) }) as const),
  },
);
const boot = fc.record({
  algorithms: fc.shuffledSubarray([...banks], { minLength: 1 }),
  measurements: fc.array(measurement, { maxLength: 40 }),
});

const hash = (bank: Bank, ...parts: readonly Uint8Array[]): Buffer =>
  parts.reduce((state, part) => state.update(part), createHash(bank)).digest();

/** A TPM, told what to measure: it never sees the log. */
const measuredByTpm = (bank: Bank, measurements: readonly Measurement[]): Map<number, string> => {
  const registers = new Map<number, Buffer>();
  const first = measurements.findIndex(({ pcr, type }) => pcr === 0 && type !== 'EV_NO_ACTION');
  const locality = measurements
    .slice(0, first === -1 ? undefined : first)
    .filter(({ data }) => data.length === 17 && Buffer.from(data).toString('latin1').startsWith('StartupLocality\0'))
    .map(({ data }) => data.at(-1) ?? 0)
    .find((value) => value !== 0);
  for (const { pcr, type, data, measured } of measurements) {
    if (type === 'EV_NO_ACTION') continue;
    const start = hash(bank).fill(0);
    if (pcr === 0) start.writeUInt8(locality ?? 0, start.length - 1);
    registers.set(pcr, hash(bank, registers.get(pcr) ?? start, hash(bank, measured ?? data)));
  }
  return new Map([...registers].map(([pcr, value]) => [pcr, value.toString('hex')]));
};

test('a written log parses to what was written and replays to what a TPM measures', () => {
  fc.assert(
    fc.property(boot, ({ algorithms, measurements }) => {
      const writer = eventLogWriter(algorithms);
      for (const each of measurements) writer.add(each);
      const log = unwrap(parseEventLog(writer.bytes()));
      expect(log.algorithms.map(({ name }) => name)).toEqual(algorithms);
      expect(log.events.slice(1).map(({ pcr, type, data }) => ({ pcr, type, data }))).toEqual(
        measurements.map(({ pcr, type, data }) => ({ pcr, type: eventTypes[type].code, data })),
      );
      expect(log.parsedBytes).toBe(writer.bytes().length);
      const replayed = replay(log);
      expect(new Set(replayed.keys())).toEqual(new Set(algorithms));
      for (const [bank, values] of replayed)
        expect(new Map([...values].map(([pcr, value]) => [pcr, Buffer.from(value).toString('hex')]))).toEqual(
          measuredByTpm(bank, measurements),
        );
    }),
  );
});

test('a TPM extended with what the writer returns holds what the log replays to', () => {
  fc.assert(
    fc.property(boot, ({ algorithms, measurements }) => {
      const writer = eventLogWriter(algorithms);
      const withoutLocality = measurements.filter(({ type }) => type !== 'EV_NO_ACTION');
      const tpm = new Map<string, Buffer>();
      for (const each of withoutLocality)
        for (const [bank, digest] of writer.add(each)) {
          const register = `${bank}:${each.pcr}`;
          tpm.set(register, hash(bank, tpm.get(register) ?? new Uint8Array(digest.length), digest));
        }
      const replayed = [...replay(unwrap(parseEventLog(writer.bytes())))].flatMap(([bank, values]) =>
        [...values].map(([pcr, value]) => [`${bank}:${pcr}`, Buffer.from(value)] as const),
      );
      expect(new Map(replayed)).toEqual(tpm);
    }),
  );
});
