/** What a change of a log can and cannot do: every bit of a small log, then many random changes of all logs at hand. */
import { describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { hasCorpora } from '../corpora.fixture.ts';
import { banks } from './algorithms.ts';
import { corpusBytes, indexRows } from './corpora.fixture.ts';
import { describeEventLog } from './describe.ts';
import { coverageOf, eventTypes, startupLocality } from './events.ts';
import { type LogEvent, maxEvents, maxLogBytes, parseEventLog } from './parse.ts';
import { replayBank } from './replay.ts';
import { sampleBoot, writeLog } from './sample.fixture.ts';
import { checkSemantics } from './semantics.ts';
import type { Measurement } from './write.ts';

/** How a change comes to light; `reference` is a type that no reference value has under this digest. */
type Outcome = 'refused' | 'replay' | 'semantics' | 'reference' | 'unseen';

const typesOf = (events: readonly LogEvent[]): string => events.map(({ type }) => type).join();

const outcomeOf = (original: Uint8Array) => {
  const log = unwrap(parseEventLog(original));
  const pcrs = JSON.stringify(unwrap(describeEventLog(original)).pcrs);
  const types = typesOf(unwrap(checkSemantics(log)).measurements);
  return (changed: Uint8Array): Outcome => {
    const parsed = parseEventLog(changed);
    if (!parsed.ok) return 'refused';
    if (JSON.stringify(unwrap(describeEventLog(changed)).pcrs) !== pcrs) return 'replay';
    const judged = checkSemantics(parsed.value);
    if (!judged.ok) return 'semantics';
    return typesOf(judged.value.measurements) === types ? 'unseen' : 'reference';
  };
};

const bits = [1, 2, 4, 8, 16, 32, 64, 128];
const values = Array.from({ length: 255 }, (_, index) => index + 1);

/** The outcomes of every such change of one byte. */
const outcomesAt = (bytes: Uint8Array, offset: number, masks: readonly number[], judge: (changed: Uint8Array) => Outcome) => {
  const outcomes = new Set<Outcome>();
  const original = bytes[offset] ?? 0;
  for (const mask of masks) {
    bytes[offset] = original ^ mask;
    outcomes.add(judge(bytes));
  }
  bytes[offset] = original;
  return outcomes;
};

const range = (start: number, length: number): number[] => Array.from({ length }, (_, index) => start + index);

/** Bytes of the Spec ID header that say nothing about the boot: its register, and the dialect of the log (PFP §10.4.5.1). */
const headerFacts = {
  register: 0,
  platformClass: 32 + 16,
  errata: 32 + 22,
  uintnSize: 32 + 23,
};

/** Bytes that no digest and no rule covers, event by event. */
const uncoveredBytes = (event: LogEvent): number[] => {
  const dataStart = event.data.byteOffset;
  switch (coverageOf(event.type)) {
    case 'elsewhere':
      return range(dataStart, event.data.length);
    case 'nothing':
      return startupLocality(event.data) === undefined ? [event.offset, ...range(dataStart, event.data.length)] : [];
    case 'variable': {
      const nameBytes = 2 * (event.data[16] ?? 0);
      const coversContentOnly = event.pcr === 1 && event.type === eventTypes.EV_EFI_VARIABLE_BOOT.code;
      return coversContentOnly ? [...range(dataStart, 16), ...range(dataStart + 32, nameBytes)] : [];
    }
    case 'data':
    case 'authority':
      return [];
  }
};

describe('any change of one byte', () => {
  const bytes = writeLog(sampleBoot);
  const [header, ...events] = unwrap(parseEventLog(bytes)).events;
  const judge = outcomeOf(bytes);
  const headerBytes = events[0]?.offset ?? 0;
  const typeBytes = events.flatMap(({ offset }) => range(offset + 4, 4));

  test('comes to light, except where nothing covers the byte', () => {
    const unseen = range(0, bytes.length).filter((offset) => outcomesAt(bytes, offset, bits, judge).has('unseen'));
    const expected = [headerFacts.register, headerFacts.platformClass, headerFacts.errata, ...events.flatMap(uncoveredBytes)];
    expect(unseen).toEqual(expected.toSorted((a, b) => a - b));
    expect(header?.data.byteOffset).toBe(32);
  });

  test('every value of every byte of the header is refused, or is one of four facts about the log itself', () => {
    const accepted = range(0, headerBytes).filter((offset) => {
      const outcomes = outcomesAt(bytes, offset, values, judge);
      return !(outcomes.size === 1 && outcomes.has('refused'));
    });
    expect(accepted).toEqual(Object.values(headerFacts).toSorted((a, b) => a - b));
  });

  test('every value of a type is seen, at the latest by the reference that names it', () => {
    for (const offset of typeBytes) expect(outcomesAt(bytes, offset, values, judge)).not.toContain('unseen');
  });

  test('only a type comes to light by references alone, and none of a separator or of a variable of Secure Boot', () => {
    const byReference = range(headerBytes, bytes.length - headerBytes).filter((offset) =>
      outcomesAt(bytes, offset, bits, judge).has('reference'),
    );
    const guarded = new Set<number>([eventTypes.EV_SEPARATOR.code, eventTypes.EV_EFI_VARIABLE_DRIVER_CONFIG.code]);
    const rewritable = events.filter(({ type }) => !guarded.has(type)).flatMap(({ offset }) => range(offset + 4, 4));
    expect(byReference.filter((offset) => !rewritable.includes(offset))).toEqual([]);
    expect(byReference.length).toBeGreaterThan(0);
  });
});

/** xorshift32: the same changes for the same seed. */
const randomOf = (seed: number) => {
  let state = seed | 1;
  return (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};

const changed = (bytes: Uint8Array, random: (below: number) => number): Uint8Array => {
  const copy = new Uint8Array(bytes);
  for (let changes = 1 + random(4); changes > 0; changes -= 1) {
    const at = random(copy.length);
    const interesting = [0x00, 0xff, 0x7f, 0x80, random(256)];
    if (random(3) === 0) copy.fill(interesting[random(5)] ?? 0, at, at + 4);
    else if (random(4) === 0) copy.copyWithin(at, random(copy.length), random(copy.length));
    else copy[at] = interesting[random(5)] ?? 0;
  }
  return random(8) === 0 ? copy.subarray(0, random(copy.length + 1)) : copy;
};

/** Longest that one log may keep the processor, whatever it holds. */
const mostMs = 50;

const processorMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

const survives = (bytes: Uint8Array, seed: number): void => {
  const startMs = processorMs();
  const parsed = parseEventLog(bytes);
  if (parsed.ok) {
    describeEventLog(bytes);
    const judged = checkSemantics(parsed.value);
    if (!judged.ok) expect(codeOf(judged.fault)).toBe('attestation/log-semantics');
  } else expect(codeOf(parsed.fault)).toBe('attestation/log-malformed');
  expect(processorMs() - startMs, `seed ${seed}: ${toHex(bytes.subarray(0, 64))}…`).toBeLessThan(mostMs);
};

const seed = Number(process.env['FUZZ_SEED'] ?? 20_261);
const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 20_000);

describe('random changes never throw and never take long', () => {
  test(`of a written log (FUZZ_SEED=${seed}, FUZZ_ROUNDS=${rounds})`, () => {
    const bytes = writeLog(sampleBoot, ['sha1', 'sha256']);
    const random = randomOf(seed);
    for (let round = 0; round < rounds; round += 1) survives(changed(bytes, random), seed);
  });

  test.skipIf(!hasCorpora)(`of every real log (FUZZ_SEED=${seed})`, () => {
    const logs = indexRows().filter(({ name }) => name.endsWith('.bin'));
    for (const { name } of logs) {
      const bytes = corpusBytes(name);
      const random = randomOf(seed);
      for (let round = 0; round < rounds / 50; round += 1) survives(changed(bytes, random), seed);
    }
  });

  test('of a log at every limit, for the one bank that a quote covers', () => {
    const filler: Measurement = { pcr: 0, type: 'EV_S_CRTM_VERSION', data: new Uint8Array(60) };
    const bytes = writeLog([...sampleBoot, ...new Array<Measurement>(maxEvents - 1 - sampleBoot.length).fill(filler)], banks);
    expect(bytes.length).toBeGreaterThan(0.95 * maxLogBytes);
    const startMs = processorMs();
    const log = unwrap(parseEventLog(bytes));
    replayBank(log, 'sha256');
    unwrap(checkSemantics(log, { banks: ['sha256'] }));
    expect(processorMs() - startMs).toBeLessThan(mostMs);
  });

  test('of nothing but noise', () => {
    const random = randomOf(seed);
    for (let round = 0; round < rounds; round += 1)
      survives(
        Uint8Array.from({ length: random(200) }, () => random(256)),
        seed,
      );
  });
});
