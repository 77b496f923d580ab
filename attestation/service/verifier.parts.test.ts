/** Enrolment and attestation against real TPMs: the verifier behind its wire, the devices as honest as a test wants them. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { nowMs } from '#attestation/certificates.fixture';
import { bootLog } from '#attestation/forger.fixture';
import { type TpmClass, verifyResult } from '#attestation/result';
import { toHex } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { newAuthority, type TestAuthority } from '#hal/linux/certificates.fixture';
import { buildAddons, temporaryDirectory } from '#hal/native/testing';
import { encodePublic, parsePublic } from '#hal/tpm/public';
import { linkTemplate } from '#hal/tpm/templates';
import type { EnrolBegin } from '#protos/gen/types';
import { startDevice, type TestDevice } from './device.fixture.ts';
import { keys, name, random, resultOf, type VerifierBench, verifierBench } from './verifier.fixture.ts';
import { enrolmentParty } from './verifier.ts';

const missing = buildAddons();
const log = bootLog();
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

describe.skipIf(missing !== undefined)(`a verifier and real TPMs ${missing ?? ''}`, () => {
  const folder = temporaryDirectory();
  let maker: TestAuthority;
  let one: TestDevice;
  let two: TestDevice;
  beforeAll(async () => {
    maker = await newAuthority('the maker', { nowMs });
    one = await startDevice(join(folder.path, 'one'), maker, log);
    two = await startDevice(join(folder.path, 'two'), maker, log);
  });
  afterAll(async () => {
    await Promise.all([one.powerOff(), two.powerOff()]);
    folder[Symbol.dispose]();
  });

  let stores = 0;
  const startVerifier = (tpmClass: TpmClass = 'software', tenant: 'test' | 'production' = 'test') =>
    verifierBench(join(folder.path, `verifier-${stores++}.db`), { maker, tpmClass, tenant, log });
  let verifier: VerifierBench;
  beforeEach(() => {
    verifier = startVerifier();
  });
  afterEach(() => verifier.close());

  describe('enrolment', () => {
    test('takes two round trips; the record is written at the end of the second, not before', async () => {
      const begun = await verifier.beginEnrolment(one);
      expect(verifier.records()).toBe(0);
      const enrolled = unwrap(await verifier.finishEnrolment(one, begun));
      expect(verifier.records()).toBe(1);
      const result = resultOf(enrolled);
      expect(result).toMatchObject({
        verifier: name,
        relyingParty: enrolmentParty,
        status: 'affirming',
        policy: 'the-policy',
        epoch: 1,
      });
      expect(toHex(result.deviceNonce)).toBe(toHex(begun.begin.deviceNonce));
      expect(toHex(result.handle)).toBe(toHex(unwrap(await one.keys.handle(enrolmentParty, 1))));
    });

    test('SR-23: gives the class of the root that vouched; a production tenant takes no software and no virtual TPM', async () => {
      for (const tpmClass of ['software', 'virtual', 'firmware', 'discrete'] as const) {
        verifier.close();
        verifier = startVerifier(tpmClass);
        expect(resultOf(unwrap(await verifier.enrol(one))).tpmClass).toBe(tpmClass);
        verifier.close();
        verifier = startVerifier(tpmClass, 'production');
        const isReal = tpmClass === 'firmware' || tpmClass === 'discrete';
        expect(code(await verifier.call('enrol.begin', one.begin()))).toBe(isReal ? 'ok' : 'attestation/key-untrusted');
      }
    });

    test('a second device cannot open the credential of the first, nor one for its own key under the first one’s certificate', async () => {
      const begun = await verifier.beginEnrolment(one);
      expect((await two.tpm.activate(begun.challenge)).ok).toBe(false);
      const { attestationPublic } = two.identity;
      const mixed = await verifier.beginEnrolment(one, { attestationPublic });
      expect((await one.tpm.activate(mixed.challenge)).ok).toBe(false);
      expect((await two.tpm.activate(mixed.challenge)).ok).toBe(false);
      const proof = verifier.proofOf(random.bytes(32), mixed);
      const evidence = await two.evidence(verifier.askedOf(mixed));
      expect(code(await verifier.call('enrol.finish', { session: mixed.challenge.session, proof, evidence }))).toBe(
        'attestation/enrolment-proof',
      );
      expect(verifier.records()).toBe(0);
    });

    test('the proof covers the whole first message: no part of it can be exchanged on the way', async () => {
      const honest = one.begin();
      const changed = { ...honest, postQuantumKey: two.begin().postQuantumKey };
      const challenge = unwrap(await verifier.call('enrol.begin', changed));
      const begun = { begin: honest, challenge };
      const proof = verifier.proofOf(unwrap(await one.tpm.activate(challenge)), begun);
      const evidence = await one.evidence(verifier.askedOf(begun));
      expect(code(await verifier.call('enrol.finish', { session: challenge.session, proof, evidence }))).toBe(
        'attestation/enrolment-proof',
      );
    });

    test('of evidence by another TPM, or of a boot that no release names, leaves no record', async () => {
      const begun = await verifier.beginEnrolment(one);
      const proof = verifier.proofOf(unwrap(await one.tpm.activate(begun.challenge)), begun);
      const evidence = await two.evidence(verifier.askedOf(begun));
      expect(code(await verifier.call('enrol.finish', { session: begun.challenge.session, proof, evidence }))).toBe(
        'attestation/quote-signature',
      );
      const odd = await startDevice(join(folder.path, 'odd'), maker, bootLog({ programs: ['one', 'two', 'evil'] }));
      expect(code(await verifier.enrol(odd))).toBe('attestation/reference-mismatch');
      await odd.powerOff();
      expect(verifier.records()).toBe(0);
    });

    test.each<[string, (theirs: TestDevice) => Partial<EnrolBegin>, string]>([
      [
        'the certificate of another TPM',
        ({ identity }) =>
          identity.endorsementCertificate === undefined ? {} : { endorsementCertificate: identity.endorsementCertificate },
        'attestation/enrolment-proof',
      ],
      [
        'the endorsement key of another TPM',
        ({ identity }) => ({ endorsementPublic: identity.endorsementPublic }),
        'attestation/enrolment-proof',
      ],
      ['a certificate that is none', () => ({ endorsementCertificate: new Uint8Array(9) }), 'protocol/certificate-invalid'],
      [
        'an attestation key that signs anything (SR-05)',
        () => ({ attestationPublic: encodePublic(linkTemplate) }),
        'attestation/key-attributes',
      ],
      ['a post-quantum key of another size', () => ({ postQuantumKey: new Uint8Array(1951) }), 'attestation/pq-key'],
      ['public areas that are none', () => ({ endorsementPublic: new Uint8Array(9) }), 'attestation/malformed'],
    ])('refuses %s', async (_, change, expected) => {
      expect(code(await verifier.call('enrol.begin', { ...one.begin(), ...change(two) }))).toBe(expected);
    });

    test('refuses a TPM without a certificate', async () => {
      const { endorsementCertificate: _, ...bare } = one.begin();
      expect(code(await verifier.call('enrol.begin', bare))).toBe('attestation/key-untrusted');
    });

    test('answers a challenge once, in its time, and never for the other purpose', async () => {
      const begun = await verifier.beginEnrolment(one);
      const session = begun.challenge.session;
      const proof = verifier.proofOf(unwrap(await one.tpm.activate(begun.challenge)), begun);
      const evidence = await one.evidence(verifier.askedOf(begun));
      expect(code(await verifier.call('attest.finish', { session, evidence }))).toBe('attestation/nonce-expired');
      expect(code(await verifier.call('enrol.finish', { session, proof, evidence }))).toBe('ok');
      expect(code(await verifier.call('enrol.finish', { session, proof, evidence }))).toBe('attestation/nonce-expired');
      const late = await verifier.beginEnrolment(one);
      await verifier.clock.advance(60_001);
      expect(code(await verifier.finishEnrolment(one, late))).toBe('attestation/nonce-expired');
    });

    test('can be repeated when its answer was lost; the record before it then counts no more', async () => {
      const first = unwrap(await verifier.enrol(one));
      expect(code(await verifier.attest(one, first.device))).toBe('ok');
      const second = unwrap(await verifier.enrol(one));
      expect(verifier.records()).toBe(2);
      const asked = { device: first.device, relyingParty: 'account', deviceNonce: random.bytes(32) };
      expect(code(await verifier.call('attest.begin', asked))).toBe('attestation/enrolment-unknown');
      expect(code(await verifier.attest(one, second.device))).toBe('ok');
    });

    test('SR-21: refuses the handle of another device, and leaves no record', async () => {
      unwrap(await verifier.enrol(one));
      const handle = unwrap(await one.keys.handle(enrolmentParty, 1));
      expect(code(await verifier.finishEnrolment(two, await verifier.beginEnrolment(two), { handle }))).toBe(
        'handle/already-bound',
      );
      expect(verifier.records()).toBe(1);
      expect(code(await verifier.enrol(two))).toBe('ok');
    });
  });

  describe('attestation', () => {
    let device: Uint8Array;
    beforeEach(async () => {
      ({ device } = unwrap(await verifier.enrol(one)));
    });

    test('SR-06: the result is for the key in the evidence, the relying party and the nonce of the device', async () => {
      const { challenge, asked } = await verifier.beginAttestation(device, 'command');
      const confirmationKey = nodeCrypto.ed25519.publicKey(random.bytes(32));
      const evidence = await one.evidence(asked, { confirmationKey });
      const done = unwrap(await verifier.call('attest.finish', { session: challenge.session, evidence }));
      const result = resultOf(done);
      expect(toHex(result.confirmationKey)).toBe(toHex(confirmationKey));
      expect(toHex(result.deviceNonce)).toBe(toHex(asked.deviceNonce));
      expect(result).toMatchObject({ relyingParty: 'command', status: 'affirming', tpmClass: 'software' });
      const others = { ...keys, postQuantum: nodeCrypto.mlDsa65.publicKey(random.bytes(32)) };
      expect(code(verifyResult(nodeCrypto, done.result, others))).toBe('attestation/result-signature');
    });

    test('SR-22: a result lasts ten minutes, and evidence that is sent again gives no other', async () => {
      const { challenge, asked } = await verifier.beginAttestation(device);
      const evidence = await one.evidence(asked);
      const result = resultOf(unwrap(await verifier.call('attest.finish', { session: challenge.session, evidence })));
      expect(result.issuedAtSeconds).toBe(nowMs / 1000);
      expect(result.expiresAtSeconds - result.issuedAtSeconds).toBe(600);
      await verifier.clock.advance(30_000);
      expect(code(await verifier.call('attest.finish', { session: challenge.session, evidence }))).toBe(
        'attestation/nonce-expired',
      );
      const next = await verifier.beginAttestation(device);
      expect(code(await verifier.call('attest.finish', { session: next.challenge.session, evidence }))).toBe(
        'attestation/nonce-mismatch',
      );
    });

    test('is refused late, by another TPM, for a device that nobody knows', async () => {
      const { challenge, asked } = await verifier.beginAttestation(device);
      const evidence = await one.evidence(asked);
      await verifier.clock.advance(60_001);
      expect(code(await verifier.call('attest.finish', { session: challenge.session, evidence }))).toBe(
        'attestation/nonce-expired',
      );
      expect(code(await verifier.attest(two, device))).toBe('attestation/quote-signature');
      const unknown = { device: random.bytes(16), relyingParty: 'account', deviceNonce: random.bytes(32) };
      expect(code(await verifier.call('attest.begin', unknown))).toBe('attestation/enrolment-unknown');
    });

    test('needs the boot log once; afterwards its digest is enough', async () => {
      expect(code(await verifier.attest(one, device, {}, false))).toBe('ok');
      verifier.close();
      verifier = startVerifier();
      const begun = await verifier.beginEnrolment(one);
      const proof = verifier.proofOf(unwrap(await one.tpm.activate(begun.challenge)), begun);
      const evidence = await one.evidence(verifier.askedOf(begun), {}, false);
      expect(code(await verifier.call('enrol.finish', { session: begun.challenge.session, proof, evidence }))).toBe(
        'attestation/log-missing',
      );
    });

    test('SR-21: a device has one handle for a relying party and epoch, and keeps it', async () => {
      expect(code(await verifier.attest(one, device))).toBe('ok');
      expect(code(await verifier.attest(one, device, { handle: random.bytes(16) }))).toBe('handle/already-bound');
      expect(code(await verifier.attest(one, device, { handle: random.bytes(16), epoch: 2 }))).toBe('ok');
      expect(code(await verifier.attest(one, device))).toBe('ok');
    });

    test('of more devices at once than there is room for forgets the oldest challenge, which then is begun anew', async () => {
      const { challenge, asked } = await verifier.beginAttestation(device);
      const evidence = await one.evidence(asked);
      const request = { device, relyingParty: 'account', deviceNonce: random.bytes(32) };
      for (let count = 0; count < 4096; count += 1) await verifier.call('attest.begin', request);
      expect(code(await verifier.call('attest.finish', { session: challenge.session, evidence }))).toBe(
        'attestation/nonce-expired',
      );
      expect(code(await verifier.attest(one, device))).toBe('ok');
    });
  });

  describe('SR-19: a revoked TPM', () => {
    let device: Uint8Array;
    beforeEach(async () => {
      ({ device } = unwrap(await verifier.enrol(one)));
    });

    test('gets no challenge, no result for a challenge it holds, and does not enrol again', async () => {
      const { challenge, asked } = await verifier.beginAttestation(device);
      verifier.store.revoke(device);
      const evidence = await one.evidence(asked);
      expect(code(await verifier.call('attest.finish', { session: challenge.session, evidence }))).toBe(
        'attestation/enrolment-unknown',
      );
      const request = { device, relyingParty: 'account', deviceNonce: random.bytes(32) };
      expect(code(await verifier.call('attest.begin', request))).toBe('handle/revoked');
      expect(code(await verifier.call('enrol.begin', one.begin()))).toBe('attestation/endorsement-revoked');
      expect(code(await verifier.enrol(two))).toBe('ok');
    });

    test('does not enrol under another spelling of its endorsement key', async () => {
      verifier.store.revoke(device);
      const area = unwrap(parsePublic(one.identity.endorsementPublic));
      for (const spelled of [
        { ...area, attributes: area.attributes ^ 1 },
        { ...area, authPolicy: new Uint8Array(32) },
      ])
        expect(code(await verifier.call('enrol.begin', { ...one.begin(), endorsementPublic: encodePublic(spelled) }))).toBe(
          'attestation/endorsement-revoked',
        );
    });

    test('does not finish an enrolment that it had begun before', async () => {
      const begun = await verifier.beginEnrolment(one);
      verifier.store.revoke(device);
      expect(code(await verifier.finishEnrolment(one, begun))).toBe('attestation/endorsement-revoked');
    });
  });

  describe('what a TPM remembers', () => {
    test('a boot of software that no release names is told to the relying party, not refused', async () => {
      const path = join(folder.path, 'three');
      const good = await startDevice(path, maker, log);
      const { device } = unwrap(await verifier.enrol(good));
      await good.powerOff();
      const odd = await startDevice(path, maker, bootLog({ programs: ['one', 'two', 'evil'] }), good.kept);
      const result = resultOf(unwrap(await verifier.attest(odd, device)));
      expect(result.status).toBe('contraindicated');
      expect(result.trustVector).toMatchObject({ executables: 99 });
      await odd.powerOff();
    });

    test('an earlier state of the TPM that was put back is noticed', async () => {
      const path = join(folder.path, 'four');
      const saved = join(folder.path, 'four-saved');
      const first = await startDevice(path, maker, log);
      const { device } = unwrap(await verifier.enrol(first));
      await first.powerOff();
      cpSync(path, saved, { recursive: true });
      for (let boot = 0; boot < 2; boot += 1) {
        const again = await startDevice(path, maker, log, first.kept);
        expect(code(await verifier.attest(again, device))).toBe('ok');
        await again.powerOff();
      }
      rmSync(path, { recursive: true });
      cpSync(saved, path, { recursive: true });
      const restored = await startDevice(path, maker, log, first.kept);
      expect(code(await verifier.attest(restored, device))).toBe('attestation/clock-rollback');
      await restored.powerOff();
    });
  });
});
