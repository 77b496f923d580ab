/** The mind of `agentd`, put together over ports in memory; it can be killed between any two of its steps. */
import { attestor } from '#agents/attest/attestor';
import type { VerifierLink } from '#agents/attest/verifier-link';
import type { AuditLog } from '#agents/audit/log';
import { openAuditLog } from '#agents/audit/log';
import type { AuditStore } from '#agents/audit/store';
import { cedarEngine } from '#agents/decision/engine';
import { openState } from '#agents/management/state';
import { recordBoot, recordVisit } from '#agents/management/visit';
import { authorizer } from '#agents/mind/authorizer';
import { handsLife } from '#agents/mind/life';
import { postureKeeper } from '#agents/mind/posture-keeper';
import { timeKeeper } from '#agents/mind/time-keeper';
import { trust as newTrust, ownParty } from '#agents/mind/trust';
import { watchers as newWatchers } from '#agents/mind/watchers';
import { presenter } from '#agents/session/presenter';
import type { StatementKeys } from '#agents/session/statements';
import { toHex } from '#hal/core/bytes';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { exchangeClient } from '#hal/remote/exchange-client';
import { remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import type { Client } from '#hal/remote/methods';
import { faultyWrite, type Weather } from './faults.ts';
import type { MemoryMachine } from './machine.fixture.ts';
import type { MemoryVerifier } from './verifier.fixture.ts';

export interface MindWorld {
  readonly weather: Weather;
  readonly machine: MemoryMachine;
  readonly verifier: MemoryVerifier;
  /** The disk: what every life of the mind finds. */
  readonly audit: AuditStore;
  readonly state: Map<string, Uint8Array>;
  readonly statementKeys: StatementKeys;
  isLinkDown: boolean;
}

export interface Mind {
  readonly audit: AuditLog;
  readonly authorizer: ReturnType<typeof authorizer>;
  readonly attestor: ReturnType<typeof attestor>;
  readonly presenter: ReturnType<typeof presenter>;
  readonly hands: ReturnType<typeof remoteHands>;
  readonly state: ReturnType<typeof unwrapState>;
  /** What the defense agent does from time to time. */
  testEngine(): void;
  /** Records that the log did not take. */
  readonly unwritten: () => number;
  /** From now on nothing that it began reaches anything. */
  kill(): void;
}

const engine = unwrap(await cedarEngine());
const unwrapState = (store: Parameters<typeof openState>[0]) => unwrap(openState(store));

/** @returns the mind, or undefined where its hands do not answer: its supervisor starts it again */
export const startMind = async (world: MindWorld): Promise<Mind | undefined> => {
  const { weather, machine, verifier } = world;
  const { clock } = weather;
  let isDead = false;
  const dead = () => deny('unavailable', 'storage-failed', 'of a mind that is gone');
  const write = <T>(run: () => Result<T>): Result<T> => {
    if (isDead) return dead();
    const allowed = faultyWrite(weather);
    return allowed.ok ? run() : allowed;
  };
  /** What is asked by a mind that is gone is never answered. */
  const alive = async <T>(asked: Promise<T>): Promise<T> => {
    const answered = await asked;
    return isDead ? new Promise<T>(() => undefined) : answered;
  };
  const exchange: MemoryMachine['hands'] = {
    post: (endpoint, body, signal) => (isDead ? new Promise(() => undefined) : alive(machine.hands.post(endpoint, body, signal))),
  };
  const hands = remoteHands(exchangeClient(handsMethods, exchange, 'hands') as Client<typeof handsMethods>);
  const log = memoryLog();

  const hello = await hands.hello();
  const keys = await hands.keys.publicKey('audit');
  const handle = await hands.keys.handle(ownParty, 1);
  if (!hello.ok || !keys.ok || !handle.ok) return undefined;

  const disk = memoryStore(world.state);
  const state = unwrapState({ ...disk, put: (key, value) => write(() => disk.put(key, value)) });
  const trust = newTrust(() => clock.bootMs());
  const audit = await openAuditLog({
    store: {
      ...world.audit,
      append: (records) => write(() => world.audit.append(records)),
      saveCheckpoint: (size, note) => write(() => world.audit.saveCheckpoint(size, note)),
      close: () => undefined,
    },
    clock,
    crypto: nodeCrypto,
    bootId: hello.value.bootId,
    keys: keys.value,
    sign: (message) => hands.keys.sign('audit', message),
    readCounter: () => hands.tpm.readCounter(),
    advanceCounter: () => hands.tpm.advanceCounter(),
  });
  trust.holdHandle({ handle: toHex(handle.value), epoch: 1 });
  const testEngine = () => trust.holdEngine({ value: { engine: 'cpu', version: '1' }, measuredBootMs: clock.bootMs() });
  testEngine();
  const parts = {
    clock,
    log,
    crypto: nodeCrypto,
    hands,
    audit,
    state,
    trust,
    engine,
    life: handsLife(clock, hands.hello, hello.value),
    // What else it may answer, nobody asks in this world.
    verifier: {
      enrol: (device, signal) => alive(verifier.enrol(device, signal)),
      attest: (device, relyingParty, signal) => alive(verifier.attest(device, relyingParty, signal)),
    } satisfies Partial<VerifierLink> as Partial<VerifierLink> as VerifierLink,
    time: timeKeeper(clock, state, log),
    statementKeys: world.statementKeys,
    watchers: newWatchers(),
  };
  const posture = postureKeeper({
    ...parts,
    link: { status: async () => (world.isLinkDown ? deny('unavailable', 'program-down') : ok({ exchanges: 0, failures: 0 })) },
    programs: { hands: async () => (await hands.hello()).ok, link: async () => !world.isLinkDown },
    agents: () => [],
  });
  if (audit.status().size === 0) await recordVisit(hands, nodeCrypto, audit, () => false);
  await recordBoot(hello.value.bootId, state, audit);
  return {
    audit,
    hands,
    state,
    authorizer: authorizer(parts, posture),
    attestor: attestor(parts),
    presenter: presenter(parts),
    testEngine,
    unwritten: () => log.entries.filter(({ event }) => event === 'audit.unwritten').length,
    kill: () => {
      isDead = true;
    },
  };
};
