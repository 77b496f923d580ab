import { beforeEach, describe, expect, test } from 'vitest';
import { testPorts } from '#agents/hands/hands.fixture';
import type { AttestationResult, VerifierKeys } from '#attestation/result';
import { equalBytes } from '#hal/core/bytes';
import { codeOf, deny, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { deviceKeyId } from '#hal/crypto/succession';
import { virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import type { Collector } from './collect.ts';
import { deviceId, otherSecrets, type TestVerifier, testVerifier, trustedVerifier, verifierKeys } from './verifier.fixture.ts';
import { type VerifierLink, verifierLink } from './verifier-link.ts';

const device = { bootId: new Uint8Array(16).fill(0xb0), epoch: 1, id: deviceId };
const { signal } = new AbortController();
const missing = { category: 'attestation', reason: 'log-missing' } as const;

describe('the link to the verifier', () => {
  let verifier: TestVerifier;
  let link: VerifierLink;
  const open = (changed: Partial<Collector> = {}) => {
    const collector = { ...testPorts(virtualClock()).ports, ...changed };
    link = verifierLink({
      client: verifier.client,
      collector,
      crypto: nodeCrypto,
      random: seededRandom('link'),
      verifier: trustedVerifier,
    });
  };
  beforeEach(() => {
    verifier = testVerifier(() => 1_780_000_000);
    open();
  });

  const outcome = (result: Result<unknown>) => (result.ok ? 'accepted' : codeOf(result.fault));
  const attest = async (party = 'account') => outcome(await link.attest(device, party, signal));
  const enrol = async () => outcome(await link.enrol(device, signal));

  test('accepts a result that says exactly what was asked', async () => {
    const attested = await link.attest(device, 'account', signal);
    expect(attested).toMatchObject({ ok: true, value: { status: 'affirming', relyingParty: 'account', epoch: 1 } });
    const enrolled = await link.enrol(device, signal);
    expect(enrolled).toMatchObject({ ok: true, value: { result: { relyingParty: 'enrolment' } } });
    expect(enrolled.ok && Buffer.from(enrolled.value.device).equals(deviceId)).toBe(true);
    expect(verifier.isProven).toBe(true);
  });

  test.each<[string, Partial<AttestationResult>]>([
    ['of another verifier', { verifier: 'another-verifier' }],
    ['for another relying party', { relyingParty: 'command' }],
    ['that answers another challenge of ours', { deviceNonce: new Uint8Array(32).fill(9) }],
    ['bound to another key', { confirmationKey: new Uint8Array(32).fill(9) }],
    ['for another handle (SR-21)', { handle: new Uint8Array(16).fill(9) }],
    ['for another epoch (SR-21)', { epoch: 2 }],
    ['of another boot', { bootId: new Uint8Array(16).fill(9) }],
    ['with rollout buckets that were not committed (SR-21)', { rollout: new Uint8Array(32).fill(9) }],
  ])('refuses a result %s', async (_, says) => {
    verifier.says = says;
    expect(await attest()).toBe('attestation/result-audience');
    expect(await enrol()).toBe('attestation/result-audience');
  });

  test.each([
    ['neither key', otherSecrets, false, false],
    ['the post-quantum key alone', otherSecrets, false, true],
    ['the classical key alone', otherSecrets, true, false],
  ])('refuses a result that %s of the verifier signed (SR-09)', async (_, others, isClassicalOurs, isPostQuantumOurs) => {
    verifier.secrets = {
      classical: isClassicalOurs ? verifier.secrets.classical : others.classical,
      postQuantum: isPostQuantumOurs ? verifier.secrets.postQuantum : others.postQuantum,
    };
    expect(await attest()).toBe('attestation/result-signature');
    expect(await enrol()).toBe('attestation/result-signature');
  });

  test('refuses a result by a key that was revoked; of two keys the other one goes on', async () => {
    const id = deviceKeyId(nodeCrypto, verifierKeys);
    const trust = (keys: readonly VerifierKeys[]) =>
      verifierLink({
        client: verifier.client,
        collector: testPorts(virtualClock()).ports,
        crypto: nodeCrypto,
        random: seededRandom('link'),
        verifier: { ...trustedVerifier, keys, isRevoked: (one) => equalBytes(one, id) },
      });
    const others = {
      classical: nodeCrypto.ed25519.publicKey(otherSecrets.classical),
      postQuantum: nodeCrypto.mlDsa65.publicKey(otherSecrets.postQuantum),
    };
    for (const keys of [[verifierKeys], [others, verifierKeys], [verifierKeys, others]]) {
      link = trust(keys);
      expect(await attest()).toBe('integrity/key-revoked');
    }
    verifier.secrets = otherSecrets;
    expect(await attest()).toBe('accepted');
  });

  test('gives no evidence to a verifier that calls itself by another name', async () => {
    verifier.name = 'another-verifier';
    let activations = 0;
    const { ports } = testPorts(virtualClock());
    const activate = async () => {
      activations += 1;
      return deny('unavailable', 'tpm-failed');
    };
    open({ tpm: { ...ports.tpm, activate } });
    expect(await attest()).toBe('attestation/result-audience');
    expect(await enrol()).toBe('attestation/result-audience');
    expect(verifier.evidence).toEqual([]);
    expect(activations).toBe(0);
  });

  test('carries the digest of rollout buckets to where the result is shown (SR-21)', async () => {
    const rollout = new Uint8Array(32).fill(3);
    expect(await link.attest(device, 'director', signal, rollout)).toMatchObject({ ok: true, value: { rollout } });
    verifier.says = { rollout: new Uint8Array(32) };
    expect(outcome(await link.attest(device, 'director', signal, rollout))).toBe('attestation/result-audience');
  });

  test('asks with a new challenge each time, so that an old result does not do', async () => {
    const first = await link.attest(device, 'account', signal);
    verifier.says = first.ok ? { deviceNonce: first.value.deviceNonce } : {};
    expect(await attest()).toBe('attestation/result-audience');
  });

  test('binds results to one key for each relying party, the same for this life', async () => {
    const keyFor = async (party: string) => {
      const result = await link.attest(device, party, signal);
      return result.ok ? Buffer.from(result.value.confirmationKey).toString('hex') : 'refused';
    };
    const account = await keyFor('account');
    expect(await keyFor('command')).not.toBe(account);
    expect(await keyFor('account')).toBe(account);
  });

  test('answers one challenge after the other, so that no evidence overtakes another: that looks like a TPM put back', async () => {
    const asked: string[] = [];
    const { client } = verifier;
    const call: typeof client.call = (method, ...rest) => {
      asked.push(method);
      return client.call(method, ...rest);
    };
    verifier = { ...verifier, client: { call } };
    open();
    const results = await Promise.all([attest('account'), attest('command'), enrol()]);
    expect(results).toEqual(['accepted', 'accepted', 'accepted']);
    expect(asked).toEqual(['attest.begin', 'attest.finish', 'attest.begin', 'attest.finish', 'enrol.begin', 'enrol.finish']);
  });

  test('waits no longer for its turn than it may, and holds up nobody after that', async () => {
    const { client } = verifier;
    let isHanging = true;
    const call = ((method: 'attest.begin', ...rest: [never]) =>
      isHanging ? new Promise(() => undefined) : client.call(method, ...rest)) as typeof client.call;
    verifier = { ...verifier, client: { call } };
    open();
    const stop = new AbortController();
    const first = link.attest(device, 'account', stop.signal);
    const second = link.attest(device, 'account', stop.signal);
    const third = link.attest(device, 'account', signal);
    isHanging = false;
    stop.abort();
    expect([await first, await second].map(outcome)).toEqual(['unavailable/aborted', 'unavailable/aborted']);
    expect(outcome(await third)).toBe('accepted');
  });

  test('remembers a bounded number of relying parties, and its own whatever apps ask for', async () => {
    await attest('account');
    await attest('command');
    for (let count = 0; count < 70; count += 1) await attest(`party-${count}`);
    expect(link.passport('party-0')).toBeUndefined();
    expect(link.passport('party-69')).toBeDefined();
    for (const party of ['account', 'command']) expect(link.passport(party)).toBeDefined();
  });

  test('is known by another handle to each party and epoch (SR-21)', async () => {
    const handleFor = async (party: string, epoch: number) => {
      const result = await link.attest({ ...device, epoch }, party, signal);
      return result.ok ? Buffer.from(result.value.handle).toString('hex') : '';
    };
    const handles = [await handleFor('account', 1), await handleFor('command', 1), await handleFor('account', 2)];
    expect(new Set(handles).size).toBe(3);
    expect(await handleFor('account', 1)).toBe(handles[0]);
  });

  test('sends the boot log once, and again where the verifier has lost it', async () => {
    const sent = () => verifier.evidence.map(({ hasLog }) => hasLog);
    await attest();
    await attest();
    expect(sent()).toEqual([true, false]);
    verifier.refuses['attest.finish'] = [missing];
    expect(await attest()).toBe('accepted');
    expect(sent()).toEqual([true, false, false, true]);
  });

  test('asks no more than twice, whatever the verifier says of the log', async () => {
    verifier.refuses['attest.finish'] = [missing, missing, missing];
    expect(await attest()).toBe('attestation/log-missing');
    expect(verifier.evidence).toEqual([{ hasLog: true }]);
    verifier.refuses['attest.finish'] = [];
    await attest();
    verifier.refuses['attest.finish'] = [missing, missing, missing];
    expect(await attest()).toBe('attestation/log-missing');
    expect(verifier.evidence.length).toBe(4);
  });

  test.each(['enrol.begin', 'enrol.finish', 'attest.begin', 'attest.finish'] as const)(
    'passes on what %s refuses',
    async (method) => {
      verifier.refuses[method] = [{ category: 'handle', reason: 'revoked' }];
      expect(method.startsWith('enrol') ? await enrol() : await attest()).toBe('handle/revoked');
    },
  );

  test('says so when the TPM cannot open the credential', async () => {
    const { ports } = testPorts(virtualClock());
    open({ tpm: { ...ports.tpm, activate: async () => deny('unavailable', 'tpm-failed') } });
    expect(await enrol()).toBe('unavailable/tpm-failed');
    expect(verifier.evidence).toEqual([]);
  });
});
