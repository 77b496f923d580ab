/** The way to a segment that starts from any image: what it takes from the slot, what it fetches, and that it only ever falls down. */
import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { nextImage, sampleImage } from '../payload/images.fixture.ts';
import { blockBytes } from '../payload/limits.ts';
import type { FetchRange } from './fetch.ts';
import { type MemoryMachine, newMachine } from './machine.fixture.ts';
import { anySource, oldRelease, type TestRelease } from './releases.fixture.ts';
import { refusal, run } from './run.fixture.ts';

const oldImage = oldRelease.slotContent.subarray(0, oldRelease.facts.imageBytes);
const blocksOf = (image: Uint8Array) =>
  Array.from({ length: image.length / blockBytes }, (_, at) => image.subarray(at * blockBytes, (at + 1) * blockBytes));
/** Blocks that moved, and a few that are new. */
const moved = await anySource('moved', concat(...blocksOf(oldImage).toReversed(), sampleImage('new', 3)));
const machineFor = (release: TestRelease) => newMachine({ known: [oldRelease, release] });
const isWritten = (machine: MemoryMachine, release: TestRelease) => expect(machine.contentOf('b')?.name).toBe(release.name);

describe('from any image', () => {
  test('what moved is taken from the running slot, what is new is fetched, and nothing else', async () => {
    const machine = await machineFor(moved);
    const { code, made, asked, fetchedBytes } = await run(machine, { release: moved });
    expect(code).toBe('accepted');
    expect(made).toMatchObject({ adaptive: 4, full: 0 });
    expect(asked.filter((path) => path === 'full.pieces')).toEqual([]);
    const { locator } = moved.files.units ?? { locator: { lengthBytes: 0 } };
    expect(fetchedBytes - locator.lengthBytes - moved.files.index.lengthBytes).toBeLessThan(moved.payload.full.pieces.length / 8);
    isWritten(machine, moved);
  });

  test('where every block is new, all of it is fetched', async () => {
    const release = await anySource('strange', sampleImage('strange', 130));
    const machine = await machineFor(release);
    expect((await run(machine, { release })).made).toMatchObject({ adaptive: 3, full: 0 });
    isWritten(machine, release);
  });

  test('changes within blocks and zeros are made too', async () => {
    const release = await anySource('next', nextImage('any', oldImage));
    const machine = await machineFor(release);
    expect((await run(machine, { release })).made).toMatchObject({ adaptive: 4, full: 0 });
    isWritten(machine, release);
  });

  test('a device that does not know what it runs takes the full recipe', async () => {
    const machine = await machineFor(moved);
    expect((await run(machine, { release: moved, knowsBase: false })).made).toMatchObject({ adaptive: 0, full: 4 });
  });
});

describe('falls down, and the update is made all the same', () => {
  const spoilt = async (
    mirror: FetchRange,
    spoils: (path: string) => boolean,
  ): Promise<readonly [string, MemoryMachine, unknown]> => {
    const machine = await machineFor(moved);
    const wrong: FetchRange = async (path, offset, length, signal) => {
      const answer = unwrap(await mirror(path, offset, length, signal)).slice();
      if (spoils(path)) answer[answer.length >> 1] = (answer[answer.length >> 1] as number) ^ 1;
      return ok(answer);
    };
    const { code, made } = await run(machine, { release: moved, mirrors: [wrong] });
    return [code, machine, made];
  };

  test.each(['units.pieces', 'units.locator'])('where %s comes wrong from every mirror', async (name) => {
    const [code, machine, made] = await spoilt(moved.fetch, (path) => path.endsWith(name));
    expect([code, made]).toEqual([
      'accepted',
      { same: 0, pair: 0, ...(name === 'units.locator' ? all(4) : { adaptive: 3, full: 1 }) },
    ]);
    isWritten(machine, moved);
  });

  test('where a locator of another image is pinned', async () => {
    const other = await anySource('other', sampleImage('other', moved.facts.imageBytes / blockBytes));
    const release = { ...moved, files: { ...moved.files, units: other.files.units as NonNullable<typeof other.files.units> } };
    const both: FetchRange = (path, ...rest) => (path.startsWith('other') ? other.fetch : moved.fetch)(path, ...rest);
    const machine = await machineFor(moved);
    expect((await run(machine, { release, mirrors: [both] })).made).toMatchObject({ adaptive: 0, full: 4 });
    isWritten(machine, moved);
  });

  test('where a hint misleads: the slot says another thing than when it was looked through', async () => {
    const machine = await machineFor(moved);
    const looked = new Set<number>();
    const noise = seededRandom('rot');
    const source = ({ media }: MemoryMachine) => ({
      sizeBytes: media.a.sizeBytes,
      async read(offset: number, length: number) {
        const isFirst = !looked.has(offset) && offset % (64 * blockBytes) === 0;
        looked.add(offset);
        const read = await media.a.read(offset, length);
        return isFirst || offset > 40 * blockBytes ? read : ok(noise.bytes(length));
      },
    });
    const { code, made } = await run(machine, { release: moved, source });
    expect([code, (made?.adaptive ?? 0) > 0, (made?.full ?? 0) > 0]).toEqual(['accepted', true, true]);
    isWritten(machine, moved);
  });

  test('where a part of the slot cannot be read: that part is fetched, as if it were nowhere', async () => {
    const machine = await machineFor(moved);
    const source = ({ media }: MemoryMachine) => ({
      sizeBytes: media.a.sizeBytes,
      read: async (offset: number, length: number) =>
        offset < 64 * blockBytes ? deny('unavailable', 'storage-failed', 'EIO') : media.a.read(offset, length),
    });
    expect((await run(machine, { release: moved, source })).made).toMatchObject({ adaptive: 4, full: 0 });
    isWritten(machine, moved);
  });

  test('not where nothing can be fetched at all', async () => {
    const machine = await machineFor(moved);
    const indexAlone: FetchRange = (path, ...rest) =>
      path.endsWith('index') ? moved.fetch(path, ...rest) : Promise.resolve(deny('unavailable', 'peer-unreachable'));
    expect(refusal((await run(machine, { release: moved, mirrors: [indexAlone] })).result)).toBe('unavailable/peer-unreachable');
  });
});

const all = (full: number) => ({ adaptive: 0, full });
