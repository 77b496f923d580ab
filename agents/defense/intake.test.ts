import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsOf } from '#agents/audit/audit.fixture';
import { type Authorizer, authorizer } from '#agents/mind/authorizer';
import { startTestMind, type TestMind, type TestMindOptions } from '#agents/mind/mind.fixture';
import { identityKeys, issuedMs } from '#agents/session/issuer.fixture';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { keyId } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import type { Posture } from '#protos/gen/types';
import { type OutcomeIntake, outcomeIntake } from './intake.ts';
import { concludes, outcome, ownHandle, serviceKeys } from './outcome.fixture.ts';
import { maxOutcomes } from './outcome-shelf.ts';

const posture: Posture = { level: 'basic', headline: 'as-expected', lifecycle: 'active', measuredMs: 0, findings: [] };
const minuteMs = 60_000;
const block = { app: 'an-app', isBlock: true } as const;

describe('the intake of outcomes', () => {
  let mind: TestMind;
  let door: Authorizer;
  let intake: OutcomeIntake;
  let disk: Map<string, Uint8Array>;
  const revoked = new Set<string>();

  const startIntake = () => {
    intake = outcomeIntake({
      ...mind,
      authorizer: door,
      store: memoryStore(disk),
      outcomeKeys: [serviceKeys.publicKey],
      isRevoked: (keyId) => revoked.has(toHex(keyId)),
      intelligenceHandle: ownHandle,
    });
  };
  const start = async (options: TestMindOptions = {}) => {
    mind = await startTestMind(options);
    const { trust, clock } = mind;
    door = authorizer(mind, {
      refresh: async () => {
        trust.holdPosture(posture, { value: true, measuredBootMs: clock.bootMs() }, trust.changes());
        return posture;
      },
    });
    disk = new Map();
    startIntake();
    // An app that runs, because the administration allows it.
    const entry = { app: 'an-app', digest: new Uint8Array(32), user: 1001, confinement: 'strict' };
    await perform(mind.hands.effectors.allowApps({ version: 1, apps: [entry] }));
    await perform(mind.hands.effectors.startApp({ app: 'an-app' }));
  };
  const perform = async (call: ReturnType<TestMind['hands']['effectors']['startApp']>) =>
    call.run(unwrap(await mind.life.mint(call, new Uint8Array(32))));
  beforeEach(() => start());
  afterEach(() => mind[Symbol.asyncDispose]());

  const present = async (envelope: Uint8Array) => codeOfResult(await intake.present(envelope, 'app'));
  const codeOfResult = (result: Result<unknown>) => (result.ok ? 'counts' : codeOf(result.fault));
  const apps = async () => unwrap(await mind.hands.apps.read());
  const category = () =>
    mind.trust.facts({ audit: 'intact', lifecycle: 'active', isTimeKnown: true, isEnrolled: true }).intelligence?.value.category;
  const risks = () => recordsOf(mind.audit).filter(({ event }) => event.startsWith('risk.') || event === 'verify.outcome');

  test('holds what the service says as a fact until it expires, and not longer', async () => {
    expect(category()).toBeUndefined();
    expect(await present(concludes())).toBe('counts');
    expect(category()).toBe('malware-like');
    await mind.clock.advance(9 * minuteMs);
    expect(category()).toBe('malware-like');
    await mind.clock.advance(minuteMs);
    expect(category()).toBeUndefined();
    expect(intake.current()).toEqual([]);
  });

  test('lets the worst of our own judgement and of every outcome count', async () => {
    mind.trust.holdEngine({ value: { engine: 'cpu', version: '1' }, measuredBootMs: mind.clock.bootMs() });
    await present(concludes({ category: 'low' }));
    expect(category()).toBe('low');
    await present(concludes({ sequence: 8, app: 'an-app', category: 'tamper' }));
    await present(concludes({ sequence: 9, app: 'another', category: 'none' }));
    expect(category()).toBe('tamper');
    await present(concludes({ sequence: 10, app: 'an-app', category: 'none' }));
    expect(category()).toBe('low');
  });

  test('stops a blocked app until the outcome expires, under a permit, and leaves records of all of it', async () => {
    expect((await apps()).running).toEqual(['an-app']);
    expect(await present(concludes(block))).toBe('counts');
    const { running, blocks } = await apps();
    expect(running).toEqual([]);
    expect(blocks).toEqual([{ app: 'an-app', untilBootMs: mind.clock.bootMs() + 9 * minuteMs }]);
    expect(codeOfResult(await perform(mind.hands.effectors.startApp({ app: 'an-app' })))).toBe('intelligence/blocked');
    expect(risks().map(({ event, outcome: was }) => [event, was])).toEqual([
      ['verify.outcome', 'done'],
      ['risk.outcome', 'done'],
      ['risk.block', 'allowed'],
      ['risk.block', 'done'],
    ]);
    const decision = recordsOf(mind.audit).find(({ event }) => event === 'authz.decision');
    expect(decision).toMatchObject({ action: 'block-app', resource: 'apps', outcome: 'allowed' });
    await mind.clock.advance(9 * minuteMs + 1);
    expect(codeOfResult(await perform(mind.hands.effectors.startApp({ app: 'an-app' })))).toBe('counts');
  });

  test.each<[string, string, () => Uint8Array]>([
    [
      'signed by a key of another class',
      'integrity/signature-missing',
      () => concludes(block, { signer: identityKeys.secretKey }),
    ],
    ['too old', 'intelligence/outcome-expired', () => concludes({ ...block, expiresMs: issuedMs + 1 })],
    ['of the future', 'intelligence/outcome-not-yet-valid', () => concludes({ ...block, issuedMs: issuedMs + 10 * minuteMs })],
    ['for another device', 'handle/outcome-of-another-device', () => concludes({ ...block, handle: new Uint8Array(16) })],
    ['no envelope at all', 'protocol/malformed', () => new Uint8Array([255])],
  ])('does nothing with an outcome that is %s, and records it', async (_, expected, envelope) => {
    expect(await present(envelope())).toBe(expected);
    expect(category()).toBeUndefined();
    expect((await apps()).running).toEqual(['an-app']);
    expect(unwrap(await mind.hands.hello()).lastSequence).toBe(2);
    expect(risks()).toMatchObject([
      { event: 'verify.outcome', outcome: 'denied', code: expected },
      { event: 'risk.outcome', outcome: 'denied', code: expected },
    ]);
  });

  test('takes nothing a second time and nothing older, also after a restart', async () => {
    const first = concludes();
    expect(await present(first)).toBe('counts');
    expect(await present(first)).toBe('intelligence/outcome-replayed');
    expect(await present(concludes({ sequence: 6, category: 'none' }))).toBe('intelligence/outcome-replayed');
    startIntake();
    expect(await present(concludes({ category: 'none' }))).toBe('intelligence/outcome-replayed');
    expect(category()).toBe('malware-like');
  });

  test('is not rid of an outcome by a restart of the mind, nor of a block by one of the hands', async () => {
    await present(concludes(block));
    await mind[Symbol.asyncDispose]();
    const kept = disk;
    await start();
    disk = kept;
    startIntake();
    await intake.restore();
    expect(category()).toBe('malware-like');
    expect((await apps()).running).toEqual(['an-app']);
    await intake.enforce();
    expect((await apps()).running).toEqual([]);
    const before = recordsOf(mind.audit).length;
    await intake.enforce();
    expect(recordsOf(mind.audit)).toHaveLength(before);
  });

  test('keeps an outcome over a restart after which the clock stands at zero', async () => {
    await present(concludes(block));
    await mind[Symbol.asyncDispose]();
    const kept = disk;
    await start();
    mind.clock.jumpWall(-issuedMs);
    disk = kept;
    startIntake();
    await intake.restore();
    expect(category()).toBe('malware-like');
    await mind.clock.advance(10 * minuteMs + 1);
    expect(category()).toBeUndefined();
  });

  test('forgets over a restart what has expired meanwhile', async () => {
    await present(concludes(block));
    await mind[Symbol.asyncDispose]();
    const kept = disk;
    await start();
    await mind.clock.advance(10 * minuteMs);
    disk = kept;
    startIntake();
    await intake.restore();
    await intake.enforce();
    expect([category(), (await apps()).running]).toEqual([undefined, ['an-app']]);
  });

  test('counts an outcome whose block the hands do not do, says so, and tries again a minute later', async () => {
    await mind[Symbol.asyncDispose]();
    let isBroken = true;
    let running: readonly string[] = ['an-app'];
    let blocks: readonly { readonly app: string; readonly untilBootMs: number }[] = [];
    const state = () => ({ digest: new Uint8Array(32), running, blocks });
    await start({
      ports: {
        apps: {
          allow: async () => ({ ok: true, value: state() }),
          start: async () => ({ ok: true, value: undefined }),
          read: async () => ({ ok: true, value: state() }),
          block: async (app, untilBootMs) => {
            if (isBroken) return deny('unavailable', 'not-supported');
            running = [];
            blocks = [{ app, untilBootMs }];
            return { ok: true, value: state() };
          },
        },
      },
    });
    expect(await present(concludes(block))).toBe('unavailable/not-supported');
    expect(category()).toBe('malware-like');
    isBroken = false;
    await intake.enforce();
    expect((await apps()).running).toEqual([]);
  });

  test('blocks nothing on a device that is out of service, by the same decision as everything else', async () => {
    unwrap(mind.state.update({ lifecycle: 'retired' }));
    expect(await present(concludes(block))).toBe('posture/lifecycle-state');
    expect((await apps()).running).toEqual(['an-app']);
  });

  test('keeps a limited number of outcomes, and those that expired make room', async () => {
    const { trust, clock } = mind;
    for (let index = 0; index < maxOutcomes; index += 1)
      unwrap(await intake.present(concludes({ sequence: 10 + index, app: `app-${index}`, category: 'low' }), 'app'));
    expect(await present(concludes({ sequence: 900, app: 'one-more' }))).toBe('resource/count-limit');
    expect(await present(concludes({ sequence: 901, app: 'app-3' }))).toBe('counts');
    await clock.advance(outcome.expiresMs - issuedMs);
    const later = { issuedMs: clock.nowMs(), expiresMs: clock.nowMs() + minuteMs };
    expect(await present(concludes({ sequence: 902, app: 'one-more', ...later }))).toBe('counts');
    expect(trust.changes()).toBeGreaterThan(maxOutcomes);
  });

  test('takes nothing by a key that was revoked, and after a restart not what it took before', async () => {
    expect(await present(concludes({ sequence: 1, category: 'tamper' }))).toBe('counts');
    revoked.add(toHex(keyId(nodeCrypto, serviceKeys.publicKey)));
    expect(await present(concludes({ sequence: 2 }))).toBe('integrity/key-revoked');
    startIntake();
    await intake.restore();
    expect(intake.current()).toEqual([]);
    revoked.clear();
  });

  test('does nothing that it cannot keep', async () => {
    const full = outcomeIntake({
      ...mind,
      authorizer: door,
      store: { ...memoryStore(), put: () => deny('resource', 'storage-full') },
      outcomeKeys: [serviceKeys.publicKey],
      isRevoked: () => false,
      intelligenceHandle: ownHandle,
    });
    expect(codeOfResult(await full.present(concludes(block), 'app'))).toBe('resource/storage-full');
    expect([category(), (await apps()).running]).toEqual([undefined, ['an-app']]);
  });
});
