import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsOf } from '#agents/audit/audit.fixture';
import { factoryRelease, release, soakMs, updateDevice } from '#agents/hands/updates.fixture';
import { authorizer } from '#agents/mind/authorizer';
import type { ReadRange } from '#agents/mind/far-ends';
import { handsLife } from '#agents/mind/life';
import { startTestMind, type TestMind } from '#agents/mind/mind.fixture';
import { postureKeeper } from '#agents/mind/posture-keeper';
import type { BuiltRelease } from '#agents/release/build';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import type { LoggedOffer } from './logged.ts';
import { readManifest } from './manifest.ts';
import { type Updater, updater } from './updater.ts';

/** A person with an open session on this device. */
const signIn = ({ trust }: TestMind): void => {
  const subject = '51'.repeat(16);
  const handle = trust.handle()?.handle ?? '';
  trust.holdActor({ subject, assurance: 'multi-factor' }, 3_600_000);
  trust.holdSession({ subject, handle, state: 'open', recovery: 'none', permission: 'granted' }, 3_600_000);
};

const never = new AbortController().signal;
const next = await release(2);
const signer = new Uint8Array(16).fill(0x51);
const trialMs = 5_000;

const offerOf = (built: BuiltRelease): LoggedOffer => ({
  standing: { is: 'unasked' },
  id: 'release-2',
  statement: { release: built.facts, salt: built.salt, uuid: built.uuid },
  manifest: unwrap(readManifest(built.manifest)),
});
const code = (result: Result<unknown>) => (result.ok ? result.value : codeOf(result.fault));

/** The real hands with slots in memory, the real engine and log; what the director and a mirror say is the test's. */
describe('what becomes of a release, in the audit log', () => {
  let mind: TestMind;
  let device: Awaited<ReturnType<typeof updateDevice>>;
  let offered: Result<LoggedOffer | undefined>;
  let mirror: ReadRange;
  let updates: Updater;
  let isWell = true;
  let hasNetwork = true;

  const honest: ReadRange = async (path, offset, length) => {
    const bytes = next.contents.get(path);
    return bytes === undefined ? deny('unavailable', 'not-found', path) : ok(bytes.slice(offset, offset + length));
  };
  const startUpdater = async () => {
    const life = handsLife(mind.clock, device.hands.hello, unwrap(await device.hands.hello()));
    const posture = postureKeeper({ ...mind, programs: { hands: async () => true }, agents: () => [] });
    updates = updater({
      ...{ clock: mind.clock, log: mind.log, audit: mind.audit, hands: device.hands, hardware: 'test-board', signer, trialMs },
      authorizer: authorizer({ ...mind, life }, posture),
      checks: [
        { name: 'storage-writable', kind: 'required', run: async () => isWell },
        { name: 'network', kind: 'soft', run: async () => hasNetwork },
      ],
      offers: { directed: async () => offered, repair: async () => deny('policy', 'target-missing') },
      read: (path, offset, length, signal) => mirror(path, offset, length, signal),
    });
  };
  beforeEach(async () => {
    mind = await startTestMind();
    device = await updateDevice(mind.clock);
    offered = ok(offerOf(next));
    mirror = honest;
    isWell = true;
    hasNetwork = true;
    await startUpdater();
  });
  afterEach(async () => {
    await device[Symbol.asyncDispose]();
    await mind[Symbol.asyncDispose]();
  });

  const told = () =>
    recordsOf(mind.audit)
      .filter(({ category }) => category === 'release')
      .map(({ event, outcome, code: refusal, changeReference }) =>
        [event, outcome, ...(refusal === undefined ? [] : [refusal]), nameOf(changeReference)].join(' '),
      );
  const nameOf = (digest: Uint8Array | undefined) =>
    digest === undefined ? '-' : toHex(digest) === toHex(next.facts.digest) ? 'release-2' : 'another';
  const install = async () => code(await updates.install('update', false, never));
  const trial = async () => {
    await device.restart();
    await startUpdater();
    const ending = updates.endTrial(never);
    let isOver = false;
    void ending.finally(() => {
      isOver = true;
    });
    while (!isOver) await mind.clock.advance(1_000);
    return code(await ending);
  };

  test('is that it was offered, written, and kept after its trial, each once and by its digest', async () => {
    expect(await install()).toBe('armed');
    expect(await trial()).toBe('committed');
    expect(await trial()).toBe('committed');
    expect(told()).toEqual(['release.offered done release-2', 'release.written done release-2', 'release.trial done release-2']);
  });

  test('is that it did not pass its trial', async () => {
    await install();
    isWell = false;
    expect(await trial()).toBe('given-up');
    expect(told().at(-1)).toBe('release.trial failed policy/release-failed release-2');
  });

  test.each<[string, () => void, string]>([
    ['a flipped bit', () => (mirror = flipped), 'integrity/target-mismatch'],
    ['nothing that a mirror has', () => (mirror = async () => deny('unavailable', 'not-found')), 'unavailable/not-found'],
    ['a lower counter', () => (offered = ok(offerOf(factoryRelease))), 'policy/release-current'],
    ['no word of the director', () => (offered = deny('attestation', 'pq-signature')), 'attestation/pq-signature'],
  ])('is the code of the refusal: %s', async (_, change, refusal) => {
    change();
    expect(await install()).toBe(refusal);
    expect(told().at(-1)).toBe(`release.refused denied ${refusal} -`);
    expect(told().join()).not.toContain('release.written');
    expect(await device.states()).toMatch(/^a committed (?:empty|writing)$/);
  });
  const flipped: ReadRange = async (path, offset, length, signal) => {
    const read = await honest(path, offset, length, signal);
    if (read.ok) read.value.fill((read.value[0] ?? 0) ^ 1, 0, 1);
    return read;
  };

  test('is that it was installed without proof from the log of releases, where that is only told', async () => {
    const fault = { category: 'integrity', reason: 'log-proof-missing' } as const;
    offered = ok({ ...offerOf(next), standing: { is: 'unproved', fault } });
    expect(await install()).toBe('armed');
    expect(told()).toEqual([
      'release.offered done release-2',
      'release.unlogged failed integrity/log-proof-missing release-2',
      'release.written done release-2',
    ]);
  });

  test('is a refusal before a byte is asked for, where the battery is nearly empty; charged, it goes on', async () => {
    mirror = async () => deny('unavailable', 'not-found');
    device.feed({ isOnMains: false, batteryPercent: 8 });
    expect(await install()).toBe('policy/update-gate-closed');
    expect(told().at(-1)).toBe('release.refused denied policy/update-gate-closed -');
    mirror = honest;
    device.feed({ isOnMains: true, batteryPercent: 8 });
    expect(await install()).toBe('armed');
  });

  test('is nothing where a rollout has not reached this device', async () => {
    offered = ok(undefined);
    expect(await install()).toBe('nothing-to-do');
    expect(told()).toEqual([]);
  });

  test('stands beside administrative records that name the signers of the release, and the gate as somebody else', async () => {
    await install();
    const byThen = recordsOf(mind.audit).filter(({ event }) => event === 'admin.release');
    expect(new Set(byThen.map(({ actor }) => toHex(actor ?? new Uint8Array())))).toEqual(new Set([toHex(signer)]));
    expect(byThen.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'install-release allowed',
      'install-release done',
      'install-release allowed',
      'install-release done',
    ]);
    await trial();
    const ended = recordsOf(mind.audit).filter(({ action, event }) => event === 'admin.release' && action === 'end-trial');
    expect(ended.map(({ outcome }) => outcome)).toEqual(['allowed', 'done']);
    for (const { actor } of ended) expect(toHex(actor ?? new Uint8Array())).not.toBe(toHex(signer));
  });

  const onTrial = async () => {
    await install();
    await device.restart();
    await startUpdater();
  };
  const asked = (action: string) =>
    recordsOf(mind.audit)
      .filter((record) => record.action === action)
      .map(({ event, outcome }) => `${event} ${outcome}`);

  test('is that a person keeps it before what may be missing is there', async () => {
    signIn(mind);
    await onTrial();
    hasNetwork = false;
    expect(code(await updates.confirm(never))).toBeUndefined();
    expect(await device.states()).toBe('b superseded committed');
    expect(asked('confirm-release')).toEqual(['authz.decision allowed', 'admin.release allowed', 'admin.release done']);
    expect(told().at(-1)).toBe('release.trial done release-2');
    expect(code(await updates.confirm(never))).toBe('policy/no-trial');
  });

  test('is not that a person keeps what a required check refuses', async () => {
    signIn(mind);
    await onTrial();
    isWell = false;
    expect(code(await updates.confirm(never))).toBe('policy/health-missing');
    expect(await device.states()).toBe('b committed trial');
    expect(asked('confirm-release')).toEqual([]);
    expect(told().at(-1)).toBe('release.refused denied policy/health-missing -');
  });

  test('is not up to whoever is nobody here', async () => {
    await onTrial();
    expect(code(await updates.confirm(never))).toBe('identity/actor-missing');
    expect(code(await updates.rollBack())).toBe('identity/actor-missing');
    expect(await device.states()).toBe('b committed trial');
    expect(asked('roll-back-release')).toEqual(['authz.decision denied']);
  });

  test('is that a person ends its trial', async () => {
    signIn(mind);
    await onTrial();
    expect(code(await updates.rollBack())).toBe('trial-ended');
    await device.restart();
    expect(await device.states()).toBe('a committed failed');
  });

  test('is that a person goes back to the release before it, and that this is on trial then', async () => {
    signIn(mind);
    expect(code(await updates.rollBack())).toBe('policy/no-fallback');
    expect(await install()).toBe('armed');
    expect(await trial()).toBe('committed');
    expect(code(await updates.rollBack())).toBe('armed');
    expect(told().at(-1)).toBe('release.rolled-back done another');
    expect(asked('roll-back-release')).toEqual(['authz.decision allowed', 'admin.release allowed', 'admin.release done']);
    expect(await trial()).toBe('committed');
    expect(await device.states()).toBe('a committed superseded');
  });

  test('is that a newer release which waits for its first start is nothing to go back to', async () => {
    signIn(mind);
    expect(await install()).toBe('armed');
    expect(code(await updates.rollBack())).toBe('policy/no-fallback');
    expect(told().at(-1)).toBe('release.refused denied policy/no-fallback -');
    expect(code(await device.perform(device.hands.effectors.rollBack(next.facts.digest)))).toBe('policy/no-fallback');
  });

  test('is that nobody goes back below the floor (SR-08)', async () => {
    signIn(mind);
    await install();
    await trial();
    unwrap(await device.tpm.raise(1));
    expect(code(await updates.rollBack())).toBe('integrity/below-floor');
    expect(await device.states()).toBe('b superseded committed');
    expect(told().at(-1)).toBe('release.refused denied integrity/below-floor -');
  });

  test('is that the floor rises to it once both slots stand on it, by whoever signed it (SR-08)', async () => {
    const epoch = async () => unwrap(unwrap(await updates.situation()).floorEpoch);
    const take = async (counter: number) => {
      const floored = await release(counter, { floorEpoch: 1 });
      offered = ok(offerOf(floored));
      mirror = async (path, offset, length) => {
        const bytes = floored.contents.get(path);
        return bytes === undefined ? deny('unavailable', 'not-found', path) : ok(bytes.slice(offset, offset + length));
      };
      expect(await install()).toBe('armed');
      expect(await trial()).toBe('committed');
    };
    await take(2);
    expect(code(await updates.raiseFloor())).toBe(false);
    await take(3);
    expect(code(await updates.raiseFloor())).toBe('protocol/event-refused');
    expect(await epoch()).toBe(0);
    await mind.clock.advance(soakMs);
    expect(code(await updates.raiseFloor())).toBe(true);
    expect(await epoch()).toBe(1);
    expect(code(await updates.raiseFloor())).toBe(false);
  });
});
