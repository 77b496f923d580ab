/** For tests: a device that reaches nobody: the command line, the real door, updater and hands, and the keys of an office of the test. */
import { apiDoor, type DoorParts } from '#agents/api/door';
import { updateDevice } from '#agents/hands/updates.fixture';
import { authorizer } from '#agents/mind/authorizer';
import { handsLife } from '#agents/mind/life';
import { startTestMind } from '#agents/mind/mind.fixture';
import { postureKeeper } from '#agents/mind/posture-keeper';
import type { TestOffice } from '#agents/release/office.fixture';
import { type OfferParts, releaseOffers } from '#agents/update/offers';
import { type Updater, updater } from '#agents/update/updater';
import { deny, ok, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import type { DurableStore } from '#hal/ports/durable-store';
import { type ReleasePolicy, statementHeader } from '#ota-client/slots/statement';
import type { GrantPolicy } from '#ota-client/trust/grant-policy';
import type { TrustedTime } from '#ota-client/trust/time';
import { askJson, serveDevice } from '../enigmctl.fixture.ts';

export const hardware = 'test-board';

export interface CarriedDeviceOptions {
  readonly grants?: GrantPolicy;
  /** That of the office where it is absent. */
  readonly time?: () => TrustedTime;
  /** What the mind keeps. */
  readonly store?: DurableStore;
}

/** The factory's release runs; the hands believe the office's custodians of systems and of repairs. */
export const carriedDevice = async (
  office: TestOffice,
  { grants = 'off', time, store = memoryStore() }: CarriedDeviceOptions = {},
) => {
  const { crypto, clock } = office.parts;
  const policyOf = (name: 'os' | 'repair'): ReleasePolicy => ({
    ...{ crypto, threshold: 2, hardware },
    keys: ['first', 'second', 'third'].map((which) => {
      const { ed25519, mlDsa65 } = office.key(`${name}-${which}`).signer;
      return { suite: statementHeader.suite, classical: ed25519, postQuantum: mlDsa65 };
    }),
  });
  const mind = await startTestMind();
  const slots = await updateDevice(mind.clock, { others: [policyOf('os'), policyOf('repair')] });
  const life = handsLife(mind.clock, slots.hands.hello, unwrap(await slots.hands.hello()));
  const posture = postureKeeper({ ...mind, programs: { hands: async () => true }, agents: () => [] });
  const unreachable = async () => deny('unavailable', 'peer-unreachable');
  const present = time ?? (() => ({ nowMs: clock.nowMs(), floorMs: 0 }));
  const offers = releaseOffers({
    ...{ crypto, store, read: unreachable, grants },
    ...{
      roots: { image: office.root, director: office.root },
      policies: { update: policyOf('os'), repair: policyOf('repair') },
    },
    time: { present, asked: async () => present() },
    keys: { handle: async () => ok(new Uint8Array(32)) },
    state: { current: () => ({ handleEpoch: 1 }) },
    attestor: { attest: unreachable },
    log: { crypto, trust: undefined, store: memoryStore() },
  } as unknown as OfferParts);
  const updates: Updater = updater({
    ...{ clock: mind.clock, log: mind.log, audit: mind.audit, hands: slots.hands, hardware, offers },
    ...{ signer: new Uint8Array(16), trialMs: 5_000, checks: [], read: unreachable },
    authorizer: authorizer({ ...mind, life }, posture),
  });
  const door = apiDoor({ ...mind, hands: slots.hands, updater: updates } as unknown as DoorParts);
  const device = await serveDevice({
    'update.install': door['update.install'],
    'update.carry': door['update.carry'],
    'update.status': door['update.status'],
  });
  return {
    directory: device.directory,
    audit: mind.audit,
    states: () => slots.states(),
    /** `enigmctl update install …`. @returns what came of it, or the code of the refusal */
    async install(...words: readonly string[]) {
      const { json } = await askJson('--run', device.directory, 'update', 'install', ...words);
      const { fault, outcome } = json as { fault?: { category: string; reason: string }; outcome?: string };
      return fault === undefined ? outcome : `${fault.category}/${fault.reason}`;
    },
    async [Symbol.asyncDispose]() {
      await device[Symbol.asyncDispose]();
      await slots[Symbol.asyncDispose]();
      await mind[Symbol.asyncDispose]();
    },
  };
};
export type CarriedDevice = Awaited<ReturnType<typeof carriedDevice>>;
