import { beforeEach, describe, expect, test } from 'vitest';
import { openTestAudit, recordsOf } from '#agents/audit/audit.fixture';
import type { AuditLog } from '#agents/audit/log';
import { decide } from '#agents/decision/decide';
import { cedarEngine } from '#agents/decision/engine';
import { openState, type StateKeeper } from '#agents/management/state';
import { trust as newTrust, type Trust } from '#agents/mind/trust';
import { watchers as newWatchers } from '#agents/mind/watchers';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import type { SessionStatement } from '#protos/gen/types';
import { accountKeys, assertIdentity, assertion, issuedMs, statement, statementKeys, stateSession } from './issuer.fixture.ts';
import { type Presenter, presenter } from './presenter.ts';
import { assertionType, sessionType } from './statements.ts';

const engine = unwrap(await cedarEngine());
const own = toHex(statement.handle);
const present = { audit: 'intact', lifecycle: 'active', isTimeKnown: true, isEnrolled: true } as const;

describe('the presenter', () => {
  let clock: VirtualClock;
  let disk: Map<string, Uint8Array>;
  let state: StateKeeper;
  let trust: Trust;
  let audit: AuditLog;
  let signedMs: number | undefined;
  let door: Presenter;
  let witnessed: number[];

  const start = (store = memoryStore(disk)) => {
    state = unwrap(openState(store));
    trust = newTrust(() => clock.bootMs());
    trust.holdHandle({ handle: own, epoch: 1 });
    const time = { nowMs: () => signedMs, accept: () => undefined, witness: (ms: number) => void witnessed.push(ms) };
    door = presenter({ clock, crypto: nodeCrypto, statementKeys, state, trust, time, audit, watchers: newWatchers() });
  };
  beforeEach(async () => {
    witnessed = [];
    clock = virtualClock(issuedMs);
    disk = new Map();
    signedMs = undefined;
    audit = await openTestAudit(clock);
    start();
  });

  const show = async (envelope: Uint8Array, payloadType = sessionType): Promise<string> => {
    const presented = await door.present(payloadType, envelope, 'app');
    return presented.ok ? presented.value.kind : codeOf(presented.fault);
  };
  const showSession = (changed: Partial<SessionStatement>) => show(stateSession(changed));
  const session = () => trust.facts(present).session?.value;
  const reboot = () => {
    const { isAllowed, fault } = decide(
      engine,
      { action: 'reboot-device', resource: 'device' },
      trust.facts(present),
      clock.bootMs(),
    );
    return isAllowed ? 'allowed' : fault === undefined ? 'denied' : codeOf(fault);
  };

  test('makes facts of what verifies, for as long as the statement holds', async () => {
    expect(await show(assertIdentity(), assertionType)).toBe('identity');
    expect(await showSession({})).toBe('session');
    expect(trust.facts(present).actor?.value.subject).toBe(toHex(assertion.subject));
    expect(reboot()).toBe('allowed');
    await clock.advance(3_600_000);
    expect(reboot()).toBe('allowed');
    await clock.advance(1);
    expect(reboot()).toBe('identity/assertion-expired');
  });

  test('lets a statement witness that its time has come, and a refused one nothing (SR-16)', async () => {
    await show(assertIdentity(), assertionType);
    expect(witnessed.every((ms) => ms <= issuedMs && ms > issuedMs - 24 * 3_600_000)).toBe(true);
    expect(witnessed.length).toBe(1);
    await show(new Uint8Array(3));
    await show(assertIdentity(), sessionType);
    expect(witnessed.length).toBe(1);
  });

  test('judges by signed time where there is some, not by the wall clock', async () => {
    clock.jumpWall(365 * 86_400_000);
    expect(await showSession({})).toBe('identity/assertion-expired');
    signedMs = issuedMs;
    expect(await showSession({})).toBe('session');
  });

  test('refuses an older statement about a session, and the same one again', async () => {
    expect(await showSession({ sequence: 7 })).toBe('session');
    expect(await showSession({ sequence: 7 })).toBe('identity/session-replayed');
    expect(await showSession({ sequence: 6 })).toBe('identity/session-replayed');
    expect(await showSession({ sequence: 8 })).toBe('session');
  });

  test('does not open a closed session again by an older statement, not even after a restart', async () => {
    await show(assertIdentity(), assertionType);
    expect(await showSession({ sequence: 7 })).toBe('session');
    expect(await showSession({ sequence: 9, state: 'closed' })).toBe('session');
    expect(reboot()).toBe('identity/session-closed');
    for (const sequence of [7, 8, 9]) expect(await showSession({ sequence })).toBe('identity/session-replayed');
    expect(reboot()).toBe('identity/session-closed');

    start();
    await show(assertIdentity(), assertionType);
    for (const sequence of [7, 8, 9]) expect(await showSession({ sequence })).toBe('identity/session-replayed');
    expect(reboot()).toBe('identity/session-missing');
    expect(await showSession({ sequence: 10 })).toBe('session');
    expect(reboot()).toBe('allowed');
  });

  test('counts each session by itself', async () => {
    expect(await showSession({ sequence: 100 })).toBe('session');
    expect(await showSession({ session: new Uint8Array(16).fill(2), sequence: 1 })).toBe('session');
    expect(await showSession({ sequence: 99 })).toBe('identity/session-replayed');
  });

  test('refuses a session of another device, and holds it so that decisions name why', async () => {
    await show(assertIdentity(), assertionType);
    const foreign = new Uint8Array(16).fill(0xf0);
    expect(await showSession({ handle: foreign })).toBe('handle/session-of-another-device');
    expect(session()?.handle).toBe(toHex(foreign));
    expect(reboot()).toBe('handle/session-of-another-device');
    expect(recordsOf(audit).filter(({ event }) => event === 'authz.session')).toMatchObject([
      { outcome: 'denied', code: 'handle/session-of-another-device' },
    ]);
  });

  test('gives an actor and a session of two people no session', async () => {
    await show(assertIdentity(), assertionType);
    expect(await showSession({ subject: new Uint8Array(16).fill(3) })).toBe('session');
    expect(reboot()).toBe('identity/session-missing');
  });

  test.each<[string, string, Uint8Array, string]>([
    [
      'signed by another class of key (SR-03)',
      assertionType,
      assertIdentity({}, { signer: accountKeys.secretKey }),
      'integrity/signature-missing',
    ],
    [
      'for another audience',
      sessionType,
      stateSession({ sequence: 99 }, { audience: 'enigm-verifier' }),
      'integrity/audience-mismatch',
    ],
    ['of another type', 'visit-receipt', stateSession({ sequence: 99 }), 'integrity/payload-type'],
    ['that expired', sessionType, stateSession({ sequence: 99, expiresMs: issuedMs - 1 }), 'identity/assertion-expired'],
    ['that is no envelope', sessionType, new Uint8Array([1, 2, 3]), 'protocol/malformed'],
    ['that is older', sessionType, stateSession({ sequence: 1, state: 'closed' }), 'identity/session-replayed'],
  ])('leaves everything as it was when it refuses a statement %s', async (_, payloadType, envelope, code) => {
    await show(assertIdentity(), assertionType);
    await showSession({});
    const before = { facts: trust.facts(present), state: state.current(), disk: new Map(disk) };
    expect(await show(envelope, payloadType)).toBe(code);
    expect({ facts: trust.facts(present), state: state.current(), disk }).toEqual(before);
  });

  test('holds no session whose sequence could not be made durable', async () => {
    const broken = { ...memoryStore(), put: () => deny('unavailable', 'storage-failed') };
    start(broken);
    expect(await showSession({})).toBe('unavailable/storage-failed');
    expect(session()).toBeUndefined();
  });

  test('writes down who was accepted and what was refused, in the words of the vocabulary and no others', async () => {
    await show(assertIdentity(), assertionType);
    await showSession({});
    await showSession({});
    const subject = assertion.subject;
    const always = {
      timeMs: issuedMs,
      bootMs: 0,
      bootId: new Uint8Array(16).fill(0xb0),
      retention: 'routine',
    };
    const verified = { ...always, category: 'verification', event: 'verify.statement' };
    const authorized = { ...always, category: 'authorization' };
    const replayed = { outcome: 'denied', code: 'identity/session-replayed' };
    const records = recordsOf(audit).map((record) => ({ ...record, bootId: new Uint8Array(record.bootId) }));
    expect(
      records.map(({ actor, ...record }) => ({ ...record, ...(actor === undefined ? {} : { actor: toHex(actor) }) })),
    ).toEqual([
      { ...authorized, event: 'authz.identity', outcome: 'allowed', actor: toHex(subject) },
      { ...verified, outcome: 'done' },
      { ...authorized, event: 'authz.session', outcome: 'allowed', actor: toHex(subject) },
      { ...verified, outcome: 'done' },
      { ...authorized, event: 'authz.session', ...replayed },
      { ...verified, ...replayed },
    ]);
  });

  test('tells those who watch, whatever came of it', async () => {
    const watchers = newWatchers();
    let changes = 0;
    void watchers.changed(new AbortController().signal).then(() => {
      changes += 1;
    });
    const time = { nowMs: () => signedMs, accept: () => undefined, witness: (ms: number) => void witnessed.push(ms) };
    door = presenter({ clock, crypto: nodeCrypto, statementKeys, state, trust, time, audit, watchers });
    await show(new Uint8Array(3));
    expect(changes).toBe(1);
  });
});
