import { expect, test } from 'vitest';
import { affirming } from '#agents/mind/mind.fixture';
import { codeOf, ok } from '#hal/core/result';
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
