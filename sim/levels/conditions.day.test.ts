/**
 * The eight conditions of a protected operation, taken away one after the other from one live device: each by a real
 * thing done to a real part. While it is gone the operation is denied under the category of that condition and no
 * other; given back, it is allowed again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exitCodeOf } from '#agents/cli/exit-codes';
import { ownParty } from '#agents/mind/trust';
import { socketPath } from '#agents/programs/layout';
import { assertionType } from '#agents/session/statements';
import { type Category, categories } from '#hal/core/faults';
import { codeOf, unwrap } from '#hal/core/result';
import { handsMethods } from '#hal/remote/hands-methods';
import { socketClient } from '#hal/remote/socket-client';
import { slotFiles } from '#sim/machine/layout';
import { breaks } from '#sim/scenarios/breaks';
import { faultOfCode } from '#sim/scenarios/outcome';
import { accountHandle, messaging, presentIdentity, presentSession, signIn } from '#sim/scenarios/person';
import type { StepName } from '#sim/scenarios/scenario';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';
import type { ProcessWorld } from './processes.ts';

interface Loss {
  readonly category: Category;
  readonly what: string;
  readonly code: `${Category}/${string}`;
  take(opened: TestWorld): Promise<unknown> | unknown;
  giveBack(opened: TestWorld): Promise<unknown> | unknown;
}

/** A stopped engine is seen by the next of its tests, which then waits for it. */
const seenWithinMs = 60_000;

let saved: Uint8Array = new Uint8Array();
const saveAndChange = (path: string, change: (bytes: Uint8Array) => Uint8Array): void => {
  saved = new Uint8Array(readFileSync(path));
  writeFileSync(path, change(saved.slice()));
};
const putBack = (path: string): void => writeFileSync(path, saved);

const restartMind = async ({ device }: ProcessWorld): Promise<void> => {
  device.kill('agentd');
  await device.answers();
};
const attestNow = ({ device }: ProcessWorld) => device.enigmctl('attest', 'now');
const sabotage = (world: ProcessWorld, name: keyof typeof breaks, step: StepName) => breaks[name]?.before[step]?.(world);
const openSession = async (world: ProcessWorld, facts: Partial<Parameters<typeof presentSession>[2]> = {}) =>
  presentSession(world, world.device, { handle: await accountHandle(world.device, world.until), ...facts });
/** What these very hands would be called in the next epoch. */
const nextHandle = async ({ machine }: ProcessWorld): Promise<Uint8Array> => {
  const hands = socketClient(handsMethods, socketPath(machine.runDirectory, 'hands'));
  const { handle } = unwrap(await hands.call('keys.handle', { relyingParty: ownParty, epoch: 2 }));
  hands.close();
  return handle;
};
const engineFile = ({ paths }: TestWorld): string => join(paths.programs, 'cedar_wasm_bg.wasm');
const ledgerFile = ({ world }: TestWorld): string => slotFiles(world.device.directory).ledger;

const losses: readonly Loss[] = [
  {
    category: 'identity',
    what: 'the sign-in runs out',
    code: 'identity/assertion-expired',
    take: ({ world: { device, issuer, subject } }) =>
      device.app.call('session.present', { payloadType: assertionType, envelope: issuer.assertIdentity(subject, 500) }),
    giveBack: ({ world }) => presentIdentity(world, world.device),
  },
  {
    category: 'identity',
    what: 'the account service closes the session',
    code: 'identity/session-closed',
    take: ({ world }) => openSession(world, { state: 'closed' }),
    giveBack: ({ world }) => openSession(world),
  },
  {
    category: 'identity',
    what: 'the mind restarts, and nobody has signed in since',
    code: 'identity/actor-missing',
    take: ({ world }) => restartMind(world),
    giveBack: ({ world }) => signIn(world, world.device),
  },
  {
    category: 'authorization',
    what: 'the account takes its permission from the person',
    code: 'authorization/permission-missing',
    take: ({ world }) => openSession(world, { permission: 'withdrawn' }),
    giveBack: ({ world }) => openSession(world),
  },
  {
    category: 'posture',
    what: 'a program of the device is stopped',
    code: 'posture/programs-unhealthy',
    take: ({ world: { device } }) => device.pause('linkd'),
    giveBack: ({ world: { device } }) => device.resume('linkd'),
  },
  {
    category: 'handle',
    what: 'the session is one of another device',
    code: 'handle/session-of-another-device',
    take: async ({ world }) => {
      const other = await world.secondDevice();
      const handle = await accountHandle(other, world.until);
      await other.powerOff();
      await openSession(world, { handle });
    },
    giveBack: ({ world }) => openSession(world),
  },
  {
    category: 'handle',
    what: 'the session is one of another epoch of this device',
    code: 'handle/session-of-another-device',
    take: async ({ world }) => openSession(world, { handle: await nextHandle(world) }),
    giveBack: ({ world }) => openSession(world),
  },
  {
    category: 'policy',
    what: 'half of the policy engine is gone from the disk',
    code: 'policy/engine-failed',
    take: async (opened) => {
      saveAndChange(engineFile(opened), (bytes) => bytes.subarray(0, bytes.length >> 1));
      await restartMind(opened.world);
      await signIn(opened.world, opened.world.device);
    },
    giveBack: async (opened) => {
      putBack(engineFile(opened));
      await restartMind(opened.world);
      await signIn(opened.world, opened.world.device);
    },
  },
  {
    category: 'integrity',
    what: 'the record of what was installed and proved is lost',
    code: 'integrity/release-unverified',
    take: (opened) => saveAndChange(ledgerFile(opened), (bytes) => bytes.fill(0)),
    giveBack: (opened) => putBack(ledgerFile(opened)),
  },
  {
    category: 'integrity',
    what: 'the record of the boot is changed',
    code: 'integrity/boot-unverified',
    take: ({ world }) => {
      saved = new Uint8Array(readFileSync(world.device.bootLogPath));
      return sabotage(world, 'bootlog', 'attest');
    },
    giveBack: ({ world }) => {
      putBack(world.device.bootLogPath);
      return attestNow(world);
    },
  },
  {
    category: 'attestation',
    what: 'the verifier refuses what reaches it of the evidence',
    code: 'attestation/missing',
    take: async ({ world }) => {
      await sabotage(world, 'pq', 'attest');
      await attestNow(world);
    },
    giveBack: ({ world }) => {
      world.takePath({});
      return attestNow(world);
    },
  },
  {
    category: 'intelligence',
    what: 'the inference engine is stopped, and nothing was judged yet',
    code: 'intelligence/missing',
    take: ({ world: { device } }) => device.pause('inferd'),
    giveBack: ({ world: { device } }) => device.resume('inferd'),
  },
  {
    category: 'intelligence',
    what: 'the intelligence service says high risk, for three seconds',
    code: 'intelligence/blocked',
    take: ({ world: { device, enyra } }) =>
      device.app.call('intelligence.present', { envelope: enyra.conclude({ category: 'spyware-like', lifeMs: 3_000 }) }),
    giveBack: () => undefined,
  },
];

describe('a protected operation on a live device', () => {
  let opened: TestWorld;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    await makeReady(opened.world);
    await signIn(opened.world, opened.world.device);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  /** `allowed`, the code of a denial, or undefined where nobody answers at the moment. */
  const verdict = async (): Promise<string | undefined> => {
    const decided = await opened.world.device.app.call('decision.authorize', messaging);
    if (!decided.ok) return decided.fault.category === 'unavailable' ? undefined : codeOf(decided.fault);
    return decided.value.isAllowed ? 'allowed' : decided.value.code;
  };
  const until = (wanted: string, isIt: (said: string | undefined) => boolean) =>
    opened.world.until(wanted, async () => isIt(await verdict()), seenWithinMs);

  test.each(losses.map((loss) => [loss.category, loss.what, loss] as const))(
    'is denied under %s while %s, and allowed again',
    async (category, _, { code, take, giveBack }) => {
      await until('it is allowed', (said) => said === 'allowed');
      await take(opened);
      try {
        await until('it is denied', (said) => said !== undefined && said !== 'allowed');
        const asked = await opened.world.device.enigmctl('decide', messaging.action, messaging.resource);
        expect(asked.json).toMatchObject({ isAllowed: false, code, facts: [], rules: [] });
        const fault = faultOfCode(code);
        expect(fault.category).toBe(category);
        expect(asked.code).toBe(exitCodeOf(fault));
      } finally {
        await giveBack(opened);
      }
      await until('it is allowed again', (said) => said === 'allowed');
    },
  );

  test('is denied under each of the eight categories of the mission by one of these', () => {
    expect(new Set(losses.map(({ category }) => category))).toEqual(new Set(categories.slice(0, 8)));
  });
});
