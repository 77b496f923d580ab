import { describe, expect, test } from 'vitest';
import { deny, ok } from '#hal/core/result';
import { drawFrom, mutated } from './mutate.ts';
import { parsers } from './parsers.ts';
import { fuzz } from './run.ts';

const seed = Number(process.env['FUZZ_SEED'] ?? 20_267);
let nowMs = 0;
const options = { seed, from: 0, executions: 500, limitMs: 1000, cpuMs: () => nowMs };
const all = await parsers();

describe(`what a device reads of an update is answered, whatever it is (FUZZ_SEED=${seed})`, () => {
  test.each(all)('$name', async (parser) => {
    expect(await fuzz(parser, options)).toMatchObject({ executions: 500 });
    expect((await fuzz(parser, options)).finding).toBeUndefined();
    for (const sample of parser.samples) expect(sample.length).toBeGreaterThan(0);
  });

  test('is also accepted as it was made, so that what is spoilt was good', async () => {
    for (const parser of all)
      for (const sample of parser.samples) {
        const { ok: isAccepted } = await parser.parse(sample);
        expect([parser.name, isAccepted]).toEqual([parser.name, true]);
      }
  });
});

describe('a finding', () => {
  const samples = [new Uint8Array(40)];
  test('is a throw, with the round that replays it', async () => {
    const parse = (bytes: Uint8Array) => {
      if (bytes.includes(0x7b)) throw new RangeError('a brace');
      return ok(bytes);
    };
    const { finding } = await fuzz({ name: 'thrower', samples, parse }, options);
    expect(finding?.why).toContain('a brace');
    const again = await fuzz({ name: 'thrower', samples, parse }, { ...options, from: finding?.round ?? 0, executions: 1 });
    expect(again.finding?.round).toBe(finding?.round);
  });

  test('is an answer that takes too long', async () => {
    const parse = () => {
      nowMs += 1001;
      return deny('protocol', 'malformed');
    };
    expect((await fuzz({ name: 'sleeper', samples, parse }, options)).finding).toEqual({ round: 0, why: '1001 ms' });
  });

  test('is looked for in inputs that differ, the same for a seed', () => {
    const inputs = (from: number) => Array.from({ length: 200 }, (_, round) => mutated(drawFrom(from, round), samples).join());
    expect(inputs(1)).toEqual(inputs(1));
    expect(new Set(inputs(1)).size).toBeGreaterThan(120);
    expect(inputs(1)).not.toEqual(inputs(2));
  });
});
