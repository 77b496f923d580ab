import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSituation, remoteRunningImage } from '#agents/update/remote-installer';
import { concat, equalBytes } from '#hal/core/bytes';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import type { PermittedCall } from '#hal/remote/hands-client';
import { blockBytes, segmentBytes } from '#ota-client/payload/limits';
import { encodeIndex, sha256 } from '#ota-client/payload/segment-index';
import { factoryRelease, release, secretsOf, soakMs, updateDevice } from './updates.fixture.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));
const next = await release(2);
type UpdateDevice = Awaited<ReturnType<typeof updateDevice>>;

describe('an update through the door of the hands', () => {
  let clock: VirtualClock;
  let device: UpdateDevice;
  beforeEach(async () => {
    clock = virtualClock();
    await clock.advance(10_000);
    device = await updateDevice(clock);
  });
  afterEach(() => device[Symbol.asyncDispose]());

  /** As the installer of the mind does it; the order says nothing that the statement does not. */
  const order = { release: next.facts, salt: next.salt, uuid: next.uuid, owner: 'mind', isForced: false };
  const begin = (wanted = next, owner = 'mind') => device.installer(wanted, owner).begin(order);
  const permitted = async (call: PermittedCall) => code(await device.perform(call));
  const committed = async (wanted: typeof next): Promise<void> => {
    unwrap(await device.install(wanted));
    unwrap(await device.switch.arm(wanted.statement));
    await device.restart();
    unwrap(await device.switch.commit());
  };
  const firstSegment = next.image.subarray(0, segmentBytes);

  test('is installed, armed, tried and committed', async () => {
    expect(await device.states()).toBe('a committed empty');
    expect(code(await device.install(next))).toBe('done');
    expect(await device.states()).toBe('a committed verified');
    expect(unwrap(await device.switch.arm(next.statement))).toBe('trial');
    await device.restart();
    expect(await device.states()).toBe('b committed trial');
    expect(unwrap(await device.hands.updates.health())).toEqual([{ name: 'storage-writable', hasPassed: true }]);
    expect(code(await device.switch.commit())).toBe('done');
    expect(await device.states()).toBe('b superseded committed');
    expect(Buffer.compare(device.media.b.durable().subarray(0, next.image.length), next.image)).toBe(0);
  });

  test('comes out of what runs, read through the door, where most of it is there already', async () => {
    const index = sha256(encodeIndex(factoryRelease.index));
    const running = remoteRunningImage(device.hands, index, factoryRelease.image.length, 'mind');
    expect(code(await device.install(next, running))).toBe('done');
    expect(code(await device.hands.updates.readRunning(0, 512 * 1024 + 1))).toBe('protocol/field-invalid');
    expect(code(await device.hands.updates.readRunning(2 ** 40, 4096))).toBe('protocol/field-invalid');
  });

  test('is copied by the hands themselves, block by block of what runs, each segment by its hash', async () => {
    const { image } = next;
    const { updates } = device.hands;
    const block = (at: number) => factoryRelease.image.subarray(at * blockBytes, (at + 1) * blockBytes);
    const blocks = segmentBytes / blockBytes;
    const whole = { ranges: [{ block: 0, blocks }], digests: sha256(factoryRelease.image.subarray(0, segmentBytes)) };
    const turned = concat(...Array.from({ length: blocks }, (_, at) => block(blocks - 1 - at)));
    const backwards = Array.from({ length: blocks }, (_, at) => ({ block: blocks - 1 - at, blocks: 1 }));
    expect(code(await updates.take('mind', 0, whole))).toBe('protocol/event-refused');
    await begin();
    expect(code(await updates.take('somebody', 0, whole))).toBe('resource/update-busy');
    const three = {
      ranges: [...whole.ranges, ...backwards, { blocks }],
      digests: concat(whole.digests, sha256(turned), whole.digests),
    };
    expect(unwrap(await updates.take('mind', 0, three))).toBe(2);
    unwrap(await updates.flush('mind'));
    const written = device.media.b.durable();
    expect(Buffer.compare(written.subarray(0, segmentBytes), factoryRelease.image.subarray(0, segmentBytes))).toBe(0);
    expect(Buffer.compare(written.subarray(segmentBytes, 2 * segmentBytes), turned)).toBe(0);
    // Neither what is another nor what cannot be read is written, nor anything where blocks and digests are not of one number.
    for (const ranges of [[{ block: 1, blocks }], [{ block: 2 ** 31, blocks: 1 }]])
      expect(unwrap(await updates.take('mind', 2, { ...whole, ranges }))).toBe(0);
    const twice = { ...whole, ranges: [...whole.ranges, ...whole.ranges] };
    expect(code(await updates.take('mind', 2, twice))).toBe('protocol/field-invalid');
    // A segment of the right hash that is not the next one is refused by the writer.
    expect(code(await updates.take('mind', 1, whole))).toBe('protocol/field-invalid');
    await updates.abandon('mind');
    // What was taken is what was asked for, and not the release: the read-back finds it out, and it is mended.
    expect(code(await device.install(next))).toBe('done');
    expect(Buffer.compare(device.media.b.durable().subarray(0, image.length), image)).toBe(0);
  });

  test('is given up, and the next start is the old release', async () => {
    unwrap(await device.install(next));
    unwrap(await device.switch.arm(next.statement));
    await device.restart();
    device.fallIll();
    expect(unwrap(await device.hands.updates.health())).toEqual([{ name: 'storage-writable', hasPassed: false }]);
    expect(code(await device.switch.giveUp('storage-writable'))).toBe('done');
    await device.restart();
    expect(await device.states()).toBe('a committed failed');
    expect(unwrap(await readSituation(device.hands)).view.slots.b.reason).toBe('storage-writable');
    expect(code(await begin())).toBe('policy/release-failed');
  });

  test.each<[string, Parameters<typeof release>[1], string]>([
    ['of one custodian', { signers: secretsOf('os').slice(0, 1) }, 'integrity/signature-missing'],
    ['of the custodians of another class', { signers: secretsOf('policy') }, 'integrity/signature-missing'],
    [
      'of one custodian of releases and one of repairs: they do not add up',
      { signers: [...secretsOf('os').slice(0, 1), ...secretsOf('repair').slice(0, 1)] },
      'integrity/signature-missing',
    ],
    ['for other hardware', { hardware: 'other-board' }, 'policy/hardware-mismatch'],
  ])('neither begins nor arms with a statement %s, permit or not (SR-01, SR-03)', async (_, options, refusal) => {
    const forged = await release(2, options);
    expect(code(await begin(forged))).toBe(refusal);
    expect(await device.states()).toBe('a committed empty');
    unwrap(await device.install(next));
    expect(code(await device.switch.arm(forged.statement))).toBe(refusal);
    expect(await device.states()).toBe('a committed verified');
  });

  test('takes a repair that the custodians of repairs signed', async () => {
    const repair = await release(3, { signers: secretsOf('repair') });
    expect(code(await device.install(repair))).toBe('done');
    expect(unwrap(await device.switch.arm(repair.statement))).toBe('trial');
  });

  test('arms what was written and nothing else that is signed', async () => {
    unwrap(await device.install(next));
    expect(code(await device.switch.arm((await release(3)).statement))).toBe('integrity/slot-mismatch');
    expect(code(await device.switch.arm(factoryRelease.statement))).toBe('integrity/slot-mismatch');
    expect(await device.states()).toBe('a committed verified');
  });

  test('writes, flushes and finishes nothing before it has begun', async () => {
    const { updates } = device.hands;
    expect(code(await updates.write('mind', 0, firstSegment))).toBe('protocol/event-refused');
    expect(code(await updates.flush('mind'))).toBe('protocol/event-refused');
    expect(code(await updates.finish('mind'))).toBe('protocol/event-refused');
    expect(code(await updates.abandon('mind'))).toBe('done');
    expect(code(await device.client.call('update.begin', { statement: next.statement, owner: 'mind', isForced: false }))).toBe(
      'authorization/permit-missing',
    );
    expect(code(await updates.write('mind', 0, firstSegment))).toBe('protocol/event-refused');
    expect(device.media.b.durable().every((byte) => byte === 0)).toBe(true);
  });

  test('takes segments in order and in their length, and no finish before the last', async () => {
    const { updates } = device.hands;
    unwrap(await begin());
    expect(code(await updates.write('mind', 1, firstSegment))).toBe('protocol/field-invalid');
    expect(code(await updates.write('mind', 0, firstSegment.subarray(1)))).toBe('protocol/field-invalid');
    expect(code(await updates.write('mind', 0, firstSegment))).toBe('done');
    expect(code(await updates.write('mind', 0, firstSegment))).toBe('protocol/field-invalid');
    expect(code(await updates.finish('mind'))).toBe('protocol/event-refused');
    expect(unwrap(await updates.flush('mind'))).toMatchObject({ slot: 'b', writtenSegments: 1 });
  });

  test('belongs to whoever began it, until he gives it up or falls silent', async () => {
    const { updates } = device.hands;
    unwrap(await begin());
    expect(code(await begin(next, 'somebody-else'))).toBe('resource/update-busy');
    expect(code(await updates.write('somebody-else', 0, firstSegment))).toBe('resource/update-busy');
    expect(code(await updates.finish('somebody-else'))).toBe('resource/update-busy');
    expect(code(await updates.abandon('somebody-else'))).toBe('done');
    expect(code(await updates.write('mind', 0, firstSegment))).toBe('done');
    await clock.advance(10 * 60_000);
    expect(code(await begin(next, 'somebody-else'))).toBe('resource/update-busy');
    await clock.advance(1);
    expect(code(await begin(next, 'somebody-else'))).toBe('done');
    expect(code(await updates.write('mind', 0, firstSegment))).toBe('resource/update-busy');
    unwrap(await updates.abandon('somebody-else'));
    expect(code(await begin())).toBe('done');
  });

  test('goes on, after the hands were restarted, where the medium is', async () => {
    unwrap(await begin());
    unwrap(await device.hands.updates.write('mind', 0, firstSegment));
    unwrap(await device.hands.updates.flush('mind'));
    await device.restart();
    expect(code(await device.hands.updates.write('mind', 1, firstSegment))).toBe('protocol/event-refused');
    const begun = unwrap(await begin());
    expect(begun).toMatchObject({ stage: 'write', slot: 'b', writtenSegments: 1 });
    // What lies behind what is written down: zeros as yet.
    expect(begun.recheck.firstSegment).toBe(1);
    const second = next.image.slice(segmentBytes, 2 * segmentBytes);
    expect(equalBytes(begun.recheck.digests.subarray(0, 32), sha256(new Uint8Array(second.length)))).toBe(true);
    unwrap(await device.hands.updates.write('mind', 1, second));
    await device.restart();
    const again = unwrap(await begin());
    expect([again.writtenSegments, again.recheck.firstSegment]).toEqual([1, 1]);
    expect(equalBytes(again.recheck.digests.subarray(0, 32), sha256(second))).toBe(true);
  });

  test('is no image before all of it was read back: what was written counts for nothing', async () => {
    const { updates } = device.hands;
    const { segments } = unwrap(await begin());
    for (let segment = 0; segment < segments; segment += 1) {
      const bytes = next.image.slice(segment * segmentBytes, (segment + 1) * segmentBytes);
      if (segment === 1) bytes[7] = (bytes[7] ?? 0) ^ 1;
      expect(code(await updates.write('mind', segment, bytes))).toBe('done');
    }
    expect(code(await updates.finish('mind'))).toBe('integrity/image-mismatch');
    expect(await device.states()).toBe('a committed writing');
    expect(code(await device.switch.arm(next.statement))).toBe('protocol/event-refused');
  });

  test('raises the floor after a soak, and only once the other slot stands on it (SR-08)', async () => {
    const floored = await release(4, { floorEpoch: 2 });
    unwrap(await device.install(floored));
    unwrap(await device.switch.arm(floored.statement));
    await device.restart();
    const raise = async () => code(await device.switch.raiseFloor(floored.facts.digest));
    const epoch = async () => unwrap(await device.hands.updates.status()).floorEpoch;
    expect(code(await device.switch.raiseFloor(factoryRelease.facts.digest))).toBe('integrity/slot-mismatch');
    expect(await raise()).toBe('protocol/event-refused');
    unwrap(await device.switch.commit());
    expect(await raise()).toBe('protocol/event-refused');
    await clock.advance(soakMs);
    expect(await raise()).toBe('protocol/event-refused');
    unwrap(await device.install(floored));
    expect(unwrap(await device.switch.arm(floored.statement))).toBe('fallback');
    expect(await epoch()).toBe(0);
    expect(await raise()).toBe('done');
    expect(await epoch()).toBe(2);
    expect(code(await begin(await release(5, { floorEpoch: 1 })))).toBe('integrity/below-floor');
  });

  test('goes back to what ran before, by the envelope that was kept, on a trial of its own (SR-01)', async () => {
    const back = (to = factoryRelease) => permitted(device.hands.effectors.rollBack(to.facts.digest));
    expect(await back()).toBe('integrity/slot-mismatch');
    await committed(next);
    expect(await device.states()).toBe('b superseded committed');
    expect(await back(await release(3))).toBe('unavailable/statement-missing');
    expect(await back(next)).toBe('integrity/slot-mismatch');
    expect(await back()).toBe('done');
    expect(await back()).toBe('done');
    expect(await device.states()).toBe('b trial committed');
    await device.restart();
    expect(await device.states()).toBe('a trial committed');
    expect(await back(next)).toBe('policy/trial-running');
    unwrap(await device.switch.commit());
    expect(await device.states()).toBe('a committed superseded');
    expect(await back(next)).toBe('done');
  });

  test('opens again what it kept: an envelope that was exchanged on the disk counts for nothing (SR-01)', async () => {
    await committed(next);
    unwrap(device.store.put('statement-b', (await release(2, { signers: secretsOf('os').slice(0, 1) })).statement));
    expect(code(await device.switch.raiseFloor(next.facts.digest))).toBe('unavailable/statement-missing');
    unwrap(device.store.put('statement-b', next.statement));
    expect(code(await device.switch.raiseFloor(next.facts.digest))).toBe('done');
  });

  test('comes back to the running release where what ran before fails its second trial', async () => {
    await committed(next);
    unwrap(await device.perform(device.hands.effectors.rollBack(factoryRelease.facts.digest)));
    await device.restart();
    unwrap(await device.switch.giveUp('storage-writable'));
    await device.restart();
    expect(await device.states()).toBe('b failed committed');
    expect(await permitted(device.hands.effectors.rollBack(factoryRelease.facts.digest))).toBe('policy/no-fallback');
  });

  test('goes back to nothing below the floor, nor while the floor is not known (SR-08)', async () => {
    await committed(next);
    const back = () => permitted(device.hands.effectors.rollBack(factoryRelease.facts.digest));
    device.tpm.fail(deny('unavailable', 'tpm-missing'));
    expect(await back()).toBe('unavailable/tpm-missing');
    device.tpm.fail();
    unwrap(await device.tpm.raise(1));
    expect(await back()).toBe('integrity/below-floor');
    expect(await device.states()).toBe('b superseded committed');
  });

  test.each<[string, (device: UpdateDevice) => void, string]>([
    ['is missing', ({ tpm }) => tpm.fail(deny('unavailable', 'tpm-missing')), 'unavailable/tpm-missing'],
    ['is locked out', ({ tpm }) => tpm.fail(deny('unavailable', 'tpm-locked-out')), 'unavailable/tpm-locked-out'],
    ['was cleared', ({ tpm }) => tpm.clear(), 'integrity/tpm-cleared'],
  ])('row 47: installs nothing where the TPM %s, runs on, and says why', async (_, change, refusal) => {
    change(device);
    expect(code(await begin())).toBe(refusal);
    const status = unwrap(await device.hands.updates.status());
    expect(status).toMatchObject({ running: 'a', floorFault: refusal });
    expect(status.floorEpoch).toBeUndefined();
    await device.restart();
    expect(await device.states()).toBe('a committed empty');
    expect(code(await begin())).toBe(refusal);
  });
});
