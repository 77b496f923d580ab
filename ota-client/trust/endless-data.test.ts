/** What a far end sends without end is read up to a limit, whoever named another (TUF 1.0 §1.5.2). */
import { expect, test } from 'vitest';
import { type Forge, forgeFetch, hybridForge, never, now, storyOf, trustIn } from './forge.fixture.ts';
import { metadataBytes } from './limits.ts';
import { refresh } from './refresh.ts';
import type { Fetch } from './session.ts';

/** Each file named with the largest number for its length, and so signed. */
const endless = ({ meta }: { meta?: unknown }): void => {
  for (const named of Object.values(meta as Record<string, object>)) Object.assign(named, { length: Number.MAX_SAFE_INTEGER });
};

test.each([
  ['snapshot', (forge: Forge) => forge.publishTimestamp({ edit: endless })],
  [
    'targets',
    (forge: Forge) => {
      forge.publishSnapshot({ edit: endless });
      forge.publishTimestamp();
    },
  ],
] as const)('row 33: a signed length of %s lets nobody send more than its limit', async (role, publish) => {
  const forge = hybridForge();
  publish(forge);
  const limits = new Map<string, number>();
  const fetch: Fetch = (name, maxBytes, signal) => {
    limits.set(name.replace(/^\d+\./, ''), maxBytes);
    return forgeFetch(forge)(name, maxBytes, signal);
  };
  expect(storyOf(await refresh({ ...trustIn(forge), fetch }, now, never))).toBe(`integrity/metadata-mismatch: ${role}: length`);
  expect(limits.get(`${role}.json`)).toBe(metadataBytes[role]);
});
