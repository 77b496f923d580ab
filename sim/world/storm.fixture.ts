/**
 * A life of the mind in a storm, drawn from a seed: whatever is lost, late, refused or killed, what must never happen
 * does not, and when the storm is over the device decides again.
 */
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { openAuditStore } from '#agents/audit/store';
import type { Authorized } from '#agents/mind/authorizer';
import { ownParty } from '#agents/mind/trust';
import { assertionType, sessionType } from '#agents/session/statements';
import { toHex } from '#hal/core/bytes';
import { decodeMessage } from '#hal/core/message';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { leafHash } from '#hal/crypto/merkle';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import type { SessionStatement } from '#protos/gen/types';
import { referenceIssuer } from '#sim/peers/issuer';
import { chance } from './chance.ts';
import type { Weather } from './faults.ts';
import { handleOf, memoryMachine } from './machine.fixture.ts';
import { type Mind, type MindWorld, startMind } from './mind.fixture.ts';
import { memoryVerifier } from './verifier.fixture.ts';

export interface StormOptions {
  readonly seed: string;
  readonly steps: number;
}

export interface Story {
  /** SHA-256 over everything that happened, in order: equal for the same seed and sources. */
  readonly hash: string;
  readonly decisions: number;
  readonly allowed: number;
  readonly kills: number;
  readonly restarts: number;
  readonly records: number;
}

const protectedActions = ['open-secure-messaging', 'open-secure-call'] as const;
const longestStepMs = 3_000;
const longestOutageMs = 20_000;
/** Long enough for anything to grow too old. */
const longestPauseMs = 12 * 60_000;
const statementLifeMs = 5 * 60_000;
/** What a statement is given beyond its times where the device has no signed time. */
const mostSkewMs = 2 * 60_000;
/** A posture is good for a decision this long, so a program may be gone for as long before it shows. */
const postureAgeMs = 60_000;
const startMs = Date.UTC(2026, 5, 1);
const subject = new Uint8Array(16).fill(1);
const session = new Uint8Array(16).fill(2);

/** A statement that was handed to a mind: somewhere between the two times it began to count. */
interface Told {
  readonly isGood: boolean;
  readonly untilBootMs: number;
  /** Set when it was surely accepted. */
  endedMs?: number;
}

/** Whether one that counted at `beganMs`, or has come since, was good: an allow needs it. */
const hadGood = (told: readonly Told[], beganMs: number): boolean => {
  const surely = told.findLastIndex(({ endedMs = Number.POSITIVE_INFINITY }) => endedMs <= beganMs);
  return told.slice(Math.max(surely, 0)).some(({ isGood, untilBootMs }) => isGood && untilBootMs >= beganMs);
};

export const liveThroughStorm = async ({ seed, steps }: StormOptions): Promise<Story> => {
  const clock = virtualClock(startMs);
  const draw = chance(seededRandom(`${seed} draw`));
  const weather: Weather = { clock, draw, isStormy: true };
  const random = seededRandom(`${seed} bytes`);
  /** Time as everybody outside has it; the device's own wall clock jumps. */
  const outside = { ...clock, nowMs: () => startMs + clock.bootMs() };
  const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
  const [identity, account] = [hybridKeyPair(nodeCrypto, suite, random), hybridKeyPair(nodeCrypto, suite, random)];
  const issuer = referenceIssuer(outside, identity.secretKey, account.secretKey);
  const machine = memoryMachine(weather, random);
  const verifier = memoryVerifier(weather, outside.nowMs);
  const world: MindWorld = {
    weather,
    machine,
    verifier,
    audit: unwrap(openAuditStore(':memory:')),
    state: new Map(),
    statementKeys: { identity: [identity.publicKey], account: [account.publicKey], isRevoked: () => false },
    isLinkDown: false,
  };

  const history = createHash('sha256');
  const happened = (...words: readonly (string | number)[]) => history.update(`${clock.bootMs()} ${words.join(' ')}\n`);
  const story = { decisions: 0, allowed: 0, kills: 0 };
  const acknowledged = new Map<number, string>();
  let prefix: readonly string[] = [];
  let counter = 0;
  let unwritten = 0;
  let mind: Mind | undefined;
  /** What holds for one mind ends with it. */
  let told = { actor: [] as Told[], session: [] as Told[], startedBootMs: 0 };
  let handsGoneMs: number | undefined;
  let linkGoneMs: number | undefined;
  const begun = new Set<Promise<void>>();

  const start = async () => {
    const startedBootMs = clock.bootMs();
    const started = startMind(world);
    await passing(started);
    mind = await started;
    told = { actor: [], session: [], startedBootMs };
    happened('start', mind === undefined ? 'no hands' : mind.audit.status().state);
  };
  /** Lets time pass until something that was begun is done. */
  const passing = async (work: Promise<unknown>) => {
    let isDone = false;
    void work.then(() => {
      isDone = true;
    });
    for (let waits = 0; !isDone && waits < 400; waits += 1) await clock.advance(50);
    expect(isDone, 'it ends').toBe(true);
  };
  const kill = () => {
    unwritten += mind?.unwritten() ?? 0;
    mind?.kill();
    mind = undefined;
    story.kills += 1;
    happened('kill');
  };

  const authorize = async (by: Mind, action: string, resource: string): Promise<boolean> => {
    const beganMs = clock.bootMs();
    const since = told;
    const decided = await by.authorizer.authorize({ action, resource }, 'api');
    judge(decided, action, beganMs, since);
    return decided.decision.isAllowed;
  };

  /** Safety: an allow has every fact behind it, by the truth of the world and not by what the mind believes. */
  const judge = ({ decision, receipt }: Authorized, action: string, beganMs: number, since: typeof told): void => {
    story.decisions += 1;
    happened('decided', action, decision.isAllowed ? 'allowed' : decision.fault === undefined ? '' : codeOf(decision.fault));
    remember(receipt);
    if (receipt.ok) {
      const [leaf] = world.audit.leaves(receipt.value.index, 1);
      const record = unwrap(decodeMessage('AuditRecord', leaf?.record ?? new Uint8Array()));
      // Words of whoever asks are not written down: an action that the device does not know has no name in the log.
      expect(record.action).toBe(action.startsWith('unknown-') ? undefined : action);
      expect(record.outcome).toBe(decision.isAllowed ? 'allowed' : 'denied');
    }
    if (!decision.isAllowed) return;
    story.allowed += 1;
    expect(hadGood(since.actor, beganMs), `${action}: a person is signed in`).toBe(true);
    expect(hadGood(since.session, beganMs), `${action}: the session is open here`).toBe(true);
    if (!(protectedActions as readonly string[]).includes(action)) return;
    const own = verifier.given.filter(
      ({ relyingParty, atBootMs }) => relyingParty === ownParty && atBootMs >= since.startedBootMs,
    );
    expect(
      own.some(({ status, untilBootMs }) => status === 'affirming' && untilBootMs >= beganMs),
      `${action}: the verifier affirmed the device, and that still holds`,
    ).toBe(true);
    for (const goneMs of [handsGoneMs, linkGoneMs])
      expect(beganMs - (goneMs ?? beganMs), `${action}: programs were there within the age of a posture`).toBeLessThanOrEqual(
        postureAgeMs,
      );
  };

  const remember = (receipt: Result<{ readonly index: number; readonly leaf: Uint8Array }>): void => {
    if (receipt.ok) acknowledged.set(receipt.value.index, toHex(receipt.value.leaf));
  };

  const checkSafety = (): void => {
    const leaves = world.audit.leaves(0, 1_000_000);
    const hashes = leaves.map(({ hash, record }) => toHex(record === undefined ? hash : leafHash(record)));
    expect(hashes.slice(0, prefix.length), 'the log only grows').toEqual(prefix);
    prefix = hashes;
    for (const [index, leaf] of acknowledged) expect(hashes[index], `record ${index} was acknowledged`).toBe(leaf);
    expect(machine.counter(), 'the counter only rises').toBeGreaterThanOrEqual(counter);
    counter = machine.counter();
    const { state, fault } = mind?.audit.status() ?? {};
    expect(state === 'tampered' ? fault?.detail : undefined, 'faults are not taken for tampering').toBeUndefined();
    const ordered = leaves.filter(({ record }) => {
      const { event, outcome } = unwrap(decodeMessage('AuditRecord', record ?? new Uint8Array()));
      return event === 'admin.reboot' && outcome === 'allowed';
    }).length;
    const unrecorded = unwritten + (mind?.unwritten() ?? 0);
    expect(machine.restarts.length, 'no restart without a decision on record').toBeLessThanOrEqual(ordered + unrecorded);
  };

  /** Begins something and does not wait for it; what it says later is judged when it comes. */
  const begin = (what: string, work: Promise<Result<unknown>> | Promise<boolean>) => {
    const told: Promise<void> = work.then((result) => {
      begun.delete(told);
      happened(what, typeof result === 'boolean' ? String(result) : result.ok ? 'ok' : codeOf(result.fault));
    });
    begun.add(told);
  };
  /** A mind may be killed while it works: then there is no answer, and nobody waits for one. */
  const failures: unknown[] = [];
  const watched = (work: Promise<boolean>): Promise<boolean> =>
    work.catch((error: unknown) => {
      failures.push(error);
      return false;
    });

  const signIn = async (by: Mind, facts: Partial<Pick<SessionStatement, 'state' | 'recovery'>> = {}): Promise<boolean> => {
    const since = told;
    const hand = async (list: Told[], isGood: boolean, payloadType: string, envelope: Uint8Array): Promise<boolean> => {
      const statement: Told = { isGood, untilBootMs: clock.bootMs() + statementLifeMs + mostSkewMs };
      list.push(statement);
      const presented = await by.presenter.present(payloadType, envelope, 'api');
      if (presented.ok) statement.endedMs = clock.bootMs();
      else list.splice(list.indexOf(statement), 1);
      return presented.ok;
    };
    await hand(since.actor, true, assertionType, issuer.assertIdentity(subject, statementLifeMs));
    const stated = issuer.stateSession({ session, subject, handle: handleOf(ownParty, 1), lifeMs: statementLifeMs, ...facts });
    return hand(since.session, (facts.state ?? 'open') === 'open', sessionType, stated);
  };

  /** What agents and person do after every start. */
  const becomeReady = async (by: Mind): Promise<boolean> => {
    if (by.state.current().lifecycle !== 'active') await by.attestor.enrol();
    await by.attestor.attest(ownParty);
    return signIn(by);
  };

  /** An outage ends by itself. */
  const later = (end: () => void) =>
    void clock.sleep(1_000 + draw.below(longestOutageMs), new AbortController().signal).then(end);

  const verbs: readonly [() => void, ...(() => void)[]] = [
    () => mind && begin('authorize', watched(authorize(mind, draw.pick(protectedActions), 'messaging'))),
    () => mind && begin('authorize', watched(authorize(mind, draw.pick(protectedActions), 'messaging'))),
    () => mind && begin('authorize', watched(authorize(mind, draw.pick(protectedActions), 'messaging'))),
    () => mind?.testEngine(),
    () => mind && begin('authorize', watched(authorize(mind, `unknown-${draw.below(1000)}`, 'device'))),
    () => mind && begin('ready', watched(becomeReady(mind))),
    () => mind && begin('ready', watched(becomeReady(mind))),
    () => mind && begin('sign-in', watched(signIn(mind))),
    () => mind && begin('close', watched(signIn(mind, { state: 'closed' }))),
    () => mind && begin('attest', mind.attestor.attest(ownParty)),
    () => mind && begin('attest', mind.attestor.attest(ownParty)),
    () => mind && begin('enrol', mind.attestor.enrol()),
    () => mind && begin('prove', mind.audit.prove(draw.below(4))),
    () => mind && begin('tend', mind.audit.tend()),
    () => {
      if (mind === undefined) return;
      const call = mind.hands.effectors.reboot(`cause-${draw.below(9)}`);
      begin(
        'reboot',
        mind.authorizer.perform({ action: 'reboot-device', resource: 'device', event: 'admin.reboot', call }, 'api'),
      );
    },
    kill,
    () => machine.restartHands(),
    () => {
      if (draw.oneIn(3)) {
        kill();
        machine.reboot();
      }
    },
    () => {
      machine.areHandsDown = true;
      handsGoneMs ??= clock.bootMs();
      later(() => {
        machine.areHandsDown = false;
        handsGoneMs = undefined;
      });
    },
    () => {
      world.isLinkDown = true;
      linkGoneMs ??= clock.bootMs();
      later(() => {
        world.isLinkDown = false;
        linkGoneMs = undefined;
      });
    },
    () => {
      verifier.isDown = true;
      later(() => {
        verifier.isDown = false;
      });
    },
    () => {
      verifier.status = draw.pick(['affirming', 'affirming', 'affirming', 'contraindicated']);
    },
    () => clock.jumpWall((draw.below(2_000) - 1_000) * 1_000),
  ];

  for (let step = 0; step < steps; step += 1) {
    if (mind === undefined) await start();
    draw.pick(verbs)();
    await clock.advance(draw.oneIn(20) ? draw.below(longestPauseMs) : draw.below(longestStepMs));
    checkSafety();
    if (failures.length > 0) throw failures[0];
  }

  // The storm is over: liveness.
  weather.isStormy = false;
  machine.areHandsDown = false;
  world.isLinkDown = false;
  verifier.isDown = false;
  verifier.status = 'affirming';
  handsGoneMs = undefined;
  linkGoneMs = undefined;
  await clock.advance(2 * 60_000);
  if (mind === undefined) await start();
  mind?.testEngine();
  const last = mind as Mind | undefined;
  if (last === undefined) throw new Error('no mind after the storm');
  await passing(becomeReady(last));
  const allowed = authorize(last, 'open-secure-messaging', 'messaging');
  await passing(allowed);
  expect(await allowed, 'the device decides again').toBe(true);
  await passing(last.audit.tend());
  await passing(last.audit.prove(0));
  expect(last.audit.status().state).toBe('intact');
  checkSafety();
  await passing(last.audit.close());
  kill();
  await start();
  expect((mind as Mind | undefined)?.audit.status().state, 'the log verifies at the next start').toBe('intact');
  checkSafety();
  history.update(prefix.join('\n'));
  return { ...story, hash: history.digest('hex'), restarts: machine.restarts.length, records: prefix.length };
};
