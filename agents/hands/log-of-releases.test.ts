/** The hands and the log of releases, through their own door: whatever a mind says (SR-01). */
import { afterEach, describe, expect, test } from 'vitest';
import { readSituation } from '#agents/update/remote-installer';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { logTrust, newLog } from '#ota-client/transparency/log.fixture';
import type { LogPolicy } from '#ota-client/transparency/log-trust';
import { logOfReleases } from './log-of-releases.ts';
import { release, secretsOf, updateDevice } from './updates.fixture.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));
/** Signed by both custodians of the class, as a thief of both keys signs it. */
const stolen = await release(2);
const repair = await release(3, { signers: secretsOf('repair') });
const entryOf = (built: typeof stolen) => ({ kind: 'statement', digest: built.facts.digest }) as const;
const log = newLog();
unwrap(await log.record([entryOf(await release(9))]));

let device: Awaited<ReturnType<typeof updateDevice>>;
let isStarted = false;
const start = async (policy?: LogPolicy) => {
  const clock = virtualClock();
  await clock.advance(10_000);
  device = await updateDevice(clock, policy === undefined ? {} : { log: logTrust(policy) });
  isStarted = true;
};
afterEach(async () => {
  if (isStarted) await device[Symbol.asyncDispose]();
  isStarted = false;
});
const begin = (wanted: typeof stolen, proof?: Uint8Array) =>
  device
    .installer(wanted, 'mind', proof)
    .begin({ release: wanted.facts, salt: wanted.salt, uuid: wanted.uuid, owner: 'mind', isForced: false });
const isUntouched = () => device.media.b.durable().every((byte) => byte === 0);
const slotLog = async () => unwrap(await device.hands.updates.status()).b.log;

describe('a release whose keys were stolen (row 30)', () => {
  test('is refused by the hands where proof is required, and nothing was written or marked', async () => {
    await start('require');
    expect(code(await begin(stolen))).toBe('integrity/log-proof-missing');
    expect(code(await begin(stolen, await log.proof(entryOf(await release(9)))))).toBe('integrity/log-proof-invalid');
    expect([isUntouched(), await device.states()]).toEqual([true, 'a committed empty']);
    expect(code(await device.switch.arm(stolen.statement))).not.toBe('done');
  });

  test('is written where the hands only warn, and they say so as long as it lies there, also after a restart', async () => {
    await start('warn');
    expect(code(await device.install(stolen))).toBe('done');
    expect(await slotLog()).toBe('integrity/log-proof-missing');
    await device.restart();
    expect(await slotLog()).toBe('integrity/log-proof-missing');
    unwrap(await device.switch.arm(stolen.statement));
    await device.restart();
    expect(unwrap(await readSituation(device.hands)).view.running.slot).toBe('b');
    expect(await slotLog()).toBe('integrity/log-proof-missing');
  });

  test('goes unnoticed by hands that follow no log, which is what they are told to do', async () => {
    await start();
    expect(code(await begin(stolen))).toBe('done');
    expect(await slotLog()).toBeUndefined();
  });
});

describe('a release that is in the log', () => {
  test('is written, and said to be in it; the factory’s release was never asked for proof', async () => {
    await start('require');
    const known = newLog();
    unwrap(await known.record([entryOf(stolen)]));
    expect(code(await begin(stolen, await known.proof(entryOf(stolen))))).toBe('done');
    expect(await slotLog()).toBe('');
    expect(unwrap(await device.hands.updates.status()).a.log).toBeUndefined();
  });

  test('of an older state of the log than these hands saw is refused, also after a restart', async () => {
    await start('require');
    const known = newLog();
    unwrap(await known.record([entryOf(stolen)]));
    const early = await known.proof(entryOf(stolen));
    unwrap(await known.record([entryOf(repair)], [entryOf(stolen)]));
    expect(code(await begin(stolen, await known.proof(entryOf(stolen))))).toBe('done');
    await device.restart();
    expect(code(await begin(stolen, early))).toBe('integrity/log-rollback');
  });
});

describe('a repair release', () => {
  test('is written whatever the log says, and its slot says that it is not in it (SR-12)', async () => {
    await start('require');
    expect(code(await begin(repair))).toBe('done');
    expect(await slotLog()).toBe('integrity/log-proof-missing');
  });

  test('with a proof of another release is written all the same (SR-12)', async () => {
    await start('require');
    expect(code(await begin(repair, await log.proof(entryOf(await release(9)))))).toBe('done');
    expect(await slotLog()).toBe('integrity/log-proof-invalid');
  });
});

describe('what is remembered of a slot', () => {
  test('is of the release in it alone', () => {
    const remembered = logOfReleases(nodeCrypto, logTrust(), memoryStore(), memoryLog());
    unwrap(remembered.note('b', stolen.facts.digest, { is: 'unproved', fault: { category: 'integrity', reason: 'log-split' } }));
    expect(remembered.noted('b', stolen.facts)).toBe('integrity/log-split');
    expect(remembered.noted('b', repair.facts)).toBeUndefined();
    expect(remembered.noted('a', stolen.facts)).toBeUndefined();
    expect(remembered.noted('b', undefined)).toBeUndefined();
    unwrap(remembered.note('b', stolen.facts.digest, { is: 'unasked' }));
    expect(remembered.noted('b', stolen.facts)).toBeUndefined();
  });
});
