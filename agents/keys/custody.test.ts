import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { attestor } from '#agents/attest/attestor';
import { type TestVerifier, testVerifier, trustedVerifier } from '#agents/attest/verifier.fixture';
import { verifierLink } from '#agents/attest/verifier-link';
import { recordsOf } from '#agents/audit/audit.fixture';
import { authorizer } from '#agents/mind/authorizer';
import { startTestMind, type TestMind } from '#agents/mind/mind.fixture';
import { accountKeys, identityKeys } from '#agents/session/issuer.fixture';
import { toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { keyId } from '#hal/crypto/envelope';
import { followSuccessions } from '#hal/crypto/succession';
import { seededRandom } from '#hal/memory/random';
import type { KeyChange, Posture } from '#protos/gen/types';
import { type KeyCustody, keyCustody } from './custody.ts';
import type { KnownKey } from './known.ts';
import { keyClassNames } from './registry.ts';
import { type Revocations, revocationsOf } from './revocations.ts';

const subject = 'a5'.repeat(16);
const posture: Posture = { level: 'basic', headline: 'as-expected', lifecycle: 'active', measuredMs: 0, findings: [] };

describe('the custody of keys', () => {
  let mind: TestMind;
  let verifier: TestVerifier;
  let custody: KeyCustody;
  let revocations: Revocations;
  let starts: number;
  const issuerId = () => keyId(mind.crypto, identityKeys.publicKey);
  const spareId = () => keyId(mind.crypto, accountKeys.publicKey);
  /** The identity issuer changes its key: two are believed. The account service has one. */
  const believed = (): readonly KnownKey[] => [
    { keyClass: 'issuer', keyId: issuerId(), isInUse: true },
    { keyClass: 'issuer', keyId: spareId(), isInUse: true },
    { keyClass: 'account', keyId: spareId(), isInUse: true },
  ];

  const open = () => {
    const link = verifierLink({
      client: verifier.client,
      collector: mind.hands,
      crypto: mind.crypto,
      random: seededRandom('custody'),
      verifier: trustedVerifier,
    });
    const refresh = async () => {
      mind.trust.holdPosture(posture, { value: true, measuredBootMs: mind.clock.bootMs() }, mind.trust.changes());
      return posture;
    };
    custody = keyCustody({
      ...mind,
      attestor: attestor({ ...mind, verifier: link }),
      authorizer: authorizer(mind, { refresh }),
      revocations,
      believed,
      startAnew: () => {
        starts += 1;
      },
    });
  };
  beforeEach(async () => {
    mind = await startTestMind();
    verifier = testVerifier(() => Math.floor(mind.clock.nowMs() / 1000));
    revocations = revocationsOf([], mind.audit, believed());
    starts = 0;
    open();
    const handle = mind.trust.handle()?.handle ?? '';
    mind.trust.holdActor({ subject, assurance: 'multi-factor' }, 3_600_000);
    mind.trust.holdSession({ subject, handle, state: 'open', recovery: 'none', permission: 'granted' }, 3_600_000);
  });
  afterEach(() => mind[Symbol.asyncDispose]());

  const outcome = (change: Result<KeyChange>) => (change.ok ? change.value.code || 'done' : codeOf(change.fault));
  const rotate = async (name: string) => outcome(await custody.rotate(name, 'test'));
  const revoke = async (keyClass: string, id: Uint8Array, isLastMeant = false) =>
    outcome(await custody.revoke({ keyClass, keyId: id, isLastMeant }, 'test'));
  const idsOf = async (name: string, state: string) =>
    unwrap(await custody.list())
      .entries.filter((entry) => entry.keyClass === name && entry.state === state)
      .map((entry) => toHex(entry.keyId ?? new Uint8Array()));
  const administrative = () => recordsOf(mind.audit).filter(({ event }) => event === 'admin.key');

  test('lists every class of the registry, and says of each key whether it is in use', async () => {
    const { entries } = unwrap(await custody.list());
    expect(new Set(entries.map(({ keyClass }) => keyClass))).toEqual(new Set(keyClassNames));
    expect(await idsOf('issuer', 'active')).toEqual([toHex(issuerId()), toHex(spareId())]);
    for (const entry of entries) expect(['active', 'unnamed', 'absent']).toContain(entry.state);
  });

  test.each(['audit', 'report'])(
    'rotates %s: the old key signs the new one and signs nothing else from then on',
    async (name) => {
      const [before = ''] = await idsOf(name, 'active');
      const old = unwrap(await mind.hands.keys.publicKey(name as 'audit'));
      expect(await rotate(name)).toBe('done');
      const [after = ''] = await idsOf(name, 'active');
      expect(after).not.toBe(before);
      expect(await idsOf(name, 'retired')).toEqual([before]);
      const { successions } = unwrap(await custody.list());
      const way = unwrap(followSuccessions(mind.crypto, successions, old, Buffer.from(after, 'hex')));
      expect(way.map(toHex)).toEqual([before, after]);
      const message = new Uint8Array([1]);
      const { classical } = unwrap(await mind.hands.keys.sign(name as 'audit', message));
      expect(mind.crypto.ed25519.verify(old.classical, message, classical)).toBe(false);
      expect(starts).toBe(0);
    },
  );

  test('rotates the handles: everybody knows the device by another name, and the mind starts anew', async () => {
    expect(await rotate('handle')).toBe('done');
    expect(unwrap(await custody.list()).entries.find(({ keyClass }) => keyClass === 'handle')).toMatchObject({ epoch: 2 });
    expect(starts).toBe(1);
  });

  test('rotates attestation by another enrolment: the TPM proves the new key to the verifier', async () => {
    verifier.isProven = false;
    expect(await rotate('attestation')).toBe('done');
    expect(verifier.isProven).toBe(true);
    expect(mind.state.current().enrolledEpoch).toBe(2);
    expect(recordsOf(mind.audit).map(({ event }) => event)).toContain('lifecycle.enrolled');
  });

  test('changes nothing where the verifier cannot be asked first', async () => {
    const [before] = await idsOf('attestation', 'active');
    verifier.refuses['attest.begin'] = [deny('unavailable', 'peer-unreachable').fault];
    expect(await rotate('attestation')).toBe('unavailable/peer-unreachable');
    expect(await idsOf('attestation', 'active')).toEqual([before]);
    expect(administrative()).toEqual([]);
  });

  test('enrols at the next attestation where the verifier was away in the middle of it', async () => {
    verifier.refuses['enrol.begin'] = [deny('unavailable', 'peer-unreachable').fault];
    expect(await rotate('attestation')).toBe('unavailable/peer-unreachable');
    expect(mind.state.current().enrolledEpoch).toBeUndefined();
    verifier.isProven = false;
    expect(await rotate('attestation')).toBe('done');
    expect(verifier.isProven).toBe(true);
    expect(mind.state.current().enrolledEpoch).toBe(3);
  });

  test('changes nothing for a stranger, and says why', async () => {
    mind.trust.holdActor({ subject: 'b6'.repeat(16), assurance: 'multi-factor' }, 3_600_000);
    expect(await rotate('audit')).toBe('identity/session-missing');
    expect(await revoke('issuer', issuerId())).toBe('identity/session-missing');
    expect(revocations.isRevoked(issuerId())).toBe(false);
    expect(unwrap(await mind.hands.keysState()).revoked).toEqual([]);
  });

  test('leaves an administrative record with all six fields of each change (SR-01)', async () => {
    await rotate('report');
    await revoke('issuer', issuerId());
    const records = administrative();
    expect(records.map(({ action, outcome: came }) => `${action} ${came}`)).toEqual([
      'rotate-key allowed',
      'rotate-key done',
      'revoke-key allowed',
      'revoke-key done',
    ]);
    const exact = createHash('sha256')
      .update(encodeMessage('KeyRevocation', { keyClass: 'issuer', keyId: issuerId() }))
      .digest('hex');
    for (const record of records) {
      expect(toHex(record.actor ?? new Uint8Array())).toBe(subject);
      expect(record).toMatchObject({ category: 'administration', resource: 'keys', timeMs: mind.clock.nowMs() });
      expect(record.changeReference).toHaveLength(32);
    }
    expect(toHex(records.at(-1)?.changeReference ?? new Uint8Array())).toBe(exact);
    expect(unwrap(await mind.hands.hello()).lastSequence).toBe(2);
  });

  test('revokes a key that is believed, for good, and starts the mind anew', async () => {
    expect(await revoke('issuer', issuerId())).toBe('done');
    expect(revocations.isRevoked(issuerId())).toBe(true);
    expect(await idsOf('issuer', 'revoked')).toEqual([toHex(issuerId())]);
    expect(starts).toBe(1);
    expect(await revoke('issuer', issuerId())).toBe('done');
    expect(starts).toBe(1);
  });

  test('revokes the last key of a class only where that is meant (SR-17)', async () => {
    await revoke('issuer', issuerId());
    for (const [keyClass, id] of [
      ['issuer', spareId()],
      ['account', spareId()],
    ] as const)
      expect(await revoke(keyClass, id)).toBe('policy/last-key');
    expect(revocations.isRevoked(spareId())).toBe(false);
    expect(await revoke('account', spareId(), true)).toBe('done');
    expect(revocations.isRevoked(spareId())).toBe(true);
  });

  test('revokes an older key of its own, and not the one in use, meant or not', async () => {
    const [old = ''] = await idsOf('audit', 'active');
    const id = Buffer.from(old, 'hex');
    expect(await revoke('audit', id)).toBe('policy/key-in-use');
    expect(await revoke('audit', id, true)).toBe('policy/key-in-use');
    await rotate('audit');
    expect(await revoke('audit', id)).toBe('done');
    expect(await idsOf('audit', 'revoked')).toEqual([old]);
  });

  test.each([
    ['rotate', 'root', 'policy/key-elsewhere'],
    ['rotate', 'issuer', 'policy/key-elsewhere'],
    ['rotate', 'attestation-key', 'policy/key-elsewhere'],
    ['rotate', 'no-such-class', 'authorization/key-unknown'],
    ['revoke', 'os', 'policy/key-elsewhere'],
    ['revoke', 'attestation', 'policy/key-elsewhere'],
    ['revoke', 'issuer', 'authorization/key-unknown'],
    ['revoke', 'no-such-class', 'authorization/key-unknown'],
  ])('refuses to %s %s: %s', async (act, name, code) => {
    expect(act === 'rotate' ? await rotate(name) : await revoke(name, new Uint8Array(32))).toBe(code);
    expect(administrative()).toEqual([]);
  });

  test('never has a successor signed that is not its own: the hands sign none for the mind', async () => {
    const { successionBytes } = await import('#hal/crypto/succession');
    const { publicKey } = accountKeys;
    const forged = successionBytes({ keyClass: 'audit', epoch: 2, key: publicKey });
    expect(await mind.hands.keys.sign('audit', forged)).toMatchObject({ ok: false, fault: { reason: 'not-permitted' } });
  });

  test('forgets no revocation when an older list is put back: the log has it too', async () => {
    await revoke('issuer', issuerId());
    expect(revocationsOf([], mind.audit, believed()).isRevoked(issuerId())).toBe(true);
    expect(revocationsOf([], mind.audit, believed()).isRevoked(spareId())).toBe(false);
    expect(revocationsOf([], { list: () => [] }, believed()).isRevoked(issuerId())).toBe(false);
  });
});
