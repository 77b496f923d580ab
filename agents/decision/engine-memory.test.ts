import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { webAssembly } from '#hal/core/web-assembly';
import { builtDigest, type EngineInstance, keptMemory, restoreMemory, withDigest } from './engine-memory.ts';

const [engine, policy, another] = [1, 2, 3].map((digit) => new Uint8Array(32).fill(digit)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const pageBytes = 65_536;

const loaded = (digest?: Uint8Array): EngineInstance => ({
  ...(digest === undefined ? {} : { digest }),
  memory: new webAssembly.Memory({ initial: 2 }),
  references: new webAssembly.Table({ initial: 4, element: 'externref' }),
});
const bytesOf = ({ memory }: EngineInstance) => new Uint8Array(memory.buffer);

/** An engine that has worked: grown, and written to. */
const worked = (writes: readonly (readonly [at: number, bytes: Uint8Array])[], pages = 1, references = 3) => {
  const instance = loaded(engine);
  const before = bytesOf(instance).slice();
  instance.memory.grow(pages);
  instance.references.grow(references);
  for (const [at, bytes] of writes) bytesOf(instance).set(bytes.subarray(0, bytesOf(instance).length - at), at);
  return { instance, kept: keptMemory(instance, before, [engine, policy]) };
};
const sample = () =>
  worked([
    [0, Uint8Array.of(7)],
    [pageBytes - 2, Uint8Array.of(1, 2, 3, 4)],
    [2 * pageBytes, Uint8Array.of(9)],
  ]);

/** Changed, and with a digest that fits the change. */
const changedAt = (kept: Uint8Array, at: number, value: number): Uint8Array => {
  const changed = kept.slice();
  new DataView(changed.buffer).setUint32(at, value, true);
  changed.set(hash('sha256', changed.subarray(96), 'buffer'), 64);
  return changed;
};

describe('the kept memory of the engine', () => {
  test('gives another start the same memory and as many references', () => {
    const write = fc.tuple(fc.nat(4 * pageBytes - 1), fc.uint8Array({ minLength: 1, maxLength: 3000 }));
    fc.assert(
      fc.property(fc.array(write, { maxLength: 8 }), fc.nat(2), fc.nat(200), (writes, pages, references) => {
        const { instance, kept } = worked(
          writes.map(([at, bytes]) => [at % ((2 + pages) * pageBytes), bytes] as const),
          pages,
          references,
        );
        const next = loaded(engine);
        expect(restoreMemory(next, kept, policy)).toBe(true);
        expect(Buffer.compare(bytesOf(next), bytesOf(instance))).toBe(0);
        expect(next.references.length).toBe(instance.references.length);
      }),
      { numRuns: 60 },
    );
  });

  test('has what changed, and little more', () => {
    expect(sample().kept).toHaveLength(96 + 12 + 3 * (8 + 1024) + 1024);
  });

  test.each([
    ['another engine', loaded(another), policy],
    ['an engine that does not say which it is', loaded(), policy],
    ['another policy', loaded(engine), another],
  ])('is not given to %s', (_, instance, digest) => {
    expect(restoreMemory(instance, sample().kept, digest)).toBe(false);
    expect(bytesOf(instance).every((byte) => byte === 0)).toBe(true);
  });

  test('is not used in part: cut short, or with runs that lie outside', () => {
    const { kept } = sample();
    fc.assert(
      fc.property(fc.nat(kept.length - 1), (length) => {
        const instance = loaded(engine);
        expect(restoreMemory(instance, kept.subarray(0, length), policy)).toBe(false);
        expect(bytesOf(instance).every((byte) => byte === 0)).toBe(true);
      }),
    );
    expect(restoreMemory(loaded(engine), changedAt(kept, 108, 3 * pageBytes - 1000), policy)).toBe(false);
    expect(restoreMemory(loaded(engine), changedAt(kept, 108, 0), policy)).toBe(true);
  });

  test.each([
    ['more memory than an engine may have', 96, 1025],
    ['less memory than it has', 96, 1],
    ['more references than it may have', 100, 65_537],
    ['fewer references than it has', 100, 3],
  ])('is not used where it wants %s', (_, at, value) => {
    expect(restoreMemory(loaded(engine), changedAt(sample().kept, at, value), policy)).toBe(false);
  });

  test('is not used with one bit of it changed', () => {
    const { kept } = sample();
    fc.assert(
      fc.property(fc.nat(kept.length - 1), fc.nat(7), (at, bit) => {
        const changed = kept.slice();
        changed[at] = (changed[at] as number) ^ (1 << bit);
        expect(restoreMemory(loaded(engine), changed, policy)).toBe(false);
      }),
    );
  });

  test('whatever it is, ends nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        restoreMemory(loaded(engine), bytes, policy);
        restoreMemory(loaded(engine), concat(engine, policy, bytes), policy);
      }),
    );
  });
});

describe('the digest in the file of the engine', () => {
  const empty = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0);
  const built = withDigest(empty);

  test('leaves it the module that it was, and is found there', () => {
    expect(new webAssembly.Module(built)).toBeInstanceOf(webAssembly.Module);
    expect(builtDigest(built)).toEqual(new Uint8Array(hash('sha256', empty, 'buffer')));
    expect(builtDigest(empty)).toBeUndefined();
    expect(builtDigest(new Uint8Array())).toBeUndefined();
  });

  test('shows any change of the engine or of itself', () => {
    for (const [at] of empty.entries())
      expect(() => builtDigest(built.with(at, (built[at] as number) ^ 1))).toThrow('the policy engine is damaged');
    for (let at = built.length - 32; at < built.length; at += 1)
      expect(() => builtDigest(built.with(at, (built[at] as number) ^ 1))).toThrow('the policy engine is damaged');
  });
});
