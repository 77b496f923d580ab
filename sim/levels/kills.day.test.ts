/**
 * Fifty kills at seeded moments, over the three programs of a device whose TPM lives on, as a real one does.
 *
 * The seed fixes what is killed, when and during which work; the machine's own scheduling is not replayed.
 */
import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { policyDigest } from '#agents/decision/policy';
import { ownParty } from '#agents/mind/trust';
import { socketPath } from '#agents/programs/layout';
import { assertionType } from '#agents/session/statements';
import { encodeMessage } from '#hal/core/message';
import { mintPermit } from '#hal/core/permit';
import { causeOf, codeOf, type Result, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { seededRandom } from '#hal/memory/random';
import { handsMethods } from '#hal/remote/hands-methods';
import { socketClient } from '#hal/remote/socket-client';
import { messaging, presentIdentity, presentSession } from '#sim/scenarios/person';
import { type Chance, chance } from '#sim/world/chance';
import { newSeed, replayable } from '#sim/world/replay.fixture';
import { type Acknowledged, acknowledged } from './acknowledged.fixture.ts';
import { makeReady, openTestWorld } from './device.fixture.ts';
import type { ProcessWorld } from './processes.ts';
import { isBack, type Killable, killables, restartsOf } from './programs.fixture.ts';

const kills = 50;
/** The machine restarts after so many: by its switch or by a power cut. */
const killsOfOneBoot = 10;
/** `enigmctl audit verify` after so many; our own arithmetic over the whole log runs before and after each kill. */
const killsOfOneVerify = 5;
const killsWithPower = 5;
/** More of them in a row, and the next start would be a later one. */
const killsBeforeAppraisal = 3;
const longestDelayMs = 120;
const backWithinMs = 20_000;

const clock = linuxClock();
const pause = (durationMs: number) => clock.sleep(durationMs, new AbortController().signal);

describe('a device whose programs are killed', () => {
  test('50 seeded kills lose no acknowledged record, the log verifies, and permits of an earlier life are refused', async () => {
    const seed = newSeed();
    console.info(`seed ${seed}`);
    await replayable(seed, 'day', 'sim/levels/kills.day.test.ts', async () => {
      await using opened = await openTestWorld('swtpm');
      const { world } = opened;
      await makeReady(world);
      await surviveKills(world, chance(seededRandom(seed)));
    });
  });

  test('hands whose kill takes the power of the TPM with it lose no acknowledged record either', async () => {
    const seed = newSeed();
    console.info(`seed ${seed}`);
    await replayable(seed, 'day', 'sim/levels/kills.day.test.ts', async () => {
      await using opened = await openTestWorld('embedded');
      const { world } = opened;
      await makeReady(world);
      await surviveLostPower(world, chance(seededRandom(seed)));
    });
  });

  test('a mouth that is killed costs no appraisal that is asked for while it starts again', async () => {
    await using opened = await openTestWorld('embedded');
    const { world } = opened;
    await makeReady(world);
    const restarts = restartsOf(world)['linkd'] ?? 0;
    for (let times = 1; times <= killsBeforeAppraisal; times += 1) {
      world.device.kill('linkd');
      await world.until('its end is seen', () => (restartsOf(world)['linkd'] ?? 0) === restarts + times);
      // Whoever has answered since has seen it too.
      await world.device.app.call('device.status', {});
      expect(await world.device.app.call('device.attest', { relyingParty: ownParty })).toMatchObject({ ok: true });
    }
  });
});

/** The mouth finds the TPM of other hands in another life of its own (SR-02). */
const endedWith: Readonly<Record<Killable, readonly Killable[]>> = {
  hald: ['hald', 'linkd'],
  agentd: ['agentd'],
  linkd: ['linkd'],
};

const surviveKills = async (world: ProcessWorld, draw: Chance): Promise<void> => {
  const { device, machine } = world;
  const log = acknowledged(messaging.action);
  const hands = socketClient(handsMethods, socketPath(machine.runDirectory, 'hands'));
  const counted: Record<Killable, number> = { hald: 0, agentd: 0, linkd: 0 };
  let oldPermits = 0;
  let whole = 0;

  for (let round = 0; round < kills; round += 1) {
    if (round > 0 && round % killsOfOneBoot === 0) {
      await (draw.oneIn(2) ? device.powerCut() : device.powerOff());
      await device.powerOn();
    }
    const restarts = restartsOf(world);
    await allowsAgain(world, log, round);
    const before = await log.check(device.app);

    const program = draw.pick(killables);
    const permit = await rebootPermit(hands);
    const boot = device.bootId();
    await killDuringWork(world, program, draw, log);
    counted[program] += 1;
    const ended = endedWith[program];
    for (const name of ended)
      await world.until(`round ${round}: ${name} is back`, () => isBack(world, name, restarts[name] ?? 0), backWithinMs);

    const after = await log.check(device.app);
    expect(after.size).toBeGreaterThanOrEqual(before.size);
    expect(after.state).not.toBe('tampered');
    expect(restartsOf(world), `round ${round}: ${ended.join(' and ')} restarted, once, and nobody else`).toEqual({
      ...restarts,
      ...Object.fromEntries(ended.map((name) => [name, (restarts[name] ?? 0) + 1])),
    });
    if (program === 'hald') {
      expect(refusal(await hands.call('power.reboot', permit.request, { permit: permit.bytes }))).toBe(
        'authorization/permit-invalid',
      );
      oldPermits += 1;
    }
    expect(device.bootId()).toBe(boot);
    if ((round + 1) % killsOfOneVerify === 0) {
      const verified = await device.enigmctl('audit', 'verify');
      expect(verified).toMatchObject({ code: 0, json: { state: expect.stringMatching(/intact|degraded/) } });
      whole += 1;
    }
  }
  await world.until('the log is anchored again', async () => {
    await device.app.call('audit.prove', { index: 0 });
    return (await log.check(device.app)).state === 'intact';
  });
  hands.close();
  console.info(JSON.stringify({ ...counted, oldPermits, verified: whole, people: log.people.size, allowed: log.allowed }));
  expect(oldPermits).toBe(counted.hald);
  expect(Object.values(counted).every((count) => count > 0)).toBe(true);
};

/** The TPM lies in the process of the hands: their kill is its power cut, and the start after it another boot. */
const surviveLostPower = async (world: ProcessWorld, draw: Chance): Promise<void> => {
  const { device, machine } = world;
  const log = acknowledged(messaging.action);
  const hands = socketClient(handsMethods, socketPath(machine.runDirectory, 'hands'));
  for (let round = 0; round < killsWithPower; round += 1) {
    await allowsAgain(world, log, round);
    const before = await log.check(device.app);
    const permit = await rebootPermit(hands);
    const boot = device.bootId();
    await killDuringWork(world, 'hald', draw, log);
    await world.until(`round ${round}: another boot`, () => device.bootId() !== boot, backWithinMs);
    await world.until(`round ${round}: the hands are back`, async () => (await hands.call('hands.hello', {})).ok, backWithinMs);
    expect(refusal(await hands.call('power.reboot', permit.request, { permit: permit.bytes }))).toBe(
      'authorization/permit-invalid',
    );
    await allowsAgain(world, log, round);
    const after = await log.check(device.app);
    expect(after.size).toBeGreaterThan(before.size);
    expect(after.state).not.toBe('tampered');
  }
  expect(await device.enigmctl('audit', 'verify')).toMatchObject({ code: 0 });
  hands.close();
};

const killDuringWork = async (world: ProcessWorld, program: Killable, draw: Chance, log: Acknowledged): Promise<void> => {
  const work = someWork(world, draw, log);
  await pause(draw.below(longestDelayMs));
  // A mouth whose TPM socket is another one starts itself anew: for a moment nobody is there to be killed.
  await world.until(`${program} is there to be killed`, () => world.machine.signal(program, 'SIGKILL'));
  await work;
};

/** What is answered is on its record before the answer: each person with a pseudonym of their own, each allow; a proof anchors, and so writes to the TPM. */
const someWork = async ({ device, issuer }: ProcessWorld, draw: Chance, log: Acknowledged): Promise<void> => {
  const work: Promise<unknown>[] = [];
  for (let item = 0; item < 6 + draw.below(10); item += 1) {
    await pause(draw.below(12));
    const subject = randomBytes(16);
    const envelope = issuer.assertIdentity(subject);
    work.push(
      device.app.call('session.present', { payloadType: assertionType, envelope }).then((answered) => {
        if (answered.ok) log.people.add(subject.toString('hex'));
      }),
    );
    if (draw.oneIn(3)) work.push(decide(device.app, log));
    if (draw.oneIn(3)) work.push(device.app.call('audit.prove', { index: draw.below(8) }));
    if (draw.oneIn(8)) work.push(device.app.call('device.attest', { relyingParty: ownParty }));
  }
  await Promise.all(work);
};

const decide = async (app: ProcessWorld['device']['app'], log: Acknowledged): Promise<string> => {
  const decided = await app.call('decision.authorize', messaging);
  if (!decided.ok) return codeOf(decided.fault);
  if (!decided.value.isAllowed) return decided.value.code;
  log.allowed += 1;
  return 'allowed';
};

/** Waits until the device allows again, helped as a person would: look, attest, sign in. */
const allowsAgain = async (world: ProcessWorld, log: Acknowledged, round: number): Promise<void> => {
  const { app } = world.device;
  let verdict = '';
  const isAllowed = async () => {
    await app.call('posture.read', {});
    verdict = await decide(app, log);
    if (verdict === 'allowed') return true;
    await app.call('device.attest', { relyingParty: ownParty });
    const held = await app.call('handles.list', {});
    const own = held.ok ? held.value.entries.find(({ relyingParty }) => relyingParty === ownParty) : undefined;
    if (own === undefined) return false;
    await presentIdentity(world, world.device);
    await presentSession(world, world.device, { handle: own.handle });
    return false;
  };
  await world.until(`round ${round}: the device allows again`, isAllowed, backWithinMs).catch((error: unknown) => {
    throw new Error(`${causeOf(error)}, but ${verdict}`);
  });
};

/** A permit that the mind itself could have made a moment ago. */
const rebootPermit = async (hands: ReturnType<typeof socketClient<typeof handsMethods>>) => {
  const { permitKey, bootId, lastSequence } = unwrap(await hands.call('hands.hello', {}));
  const request = { cause: 'of-an-earlier-life' };
  const bytes = mintPermit(permitKey, {
    audience: 'power.reboot',
    arguments: encodeMessage('RebootRequest', request),
    bootId,
    sequence: lastSequence + 1,
    notAfterBootMs: clock.bootMs() + 55_000,
    policyDigest,
    auditLeaf: new Uint8Array(32),
  });
  return { request, bytes };
};

const refusal = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));
