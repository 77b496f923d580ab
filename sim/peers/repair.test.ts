/** What recovery decides, over media in memory and the real repository of the administration (SR-12, SR-33). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { repair } from '#agents/recovery/repair';
import type { RepairTrust } from '#agents/recovery/repair-trust';
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { toHex } from '#hal/core/bytes';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryBlockDevice, memorySlots } from '#hal/memory/block-device';
import { chooseSlot } from '#hal/memory/boot-loader';
import { targetEntry } from '#ota-client/repository/compose';
import { provisionSlots } from '#ota-client/slots/factory';
import { emptyEntry, ledgerStore, type SlotEntry } from '#ota-client/slots/ledger';
import { repairPath } from '#ota-client/trust/repair';
import { flipBits } from './mirror.ts';
import type { BuiltPlan, ReleasePlan } from './release-plans.ts';
import { code, folderMirror, type ReleaseSite, releaseSite, slotContent } from './releases.fixture.ts';

let site: ReleaseSite;
beforeEach(async () => {
  site = await releaseSite();
});
afterEach(() => site.dispose());

const never = new AbortController().signal;
const plan: ReleasePlan = { id: 'repair-2', class: 'repair', counter: 2 };
const published = async (changes: Partial<ReleasePlan> = {}, edit = (built: BuiltPlan) => built): Promise<BuiltPlan> => {
  const built = edit(unwrap(await site.releases.build({ ...plan, ...changes })));
  site.makeLive(built);
  unwrap(await site.releases.publish(built));
  return built;
};

/** A device whose slots hold nothing that starts; its ledger says that slot a is the factory's. */
const brokenDevice = async () => {
  const { factory } = site.releases;
  const slotBytes = 2 * slotContent(factory).length;
  const media = { a: memoryBlockDevice(slotBytes), b: memoryBlockDevice(slotBytes) };
  const record = bootRecordStore(memoryBlockDevice(twinRecordBytes));
  const ledger = ledgerStore(memoryBlockDevice(twinRecordBytes));
  unwrap(await provisionSlots(record, ledger, factory.facts));
  const lines: string[] = [];
  return {
    ...{ media, record, ledger, lines },
    untouched: async () => media.b.durable().every((byte) => byte === 0) && (await chooseSlot(record)).ok,
    recover(read = folderMirror(site), trust: Partial<RepairTrust> = {}): Promise<Result<void>> {
      const { keys, threshold, hardware } = site.releases.policyOf('repair');
      return repair(
        {
          ...{ crypto: nodeCrypto, clock: site.clock, read, ledger, slots: memorySlots(media) },
          trust: { keys, threshold, hardware, root: site.releases.root, ...trust },
          boot: recordedBootControl(record, async () => ok({ slot: 'a', verityRoot: new Uint8Array(32) })),
          say: (line) => void lines.push(line),
        },
        never,
      );
    },
  };
};
type BrokenDevice = Awaited<ReturnType<typeof brokenDevice>>;

/** Another release in a slot, as the ledger has it. */
const holds = async (
  { ledger }: BrokenDevice,
  slot: 'a' | 'b',
  counter: number,
  more: Partial<SlotEntry> = {},
  floorEpoch = 0,
) => {
  const release = { ...site.releases.factory.facts, counter, floorEpoch };
  unwrap(
    await ledger.write({ ...unwrap(await ledger.read()), [slot]: { ...emptyEntry, content: 'verified', release, ...more } }),
  );
};

describe('recovery', () => {
  test('writes the repair release to the slot that is not preferred, and it starts next (SR-12)', async () => {
    const { image, facts } = await published();
    const device = await brokenDevice();
    expect(code(await device.recover())).toBe('ok');
    expect(toHex(device.media.b.durable().slice(0, image.length))).toBe(toHex(image));
    expect(device.media.a.durable().every((byte) => byte === 0)).toBe(true);
    expect(unwrap(await device.ledger.read()).b).toMatchObject({ content: 'verified', release: facts });
    expect(unwrap(await chooseSlot(device.record))).toBe('b');
    expect(device.lines[0]).toBe('slot a: committed, release 1');
    expect(device.lines).toContain('slot b: empty');
  });

  test('asks for nothing while a trial has tries left, and does not try again what has failed', async () => {
    await published();
    const device = await brokenDevice();
    unwrap(await device.recover());
    const unasked = async () => deny('unavailable', 'peer-unreachable', 'not to be asked');
    for (let tries = 3; tries > 0; tries -= 1) {
      expect(code(await device.recover(unasked))).toBe('ok');
      expect(unwrap(await chooseSlot(device.record))).toBe('b');
    }
    expect(code(await device.recover())).toBe('policy/release-current');
    expect(unwrap(await device.ledger.read()).b).toMatchObject({ content: 'failed', reason: 'tries-exhausted' });
    await published({ id: 'repair-3', counter: 3 });
    expect(code(await device.recover())).toBe('ok');
  });

  test('goes on from wherever the network ended', async () => {
    const { image } = await published();
    const mirror = folderMirror(site);
    for (let cutAt = 0, isDone = false; !isDone; cutAt += 1) {
      const device = await brokenDevice();
      let asked = 0;
      const cut: typeof mirror = async (...words) =>
        asked++ < cutAt ? mirror(...words) : deny('unavailable', 'peer-unreachable', 'cut');
      const first = await device.recover(cut);
      isDone = first.ok;
      if (!first.ok) expect(code(first), `cut at request ${cutAt}`).toBe('unavailable/peer-unreachable');
      expect(code(await device.recover()), `cut at request ${cutAt}`).toBe('ok');
      expect(toHex(device.media.b.durable().slice(0, image.length))).toBe(toHex(image));
      if (isDone) expect(cutAt).toBeGreaterThan(5);
    }
  });

  test('a mirror that changes bits is found out, and what it sent is never started', async () => {
    await published();
    const device = await brokenDevice();
    const mirror = folderMirror(site);
    const flip = flipBits();
    const hostile: typeof mirror = async (path, offset, length, signal) => {
      const read = await mirror(path, offset, length, signal);
      return read.ok ? ok(flip(path, offset, read.value)) : read;
    };
    expect(code(await device.recover(hostile))).toBe('integrity/segment-mismatch');
    expect(unwrap(await chooseSlot(device.record))).toBe('a');
    expect(unwrap(await device.ledger.read()).b).toMatchObject({ content: 'writing', writtenSegments: 0 });
  });
});

describe('recovery writes nothing', () => {
  const refused = async (device: BrokenDevice, trust: Partial<RepairTrust> = {}): Promise<string> => {
    const repaired = await device.recover(folderMirror(site), trust);
    expect(await device.untouched()).toBe(true);
    expect(unwrap(await device.ledger.read()).b.content).not.toBe('writing');
    return code(repaired);
  };
  const ofAnother =
    (hw: string) =>
    (built: BuiltPlan): BuiltPlan => ({
      ...built,
      entry: targetEntry(nodeCrypto, repairPath('simulated'), built.manifest, { releaseCounter: 2, floorEpoch: 0, hw: [hw] }),
    });

  test('where no repair is published', async () => {
    expect(await refused(await brokenDevice())).toBe('policy/target-missing');
  });

  test('whose statement one custodian alone signed (SR-09)', async () => {
    await published({ statementSigners: 1 });
    expect(await refused(await brokenDevice())).toBe('integrity/signature-missing');
  });

  test.each([
    ['custodian', 'integrity/custodians-missing'],
    ['signature', 'integrity/signature-missing'],
  ] as const)('where the repository lacks a %s (SR-09)', async (missing, wanted) => {
    site.releases.takeOver(missing);
    await published();
    expect(await refused(await brokenDevice())).toBe(wanted);
  });

  test('that custodians of another class than the device believes signed (SR-03)', async () => {
    await published();
    const { keys } = site.releases.policyOf('os');
    expect(await refused(await brokenDevice(), { keys })).toBe('integrity/signature-missing');
  });

  test('of other hardware, by its name, by its metadata', async () => {
    await published({}, ofAnother('another-board'));
    expect(await refused(await brokenDevice(), { hardware: 'another-board' })).toBe('policy/target-missing');
    expect(await refused(await brokenDevice())).toBe('policy/hardware-mismatch');
  });

  test.each([
    ['as old as the preferred slot', 'a', 2, {}, 'policy/release-current'],
    ['older than it', 'a', 3, {}, 'integrity/release-rollback'],
    ['older than what failed in the other', 'b', 3, { content: 'failed', reason: 'agents' }, 'integrity/release-rollback'],
  ] as const)('%s', async (_, slot, counter, more, wanted) => {
    await published();
    const device = await brokenDevice();
    await holds(device, slot, counter, more);
    expect(await refused(device)).toBe(wanted);
  });

  test('below the floor that a committed release may have raised (SR-08)', async () => {
    await published({ floorEpoch: 1 });
    const device = await brokenDevice();
    await holds(device, 'a', 1, {}, 2);
    expect(await refused(device)).toBe('integrity/below-floor');
  });

  test('whose statement says other numbers than its metadata', async () => {
    await published({ floorEpoch: 1 }, ofAnother('simulated'));
    expect(await refused(await brokenDevice())).toBe('integrity/target-mismatch');
  });

  test('of a repository whose root is not the one in the image (SR-09)', async () => {
    await published();
    const root = site.releases.root.slice();
    root[root.length - 20] = (root[root.length - 20] ?? 0) ^ 1;
    expect(await refused(await brokenDevice(), { root })).toMatch(/^(?:integrity|protocol)\//);
  });
});
