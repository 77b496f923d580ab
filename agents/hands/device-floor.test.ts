import { describe, expect, test } from 'vitest';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryTpmFloor } from './device-floor.fixture.ts';
import { deviceFloor } from './device-floor.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));
const device = (kept = new Map<string, Uint8Array>()) => {
  const tpm = memoryTpmFloor();
  return { tpm, kept, floor: deviceFloor(tpm, memoryStore(kept)) };
};

describe('the floor of a device (SR-08)', () => {
  test('is there once it was made, rises, and never falls', async () => {
    const { floor } = device();
    expect(code(await floor.read())).toBe('unavailable/floor-missing');
    expect(code(await floor.raise(1))).toBe('unavailable/floor-missing');
    expect(unwrap(await floor.isDefined())).toBe(false);
    unwrap(await floor.define());
    unwrap(await floor.define());
    expect(unwrap(await floor.isDefined())).toBe(true);
    expect(unwrap(await floor.read())).toBe(0);
    for (const [epoch, reached] of [
      [2, 2],
      [1, 2],
      [2, 2],
      [64, 64],
    ] as const) {
      unwrap(await floor.raise(epoch));
      expect(unwrap(await floor.read())).toBe(reached);
    }
    expect(code(await floor.raise(65))).toBe('protocol/field-invalid');
  });

  test('is never below the TPM, whatever disk is put back, nor below the disk', async () => {
    const { tpm, kept, floor } = device();
    unwrap(await floor.define());
    const early = new Map(kept);
    unwrap(await floor.raise(3));
    expect(unwrap(await deviceFloor(tpm, memoryStore(early)).read())).toBe(3);
    const behind = memoryTpmFloor();
    unwrap(await behind.define());
    const ahead = deviceFloor(behind, memoryStore(kept));
    expect(unwrap(await ahead.read())).toBe(3);
    unwrap(await ahead.raise(4));
    expect(unwrap(await behind.read())).toBe(4);
  });

  test('of a device from before there was an index is the one that it had', async () => {
    const { tpm, floor } = device(new Map([['floor-epoch', Uint8Array.of(2)]]));
    expect(code(await floor.read())).toBe('unavailable/floor-missing');
    unwrap(await floor.define());
    expect(unwrap(await tpm.read())).toBe(2);
    expect(unwrap(await floor.read())).toBe(2);
  });

  test('stays the one that it had where the release approves no epoch so high', async () => {
    const { tpm, kept } = device(new Map([['floor-epoch', Uint8Array.of(2)]]));
    const floor = deviceFloor({ ...tpm, raise: async () => deny('policy', 'floor-unapproved') }, memoryStore(kept));
    unwrap(await floor.define());
    expect(unwrap(await tpm.read())).toBe(0);
    expect(unwrap(await floor.read())).toBe(2);
    expect(code(await floor.raise(3))).toBe('policy/floor-unapproved');
  });

  test('row 47: of a TPM that was cleared is gone, and is not made again', async () => {
    const { tpm, floor } = device();
    unwrap(await floor.define());
    unwrap(await floor.raise(1));
    tpm.clear();
    for (const refused of [floor.read(), floor.raise(2), floor.define(), floor.isDefined()])
      expect(code(await refused)).toBe('integrity/tpm-cleared');
    expect(unwrap(await tpm.read())).toBeUndefined();
  });

  test('row 47: of a TPM that does not answer is not known, whatever the disk says', async () => {
    const { tpm, floor } = device();
    unwrap(await floor.define());
    for (const failure of [deny('unavailable', 'tpm-missing'), deny('unavailable', 'tpm-locked-out')]) {
      tpm.fail(failure);
      for (const refused of [floor.read(), floor.raise(1), floor.define()])
        expect(code(await refused)).toBe(codeOf(failure.fault));
    }
  });

  test('that the TPM did not take is not written down beside it', async () => {
    const { tpm, kept } = device();
    const floor = deviceFloor({ ...tpm, raise: async () => ({ ok: true, value: undefined }) }, memoryStore(kept));
    unwrap(await floor.define());
    expect(code(await floor.raise(1))).toBe('integrity/read-back-mismatch');
    expect(unwrap(await floor.read())).toBe(0);
  });

  test('whose number cannot be read is none', async () => {
    for (const bytes of [Uint8Array.of(65), new Uint8Array(2), new Uint8Array()]) {
      const { floor } = device(new Map([['floor-epoch', bytes]]));
      unwrap(await floor.define().then((defined) => (defined.ok ? defined : { ok: true as const, value: undefined })));
      expect(code(await floor.read())).toBe('unavailable/storage-failed');
      expect(code(await floor.raise(1))).toBe('unavailable/storage-failed');
    }
  });
});
