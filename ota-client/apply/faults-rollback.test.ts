/** Rows 19 and 20 of the fault table in docs/threat-model.md: what a device kept is put back to an earlier day. */
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { nextImage, sampleImage } from '../payload/images.fixture.ts';
import { planUpdate } from '../plan/update.ts';
import { at, codeFor, forgeFetch, hybridForge, startMs, trustIn } from '../trust/forge.fixture.ts';
import { refresh } from '../trust/refresh.ts';
import { install } from './install.ts';
import { type MemoryMachine, newMachine } from './machine.fixture.ts';
import { clock, hardware, newRelease, oldRelease, slotBytes, testRelease } from './releases.fixture.ts';
import { never, refusal, run } from './run.fixture.ts';
import { expectSound, updateTo } from './update.fixture.ts';

const dayMs = 86_400_000;
const gates = { isPowered: true, isCool: true };

const planOf = async (machine: MemoryMachine, { offer }: typeof oldRelease) =>
  planUpdate(offer, {
    ...{ view: unwrap(await machine.hands.switch.status()), floorEpoch: unwrap(await machine.floor.read()) },
    ...{ hardware, slotBytes, gates, isForced: true },
  });

describe('row 19: older cached metadata, put back by somebody at the device', () => {
  const published = async () => {
    const forge = hybridForge();
    const kept = new Map<string, Uint8Array>();
    unwrap(await refresh(trustIn(forge, kept), at(startMs), never));
    const earlier = new Map(kept);
    const files = new Map(forge.files);
    forge.expiresMs = startMs + 30 * dayMs;
    forge.publishRoot();
    forge.publish();
    unwrap(await refresh(trustIn(forge, kept), at(startMs + dayMs / 2), never));
    return { forge, kept, earlier, files };
  };

  test('and served again by a mirror: the floor of time refuses it, whatever the clock says', async () => {
    const { forge, kept, earlier, files } = await published();
    kept.clear();
    for (const [name, bytes] of earlier) kept.set(name, bytes);
    const old = { ...trustIn(forge, kept), fetch: forgeFetch({ files, asked: [] }) };
    const floorMs = startMs + 2 * dayMs;
    expect(codeFor(await refresh(old, at(floorMs, floorMs), never))).toBe('policy/metadata-expired');
    expect(codeFor(await refresh(old, at(startMs, floorMs), never))).toBe('posture/time-unknown');
    // The honest repository is taken up again from there.
    expect(codeFor(await refresh(trustIn(forge, kept), at(floorMs, floorMs), never))).toBe('ok');
  });

  test('within its time: the release that it names is below the floor, and no person forces it', async () => {
    const machine = await newMachine();
    unwrap(await updateTo(machine, newRelease, oldRelease));
    expect(refusal(await planOf(machine, oldRelease))).toBe('integrity/below-floor');
    expect(refusal(await machine.hands.installer.begin({ ...oldRelease.order, isForced: true }))).toBe('integrity/below-floor');
    expect(refusal(await machine.hands.switch.arm(oldRelease.envelope))).toBe('integrity/slot-mismatch');
    expect((await expectSound(machine)).slots.b.state).toBe('committed');
  });
});

describe('row 20: the whole data partition, put back', () => {
  /** The journal as it was in the middle of the install, on a device that has long been updated and has its floor raised. */
  const putBack = async () => {
    const machine = await newMachine();
    const controller = new AbortController();
    const parts = {
      ...{ mirrors: [newRelease.fetch], installer: machine.hands.installer, clock },
      onProgress: ({ segment }: { segment: number }) => segment === 3 && controller.abort(),
    };
    expect(refusal(await install(newRelease.order, newRelease.files, parts, controller.signal))).toBe('unavailable/aborted');
    const journal = machine.media.journal.durable();
    unwrap(await updateTo(machine, newRelease, oldRelease));
    machine.media.journal.load(journal);
    machine.restartPrograms();
    return machine;
  };

  test('the same slot starts, and an older release is refused by the floor', async () => {
    const machine = await putBack();
    expect(unwrap(await machine.restart())).toBe('b');
    expect(machine.contentOf('b')?.name).toBe('r2');
    expect(refusal(await planOf(machine, oldRelease))).toBe('integrity/below-floor');
    // The journal says that slot a holds it, verified; arming asks the floor all the same.
    expect(refusal(await machine.hands.switch.arm(oldRelease.envelope))).toBe('integrity/below-floor');
  });

  test('what the journal lists of an install is not believed: the next one starts over, and is proved by the read-back', async () => {
    const machine = await putBack();
    const next = await testRelease('r3', 3, 3, nextImage('third', sampleImage('old', 200)));
    const { code, made } = await run(machine, { release: next, knowsBase: false });
    expect([code, made?.full]).toEqual(['accepted', 4]);
    const third = machine.media.a.durable().subarray(0, next.slotContent.length);
    expect(Buffer.compare(third, next.slotContent)).toBe(0);
    expect(unwrap(await machine.restart())).toBe('b');
  });
});
