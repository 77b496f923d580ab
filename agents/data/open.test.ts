import { expect, test } from 'vitest';
import { equalBytes } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import type { DataVolume, VolumeState } from '#hal/ports/data-volume';
import { type BootSeal, openData, openInPhase } from './open.ts';

/** A volume and what is in it: the key it was made with. */
interface Kept {
  state: VolumeState;
  key?: Uint8Array;
}

const volumeOf = (kept: Kept, said: string[] = [], cutAt?: keyof DataVolume): DataVolume => {
  const step = (name: keyof DataVolume, change: () => void): Result<void> => {
    said.push(name);
    if (name === cutAt) return deny('unavailable', 'storage-failed', 'cut');
    change();
    return done;
  };
  return {
    inspect: async () => ok(kept.state),
    make: async (key) =>
      step('make', () => {
        kept.state = { is: 'unfinished' };
        kept.key = key.slice();
      }),
    finish: async (sealedKey) =>
      step('finish', () => {
        kept.state = { is: 'whole', sealedKey };
      }),
    open: async (key) =>
      kept.key !== undefined && equalBytes(kept.key, key)
        ? step('open', () => undefined)
        : deny('unavailable', 'storage-failed', 'No key available with this passphrase.'),
  };
};

/** What one TPM sealed no other opens. */
const sealOf = (mask: number): BootSeal => ({
  prepare: async () => done,
  seal: async (secret) => ok(Uint8Array.of(mask, ...secret.map((byte) => byte ^ mask))),
  unseal: async (sealed) =>
    sealed[0] === mask ? ok(sealed.slice(1).map((byte) => byte ^ mask)) : deny('unavailable', 'tpm-failed', 'integrity'),
});
const random = () => seededRandom('data');
const closed = { ok: false, fault: { category: 'integrity', reason: 'data-closed' } };

test('a partition as it left the factory is made once, and opened from then on', async () => {
  const kept: Kept = { state: { is: 'empty' } };
  expect(await openData(volumeOf(kept), sealOf(5), random())).toEqual(ok('made'));
  expect(await openData(volumeOf(kept), sealOf(5), random())).toEqual(ok('opened'));
});

test('with another TPM it stays closed, and nothing of it is written over', async () => {
  const kept: Kept = { state: { is: 'empty' } };
  await openData(volumeOf(kept), sealOf(5), random());
  const said: string[] = [];
  expect(await openData(volumeOf(kept, said), sealOf(6), random())).toMatchObject(closed);
  expect(said).toEqual([]);
  expect(await openData(volumeOf(kept), sealOf(5), random())).toEqual(ok('opened'));
});

test.each(['make', 'finish'] as const)('cut at %s it is made again at the next start', async (cutAt) => {
  const kept: Kept = { state: { is: 'empty' } };
  expect(await openData(volumeOf(kept, [], cutAt), sealOf(5), random())).toMatchObject(closed);
  expect(await openData(volumeOf(kept), sealOf(5), random())).toEqual(ok('made'));
  expect(await openData(volumeOf(kept), sealOf(5), random())).toEqual(ok('opened'));
});

test('what sealing rests on is made with the volume, and never for one that is whole: a cleared TPM gets no new floor (SR-08)', async () => {
  const kept: Kept = { state: { is: 'empty' } };
  let prepared = 0;
  const counted = (mask: number): BootSeal => ({
    ...sealOf(mask),
    prepare: async () => {
      prepared += 1;
      return done;
    },
  });
  await openData(volumeOf(kept), counted(5), random());
  expect(prepared).toBe(1);
  expect(await openData(volumeOf(kept), counted(6), random())).toMatchObject(closed);
  expect(await openData(volumeOf(kept), counted(5), random())).toEqual(ok('opened'));
  expect(prepared).toBe(1);
});

test('what this boot could not open again is not made', async () => {
  const said: string[] = [];
  const deaf: BootSeal = { ...sealOf(5), unseal: sealOf(6).unseal };
  expect(await openData(volumeOf({ state: { is: 'empty' } }, said), deaf, random())).toMatchObject(closed);
  expect(said).toEqual([]);
});

test.each<VolumeState>([{ is: 'empty' }, { is: 'unfinished' }])('without a TPM nothing is made: $is', async (state) => {
  const said: string[] = [];
  const none: BootSeal = {
    prepare: async () => deny('unavailable', 'tpm-missing'),
    seal: async () => deny('unavailable', 'tpm-missing'),
    unseal: async () => deny('unavailable', 'tpm-missing'),
  };
  expect(await openData(volumeOf({ state }, said), none, random())).toMatchObject(closed);
  expect(said).toEqual([]);
});

test('a partition that cannot be read, or with something else on it, is left alone', async () => {
  const said: string[] = [];
  const foreign = {
    ...volumeOf({ state: { is: 'empty' } }, said),
    inspect: async () => deny('unavailable', 'storage-failed', 'foreign'),
  };
  expect(await openData(foreign, sealOf(5), random())).toEqual(deny('integrity', 'data-closed', 'foreign'));
  expect(said).toEqual([]);
});

const fall = async (): Promise<never> => {
  throw new TypeError('Cannot convert object to primitive value');
};

test('the phase of the boot ends after the opening, also where that throws: the data stays closed (SR-07)', async () => {
  const said: string[] = [];
  const end = async () => {
    said.push('ended');
    return done;
  };
  const opened = await openInPhase(async () => {
    said.push('opened');
    return ok('opened');
  }, end);
  expect(opened).toEqual({ opened: ok('opened'), ended: done });
  expect(said).toEqual(['opened', 'ended']);
  expect(await openInPhase(fall, end)).toMatchObject({ opened: closed, ended: done });
  expect(said).toEqual(['opened', 'ended', 'ended']);
});

test('a phase that does not end is told, also where ending it throws', async () => {
  const refuse = async () => deny('unavailable', 'tpm-failed');
  expect(await openInPhase(async () => ok('made'), refuse)).toMatchObject({ ended: { ok: false } });
  expect(await openInPhase(async () => ok('made'), fall)).toMatchObject({ opened: ok('made'), ended: { ok: false } });
});
