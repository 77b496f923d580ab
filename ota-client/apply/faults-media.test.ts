/** Rows 39 to 43, 48 and 50 of the fault table in docs/threat-model.md: media that fail, who writes, what is armed. */
import { describe, expect, test } from 'vitest';
import { deny, done, ok, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import type { Slots } from '#hal/ports/slots';
import type { FetchRange } from './fetch.ts';
import { install } from './install.ts';
import { newMachine } from './machine.fixture.ts';
import { clock, newRelease, oldRelease, type TestRelease } from './releases.fixture.ts';
import { never, refusal, run } from './run.fixture.ts';
import { expectSound, updateTo } from './update.fixture.ts';

describe('media that fail', () => {
  const failing = (method: 'read' | 'write' | 'flush', fault: ReturnType<typeof deny>, after: number) => {
    let calls = 0;
    const isDue = () => {
      calls += 1;
      return calls > after;
    };
    return (slots: Slots): Slots => ({
      async open(slot, access) {
        const opened = unwrap(await slots.open(slot, access));
        if (access === 'read') return ok(opened);
        const failed = { ...opened };
        if (method === 'read')
          Object.assign(failed, { read: async (o: number, l: number) => (isDue() ? fault : opened.read(o, l)) });
        if (method === 'write')
          Object.assign(failed, { write: async (o: number, b: Uint8Array) => (isDue() ? fault : opened.write(o, b)) });
        if (method === 'flush') Object.assign(failed, { flush: async () => (isDue() ? fault : opened.flush()) });
        return ok(failed);
      },
    });
  };

  test('row 39: no space for the journal: the install ends cleanly, and goes on when there is space', async () => {
    const machine = await newMachine();
    const { write } = machine.media.journal;
    const full = { isFull: false };
    Object.assign(machine.media.journal, {
      write: (offset: number, bytes: Uint8Array) =>
        full.isFull ? Promise.resolve(deny('resource', 'storage-full')) : write.call(machine.media.journal, offset, bytes),
    });
    let windows = 0;
    const mirror: FetchRange = (path, offset, length, signal) => {
      if (path.endsWith('pieces')) full.isFull = ++windows > 1;
      return newRelease.fetch(path, offset, length, signal);
    };
    expect((await run(machine, { mirrors: [mirror], knowsBase: false })).code).toBe('resource/storage-full');
    expect(unwrap(await machine.restart())).toBe('a');
    full.isFull = false;
    expect((await run(machine)).code).toBe('accepted');
  });

  test('row 39: no space in the slot does not condemn it', async () => {
    const machine = await newMachine({ slots: failing('write', deny('resource', 'storage-full'), 2) });
    expect((await run(machine)).code).toBe('resource/storage-full');
    expect((await expectSound(machine)).slots.b.state).toBe('writing');
  });

  test.each(['write', 'flush', 'read'] as const)(
    'row 40: a target that cannot %s is marked, reported, and not tried in a loop',
    async (method) => {
      const machine = await newMachine({ slots: failing(method, deny('unavailable', 'storage-failed', 'EIO'), 1) });
      expect((await run(machine)).code).toBe('unavailable/storage-failed');
      expect((await expectSound(machine)).slots.b).toMatchObject({ state: 'failed', reason: 'medium' });
      expect((await run(machine)).code).toBe('policy/release-failed');
      expect(unwrap(await machine.restart())).toBe('a');
    },
  );

  test('row 48: a boot store that cannot be read: nothing is armed', async () => {
    let isBroken = false;
    const machine = await newMachine({
      control: (control) => ({
        ...control,
        read: async () => (isBroken ? deny('unavailable', 'storage-failed') : control.read()),
      }),
    });
    unwrap((await run(machine)).result);
    isBroken = true;
    expect(refusal(await machine.hands.switch.arm(newRelease.envelope))).toBe('unavailable/storage-failed');
    isBroken = false;
    expect(unwrap(await machine.hands.switch.status()).slots.b.state).toBe('verified');
  });

  test.each(['markUnbootable', 'armTrial', 'commit', 'markFallback'] as const)(
    'row 48: a boot store that ignores %s is found out',
    async (method) => {
      const ignoring = () => newMachine({ control: (control) => ({ ...control, [method]: async () => done }) });
      const machine = await ignoring();
      const codes: string[] = [];
      codes.push((await run(machine)).code);
      if (method !== 'markUnbootable') {
        codes.push(refusal(await machine.hands.switch.arm(newRelease.envelope)));
        unwrap(await machine.restart());
        codes.push(refusal(await machine.hands.switch.commit()));
        if (method === 'markFallback') {
          unwrap(
            await install(
              newRelease.order,
              newRelease.files,
              { mirrors: [newRelease.fetch], installer: machine.hands.installer, clock },
              never,
            ),
          );
          codes.push(refusal(await machine.hands.switch.arm(newRelease.envelope)));
        }
      }
      expect(codes).toContain('integrity/read-back-mismatch');
      const expected = { markUnbootable: 0, armTrial: 1, commit: 2, markFallback: 3 }[method];
      expect(codes[expected]).toBe('integrity/read-back-mismatch');
      await expectSound(machine);
    },
  );
});

describe('who writes', () => {
  test('row 41: killed in the middle: the next life resumes by the journal', async () => {
    const machine = await newMachine();
    const { installer } = machine.hands;
    unwrap(await installer.begin(newRelease.order));
    for (const segment of [0, 1, 2]) unwrap(await installer.write(segment, segmentOf(newRelease, segment)));
    machine.restartPrograms();
    const begun = unwrap(await machine.hands.installer.begin(newRelease.order));
    // The third was written and not flushed: what the journal names, and a window behind it that is looked at.
    expect(begun).toMatchObject({ stage: 'write', writtenSegments: 2, recheck: { firstSegment: 2 } });
    await machine.hands.installer.abandon('agent');
    const { code, made } = await run(machine);
    expect([code, made]).toEqual(['accepted', { same: 0, pair: 1, adaptive: 0, full: 0 }]);
  });

  test('row 41: killed after the last segment: nothing is made again, and the read-back decides', async () => {
    const machine = await newMachine();
    const { installer } = machine.hands;
    unwrap(await installer.begin(newRelease.order));
    for (const segment of [0, 1, 2]) unwrap(await installer.write(segment, segmentOf(newRelease, segment)));
    unwrap(await installer.flushWindow());
    unwrap(await installer.write(3, segmentOf(newRelease, 3)));
    machine.restartPrograms();
    const { code, made, asked } = await run(machine);
    expect([code, made, asked]).toEqual(['accepted', { same: 0, pair: 0, adaptive: 0, full: 0 }, ['index']]);
    expect(machine.contentOf('b')?.name).toBe('r2');
  });

  test('row 42: the second updater hears who writes and how far that is', async () => {
    const machine = await newMachine();
    const { installer } = machine.hands;
    unwrap(await installer.begin(newRelease.order));
    for (const segment of [0, 1]) unwrap(await installer.write(segment, segmentOf(newRelease, segment)));
    const second = await installer.begin({ ...newRelease.order, owner: 'technician' });
    expect(second).toMatchObject({
      ok: false,
      fault: { category: 'resource', reason: 'update-busy', detail: 'agent: 2 of 4 segments' },
    });
    await installer.abandon('technician');
    expect(refusal(await installer.begin({ ...newRelease.order, owner: 'technician' }))).toBe('resource/update-busy');
    await installer.abandon('agent');
    expect(refusal(await installer.begin({ ...newRelease.order, owner: 'technician' }))).toBe('accepted');
  });

  test('two that begin at the same time: one of them', async () => {
    const { hands } = await newMachine();
    const both = await Promise.all(['agent', 'technician'].map((owner) => hands.installer.begin({ ...newRelease.order, owner })));
    expect(both.map(refusal).toSorted()).toEqual(['accepted', 'resource/update-busy']);
  });

  test('segments come in order, whole, and only after a begin', async () => {
    const { installer } = (await newMachine()).hands;
    expect(refusal(await installer.write(0, segmentOf(newRelease, 0)))).toBe('protocol/event-refused');
    expect(refusal(await installer.flushWindow())).toBe('protocol/event-refused');
    expect(refusal(await installer.finish())).toBe('protocol/event-refused');
    unwrap(await installer.begin(newRelease.order));
    expect(refusal(await installer.write(1, segmentOf(newRelease, 1)))).toBe('protocol/field-invalid');
    expect(refusal(await installer.write(0, segmentOf(newRelease, 0).subarray(1)))).toBe('protocol/field-invalid');
    unwrap(await installer.write(0, segmentOf(newRelease, 0)));
    expect(refusal(await installer.write(0, segmentOf(newRelease, 0)))).toBe('protocol/field-invalid');
    expect(refusal(await installer.finish())).toBe('protocol/event-refused');
    expect(refusal(await installer.begin({ ...newRelease.order, salt: new Uint8Array(257) }))).toBe('protocol/field-invalid');
  });

  test('another release in the journal: the install starts again', async () => {
    const machine = await newMachine();
    const { installer } = machine.hands;
    unwrap(await installer.begin(newRelease.order));
    for (const segment of [0, 1, 2]) unwrap(await installer.write(segment, segmentOf(newRelease, segment)));
    unwrap(await installer.flushWindow());
    const other = { ...newRelease.order, release: { ...newRelease.facts, counter: 7 } };
    expect(unwrap(await installer.begin(other))).toMatchObject({ stage: 'write', writtenSegments: 0 });
  });

  test('on a slow network what is written becomes durable every two seconds', async () => {
    const machine = await newMachine();
    const slow = virtualClock();
    const durable: number[] = [];
    const mirror: FetchRange = async (path, offset, length, signal) => {
      durable.push(unwrap(await machine.ledger.read()).b.writtenSegments);
      await slow.advance(2_000);
      return newRelease.fetch(path, offset, length, signal);
    };
    const parts = { mirrors: [mirror], installer: machine.hands.installer, clock: slow };
    unwrap(await install(newRelease.order, newRelease.files, parts, never));
    // The index and the recipe, then the first piece alone, then its neighbours.
    expect(durable.slice(2)).toEqual([0, 1]);
    expect(machine.contentOf('b')?.name).toBe('r2');
  });

  test('a finished slot is not downloaded again', async () => {
    const machine = await newMachine();
    unwrap((await run(machine)).result);
    const again = await run(machine);
    expect(again.code).toBe('accepted');
    expect(again.asked).toEqual(['index']);
    unwrap(await machine.hands.switch.arm(newRelease.envelope));
    expect((await run(machine)).asked).toEqual(['index']);
    expect(unwrap(await machine.hands.switch.arm(newRelease.envelope))).toBe('trial');
  });

  test('row 43: an update is refused while the running slot is on trial', async () => {
    const machine = await newMachine();
    unwrap((await run(machine)).result);
    unwrap(await machine.hands.switch.arm(newRelease.envelope));
    expect(unwrap(await machine.restart())).toBe('b');
    const newer = { ...newRelease.order, release: { ...newRelease.facts, counter: 9 } };
    expect(refusal(await machine.hands.installer.begin(newer))).toBe('policy/trial-running');
    expect(refusal(await machine.hands.switch.arm(oldRelease.envelope))).toBe('policy/trial-running');
  });

  test('both names lead to one medium: refused, by device, not by name', async () => {
    const machine = await newMachine({ slots: (slots) => ({ open: (_slot, access) => slots.open('a', access) }) });
    expect(refusal(await machine.hands.installer.begin(newRelease.order))).toBe('integrity/slot-mismatch');
    expect((await expectSound(machine)).slots.b.state).toBe('superseded');
  });
});

describe('arming (SR-01)', () => {
  test('needs an envelope that the hands verify, for exactly what was written', async () => {
    const machine = await newMachine();
    unwrap((await run(machine)).result);
    const { switch: slots } = machine.hands;
    expect(refusal(await slots.arm(new Uint8Array()))).toBe('integrity/signature-invalid');
    expect(refusal(await slots.arm(oldRelease.envelope))).toBe('integrity/slot-mismatch');
    expect(unwrap(await slots.status()).slots.b.state).toBe('verified');
    expect(unwrap(await slots.arm(newRelease.envelope))).toBe('trial');
  });

  test('a release that already runs committed becomes the fallback, without a trial', async () => {
    const machine = await newMachine();
    unwrap(await updateTo(machine, newRelease, oldRelease));
    expect((await expectSound(machine)).slots).toMatchObject({ a: { state: 'superseded' }, b: { state: 'committed' } });
    expect(machine.contentOf('a')?.name).toBe('r2');
    expect(unwrap(await machine.hands.switch.arm(newRelease.envelope))).toBe('fallback');
    expect(unwrap(await machine.restart())).toBe('b');
  });

  test('row 50: the started slot is not the one that the label says: no commit', async () => {
    const machine = await newMachine();
    unwrap((await run(machine)).result);
    unwrap(await machine.hands.switch.arm(newRelease.envelope));
    machine.setRunning({ slot: 'b', verityRoot: oldRelease.facts.verityRoot });
    expect(refusal(await machine.hands.switch.commit())).toBe('integrity/slot-mismatch');
    machine.setRunning({ slot: 'b', verityRoot: newRelease.facts.verityRoot });
    expect(refusal(await machine.hands.switch.commit())).toBe('accepted');
  });

  test('a trial is not given up where nothing else could start', async () => {
    const machine = await newMachine();
    unwrap((await run(machine)).result);
    unwrap(await machine.hands.switch.arm(newRelease.envelope));
    unwrap(await machine.restart());
    unwrap(await machine.control.markUnbootable('a'));
    expect(refusal(await machine.hands.switch.giveUp('tpm'))).toBe('protocol/event-refused');
  });
});

function segmentOf({ slotContent, facts }: TestRelease, segment: number): Uint8Array {
  return slotContent.subarray(segment * 256 * 1024, Math.min(facts.imageBytes, (segment + 1) * 256 * 1024));
}
