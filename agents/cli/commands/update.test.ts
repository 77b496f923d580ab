import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apiDoor, type DoorParts } from '#agents/api/door';
import { openTestAudit } from '#agents/audit/audit.fixture';
import type { AuditLog } from '#agents/audit/log';
import { factoryRelease, release, updateDevice } from '#agents/hands/updates.fixture';
import { toHex } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { logTrust } from '#ota-client/transparency/log.fixture';
import { ask, askJson, serveDevice, type TestDevice } from '../enigmctl.fixture.ts';

const next = await release(2);

/** The real door before real hands with slots in memory. */
describe('enigmctl update', () => {
  let clock: VirtualClock;
  let audit: AuditLog;
  let slots: Awaited<ReturnType<typeof updateDevice>>;
  let device: TestDevice;
  /** Of an install that goes on: segments written, of so many. */
  let written: readonly [number, number] | undefined;
  let asked: string[];
  const unwell = deny('policy', 'health-missing');
  beforeEach(async () => {
    clock = virtualClock();
    audit = await openTestAudit(clock);
    slots = await updateDevice(clock);
    written = undefined;
    const progress = () => (written === undefined ? undefined : { segment: written[0], segments: written[1] });
    asked = [];
    const confirm = async () => {
      asked.push('confirm');
      return unwell;
    };
    const rollBack = async () => {
      asked.push('rollback');
      return ok('armed');
    };
    const check = async () => ok({ statement: { release: next.facts } });
    const parts = () =>
      ({ audit, clock, hands: slots.hands, updater: { progress, check, confirm, rollBack } }) as unknown as DoorParts;
    device = await serveDevice({
      'update.status': (request, signal) => apiDoor(parts())['update.status'](request, signal),
      'update.check': (request, signal) => apiDoor(parts())['update.check'](request, signal),
      'update.confirm': (request, signal) => apiDoor(parts())['update.confirm'](request, signal),
      'update.rollBack': (request, signal) => apiDoor(parts())['update.rollBack'](request, signal),
      'audit.list': (request, signal) => apiDoor(parts())['audit.list'](request, signal),
    });
  });
  afterEach(async () => {
    await device[Symbol.asyncDispose]();
    await slots[Symbol.asyncDispose]();
  });

  const on = (...words: readonly string[]) => askJson('--run', device.directory, 'update', ...words);
  const status = async () => (await ask('--run', device.directory, 'update')).out.trimEnd().split('\n');

  test('says of each slot which release it holds, what came of verifying and trying it, and where the floor is', async () => {
    expect(await status()).toEqual(['slot a: release 1 committed, runs', 'slot b: empty', 'floor epoch 0']);
    unwrap(await slots.install(next));
    expect(await status()).toEqual(['slot a: release 1 committed, runs', 'slot b: release 2 verified', 'floor epoch 0']);
    unwrap(await slots.switch.arm(next.statement));
    await slots.restart();
    expect((await status())[1]).toMatch(/^slot b: release 2 trial, \d tries left, runs$/);
    unwrap(await slots.switch.giveUp('storage-writable'));
    await slots.restart();
    expect(await status()).toEqual([
      'slot a: release 1 committed, runs',
      'slot b: release 2 failed (storage-writable)',
      'floor epoch 0',
    ]);
  });

  test('says aloud which slot holds a release that is not shown to be in the log', async () => {
    await slots[Symbol.asyncDispose]();
    slots = await updateDevice(clock, { log: logTrust('warn') });
    unwrap(await slots.install(next));
    expect(await status()).toEqual([
      'slot a: release 1 committed, runs',
      'slot b: release 2 verified, NOT SHOWN TO BE IN THE LOG OF RELEASES: integrity/log-proof-missing',
      'floor epoch 0',
    ]);
    expect((await on('status')).json).toMatchObject({ b: { log: 'integrity/log-proof-missing' } });
  });

  test('gives programs the same, with the digests of what was verified', async () => {
    unwrap(await slots.install(next));
    const releaseOf = ({ facts }: typeof next) => ({
      counter: facts.counter,
      floorEpoch: 0,
      digest: toHex(facts.digest),
      verityRoot: toHex(facts.verityRoot),
    });
    expect((await on('status')).json).toMatchObject({
      running: 'a',
      floorEpoch: 0,
      a: { state: 'committed', release: releaseOf(factoryRelease) },
      b: { state: 'verified', release: releaseOf(next) },
    });
  });

  test('says which release a rollout brings to this device, how far writing has come, and what became of it', async () => {
    expect((await on('check')).json).toMatchObject({ release: { counter: 2, digest: toHex(next.facts.digest) } });
    expect((await on('status')).json).not.toHaveProperty('progress');
    written = [3, 20];
    expect((await on('status')).json).toMatchObject({ progress: { slot: 'b', writtenSegments: 3, segments: 20 } });

    expect((await ask('--run', device.directory, 'update', 'history')).out).toBe('nothing yet\n');
    await audit.record({ event: 'authz.decision', outcome: 'allowed', action: 'install-release', resource: 'device' });
    await audit.record({ event: 'release.offered', outcome: 'done' });
    await audit.record({ event: 'admin.release', outcome: 'done', action: 'install-release', resource: 'device' });
    await audit.record({ event: 'release.trial', outcome: 'failed', fault: { category: 'policy', reason: 'release-failed' } });
    expect((await on('history')).json).toMatchObject({
      records: [
        { event: 'release.offered', outcome: 'done' },
        { event: 'admin.release', action: 'install-release' },
        { event: 'release.trial', outcome: 'failed', code: 'policy/release-failed' },
      ],
    });
  });

  test('row 47: says that nothing is installed while the TPM gives no floor, and why', async () => {
    slots.tpm.clear();
    expect((await status()).at(-1)).toBe('floor not known (integrity/tpm-cleared): nothing is installed');
    const { json } = await on('status');
    expect(json).toMatchObject({ running: 'a', floorFault: 'integrity/tpm-cleared' });
    expect(json).not.toHaveProperty('floorEpoch');
  });

  test('keeps what is on trial and goes back, or says by its code why not', async () => {
    expect((await on('confirm')).json).toMatchObject({ fault: { category: 'policy', reason: 'health-missing' } });
    expect((await on('rollback')).json).toMatchObject({ outcome: 'armed' });
    expect((await ask('--run', device.directory, 'update', 'rollback')).out).toBe(
      'the next restart tries the release before this one\n',
    );
    expect(asked).toEqual(['confirm', 'rollback', 'rollback']);
  });
});
