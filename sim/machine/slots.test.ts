/** The boot manager of a simulated machine, over the files that the factory made. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { factoryRelease } from '#agents/hands/updates.fixture';
import { recordedBootControl } from '#hal/core/boot-record';
import { codeOf, deny, type Failure, unwrap } from '#hal/core/result';
import { floorApprovals } from '#hal/tpm/floor.fixture';
import { emptyEntry } from '#ota-client/slots/ledger';
import { equipSlots } from './factory.ts';
import { type SlotFiles, slotFiles } from './layout.ts';
import { type MachineSlots, openSlots, startSlot } from './slots.ts';

const { facts, image } = factoryRelease;
const tries = 3;

describe('a power-on of a simulated machine', () => {
  let directory: string;
  let files: SlotFiles;
  let machine: MachineSlots;
  let refused: string[];
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-slots-'));
    files = slotFiles(directory);
    const trust = { hardware: 'x', quorums: [], soakMs: 0 };
    unwrap(await equipSlots(files, { release: factoryRelease, trust, floor: floorApprovals(0), slotBytes: 1 }));
    machine = unwrap(await openSlots(files));
    refused = [];
  });
  afterEach(async () => {
    await machine.close();
    rmSync(directory, { recursive: true });
  });

  const onRefused = (slot: string, { fault }: Failure) => refused.push(`${slot} ${codeOf(fault)}`);
  const powerOn = async () => {
    const started = await startSlot(machine, onRefused);
    return started.ok ? started.value.slot : codeOf(started.fault);
  };
  const control = () => recordedBootControl(machine.boot, async () => deny('unavailable', 'not-supported'));
  const state = async () => unwrap(await machine.boot.read()).slots;
  const flip = (slot: 'a' | 'b', offset: number) => {
    const bytes = readFileSync(files[slot]);
    bytes[offset] = (bytes[offset] ?? 0) ^ 1;
    writeFileSync(files[slot], bytes);
  };
  /** Slot b holds the same release, written and proved. */
  const fillOther = async () => {
    writeFileSync(files.b, readFileSync(files.a));
    const { a } = unwrap(await machine.ledger.read());
    unwrap(await machine.ledger.write({ a, b: a }));
  };

  test('starts what the factory put into slot a, and measures the root hash of its image', async () => {
    expect(unwrap(await startSlot(machine, onRefused))).toEqual({ slot: 'a', verityRoot: facts.verityRoot });
    expect(statSync(files.a).size).toBe(statSync(files.b).size);
    expect(statSync(files.b).size).toBeGreaterThanOrEqual(2 * image.length);
    expect(refused).toEqual([]);
  });

  test('spends one try on a trial that is its image, and none on a good slot', async () => {
    await fillOther();
    unwrap(await control().armTrial('b', tries));
    expect([await powerOn(), (await state()).b.triesLeft]).toEqual(['b', tries - 1]);
    expect([await powerOn(), (await state()).b.triesLeft]).toEqual(['b', tries - 2]);
    expect([await powerOn(), (await state()).b.triesLeft]).toEqual(['b', 0]);
    expect(await powerOn()).toBe('a');
    expect((await state()).a).toEqual({ state: 'good', triesLeft: 0 });
  });

  test.each([
    ['a bit of its image', 12_345],
    ['a bit of its hash tree', image.length + 4096 + 17],
    ['a bit of its superblock', image.length + 100],
  ])('spends all tries of a trial in which %s is another one, and starts the other slot', async (_, offset) => {
    await fillOther();
    flip('b', offset);
    unwrap(await control().armTrial('b', tries));
    expect(await powerOn()).toBe('a');
    expect((await state()).b).toEqual({ state: 'trial', triesLeft: 0 });
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatch(/^b integrity\//);
  });

  test('passes a good slot over that is not its image, as long as the other one is', async () => {
    await fillOther();
    unwrap(await control().markFallback('b'));
    flip('a', 0);
    expect(await powerOn()).toBe('b');
    expect(refused).toEqual(['a integrity/boot-unverified']);
    flip('a', 0);
    expect(await powerOn()).toBe('a');
  });

  test('is dead where no slot is its image, and says so in a bounded time', async () => {
    await fillOther();
    unwrap(await control().armTrial('b', 7));
    flip('a', 1);
    flip('b', 1);
    expect(await powerOn()).toBe('unavailable/storage-failed');
    expect(refused.toSorted()).toEqual(['a integrity/boot-unverified', 'b integrity/boot-unverified']);
  });

  test('starts no slot of which nobody says what must be in it', async () => {
    unwrap(await machine.ledger.write({ a: emptyEntry, b: emptyEntry }));
    expect(await powerOn()).toBe('unavailable/storage-failed');
    const other = { ...facts, verityRoot: new Uint8Array(32) };
    unwrap(await machine.ledger.write({ a: { ...emptyEntry, content: 'verified', release: other }, b: emptyEntry }));
    expect(await powerOn()).toBe('unavailable/storage-failed');
    expect(refused).toEqual(['a integrity/boot-unverified', 'a integrity/boot-unverified']);
  });
});
