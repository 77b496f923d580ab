import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { concat, toHex, u16be, u32be, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { alg, nvAttribute, objectAttribute } from '#hal/tpm/constants';
import { encodePublic, nameOf, p256Point, parsePublic, tpm2b } from '#hal/tpm/public';
import { encodedTemplate, sealedTemplate } from '#hal/tpm/templates';
import { contentOf, empty2b, keyScheme, noPcrs, noSymmetric, nvPublic, sensitiveCreate } from '#hal/tpm/wire';
import { handles } from './commands.ts';
import type { Esys } from './esys.ts';
import {
  buildAddons,
  createAttestationKey,
  createPrimary,
  password,
  sha256Pcrs,
  startEmbedded,
  temporaryDirectory,
} from './testing.ts';
import { isTpmError, tpmResult } from './tpm-error.ts';
import { transientScope } from './transient.ts';

const missing = buildAddons();

const sha256 = (...parts: readonly Uint8Array[]) =>
  createHash('sha256')
    .update(concat(...parts))
    .digest();

/** r‖s of a TPMT_SIGNATURE by ECDSA with SHA-256 (Part 2 §11.3.4). */
const ecdsaSignature = (signature: Uint8Array): Buffer => {
  const view = Buffer.from(signature);
  expect(view.readUInt16BE(0)).toBe(alg.ecdsa);
  expect(view.readUInt16BE(2)).toBe(alg.sha256);
  const rBytes = view.readUInt16BE(4);
  const r = view.subarray(6, 6 + rBytes);
  const s = view.subarray(8 + rBytes);
  return Buffer.concat([Buffer.alloc(32 - r.length), r, Buffer.alloc(32 - s.length), s]);
};

const keyObject = (publicArea: Uint8Array) => {
  const point = Buffer.from(p256Point(unwrap(parsePublic(publicArea))) ?? []);
  const coordinate = (from: number) => point.subarray(from, from + 32).toString('base64url');
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: coordinate(1), y: coordinate(33) }, format: 'jwk' });
};

const isSignedBy = (publicArea: Uint8Array, message: Uint8Array, signature: Uint8Array) =>
  verify('sha256', message, { key: keyObject(publicArea), dsaEncoding: 'ieee-p1363' }, ecdsaSignature(signature));

/** How many handles of a kind (the upper byte) the TPM holds: TPM_CAP_HANDLES. */
const handleCount = async (esys: Esys, kind: number) => {
  const [, data] = await esys.getCapability([], 0x1, kind * 0x1000000, 64);
  return Buffer.from(data).readUInt32BE(4);
};
const transient = 0x80;
const loadedSession = 0x02;

const counterIndex = 0x01500020;
const counterAttributes = nvAttribute.counter | nvAttribute.authWrite | nvAttribute.authRead | nvAttribute.noDa;

describe.skipIf(missing !== undefined)(`a TPM inside the process ${missing ?? ''}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let esys: Esys;

  beforeEach(async () => {
    directory = temporaryDirectory();
    esys = await startEmbedded(directory.path);
  });
  afterEach(async () => {
    await esys.close();
    directory[Symbol.dispose]();
  });

  test('gives random bytes, in wire form', async () => {
    const [first, second] = await Promise.all([esys.getRandom([], 16), esys.getRandom([], 16)]);
    expect(first.length).toBe(18);
    expect(first.subarray(0, 2)).toEqual(Buffer.from([0, 16]));
    expect(toHex(first)).not.toBe(toHex(second));
  });

  test('quotes with an attestation key of the endorsement hierarchy, and OpenSSL verifies it', async () => {
    await using scope = await transientScope(esys);
    const ak = await createAttestationKey(esys);
    scope.keep(ak.handle);
    const qualifyingData = randomBytes(32);
    const selection = sha256Pcrs([0, 7, 11]);
    const [attest, signature] = await esys.quote(ak.handle, password, tpm2b(qualifyingData), keyScheme, selection);
    expect(isSignedBy(ak.publicArea, contentOf(attest), signature)).toBe(true);
    expect(Buffer.from(attest).includes(qualifyingData)).toBe(true);
    // TPMS_ATTEST of a quote ends with the selection and the digest of the registers (Part 2 §10.12.6).
    const [, , values] = await esys.pcrRead([], selection);
    const registers = [0, 1, 2].map((index) => values.subarray(4 + 34 * index + 2, 4 + 34 * (index + 1)));
    expect(contentOf(attest).subarray(-32)).toEqual(new Uint8Array(sha256(...registers)));
  });

  test('sets bits of 64 and writes and extends NV', async () => {
    const common = nvAttribute.authWrite | nvAttribute.authRead | nvAttribute.noDa;
    const define = (offset: number, kind: number, sizeBytes: number) =>
      esys.nvDefineSpace(handles.owner, password, empty2b, nvPublic(counterIndex + offset, common | kind, sizeBytes));
    const bits = await define(1, nvAttribute.bits, 8);
    await esys.nvSetBits(bits, bits, password, 1n << 63n);
    await esys.nvSetBits(bits, bits, password, 5n);
    expect(toHex(await esys.nvRead(bits, bits, password, 8, 0))).toBe('00088000000000000005');

    const ordinary = await define(2, 0, 4);
    await esys.nvWrite(ordinary, ordinary, password, tpm2b(Uint8Array.of(1, 2, 3, 4)), 0);
    await esys.nvWrite(ordinary, ordinary, password, tpm2b(Uint8Array.of(9)), 2);
    expect(toHex(await esys.nvRead(ordinary, ordinary, password, 4, 0))).toBe('000401020904');

    const extended = await define(3, 0x4 << 4, 32);
    await esys.nvExtend(extended, extended, password, tpm2b(utf8('event')));
    expect(contentOf(await esys.nvRead(extended, extended, password, 32, 0))).toEqual(
      new Uint8Array(sha256(new Uint8Array(32), utf8('event'))),
    );
    await esys.nvUndefineSpace(handles.owner, extended, password);
    await expect(esys.handleOf(counterIndex + 3, [])).rejects.toMatchObject({ rc: 0x18b });
  });

  test('extends a register as JavaScript computes it, and resets it', async () => {
    let expected: Uint8Array = new Uint8Array(32);
    for (const text of ['one', 'two', 'three']) {
      const digest = sha256(utf8(text));
      await esys.pcrExtend(16, password, concat(u32be(1), u16be(alg.sha256), digest));
      expected = sha256(expected, digest);
    }
    const digests = await esys.pcrEvent(16, password, tpm2b(utf8('four')));
    expect(Buffer.from(digests).includes(sha256(utf8('four')))).toBe(true);
    expected = sha256(expected, sha256(utf8('four')));
    const read = async () => {
      const [, , values] = await esys.pcrRead([], sha256Pcrs([16]));
      return toHex(values.subarray(6));
    };
    expect(await read()).toBe(toHex(expected));
    await esys.pcrReset(16, password);
    expect(await read()).toBe('00'.repeat(32));
  });

  test('unseals what was sealed under the storage root, with its auth value only', async () => {
    await using scope = await transientScope(esys);
    const secret = randomBytes(32);
    const auth = utf8('correct');
    const root = await createPrimary(esys, handles.owner, encodedTemplate.storage);
    scope.keep(root.handle);
    const template = tpm2b(encodePublic(sealedTemplate(new Uint8Array())));
    const [privateArea, publicArea] = await esys.create(
      root.handle,
      password,
      sensitiveCreate(auth, secret),
      template,
      empty2b,
      noPcrs,
    );
    const sealed = scope.keep(await esys.load(root.handle, password, privateArea, publicArea));
    await expect(esys.unseal(sealed, password)).rejects.toMatchObject({ name: 'TpmError' });
    await esys.setAuth(sealed, tpm2b(auth));
    expect(contentOf(await esys.unseal(sealed, password))).toEqual(new Uint8Array(secret));
  });

  test('unseals by a policy over registers, until one of them is extended', async () => {
    await using scope = await transientScope(esys);
    const session = async (kind: number) =>
      scope.keep(await esys.startAuthSession(handles.none, handles.none, [], null, kind, noSymmetric, alg.sha256));
    const selection = sha256Pcrs([11, 16]);
    const trial = await session(3);
    await esys.policyPcr(trial, [], null, selection);
    const policy = contentOf(await esys.policyGetDigest(trial, []));
    const zeroes = sha256(new Uint8Array(64));
    expect(policy).toEqual(new Uint8Array(sha256(new Uint8Array(32), u32be(0x17f), selection, zeroes)));

    const root = await createPrimary(esys, handles.owner, encodedTemplate.storage);
    scope.keep(root.handle);
    const template = tpm2b(encodePublic(sealedTemplate(policy)));
    const sensitive = sensitiveCreate(new Uint8Array(), utf8('secret'));
    const [privateArea, publicArea] = await esys.create(root.handle, password, sensitive, template, empty2b, noPcrs);
    const sealed = scope.keep(await esys.load(root.handle, password, privateArea, publicArea));
    const open = await session(1);
    await esys.policyPcr(open, [], null, selection);
    expect(contentOf(await esys.unseal(sealed, [open]))).toEqual(utf8('secret'));

    await esys.pcrExtend(11, password, concat(u32be(1), u16be(alg.sha256), sha256(utf8('phase'))));
    const late = await session(1);
    await esys.policyPcr(late, [], null, selection);
    await expect(esys.unseal(sealed, [late])).rejects.toMatchObject({ rc: 0x99d });
  });

  test('activates a credential that was made for its two keys', async () => {
    await using scope = await transientScope(esys);
    const ek = await createPrimary(esys, handles.endorsement, encodedTemplate.endorsement);
    scope.keep(ek.handle);
    const ak = await createAttestationKey(esys);
    scope.keep(ak.handle);
    const credential = randomBytes(32);
    const name = tpm2b(nameOf(ak.publicArea));
    const [blob, secret] = await esys.makeCredential(ek.handle, [], tpm2b(credential), name);
    // The endorsement key is used by PolicySecret (TCG EK Credential Profile §B.3.3).
    const session = scope.keep(await esys.startAuthSession(handles.none, handles.none, [], null, 1, noSymmetric, alg.sha256));
    await esys.policySecret(handles.endorsement, session, password, null, null, null, 0);
    const opened = await esys.activateCredential(ak.handle, ek.handle, [handles.password, session], blob, secret);
    expect(contentOf(opened)).toEqual(new Uint8Array(credential));
  });

  test('certifies, signs, tells the time, and verifies a foreign signature', async () => {
    await using scope = await transientScope(esys);
    const ak = await createAttestationKey(esys);
    scope.keep(ak.handle);
    const data = tpm2b(randomBytes(16));
    const both = [handles.password, handles.password];
    for (const [attest, signature] of [
      await esys.certify(ak.handle, ak.handle, both, data, keyScheme),
      await esys.getTime(handles.endorsement, ak.handle, both, data, keyScheme),
    ])
      expect(isSignedBy(ak.publicArea, contentOf(attest), signature)).toBe(true);
    expect((await esys.readClock([])).length).toBe(25);

    // A restricted key signs no digest from outside (Part 1 §25.2): a null ticket is refused.
    const nullTicket = concat(u16be(0x8024), u32be(0x40000007), empty2b);
    await expect(esys.sign(ak.handle, password, tpm2b(sha256(data)), keyScheme, nullTicket)).rejects.toMatchObject({
      name: 'TpmError',
    });

    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
    const area = encodePublic({
      nameAlg: alg.sha256,
      attributes: objectAttribute.userWithAuth | objectAttribute.sign,
      authPolicy: new Uint8Array(),
      key: {
        type: 'ecc',
        symmetric: undefined,
        scheme: undefined,
        curve: 3,
        x: Buffer.from(x, 'base64url'),
        y: Buffer.from(y, 'base64url'),
      },
    });
    const external = scope.keep(await esys.loadExternal([], null, tpm2b(area), handles.owner));
    const signature = sign('sha256', utf8('message'), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const wire = (bytes: Uint8Array) =>
      concat(u16be(alg.ecdsa), u16be(alg.sha256), tpm2b(bytes.subarray(0, 32)), tpm2b(bytes.subarray(32)));
    const digest = tpm2b(sha256(utf8('message')));
    const ticket = await esys.verifySignature(external, [], digest, wire(signature));
    expect(Buffer.from(ticket).readUInt16BE(0)).toBe(0x8022);
    signature[3] = (signature[3] ?? 0) ^ 1;
    await expect(esys.verifySignature(external, [], digest, wire(signature))).rejects.toMatchObject({ name: 'TpmError' });
  });

  test('persists a key, and finds it again by its TPM handle or by what was serialized', async () => {
    const ak = await createAttestationKey(esys);
    const persistent = await esys.evictControl(handles.owner, ak.handle, password, 0x81010002);
    await esys.flushContext(ak.handle);
    const name = await esys.nameOf(persistent);
    const serialized = await esys.serializeHandle(persistent);
    await esys.close();

    esys = await startEmbedded(directory.path);
    const found = await esys.handleOf(0x81010002, []);
    expect(await esys.nameOf(found)).toEqual(name);
    const restored = await esys.deserializeHandle(serialized);
    const [publicArea, readName] = await esys.readPublic(restored, []);
    expect(readName).toEqual(name);
    expect(contentOf(publicArea)).toEqual(ak.publicArea);
    await esys.closeHandle(restored);
    await expect(esys.nameOf(restored)).rejects.toMatchObject({ name: 'TpmError' });
    expect(await esys.evictControl(handles.owner, found, password, 0x81010002)).toBe(handles.none);
    await expect(esys.handleOf(0x81010002, [])).rejects.toMatchObject({ name: 'TpmError' });
  });

  test('takes ownership, uses the new auth value, and is cleared by lockout only while that is allowed', async () => {
    const auth = tpm2b(utf8('owner'));
    await esys.hierarchyChangeAuth(handles.owner, password, auth);
    await esys.setPrimaryPolicy(handles.owner, password, tpm2b(sha256(utf8('policy'))), alg.sha256);
    await esys.setAuth(handles.owner, empty2b);
    const define = () => esys.nvDefineSpace(handles.owner, password, empty2b, nvPublic(counterIndex, counterAttributes, 8));
    await expect(define()).rejects.toMatchObject({ rc: 0x9a2 });
    await esys.setAuth(handles.owner, auth);
    await define();
    await esys.clearControl(handles.lockout, password, 1);
    await expect(esys.clear(handles.lockout, password)).rejects.toMatchObject({ rc: 0x120 });
    await esys.clearControl(handles.platform, password, 0);
    await esys.clear(handles.lockout, password);
    await expect(esys.handleOf(counterIndex, [])).rejects.toMatchObject({ rc: 0x18b });
  });

  test('carries an encrypted session: unseal with the response encrypted for the storage root', async () => {
    await using scope = await transientScope(esys);
    const root = await createPrimary(esys, handles.owner, encodedTemplate.storage);
    scope.keep(root.handle);
    const aes128cfb = concat(u16be(alg.aes), u16be(128), u16be(alg.cfb));
    const session = scope.keep(await esys.startAuthSession(root.handle, handles.none, [], null, 0, aes128cfb, alg.sha256));
    // TPMA_SESSION (Part 2 §8.4): continueSession, encrypt.
    await esys.setSessionAttributes(session, 0x41, 0xff);
    const template = tpm2b(encodePublic(sealedTemplate(new Uint8Array())));
    const sensitive = sensitiveCreate(new Uint8Array(), utf8('secret'));
    const [privateArea, publicArea] = await esys.create(root.handle, password, sensitive, template, empty2b, noPcrs);
    const sealed = scope.keep(await esys.load(root.handle, password, privateArea, publicArea));
    expect(contentOf(await esys.unseal(sealed, [session]))).toEqual(utf8('secret'));
  });

  test('leaves no handle behind after a scope', async () => {
    {
      await using scope = await transientScope(esys);
      scope.keep((await createAttestationKey(esys)).handle);
      scope.keep(await esys.startAuthSession(handles.none, handles.none, [], null, 3, noSymmetric, alg.sha256));
      expect(await handleCount(esys, transient)).toBe(1);
      expect(await handleCount(esys, loadedSession)).toBe(1);
    }
    expect(await handleCount(esys, transient)).toBe(0);
    expect(await handleCount(esys, loadedSession)).toBe(0);
  });

  test('rejects with the code of the TPM, and tpmResult makes a fault of it', async () => {
    const keys = [await createAttestationKey(esys), await createAttestationKey(esys), await createAttestationKey(esys)];
    const error = await createAttestationKey(esys).catch((cause: unknown) => cause);
    expect(isTpmError(error) && error.rc).toBe(0x902);
    expect(String(error)).toContain('CreatePrimary: ');
    expect(await tpmResult(createAttestationKey(esys))).toMatchObject({
      ok: false,
      fault: { category: 'unavailable', reason: 'tpm-failed', detail: expect.stringContaining('(0x902)') },
    });
    for (const { handle } of keys) await esys.flushContext(handle);
  });

  describe('a raw command', () => {
    const getRandom16 = Buffer.from('80010000000c0000017b0010', 'hex');

    test('is answered by the TPM, between ESYS commands', async () => {
      const [, response] = await Promise.all([esys.getRandom([], 8), esys.transmit(getRandom16), esys.getRandom([], 8)]);
      expect(toHex(response.subarray(0, 12))).toBe('80010000001c000000000010');
      expect(response.length).toBe(28);
    });

    test.each([
      ['a size that disagrees', '80010000000d0000017b0010', '80010000000a00000142'],
      ['an unknown command', '80010000000a000001ff', '80010000000a00000143'],
      ['a foreign tag', 'c4010000000c0000017b0010', '80010000000a00000084'],
      ['less than a header', '8001', '80010000000a0000009a'],
    ])('that is malformed gets the answer of libtpms, and ESYS works on: %s', async (_, command, response) => {
      expect(toHex(await esys.transmit(Buffer.from(command, 'hex')))).toBe(response);
      expect((await esys.getRandom([], 8)).length).toBe(10);
    });
  });

  test('lets timers and promises run during 200 pipelined quotes, and answers in order', async () => {
    await using scope = await transientScope(esys);
    const ak = await createAttestationKey(esys);
    scope.keep(ak.handle);
    const order: number[] = [];
    const nonces = Array.from({ length: 200 }, (_, index) => tpm2b(concat(u32be(index), new Uint8Array(28))));
    const quotes = nonces.map(async (nonce, index) => {
      const [attest] = await esys.quote(ak.handle, password, nonce, keyScheme, sha256Pcrs([0, 7]));
      expect(Buffer.from(attest).includes(Buffer.from(contentOf(nonce)))).toBe(true);
      order.push(index);
    });
    let fired = 0;
    while (order.length < 200) {
      await Promise.race([setTimeout(1), Promise.all(quotes)]);
      if (order.length < 200) fired++;
    }
    await Promise.all(quotes);
    expect(order).toEqual(nonces.map((_, index) => index));
    expect(fired).toBeGreaterThan(3);
  });

  test('refuses commands beyond the bound of its queue, and serves the rest', async () => {
    const results = await Promise.all(Array.from({ length: 1100 }, () => tpmResult(esys.getRandom([], 4))));
    const refused = results.filter((result) => !result.ok);
    expect(refused.length).toBe(1100 - 1024);
    expect(refused[0]).toMatchObject({ fault: { category: 'resource', reason: 'queue-full' } });
  });
});
