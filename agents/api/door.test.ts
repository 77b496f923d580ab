import { expect, test } from 'vitest';
import { affirming, startTestMind } from '#agents/mind/mind.fixture';
import { codeOf, deny, ok, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { apiDoor, type DoorParts } from './door.ts';

test('apps have so many attestations and no more; with time they have more again', async () => {
  const clock = virtualClock();
  let asked = 0;
  const attest = async () => {
    asked += 1;
    return ok(affirming);
  };
  const door = apiDoor({ clock, attestor: { attest, enrol: attest } } as unknown as DoorParts);
  const outcomes = new Set<string>();
  const flood = async () => {
    for (let count = 0; count < 100; count += 1) {
      const attested = await door['device.attest']({ relyingParty: `party-${count}` }, new AbortController().signal);
      outcomes.add(attested.ok ? 'attested' : codeOf(attested.fault));
    }
  };
  await flood();
  expect(asked).toBe(32);
  expect([...outcomes]).toEqual(['attested', 'resource/rate-limited']);
  await clock.advance(60_000);
  await flood();
  expect(asked).toBe(32 + 12);
});

test('apps have so many errands to far ends and no more: each leaves records of the device itself (SR-14)', async () => {
  const clock = virtualClock();
  let asked = 0;
  const run = async () => {
    asked += 1;
    return deny('attestation', 'endorsement-revoked');
  };
  const door = apiDoor({
    clock,
    attestor: { attest: run, enrol: run },
    updater: { check: run, install: run },
    manager: { update: run },
  } as unknown as DoorParts);
  const { signal } = new AbortController();
  const flood = async () => {
    for (let count = 0; count < 20; count += 1) {
      await door['device.enrol']({}, signal);
      await door['update.check']({}, signal);
      await door['update.install']({ isRepair: false, isForced: false }, signal);
      await door['managed.update']({}, signal);
    }
  };
  await flood();
  expect(asked).toBe(32);
  await clock.advance(10 * 60_000);
  await flood();
  expect(asked).toBe(32 + 10);
});

test('a person is told to enrol a device that its verifier has forgotten (SR-17)', async () => {
  const mind = await startTestMind();
  const door = apiDoor(mind as unknown as DoorParts);
  const nextStep = async () => unwrap(await door['device.status']({}, new AbortController().signal)).nextStep;
  expect(await nextStep()).toBe('attest');
  mind.trust.holdAttestationFault({ category: 'attestation', reason: 'enrolment-unknown' });
  expect(await nextStep()).toBe('enrol');
  unwrap(mind.state.update({ lifecycle: 'suspended' }));
  expect(await nextStep()).toBe('ask-administrator');
  await mind[Symbol.asyncDispose]();
});
