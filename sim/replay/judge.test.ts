import { beforeAll, describe, expect, test } from 'vitest';
import { codeOf, type Result } from '#hal/core/result';
import { headBytes } from '#hal/linux/machine-slots';
import { signImage } from '#sim/image/authenticode';
import { sectorBytes } from '#sim/image/gpt';
import { smallPe } from '#sim/image/pe.fixture';
import { memoryBytes } from './byte-source.ts';
import { type Judgement, judge } from './judge.ts';
import { replayedMedium } from './replayed-medium.ts';
import { flashWith, type SmallMachine, smallFat, smallMachine, startOf } from './small-machine.fixture.ts';

const path = ['EFI', 'BOOT', 'BOOTX64.EFI'];

describe('what a machine would start', () => {
  let machine: SmallMachine;
  beforeAll(async () => {
    machine = await smallMachine();
  });

  const judged = async (change: (disk: Uint8Array) => void, flash: Uint8Array): Promise<string> => {
    const disk = machine.disk.slice();
    change(disk);
    return said(await judge()(replayedMedium(memoryBytes(disk), memoryBytes(new Uint8Array()), []), flash));
  };
  const said = (judgement: Result<Judgement>) =>
    judgement.ok
      ? `${judgement.value.next}, then ${judgement.value.fallback}`
      : `${codeOf(judgement.fault)} ${judgement.fault.detail}`;
  const asItIs = () => undefined;
  /** One bit, so far into a partition. */
  const flip = (name: Parameters<typeof startOf>[0], offsetBytes: number) => (disk: Uint8Array) => {
    const at = startOf(name) * sectorBytes + offsetBytes;
    disk[at] = (disk[at] ?? 0) ^ 1;
  };
  const put = (name: Parameters<typeof startOf>[0], bytes: Uint8Array) => (disk: Uint8Array) =>
    disk.set(bytes, startOf(name) * sectorBytes);

  test('is the first good slot of the order; once, what is on trial', async () => {
    expect(await judged(asItIs, machine.flash(['a', 'b']))).toBe('a, then a');
    expect(await judged(asItIs, machine.flash(['b', 'a']))).toBe('b, then b');
    expect(await judged(asItIs, machine.flash(['a'], 'b'))).toBe('b, then a');
  });

  test('is the next one where an image is torn, not signed, by nobody known, or not there', async () => {
    const signedByOthers = signImage(smallPe(), machine.keys.platform);
    if (!signedByOthers.ok) return expect.unreachable('a signature');
    for (const change of [
      flip('esp-a', 5 * sectorBytes + 700),
      put('esp-a', smallFat(path, smallPe())),
      put('esp-a', smallFat(path, signedByOthers.value)),
      put('esp-a', new Uint8Array(1024)),
    ]) {
      expect(await judged(change, machine.flash(['a', 'b']))).toBe('b, then b');
      expect(await judged(change, machine.flash(['b'], 'a'))).toBe('b, then b');
      expect(await judged(change, machine.flash(['a']))).toMatch(/^integrity\/boot-unverified nothing starts: esp-a: /);
    }
  });

  test.each([
    ['a block of its root', 'root-a', 3 * 4096 - 1],
    ['a hash of its tree', 'root-a', 4 * 4096 + 40],
    ['the salt of its tree', 'root-a', 3 * 4096 + 88],
  ] as const)('is no slot of which %s is another: its firmware knows no better', async (_, name, offset) => {
    expect(await judged(flip(name, offset), machine.flash(['a', 'b']))).toMatch(/^integrity\/boot-unverified root-a: /);
    expect(await judged(flip(name, offset), machine.flash(['b', 'a']))).toBe('b, then b');
  });

  test('is no slot that is not all of the release which the ledger says is in it', async () => {
    expect(await judged(flip('esp-a', headBytes + 100), machine.flash(['a']))).toBe(
      'integrity/release-unverified slot a: a block is another',
    );
    expect(await judged(flip('root-a', 5 * 4096 + 4100), machine.flash(['a']))).toMatch(
      /^integrity\/release-unverified slot a: /,
    );
  });

  test('is no slot of which the ledger knows something else', async () => {
    for (const entry of [{ content: 'writing' as const, writtenSegments: 1 }, { content: 'failed' as const }]) {
      const ledger = put('ledger', await machine.ledgerWith({ b: entry }));
      expect(await judged(ledger, machine.flash(['a'], 'b'))).toMatch(/^integrity\/release-unverified slot b starts/);
      expect(await judged(ledger, machine.flash(['a']))).toBe('a, then a');
    }
    const torn = put('ledger', new Uint8Array(8192));
    expect(await judged(torn, machine.flash(['a']))).toMatch(/^integrity\/release-unverified slot a starts, .* says none$/);
  });

  test('is nothing without keys, without variables, without a table', async () => {
    expect(await judged(asItIs, flashWith([]))).toMatch(/^integrity\/boot-unverified nothing starts/);
    expect(await judged(asItIs, new Uint8Array(100))).toMatch(/^protocol\/malformed/);
    const noTable = (disk: Uint8Array) => {
      disk.fill(0, 0, 34 * sectorBytes);
      disk.fill(0, disk.length - 33 * sectorBytes);
    };
    expect(await judged(noTable, machine.flash(['a']))).toMatch(/^protocol\/malformed no partition table/);
    expect(await judged((disk) => disk.fill(0, 0, 34 * sectorBytes), machine.flash(['a']))).toBe('a, then a');
  });

  test('is remembered of the same bytes, and judged anew of others', async () => {
    const one = judge();
    const log = memoryBytes(new Uint8Array(4 * sectorBytes).fill(0x55));
    const write = { sector: startOf('root-a'), sectors: 1, isFlush: false, dataSector: 1, endBytes: 0 };
    const base = memoryBytes(machine.disk);
    const [whole, changed] = [replayedMedium(base, log, []), replayedMedium(base, log, [{ write, sectors: 1 }])];
    const flash = machine.flash(['a', 'b']);
    for (const _ of [1, 2]) {
      expect(said(await one(whole, flash))).toBe('a, then a');
      expect(said(await one(changed, flash))).toMatch(/another root$/);
    }
  });
});
