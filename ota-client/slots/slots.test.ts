import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, deny, unwrap } from '#hal/core/result';
import { diagram, step, terminalStates } from '#hal/core/table';
import { maxValueBytes, twinRecord, twinRecordBytes } from '#hal/core/twin-record';
import { memoryBlockDevice } from '#hal/memory/block-device';
import type { BootSlot, BootState } from '#hal/ports/boot-control';
import { planFloor } from '../plan/floor.ts';
import { brokenByStep, brokenInvariants } from './invariants.ts';
import { emptyEntry, type Ledger, ledgerStore, type ReleaseFacts, type SlotEntry } from './ledger.ts';
import { type SlotEvent, type SlotState, slotStates, slotTable } from './table.ts';
import { targetFor } from './target.ts';
import { type SlotsView, settledLedger, viewSlots } from './view.ts';

const release = (counter: number, floorEpoch = 1): ReleaseFacts => ({
  digest: new Uint8Array(32).fill(counter),
  ...{ counter, floorEpoch, imageBytes: 4096 * counter },
  verityRoot: new Uint8Array(32).fill(100 + counter),
});

const events: readonly SlotEvent[] = [
  ...([
    'rewrite',
    'read-back',
    'damage',
    'arm',
    'keep',
    'try',
    'exhaust',
    'give-up',
    'commit',
    'other-commit',
    'floor-rise',
  ] as const),
];

describe('the slot table', () => {
  const allowed: Readonly<Record<SlotState, Partial<Record<SlotEvent, SlotState>>>> = {
    empty: { rewrite: 'writing' },
    writing: { rewrite: 'writing', 'read-back': 'verified', damage: 'failed' },
    verified: { rewrite: 'writing', arm: 'trial', keep: 'superseded' },
    trial: { rewrite: 'writing', try: 'trial', exhaust: 'failed', 'give-up': 'failed', commit: 'committed' },
    committed: { 'other-commit': 'superseded' },
    superseded: { rewrite: 'writing', commit: 'committed', return: 'trial', 'floor-rise': 'revoked' },
    failed: { rewrite: 'writing', 'give-up': 'failed' },
    revoked: { rewrite: 'writing' },
  };

  test.each(slotStates.flatMap((state) => events.map((event) => [state, event] as const)))('%s on %s', (state, event) => {
    const next = step(slotTable, state, event);
    expect(next.ok ? next.value.state : undefined).toBe(allowed[state][event]);
  });

  test('has no dead end: from every state a release can be written again, or the slot runs it', () => {
    expect(terminalStates(slotTable)).toEqual([]);
    expect(slotStates.filter((state) => !('rewrite' in slotTable[state]))).toEqual(['committed']);
  });

  test('is only made startable by what was read back or committed', () => {
    const orders = slotStates.flatMap((state) =>
      Object.values<readonly [SlotState, ...string[]] | undefined>(slotTable[state]).flatMap((cell) =>
        (cell ?? []).slice(1).map((action) => [state, action]),
      ),
    );
    expect(orders.filter(([, action]) => action === 'arm-trial' || action === 'mark-fallback').map(([state]) => state)).toEqual([
      'verified',
      'verified',
      'superseded',
    ]);
    expect(orders.filter(([, action]) => action === 'commit').map(([state]) => state)).toEqual(['trial', 'superseded']);
    expect(diagram(slotTable)).toContain('verified --> trial: arm / arm-trial');
  });
});

describe('the ledger', () => {
  const entry = fc.record({
    content: fc.constantFrom('writing', 'verified', 'failed' as const),
    release: fc.record({
      digest: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      counter: fc.maxSafeNat(),
      floorEpoch: fc.nat(64),
      imageBytes: fc.maxSafeNat(),
      verityRoot: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    }),
    writtenSegments: fc.nat(65_536),
    mismatches: fc.nat(3),
    reason: fc.constantFrom('', 'medium', 'below-floor'),
  }) as fc.Arbitrary<SlotEntry>;

  test('is read back as it was written', async () => {
    const device = memoryBlockDevice(twinRecordBytes);
    const store = ledgerStore(device);
    expect(unwrap(await store.read())).toEqual({ a: emptyEntry, b: emptyEntry });
    await fc.assert(
      fc.asyncProperty(fc.record({ a: entry, b: fc.oneof(entry, fc.constant(emptyEntry)) }), async (ledger) => {
        unwrap(await store.write(ledger));
        expect(unwrap(await store.read())).toEqual(ledger);
      }),
      { numRuns: 100 },
    );
  });

  test('of another version, or cut short inside a whole record, is a refusal and no guess', async () => {
    const device = memoryBlockDevice(twinRecordBytes);
    for (const value of [Uint8Array.of(2), new Uint8Array(), Uint8Array.of(1, 0, 0)]) {
      unwrap(await twinRecord(device, 'ENIGMLG1').write(value));
      const read = await ledgerStore(device).read();
      expect(read.ok ? 'accepted' : codeOf(read.fault)).toBe('unavailable/storage-failed');
    }
  });
});

describe('the ledger, as the hands tell it', () => {
  const failed = (reason: string): SlotEntry => ({ ...emptyEntry, content: 'failed', release: release(3), reason });
  const kept = async (reason: string) => {
    const store = ledgerStore(memoryBlockDevice(twinRecordBytes));
    unwrap(await store.write({ a: failed(reason), b: emptyEntry }));
    return unwrap(await store.read()).a.reason;
  };

  test('keeps a reason of 64 characters, and of a longer one what is still a slug', async () => {
    expect(await kept(`${'a'.repeat(62)}-b`)).toBe(`${'a'.repeat(62)}-b`);
    expect(await kept('a'.repeat(65))).toBe('a'.repeat(64));
    expect(await kept(`${'a'.repeat(63)}-b`)).toBe('a'.repeat(63));
  });

  /** Of slot a, in the layout of the ledger: content(1) ‖ digest(32) ‖ counter(8) ‖ epoch(4) ‖ image bytes(8) ‖ … */
  const [counterAt, imageBytesAt, reasonAt] = [1 + 1 + 32, 1 + 1 + 32 + 8 + 4, 1 + 1 + 84 + 4 + 1 + 1];
  test.each([
    ['a counter of 2^53', counterAt, [0, 0x20, 0, 0, 0, 0, 0, 0]],
    ['a size of 2^53', imageBytesAt, [0, 0x20, 0, 0, 0, 0, 0, 0]],
    ['a reason that is no slug', reasonAt, [...utf8('unwel-')]],
    ['a reason that is no text', reasonAt, [0xff]],
  ])('refuses %s, which no message of theirs takes', async (_, offset, bytes) => {
    const device = memoryBlockDevice(twinRecordBytes);
    unwrap(await ledgerStore(device).write({ a: failed('unwell'), b: emptyEntry }));
    const record = twinRecord(device, 'ENIGMLG1');
    const value = (unwrap(await record.read()) ?? expect.unreachable('a ledger was written')).slice();
    value.set(bytes, offset);
    unwrap(await record.write(value));
    const read = await ledgerStore(device).read();
    expect(read.ok ? 'accepted' : codeOf(read.fault)).toBe('unavailable/storage-failed');
  });
});

describe('a twin record', () => {
  const open = () => {
    const device = memoryBlockDevice(twinRecordBytes);
    return { device, record: twinRecord(device, 'ENIGMT01') };
  };

  test('with any one byte of the newer copy changed gives the newer or the older value, never another', async () => {
    const { device, record } = open();
    unwrap(await record.write(utf8('older')));
    unwrap(await record.write(utf8('newer')));
    const bytes = device.durable();
    for (let offset = 0; offset < twinRecordBytes; offset += offset % 4096 < 80 ? 1 : 509)
      for (const mask of [1, 0x80, 0xff]) {
        device.load(Uint8Array.of((bytes[offset] as number) ^ mask), offset);
        const value = Buffer.from(unwrap(await record.read()) ?? []).toString();
        expect(offset < 4096 ? ['newer'] : ['newer', 'older']).toContain(value);
        device.load(bytes.subarray(offset, offset + 1), offset);
      }
  });

  test('is nothing where both copies are torn, and of another kind nothing either', async () => {
    const { device, record } = open();
    unwrap(await record.write(utf8('value')));
    expect(unwrap(await twinRecord(device, 'ENIGMT02').read())).toBeUndefined();
    device.load(new Uint8Array(twinRecordBytes).fill(0xff));
    expect(unwrap(await record.read())).toBeUndefined();
    unwrap(await record.write(utf8('again')));
    expect(Buffer.from(unwrap(await record.read()) ?? []).toString()).toBe('again');
  });

  test('survives one copy that cannot be read; of two that cannot it says so', async () => {
    const { device, record } = open();
    unwrap(await record.write(utf8('one')));
    unwrap(await record.write(utf8('two')));
    const broken = (bad: (offset: number) => boolean) =>
      twinRecord(
        { ...device, read: async (o, l) => (bad(o) ? deny('unavailable', 'storage-failed') : device.read(o, l)) },
        'ENIGMT01',
      );
    expect(Buffer.from(unwrap(await broken((offset) => offset > 0).read()) ?? []).toString()).toBe('one');
    expect(Buffer.from(unwrap(await broken((offset) => offset === 0).read()) ?? []).toString()).toBe('two');
    expect(await broken(() => true).read()).toMatchObject({ ok: false, fault: { reason: 'storage-failed' } });
  });

  test('is read back: a medium that ignores writes is found out', async () => {
    const { device } = open();
    const ignoring = twinRecord({ ...device, write: async () => ({ ok: true, value: undefined }) }, 'ENIGMT01');
    expect(await ignoring.write(utf8('lost'))).toMatchObject({
      ok: false,
      fault: { category: 'integrity', reason: 'read-back-mismatch' },
    });
  });

  test('takes its largest value and refuses a byte more', async () => {
    const { record } = open();
    unwrap(await record.write(new Uint8Array(maxValueBytes)));
    expect(await record.write(new Uint8Array(maxValueBytes + 1))).toMatchObject({ ok: false, fault: { reason: 'storage-full' } });
    expect(() => twinRecord(memoryBlockDevice(twinRecordBytes), 'SHORT')).toThrow(/eight/);
  });
});

const bootSlots: readonly BootSlot[] = [
  { state: 'unbootable', triesLeft: 0 },
  { state: 'trial', triesLeft: 3 },
  { state: 'trial', triesLeft: 0 },
  { state: 'good', triesLeft: 0 },
];
const contents: readonly SlotEntry[] = [
  emptyEntry,
  ...(['writing', 'verified', 'failed'] as const).map((content) => ({ ...emptyEntry, content, release: release(2) })),
];
const committedA: SlotEntry = { ...emptyEntry, content: 'verified', release: release(1) };
const views = bootSlots.flatMap((b) =>
  contents.flatMap((entry) =>
    (['a', 'b'] as const).map((slot) => {
      const boot: BootState = {
        running: { slot, verityRoot: new Uint8Array(32) },
        preferred: 'a',
        slots: { a: { state: 'good', triesLeft: 0 }, b },
      };
      const ledger: Ledger = { a: committedA, b: entry };
      return { boot, ledger, view: viewSlots(boot, ledger) };
    }),
  ),
);

describe('what a slot is', () => {
  test('is one thing for every pair of boot record and ledger', () => {
    const named = views.map(
      ({ boot, ledger, view }) =>
        `${boot.slots.b.state} ${boot.slots.b.triesLeft} ${ledger.b.content} ${boot.running.slot}: ${view.slots.b.state}`,
    );
    expect(named).toContain('unbootable 0 none a: empty');
    expect(named).toContain('unbootable 0 writing a: writing');
    expect(named).toContain('unbootable 0 verified a: verified');
    expect(named).toContain('trial 3 verified a: trial');
    expect(named).toContain('trial 0 verified b: trial');
    expect(named).toContain('trial 0 verified a: failed');
    expect(named).toContain('trial 3 failed b: failed');
    expect(named).toContain('good 0 verified a: superseded');
    expect(views.every(({ view }) => view.slots.a.state === 'committed')).toBe(true);
  });

  test('of a trial without tries is written down as failed, once', () => {
    const [found] = views.filter(
      ({ boot, ledger }) =>
        boot.slots.b.state === 'trial' &&
        boot.slots.b.triesLeft === 0 &&
        boot.running.slot === 'a' &&
        ledger.b.content === 'verified',
    );
    if (found === undefined) throw new Error('no such view');
    const settled = settledLedger(found.view, found.ledger);
    expect(settled?.b).toMatchObject({ content: 'failed', reason: 'tries-exhausted' });
    expect(settledLedger(viewSlots(found.boot, settled ?? found.ledger), settled ?? found.ledger)).toBeUndefined();
  });

  test('never lets the running slot be written, whatever the state (I2)', () => {
    for (const { view } of views) {
      const target = targetFor(view, release(9), { floorEpoch: 1, isForced: true });
      if (target.ok) expect(target.value).not.toBe(view.running.slot);
      if (target.ok) expect(view.slots[target.value].state).not.toBe('committed');
    }
  });
});

describe('the invariants find what is broken', () => {
  const sound = viewSlots(
    {
      running: { slot: 'a', verityRoot: new Uint8Array(32) },
      preferred: 'a',
      slots: { a: { state: 'good', triesLeft: 0 }, b: { state: 'unbootable', triesLeft: 0 } },
    },
    { a: committedA, b: emptyEntry },
  );
  const changed = (slot: 'a' | 'b', change: Partial<SlotsView['slots']['a']>): SlotsView => ({
    ...sound,
    slots: { ...sound.slots, [slot]: { ...sound.slots[slot], ...change } },
  });

  test('I1 and I4', () => {
    expect(brokenInvariants(sound, 1)).toEqual([]);
    expect(brokenInvariants(sound, 2)).toEqual([
      'I1: no good slot at or above the floor',
      'I4: the floor is above the committed slot a',
    ]);
    expect(brokenInvariants(changed('a', { state: 'failed' }), 1)).toEqual(['I1: no good slot at or above the floor']);
    expect(brokenInvariants(changed('b', { state: 'committed' }), 0)).toEqual(['I1: two slots are committed']);
  });

  test('I2, I3 and ways that are not in the table', () => {
    expect(brokenByStep(sound, sound)).toEqual([]);
    expect(brokenByStep(sound, changed('b', { state: 'writing' }))).toEqual([]);
    expect(brokenByStep(sound, changed('a', { state: 'writing' }))).toEqual([
      'I2: a is written while it runs',
      'I2: a is written while it is the committed one',
    ]);
    expect(
      brokenByStep(changed('b', { state: 'superseded', triesLeft: 2 }), changed('b', { state: 'superseded', triesLeft: 1 })),
    ).toEqual(['I3: b lost tries as superseded']);
    expect(brokenByStep(changed('b', { state: 'failed' }), changed('b', { state: 'empty' }))).toEqual([
      'b: no way from failed to empty',
    ]);
  });
});

describe('the floor (SR-08)', () => {
  const viewOf = (
    runningEpoch: number,
    otherEpoch: number | undefined,
    otherState: SlotState,
    state: SlotState = 'committed',
  ): SlotsView => {
    const none = { triesLeft: 0, writtenSegments: 0, mismatches: 0, reason: '' };
    return {
      running: { slot: 'b', verityRoot: new Uint8Array(32) },
      slots: {
        a: { ...none, state: otherState, ...(otherEpoch === undefined ? {} : { release: release(1, otherEpoch) }) },
        b: { ...none, state, release: release(2, runningEpoch) },
      },
    };
  };
  const soaked = { soakedMs: 10, neededMs: 10 };

  test('rises after the soak and after the other slot stands on it, epoch by epoch', () => {
    expect(planFloor(viewOf(3, 3, 'superseded'), 1, soaked)).toEqual({ next: 'raise', epochs: [2, 3] });
    expect(planFloor(viewOf(3, 3, 'superseded'), 1, { soakedMs: 9, neededMs: 10 })).toEqual({ next: 'soak', remainingMs: 1 });
    expect(planFloor(viewOf(3, 2, 'superseded'), 1, soaked)).toEqual({ next: 'refresh-other' });
    expect(planFloor(viewOf(3, 3, 'verified'), 1, soaked)).toEqual({ next: 'refresh-other' });
    expect(planFloor(viewOf(3, undefined, 'empty'), 1, soaked)).toEqual({ next: 'refresh-other' });
    expect(planFloor(viewOf(3, 3, 'superseded', 'trial'), 1, soaked)).toEqual({ next: 'commit' });
    expect(planFloor(viewOf(3, 3, 'superseded'), 3, soaked)).toEqual({ next: 'nothing' });
  });

  test('row 46: no plan ever leaves a startable slot below the floor', () => {
    const state = fc.constantFrom(...slotStates);
    fc.assert(
      fc.property(
        fc.nat(64),
        fc.nat(64),
        state,
        state,
        fc.nat(64),
        fc.nat(20),
        (running, other, otherState, runningState, floor, soakedMs) => {
          const view = viewOf(running, other, otherState, runningState);
          const plan = planFloor(view, floor, { soakedMs, neededMs: 10 });
          if (plan.next !== 'raise') return;
          const top = plan.epochs.at(-1) ?? 0;
          expect([runningState, otherState === 'committed' || otherState === 'superseded']).toEqual(['committed', true]);
          expect(Math.min(running, other)).toBeGreaterThanOrEqual(top);
          expect(soakedMs).toBeGreaterThanOrEqual(10);
          expect(plan.epochs).toEqual(Array.from({ length: top - floor }, (_, at) => floor + 1 + at));
        },
      ),
      { numRuns: 5_000 },
    );
  });
});
