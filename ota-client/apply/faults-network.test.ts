/** Rows 33 to 38 of the fault table in docs/threat-model.md, each by its number: network, source, sizes. */
import { describe, expect, test } from 'vitest';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import type { Slots } from '#hal/ports/slots';
import { nextImage, sampleImage } from '../payload/images.fixture.ts';
import { blockBytes } from '../payload/limits.ts';
import { hashAreaBytes } from '../payload/verity.ts';
import { type FetchRange, fetcher } from './fetch.ts';
import { type InstallProgress, install } from './install.ts';
import { type MemoryMachine, newMachine } from './machine.fixture.ts';
import { clock, newRelease, oldRelease, slotBytes, testRelease } from './releases.fixture.ts';
import { never, run } from './run.fixture.ts';
import { expectSound, runningImage, updateTo } from './update.fixture.ts';

/** The nth answer for a path is spoilt. */
const spoiling = (suffix: string, spoil: (bytes: Uint8Array) => Result<Uint8Array>, times = 1): FetchRange => {
  let left = times;
  return async (path, offset, length, signal) => {
    const answer = await newRelease.fetch(path, offset, length, signal);
    if (!answer.ok || !path.endsWith(suffix) || left === 0) return answer;
    left -= 1;
    return spoil(answer.value);
  };
};
const flipped = (bytes: Uint8Array): Result<Uint8Array> => {
  const changed = bytes.slice();
  changed[changed.length >> 1] = (changed[changed.length >> 1] as number) ^ 1;
  return ok(changed);
};

describe('what comes over the network', () => {
  test('an honest mirror: most of the image from the running slot, the rest in few bytes', async () => {
    const machine = await newMachine();
    const { code, made, fetchedBytes } = await run(machine);
    expect(code).toBe('accepted');
    expect(made).toEqual({ same: 0, pair: 4, adaptive: 0, full: 0 });
    expect(fetchedBytes).toBeLessThan(newRelease.payload.full.pieces.length / 3);
    expect(machine.contentOf('b')?.name).toBe('r2');
  });

  test('a device that does not know what it runs takes the full recipe', async () => {
    const machine = await newMachine();
    const { code, made } = await run(machine, { knowsBase: false });
    expect([code, made]).toEqual(['accepted', { same: 0, pair: 0, adaptive: 0, full: 4 }]);
  });

  test('row 33: a body too long, too short or empty is asked for again, and never spliced', async () => {
    for (const suffix of ['index', 'full.recipe', 'full.pieces'])
      for (const length of [0, 10, 10_000_000]) {
        const machine = await newMachine();
        const spoilt = spoiling(suffix, (bytes) =>
          ok(length > bytes.length ? Uint8Array.from([...bytes, 0]) : bytes.slice(0, length)),
        );
        expect((await run(machine, { mirrors: [spoilt], knowsBase: false })).code).toBe('accepted');
        expect(machine.contentOf('b')?.name).toBe('r2');
      }
  });

  test('row 33: of a file that the release says is longer than one may be, nothing is asked for', async () => {
    const asked: number[] = [];
    const mirror: FetchRange = async (_path, _offset, length) => {
      asked.push(length);
      return ok(new Uint8Array(length));
    };
    const file = { path: 'index', sha256: new Uint8Array(32), lengthBytes: 101 };
    expect(await fetcher([mirror], never).file(file, 100)).toMatchObject({ ok: false, fault: { reason: 'too-large' } });
    expect(asked).toEqual([]);
    expect(await fetcher([mirror], never).file(file, 101)).toMatchObject({ ok: false, fault: { reason: 'target-mismatch' } });
    expect(asked).not.toEqual([]);
  });

  test('row 34: a server that ignores the range, or whose file changed under way, is found out', async () => {
    const ignoring: FetchRange = (path, offset, length, signal) =>
      path.endsWith('pieces') ? newRelease.fetch(path, 0, length, signal) : newRelease.fetch(path, offset, length, signal);
    const machine = await newMachine();
    expect((await run(machine, { mirrors: [ignoring], knowsBase: false })).code).toBe('integrity/segment-mismatch');
    expect((await run(machine, { mirrors: [ignoring, newRelease.fetch], knowsBase: false })).code).toBe('accepted');
    const noise = seededRandom('etag');
    const changing: FetchRange = async (_path, _offset, length) => ok(noise.bytes(length));
    expect((await run(await newMachine(), { mirrors: [changing] })).code).toBe('integrity/target-mismatch');
  });

  test('row 35: one bit flipped: that piece alone is fetched again', async () => {
    const machine = await newMachine();
    const { code, asked, fetchedBytes } = await run(machine, { mirrors: [spoiling('full.pieces', flipped)], knowsBase: false });
    expect(code).toBe('accepted');
    const clean = await run(await newMachine(), { knowsBase: false });
    expect(asked.length).toBe(clean.asked.length + 1);
    expect(fetchedBytes - clean.fetchedBytes).toBeLessThan(newRelease.payload.full.pieces.length / 2);
  });

  test('row 35: three times wrong: another mirror, then a stop that keeps what is durable', async () => {
    const broken = spoiling('full.pieces', flipped, 1000);
    const other = await newMachine();
    const { code, asked } = await run(other, { mirrors: [broken, newRelease.fetch], knowsBase: false });
    expect(code).toBe('accepted');
    expect(asked.filter((path) => path === 'full.pieces').length).toBeGreaterThanOrEqual(4);
    const machine = await newMachine();
    const stopped = await run(machine, { mirrors: [broken], knowsBase: false });
    expect(stopped.code).toBe('integrity/segment-mismatch');
    expect(stopped.asked.filter((path) => path === 'full.pieces').length).toBe(3);
    expect((await run(machine)).code).toBe('accepted');
  });

  test('a mirror that is down gives over to the next; none left is a refusal', async () => {
    const down: FetchRange = async () => deny('unavailable', 'peer-unreachable');
    expect((await run(await newMachine(), { mirrors: [down, newRelease.fetch] })).code).toBe('accepted');
    expect((await run(await newMachine(), { mirrors: [down] })).code).toBe('unavailable/peer-unreachable');
    expect((await run(await newMachine(), { mirrors: [] })).code).toBe('unavailable/peer-unreachable');
  });

  test('row 36: an index or recipe of another image, correctly pinned, is refused before it is followed', async () => {
    const { files } = newRelease;
    const machine = await newMachine();
    const otherIndex = { ...newRelease, files: { ...files, index: oldRelease.files.index }, fetch: bothReleases };
    const { code } = await run(machine, { release: otherIndex });
    expect(code).toBe('integrity/payload-malformed');
    const otherRecipe = { ...newRelease, files: { ...files, full: oldRelease.files.full, pairs: [] }, fetch: bothReleases };
    expect((await run(machine, { release: otherRecipe, knowsBase: false })).code).toBe('integrity/payload-malformed');
  });
});

const bothReleases: FetchRange = async (path, offset, length, signal) => {
  const found = await newRelease.fetch(path, offset, length, signal);
  return found.ok ? found : oldRelease.fetch(path, offset, length, signal);
};

describe('row 37: a source block', () => {
  test('that cannot be read: the segment falls to the full recipe', async () => {
    const machine = await newMachine();
    const rotten = (from: MemoryMachine) => ({
      sizeBytes: slotBytes,
      read: async (offset: number, length: number) =>
        offset <= 20 * blockBytes && offset + length > 20 * blockBytes
          ? deny('unavailable', 'storage-failed', 'EIO')
          : from.media.a.read(offset, length),
    });
    const { code, made } = await run(machine, { source: rotten });
    expect(code).toBe('accepted');
    expect(made?.full).toBeGreaterThan(0);
    expect(made?.pair).toBeGreaterThan(0);
    expect(machine.contentOf('b')?.name).toBe('r2');
  });

  test('unlike the base release: every segment is still the signed one', async () => {
    const machine = await newMachine();
    const other = sampleImage('other', 250);
    const { code, made } = await run(machine, {
      source: () => ({ sizeBytes: slotBytes, read: async (offset, length) => ok(other.slice(offset, offset + length)) }),
    });
    expect([code, made?.full]).toEqual(['accepted', 4]);
    expect(machine.contentOf('b')?.name).toBe('r2');
  });

  test('of the same image: nothing is fetched but the index', async () => {
    const machine = await newMachine();
    unwrap(await updateTo(machine, newRelease, oldRelease));
    // b runs the new release; a is written again from it.
    const again = await testRelease('r2', 3, 3, nextImage('new', sampleImage('old', 200)));
    const parts = {
      mirrors: [again.fetch],
      installer: machine.hands.installer,
      clock,
      running: runningImage(machine, newRelease),
    };
    let made: InstallProgress['made'] | undefined;
    const onProgress = (progress: InstallProgress) => {
      made = progress.made;
    };
    unwrap(await install(again.order, again.files, { ...parts, onProgress }, never));
    expect(made).toEqual({ same: 4, pair: 0, adaptive: 0, full: 0 });
  });
});

describe('row 38: sizes', async () => {
  const image = sampleImage('sizes', 10);
  const needed = image.length + hashAreaBytes(image.length);
  const release = await testRelease('sizes', 9, 1, image.subarray(0, image.length - 100));
  const narrowed =
    (sizeBytes: number) =>
    (slots: Slots): Slots => ({
      open: async (slot, access) => {
        const opened = unwrap(await slots.open(slot, access));
        return ok({ ...opened, sizeBytes });
      },
    });

  test('a slot smaller than image and tree is refused before it is touched', async () => {
    const machine = await newMachine({ slots: narrowed(needed - 1) });
    expect((await run(machine, { release })).code).toBe('resource/slot-too-small');
    expect((await expectSound(machine)).slots.b.state).toBe('superseded');
  });

  test('a slot that just fits, an odd tail, and a slot that is larger: its tail stays untouched', async () => {
    const exact = await newMachine({ slots: narrowed(needed), known: [release, oldRelease] });
    expect((await run(exact, { release })).code).toBe('accepted');
    expect(exact.contentOf('b')?.name).toBe('sizes');
    const larger = await newMachine({ known: [release, oldRelease] });
    larger.media.b.load(new Uint8Array(blockBytes).fill(0x5a), needed);
    expect((await run(larger, { release })).code).toBe('accepted');
    expect(larger.media.b.durable().subarray(needed, needed + blockBytes)).toEqual(new Uint8Array(blockBytes).fill(0x5a));
  });
});
