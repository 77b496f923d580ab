import { afterEach, describe, expect, test } from 'vitest';
import { installedSlots } from '#agents/hands/hands.fixture';
import type { Observations } from '#agents/posture/observations';
import { postureOf } from '#agents/posture/posture';
import { deny, ok } from '#hal/core/result';
import { noUpdates } from '#hal/linux/unsupported';
import type { SlotsReading } from '#hal/ports/updater';
import type { Finding } from '#protos/gen/types';
import { type MeasureParts, measure, probeLimitMs } from './measure.ts';
import { affirming, startTestMind, type TestMind, type TestMindOptions } from './mind.fixture.ts';
import { lifeMs, ownParty } from './trust.ts';

const unreachable = { category: 'unavailable', reason: 'peer-unreachable' } as const;
const refused = { category: 'attestation', reason: 'log-replay' } as const;

describe('measuring', () => {
  let mind: TestMind;
  const start = async (options: TestMindOptions = {}) => {
    mind = await startTestMind(options);
  };
  afterEach(() => mind[Symbol.asyncDispose]());

  const look = (changed: Partial<MeasureParts> = {}): Promise<Observations> =>
    measure({ ...mind, lifecycle: () => mind.state.current().lifecycle, programs: {}, agents: () => [], ...changed });
  const finding = async (id: string): Promise<Finding | undefined> =>
    postureOf(await look(), 'active', mind.clock.bootMs(), mind.clock.nowMs()).findings.find((one) => one.id === id);

  test('reads the boot log against the registers as a verifier would', async () => {
    await start();
    const { boot, platform, tpm } = await look();
    expect(boot).toEqual({ value: { isSecureBoot: true }, measuredBootMs: mind.clock.bootMs() });
    expect(platform?.value).toEqual({ kernelTaint: 0 });
    expect(tpm?.value).toEqual({ tpmClass: undefined });
  });

  test('says why a boot does not hold: a log that leads elsewhere, a log that cannot be read', async () => {
    await start({ ports: { bootLog: { read: async () => ok(new Uint8Array(3)) } } });
    expect((await look()).boot?.value).toEqual({ code: 'attestation/log-malformed', isSecureBoot: undefined });
    expect(await finding('boot-log')).toMatchObject({ result: 'fail', value: 'attestation/log-malformed' });
  });

  test('holds what was started against what the hands wrote and proved', async () => {
    const slots = async (changed: Partial<SlotsReading>) => {
      await start({
        ports: { slotStarter: { ...noUpdates.slotStarter, status: async () => ok({ ...installedSlots, ...changed }) } },
      });
      const found = await finding('installed-release');
      await mind[Symbol.asyncDispose]();
      return `${found?.result} ${found?.value}`;
    };
    expect(await slots({})).toBe('pass committed');
    expect(await slots({ a: { ...installedSlots.a, state: 'trial' } })).toBe('pass trial');
    expect(await slots({ a: { ...installedSlots.a, state: 'failed' } })).toBe('fail failed');
    expect(await slots({ runningRoot: new Uint8Array(32) })).toBe('fail another-image');
    expect(await slots({ running: 'b' })).toBe('fail another-image');
    await start({ ports: noUpdates });
    expect((await finding('installed-release'))?.result).toBe('unknown');
  });

  test('holds what runs against the log of releases, as the hands remember it', async () => {
    for (const [log, said] of [
      ['', 'pass proved'],
      ['integrity/log-proof-missing', 'fail integrity/log-proof-missing'],
      [undefined, 'not-applicable not-asked'],
    ] as const) {
      const a = { ...installedSlots.a, ...(log === undefined ? {} : { log }) };
      await start({ ports: { slotStarter: { ...noUpdates.slotStarter, status: async () => ok({ ...installedSlots, a }) } } });
      const found = await finding('release-log');
      expect(`${found?.result} ${found?.value}`).toBe(said);
      if (log !== undefined) await mind[Symbol.asyncDispose]();
    }
  });

  test('believes the hands, and not the mouth, that the key of the connection is in the TPM (SR-02)', async () => {
    await start();
    const [inTpm, own] = [new Uint8Array(91).fill(1), new Uint8Array(44).fill(2)];
    const said = async (linkKey: Uint8Array | undefined, ofHands: Uint8Array | undefined, keyFault?: string) => {
      const hello = await mind.hands.hello();
      const hands = {
        ...mind.hands,
        hello: async () => (hello.ok && ofHands ? ok({ ...hello.value, linkKey: ofHands }) : hello),
      };
      const status = { exchanges: 1, failures: 0, ...(linkKey && { linkKey }), ...(keyFault && { keyFault }) };
      const { link } = await look({ hands, link: { status: async () => ok(status) } });
      return link?.value;
    };
    expect(await said(inTpm, inTpm)).toEqual({ key: 'in-tpm' });
    expect(await said(inTpm, own)).toEqual({ key: 'software' });
    expect(await said(inTpm, undefined)).toEqual({ key: 'software' });
    expect(await said(own, inTpm, 'unavailable/tpm-failed')).toEqual({ key: 'software', code: 'unavailable/tpm-failed' });
    expect(await said(undefined, inTpm)).toEqual({ key: 'none-shown' });
    expect((await look({ link: { status: async () => deny('unavailable', 'program-down') } })).link).toBeUndefined();
  });

  test('leaves out what could not be read: unknown, never a default', async () => {
    const down = async () => deny('unavailable', 'tpm-failed');
    await start({ ports: { bootLog: { read: down }, platform: { read: down } } });
    const seen = await look();
    expect([seen.boot, seen.platform, seen.inference, seen.attestation]).toEqual([undefined, undefined, undefined, undefined]);
    for (const id of ['boot-log', 'kernel-taint', 'inference-engine', 'attestation'])
      expect((await finding(id))?.result).toBe('unknown');
  });

  test('gives up a probe that does not answer, and a program too, within its limit', async () => {
    await start({ ports: { platform: { read: () => new Promise(() => undefined) } } });
    const aborted: string[] = [];
    const hangs = (signal: AbortSignal) =>
      new Promise<boolean>(() => signal.addEventListener('abort', () => aborted.push('hangs')));
    const looked = look({
      programs: { hangs, there: async () => true, gone: async () => false },
      agents: () => [{ name: 'audit', isRunning: true, restarts: 0 }],
    });
    // The other probes answer over a socket, in real time; only then is it late.
    await mind.hands.bootLog.read();
    await mind.clock.advance(probeLimitMs);
    const { platform, programs } = await looked;
    expect(platform).toBeUndefined();
    expect(programs?.value).toEqual([
      { name: 'hangs', isRunning: false },
      { name: 'there', isRunning: true },
      { name: 'gone', isRunning: false },
      { name: 'agent-audit', isRunning: true },
    ]);
    expect(aborted).toEqual(['hangs']);
  });

  test('leaves a result and its finding as they are while the verifier cannot be asked, until it expires (SR-13)', async () => {
    await start();
    const atBootMs = mind.clock.bootMs();
    mind.trust.holdResult(ownParty, affirming);
    const before = await look();
    expect(before.attestation).toEqual({ value: { status: 'affirming' }, measuredBootMs: atBootMs });
    mind.trust.holdAttestationFault(unreachable);
    expect((await look()).attestation).toEqual(before.attestation);
    await mind.clock.advance(lifeMs(affirming));
    expect((await look()).attestation).toEqual(before.attestation);
    expect((await finding('attestation'))?.result).toBe('pass');
    await mind.clock.advance(1);
    expect(await finding('attestation')).toMatchObject({ result: 'fail', value: 'unavailable/peer-unreachable', ageMs: 0 });
  });

  test('calls a result that ended by itself stale', async () => {
    await start();
    mind.trust.holdResult(ownParty, affirming);
    await mind.clock.advance(lifeMs(affirming) + 1);
    expect(await finding('attestation')).toMatchObject({ result: 'fail', value: 'attestation/stale' });
  });

  test('shows a refusal at once, in place of the result that it ends', async () => {
    await start();
    mind.trust.holdResult(ownParty, affirming);
    mind.trust.holdAttestationFault(refused);
    expect(await finding('attestation')).toMatchObject({ result: 'fail', value: 'attestation/log-replay' });
    mind.trust.holdResult(ownParty, affirming);
    expect((await finding('attestation'))?.result).toBe('pass');
  });

  test('shows bad news of the verifier as what it is', async () => {
    await start();
    mind.trust.holdResult(ownParty, { ...affirming, status: 'contraindicated' });
    expect(await finding('attestation')).toMatchObject({ result: 'fail', value: 'contraindicated' });
  });

  test('knows the class of the TPM from the verifier alone (SR-23)', async () => {
    await start();
    expect(await finding('hardware-tpm')).toMatchObject({ result: 'fail', value: 'not-vouched-for' });
    mind.trust.holdResult('command', { ...affirming, tpmClass: 'discrete' });
    expect(await finding('hardware-tpm')).toMatchObject({ result: 'fail', value: 'not-vouched-for' });
    mind.trust.holdResult(ownParty, { ...affirming, tpmClass: 'discrete' });
    expect(await finding('hardware-tpm')).toMatchObject({ result: 'pass', value: 'discrete' });
  });

  test('compares the wall clock with signed time, and believes neither without it (SR-16)', async () => {
    await start();
    expect((await look()).time?.value).toEqual({ isKnown: false, offsetSeconds: 0 });
    mind.time.accept({ signedMs: mind.clock.nowMs(), atBootMs: mind.clock.bootMs() });
    mind.clock.jumpWall(-3_600_000);
    expect((await look()).time?.value).toEqual({ isKnown: true, offsetSeconds: -3_600 });
    expect(await finding('clock')).toMatchObject({ result: 'pass', value: 'wall-clock-3600s-behind' });
  });
});
