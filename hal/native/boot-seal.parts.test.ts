import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { approvalReference, approvedRegisters, type BootApproval } from '#hal/core/boot-approval';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nobleCrypto } from '#hal/crypto/noble';
import { floorHoldsPolicy } from '#hal/tpm/floor';
import { floorApprovals } from '#hal/tpm/floor.fixture';
import { approvalMessage, registersPolicy } from '#hal/tpm/policy';
import { tpm2b } from '#hal/tpm/public';
import { endBootPhase, sealToBoot, unsealAtBoot } from './boot-seal.ts';
import { handles } from './commands.ts';
import type { Esys } from './esys.ts';
import { nvIndex } from './layout.ts';
import { buildAddons, password, startEmbedded, temporaryDirectory } from './testing.ts';
import { esysFloor } from './tpm-floor.ts';

const missing = buildAddons();
const zeroes = new Map(approvedRegisters.map((register) => [register, new Uint8Array(32)]));
const scalar = new Uint8Array(32).fill(7);
const otherScalar = new Uint8Array(32).fill(8);
const secret = utf8('thirty-two bytes of a volume key');

const key = nobleCrypto.p256.publicKey(scalar);
const floorOf = (esys: Esys) => esysFloor(esys, floorApprovals(9, scalar));

const approve = (
  registers: ReadonlyMap<number, Uint8Array> = zeroes,
  by = scalar,
  reference = approvalReference,
  floorEpoch = 0,
): BootApproval => {
  // The index is that of one key, whoever approves.
  const policy = floorHoldsPolicy(registersPolicy(registers), key, floorEpoch);
  const signature = nobleCrypto.p256.sign(by, approvalMessage(policy, reference)) as Uint8Array;
  return { key: nobleCrypto.p256.publicKey(by), floorEpoch, policy, signature };
};
const atFloor = (floorEpoch: number) => approve(zeroes, scalar, approvalReference, floorEpoch);

describe.skipIf(missing !== undefined)(`what is sealed to a boot ${missing ?? ''}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let esys: Esys;
  let sealed: Uint8Array;
  beforeEach(async () => {
    directory = temporaryDirectory();
    esys = await startEmbedded(directory.path);
    unwrap(await floorOf(esys).define());
    sealed = unwrap(await sealToBoot(esys, secret, key));
  });
  afterEach(async () => {
    await esys.close();
    directory[Symbol.dispose]();
  });
  const refused = { ok: false, fault: { category: 'unavailable', reason: 'tpm-failed' } };

  test('opens with the approval of this boot, again after power-on (SR-07)', async () => {
    expect(unwrap(await unsealAtBoot(esys, sealed, approve()))).toEqual(secret);
    await esys.close();
    esys = await startEmbedded(directory.path);
    expect(unwrap(await unsealAtBoot(esys, sealed, approve()))).toEqual(secret);
  });

  test('opens for no later phase of the same boot (SR-07)', async () => {
    unwrap(await endBootPhase(esys));
    expect(await unsealAtBoot(esys, sealed, approve())).toMatchObject(refused);
  });

  test.each(approvedRegisters)('does not open where register %i is another (SR-07)', async (register) => {
    await esys.pcrEvent(register, password, tpm2b(utf8('something else')));
    expect(await unsealAtBoot(esys, sealed, approve())).toMatchObject(refused);
  });

  test('opens for another image that the same key approved, without being sealed again', async () => {
    await esys.pcrEvent(11, password, tpm2b(utf8('the next release')));
    const extended = nobleCrypto.hash('sha256', new Uint8Array(32), nobleCrypto.hash('sha256', utf8('the next release')));
    const next = new Map(zeroes).set(11, extended);
    expect(unwrap(await unsealAtBoot(esys, sealed, approve(next)))).toEqual(secret);
  });

  test.each([
    ['another key approved', approve(zeroes, otherScalar)],
    ['another key signed in its name', { ...approve(zeroes, otherScalar), key }],
    ['the key approved something else', approve(zeroes, scalar, utf8('another policy'))],
  ])('does not open where %s', async (_, approval) => {
    expect(await unsealAtBoot(esys, sealed, approval)).toMatchObject(refused);
  });

  test('does not open with an empty authorization, nor on another TPM', async () => {
    const parent = await esys.handleOf(0x81000001, []);
    const privateBytes = 2 + new DataView(sealed.buffer, sealed.byteOffset).getUint16(0);
    const object = await esys.load(parent, password, sealed.slice(0, privateBytes), sealed.slice(privateBytes));
    await expect(esys.unseal(object, [handles.password])).rejects.toMatchObject({ name: 'TpmError' });
    await esys.flushContext(object);

    using elsewhere = temporaryDirectory();
    await using other = await startEmbedded(elsewhere.path);
    expect(await unsealAtBoot(other, sealed, approve())).toMatchObject(refused);
    unwrap(await sealToBoot(other, secret, key));
    unwrap(await floorOf(other).define());
    expect(await unsealAtBoot(other, sealed, approve())).toMatchObject(refused);
  });

  test('opens at a floor that its release stands on, and not for a release below it, also after power-on (SR-08)', async () => {
    unwrap(await floorOf(esys).raise(2));
    for (const epoch of [2, 3, 64]) expect(unwrap(await unsealAtBoot(esys, sealed, atFloor(epoch)))).toEqual(secret);
    for (const epoch of [0, 1]) expect(await unsealAtBoot(esys, sealed, atFloor(epoch))).toMatchObject(refused);
    await esys.close();
    esys = await startEmbedded(directory.path);
    expect(unwrap(await unsealAtBoot(esys, sealed, atFloor(2)))).toEqual(secret);
    expect(await unsealAtBoot(esys, sealed, atFloor(1))).toMatchObject(refused);
  });

  test('does not open for a release that says that it stands on a higher floor than was approved (SR-08)', async () => {
    unwrap(await floorOf(esys).raise(2));
    expect(await unsealAtBoot(esys, sealed, { ...atFloor(1), floorEpoch: 2 })).toMatchObject(refused);
  });

  test('does not open without a floor (SR-08)', async () => {
    await esys.nvUndefineSpace(handles.owner, await esys.handleOf(nvIndex.floor, []), password);
    expect(await unsealAtBoot(esys, sealed, approve())).toMatchObject(refused);
  });
});
