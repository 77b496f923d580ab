import { describe, expect, test } from 'vitest';
import { openState } from '#agents/management/state';
import { timeKeeper } from '#agents/mind/time-keeper';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { metadataPath } from '#ota-client/repository/files';
import { publishRoles } from '#ota-client/repository/publish';
import { ci, custodian, site } from '#ota-client/repository/repository.fixture';
import { readCarried } from './carried.ts';
import { bundleSource } from './source.ts';

const dayMs = 86_400_000;
const { signal } = new AbortController();
const outcome = (result: Result<unknown>) => (result.ok ? 'verified' : codeOf(result.fault));

/** A device that knows the repository as it was made, and a verifier that signs the present time. */
const device = async () => {
  const { clock, kept, repository } = await site();
  const state = unwrap(openState(memoryStore()));
  const boot = () => {
    const time = timeKeeper(clock, state, memoryLog());
    const present = () => ({ nowMs: time.nowMs(), floorMs: state.current().lastSignedMs ?? 0 });
    const source = bundleSource({
      crypto: nodeCrypto,
      read: readCarried(kept),
      store: memoryStore(),
      pinnedRoot: kept.get(metadataPath('1.root.json')) ?? new Uint8Array(),
      time: { present, asked: async () => present() },
      witness: time.witness,
      hardwareId: 'board-1',
    });
    return {
      time,
      attest: () => time.accept({ signedMs: clock.nowMs(), atBootMs: clock.bootMs() }),
      update: async () => outcome(await source.refresh(signal)),
    };
  };
  return { clock, repository, boot };
};

describe('bundles out of the repository', () => {
  test('wait for the time', async () => {
    const { boot } = await device();
    const { attest, update } = boot();
    expect(await update()).toBe('posture/time-unknown');
    attest();
    expect(await update()).toBe('verified');
  });

  test('come again to a device that was off for months: its repository is the second signer (SR-16, SR-17)', async () => {
    const { clock, repository, boot } = await device();
    boot().attest();
    await clock.advance(100 * dayMs);
    const again = boot();
    again.attest();
    expect(again.time.nowMs()).toBeUndefined();
    // What the repository signed long ago says nothing of today.
    expect(await again.update()).toBe('posture/time-unknown');
    again.attest();
    expect(again.time.nowMs()).toBeUndefined();

    unwrap(await publishRoles(repository, [], [...ci, custodian('ada'), custodian('bea')], clock.nowMs()));
    expect(await again.update()).toBe('posture/time-unknown');
    again.attest();
    expect(again.time.nowMs()).toBe(clock.nowMs());
    expect(await again.update()).toBe('verified');
  });
});
