/** What reads the bytes of a machine that was cut: what it takes, and that no bytes make it throw. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { u16le, utf8 } from '#hal/core/bytes';
import { globalVendor } from '#hal/core/guid';
import { codeOf, unwrap } from '#hal/core/result';
import { isSignedBy, signImage } from '#sim/image/authenticode';
import { sectorBytes } from '#sim/image/gpt';
import { derOf } from '#sim/image/keys';
import { sectionOf, signatureOf, withSections } from '#sim/image/pe';
import { smallPe } from '#sim/image/pe.fixture';
import { bootCandidates, trustedSigners } from './boot-choice.ts';
import { memoryBytes } from './byte-source.ts';
import { fatFile } from './fat-file.ts';
import { readVariables, variableKey } from './firmware-variables.ts';
import { readPartitions } from './partition-table.ts';
import { flashWith, partitions, type SmallMachine, smallFat, smallMachine } from './small-machine.fixture.ts';

const path = ['EFI', 'BOOT', 'BOOTX64.EFI'];
let machine: SmallMachine;
let signed: Uint8Array;
beforeAll(async () => {
  machine = await smallMachine();
  signed = unwrap(signImage(unwrap(withSections(smallPe(), [{ name: '.cmdline', bytes: utf8('quiet') }])), machine.keys.release));
});

/** Bytes with some of them changed, and an end that may be early. */
const spoilt = (whole: Uint8Array) =>
  fc
    .tuple(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }), fc.nat(whole.length))
    .map(([changes, lost]) => {
      const bytes = whole.slice(0, lost % 3 === 0 ? lost : whole.length);
      for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
      return bytes;
    });

describe('the variables of firmware', () => {
  const variable = (data: number) => ({
    ...{ name: 'EnigmTrial', vendor: globalVendor, attributes: 7, isAuthenticated: false },
    data: u16le(data),
  });
  /** Where the state of a record is: the first, and the one behind it. */
  const states = [0x64 + 2, 0x64 + 84 + 2] as const;
  const read = (first: number, second: number): number | undefined => {
    const flash = flashWith([variable(1), variable(2)]);
    flash[states[0]] = first;
    flash[states[1]] = second;
    return unwrap(readVariables(flash)).get(variableKey('EnigmTrial', globalVendor))?.[0];
  };

  test.each([
    [0x3f, 0xff, 1, 'before its successor is begun'],
    [0x3e, 0x7f, 1, 'while its successor is written'],
    [0x3e, 0x3f, 2, 'once its successor is whole'],
    [0x3c, 0x3f, 2, 'after it is gone'],
    [0x3c, 0x7f, undefined, 'never again, where both are nothing'],
  ])('state %i then %i: number %s %s', (first, second, counts, _) => {
    expect(read(first, second)).toBe(counts);
  });

  test('no flash makes the reader throw, nor what it reads the choice of what starts', () => {
    fc.assert(
      fc.property(spoilt(machine.flash(['a', 'b'], 'b')), (flash) => {
        const found = readVariables(flash);
        if (!found.ok) return void expect(['protocol', 'resource']).toContain(found.fault.category);
        expect(bootCandidates(found.value, true).length).toBeLessThanOrEqual(64);
        trustedSigners(found.value);
      }),
    );
  });
});

describe('the partitions of a disk', () => {
  test('are those that were written, by either table', () => {
    const wanted = partitions.map(({ name, uuid, startSector, sectors }) => ({ name, uuid, startSector, sectors }));
    expect(unwrap(readPartitions(memoryBytes(machine.disk)))).toEqual(wanted);
    const second = machine.disk.slice().fill(0, 512, 1024);
    expect(unwrap(readPartitions(memoryBytes(second)))).toEqual(wanted);
  });

  test('no disk makes the reader throw, and none lies behind its end', () => {
    fc.assert(
      fc.property(spoilt(machine.disk.subarray(0, 40 * sectorBytes)), (disk) => {
        const found = readPartitions(memoryBytes(disk));
        const sectors = disk.length / sectorBytes;
        if (found.ok) for (const one of found.value) expect(one.startSector + one.sectors).toBeLessThanOrEqual(sectors);
      }),
    );
  });
});

describe('a file of a FAT', () => {
  test('is found by its path, at any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (file) => {
        expect(unwrap(fatFile(memoryBytes(smallFat(path, file)), path))).toEqual(file);
      }),
    );
    for (const wrong of [['EFI'], ['EFI', 'BOOT', 'OTHER.EFI'], [...path, 'X']]) {
      const found = fatFile(memoryBytes(smallFat(path, signed)), wrong);
      expect(found.ok ? found.value.length : codeOf(found.fault)).toBe(wrong.length === 1 ? 0 : 'unavailable/not-found');
    }
  });

  test('no partition makes the reader throw', () => {
    fc.assert(fc.property(spoilt(smallFat(path, signed)), (bytes) => void fatFile(memoryBytes(bytes), path)));
  });
});

describe('a signed image', () => {
  test('is one for who signed it, with any byte changed for nobody', () => {
    const [release, recovery] = [derOf(machine.keys.release), derOf(machine.keys.recovery)];
    expect(isSignedBy(signed, release)).toBe(true);
    expect(isSignedBy(signed, recovery)).toBe(false);
    expect(isSignedBy(smallPe(), release)).toBe(false);
    expect(Buffer.from(unwrap(sectionOf(signed, '.cmdline'))).toString()).toBe('quiet');
    expect(unwrap(signatureOf(signed)).length).toBeGreaterThan(256);
    // Not signed are the check sum, and what fills the table of signatures up.
    const [checksum, end] = [0x98 + 64, signed.length - ((signed.length - unwrap(signatureOf(signed)).length) % 8)];
    const isUnsigned = (at: number) => (at >= checksum && at < checksum + 4) || at >= end;
    for (const at of signed.keys()) {
      const changed = signed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      if (isSignedBy(changed, release) !== isUnsigned(at)) expect.unreachable(`byte ${at} of ${signed.length}`);
    }
  });

  test('no file makes the readers throw', () => {
    fc.assert(
      fc.property(spoilt(signed), (file) => {
        isSignedBy(file, derOf(machine.keys.release));
        sectionOf(file, '.cmdline');
      }),
    );
  });
});
