/** For tests: the parts of a mind, real wherever they can be: state, trust, audit log, engine, hands over a socket; time is virtual. */
import { openTestAudit } from '#agents/audit/audit.fixture';
import type { AuditLog, AuditParts } from '#agents/audit/log';
import { cedarEngine } from '#agents/decision/engine';
import { startTestHands, type TestHands } from '#agents/hands/hands.fixture';
import { openState, type StateKeeper } from '#agents/management/state';
import { issuedMs, statementKeys } from '#agents/session/issuer.fixture';
import type { AttestationResult } from '#attestation/result';
import { toHex } from '#hal/core/bytes';
import { ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { type MemoryLog, memoryLog } from '#hal/memory/log';
import type { HandsPorts } from '#hal/remote/hands-server';
import { handsLife } from './life.ts';
import type { HandsLife, LinkProbe, TimeKeeper } from './parts.ts';
import { timeKeeper } from './time-keeper.ts';
import { trust as newTrust, ownParty, type Trust } from './trust.ts';
import { watchers as newWatchers, type Watchers } from './watchers.ts';

export const engine = unwrap(await cedarEngine());

export interface TestMind extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly log: MemoryLog;
  readonly crypto: typeof nodeCrypto;
  readonly engine: typeof engine;
  readonly device: TestHands;
  readonly hands: TestHands['hands'];
  readonly life: HandsLife;
  /** Shows no key to anybody. */
  readonly link: Pick<LinkProbe, 'status'>;
  readonly state: StateKeeper;
  readonly trust: Trust;
  readonly time: TimeKeeper;
  readonly audit: AuditLog;
  readonly watchers: Watchers;
  readonly statementKeys: typeof statementKeys;
}

export interface TestMindOptions {
  readonly ports?: Partial<HandsPorts>;
  readonly audit?: Partial<AuditParts>;
}

/** An enrolled, active device whose mind has just started and knows no more than its own handle. */
export const startTestMind = async (options: TestMindOptions = {}): Promise<TestMind> => {
  const clock = virtualClock(issuedMs);
  await clock.advance(60_000);
  const log = memoryLog();
  const device = await startTestHands(clock, options.ports);
  const { hands } = device;
  const state = unwrap(openState(memoryStore()));
  unwrap(state.update({ lifecycle: 'active', device: new Uint8Array(16).fill(0xd0) }));
  const trust = newTrust(() => clock.bootMs());
  trust.holdHandle({ handle: toHex(unwrap(await hands.keys.handle(ownParty, 1))), epoch: 1 });
  const audit = await openTestAudit(clock, options.audit);
  return {
    clock,
    log,
    crypto: nodeCrypto,
    engine,
    device,
    hands,
    life: handsLife(clock, hands.hello, unwrap(await hands.hello())),
    link: { status: async () => ok({ exchanges: 0, failures: 0 }) },
    state,
    trust,
    time: timeKeeper(clock, state, log),
    audit,
    watchers: newWatchers(),
    statementKeys,
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
};

const resultSeconds = Math.floor(issuedMs / 1000);

/** An affirming result for our own relying party that lives ten minutes. */
export const affirming: AttestationResult = {
  verifier: 'the-verifier',
  relyingParty: ownParty,
  status: 'affirming',
  trustVector: {},
  tpmClass: 'software',
  policy: 'the-policy',
  deviceNonce: new Uint8Array(32).fill(1),
  confirmationKey: new Uint8Array(32).fill(2),
  handle: new Uint8Array(16).fill(3),
  epoch: 1,
  bootId: new Uint8Array(16).fill(4),
  issuedAtSeconds: resultSeconds,
  expiresAtSeconds: resultSeconds + 600,
};
