/** The hands of a running device, spoken to as the mind speaks to them: what a permit is good for, and what not (SR-01). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { policyDigest } from '#agents/decision/policy';
import { socketPath } from '#agents/programs/layout';
import { encodeMessage } from '#hal/core/message';
import { mintPermit, type Permit } from '#hal/core/permit';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { handsMethods } from '#hal/remote/hands-methods';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { openTestWorld, type TestWorld } from './device.fixture.ts';

const clock = linuxClock();
const request = { cause: 'test' };
const refusal = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));

describe('a permit at the hands of a running device (SR-01)', () => {
  let opened: TestWorld;
  let hands: SocketClient<typeof handsMethods>;
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    hands = socketClient(handsMethods, socketPath(opened.world.machine.runDirectory, 'hands'));
  });
  afterAll(async () => {
    hands.close();
    await opened[Symbol.asyncDispose]();
  });

  const minted = async (changed: Partial<Permit> = {}, key?: Uint8Array): Promise<Uint8Array> => {
    const { permitKey, bootId, lastSequence } = unwrap(await hands.call('hands.hello', {}));
    return mintPermit(key ?? permitKey, {
      audience: 'power.reboot',
      arguments: encodeMessage('RebootRequest', request),
      bootId,
      sequence: lastSequence + 1,
      notAfterBootMs: clock.bootMs() + 30_000,
      policyDigest,
      auditLeaf: new Uint8Array(32),
      ...changed,
    });
  };
  const reboot = async (permit: Uint8Array | undefined, asked = request) =>
    refusal(await hands.call('power.reboot', asked, permit === undefined ? {} : { permit }));

  test.each<[string, Partial<Permit>, string]>([
    ['for another effector', { audience: 'power.off' }, 'authorization/permit-audience'],
    ['for other arguments', { arguments: encodeMessage('RebootRequest', { cause: 'other' }) }, 'authorization/permit-arguments'],
    ['of another boot', { bootId: new Uint8Array(16) }, 'authorization/permit-boot'],
    ['that has expired', { notAfterBootMs: 1 }, 'authorization/permit-expired'],
    ['that would live for hours', { notAfterBootMs: clock.bootMs() + 3_600_000 }, 'authorization/permit-expired'],
    ['with a sequence that was used', { sequence: 0 }, 'authorization/permit-replayed'],
  ])('is refused %s, and the device goes on', async (_, changed, code) => {
    const boot = opened.world.device.bootId();
    expect(await reboot(await minted(changed))).toBe(code);
    expect(opened.world.device.bootId()).toBe(boot);
  });

  test('is refused under another key, in part, and when there is none', async () => {
    expect(await reboot(await minted({}, new Uint8Array(32)))).toBe('authorization/permit-invalid');
    expect(await reboot((await minted()).subarray(1))).toBe('authorization/permit-invalid');
    expect(await reboot(undefined)).toBe('authorization/permit-missing');
  });

  test('restarts the device once: the same permit a second time is refused, and so is it in the next life', async () => {
    const { machine, device, until } = opened.world;
    const boot = device.bootId();
    const permit = await minted();
    expect(await Promise.all([reboot(permit), reboot(permit)])).toEqual(['done', 'authorization/permit-replayed']);
    await until('the device restarted', () => device.bootId() !== boot);
    await until('the hands answer', async () => (await hands.call('hands.hello', {})).ok);
    const second = device.bootId();
    expect(await reboot(permit)).toBe('authorization/permit-invalid');
    expect(device.bootId()).toBe(second);
    expect(machine.status().map(({ restarts }) => restarts)).toEqual(machine.status().map(() => 0));
  });
});
