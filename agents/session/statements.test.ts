import { describe, expect, test } from 'vitest';
import { equalBytes, toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf } from '#hal/core/result';
import { keyId } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import {
  accountKeys,
  assertIdentity,
  assertion,
  identityKeys,
  issuedMs,
  seal,
  statement,
  statementKeys,
  stateSession,
} from './issuer.fixture.ts';
import { assertionType, openStatement, type StatementKeys, sessionType } from './statements.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const nowMs = issuedMs + minuteMs;

const open = (envelope: Uint8Array, payloadType: string, atMs = nowMs, keys: StatementKeys = statementKeys) =>
  openStatement(nodeCrypto, envelope, payloadType, keys, atMs);
const refusal = (...asked: Parameters<typeof open>): string => {
  const opened = open(...asked);
  return opened.ok ? 'opened' : codeOf(opened.fault);
};

describe('a statement of the issuer or the account service', () => {
  test('becomes a fact about a person, or about one session on one device', () => {
    expect(open(assertIdentity(), assertionType)).toEqual({
      ok: true,
      value: {
        kind: 'identity',
        actor: { subject: toHex(assertion.subject), assurance: 'multi-factor' },
        expiresMs: assertion.expiresMs,
      },
    });
    expect(open(stateSession({ recovery: 'pending' }), sessionType)).toEqual({
      ok: true,
      value: {
        kind: 'session',
        session: {
          subject: toHex(statement.subject),
          handle: toHex(statement.handle),
          state: 'open',
          recovery: 'pending',
          permission: 'granted',
        },
        id: toHex(statement.session),
        sequence: statement.sequence,
        expiresMs: statement.expiresMs,
      },
    });
  });

  test('is refused when a key of another class signed it (SR-03)', () => {
    expect(refusal(assertIdentity({}, { signer: accountKeys.secretKey }), assertionType)).toBe('integrity/signature-missing');
    expect(refusal(stateSession({}, { signer: identityKeys.secretKey }), sessionType)).toBe('integrity/signature-missing');
    const swapped = { ...statementKeys, identity: statementKeys.account, account: statementKeys.identity };
    expect(refusal(assertIdentity(), assertionType, nowMs, swapped)).toBe('integrity/signature-missing');
  });

  test('is refused when its signer was revoked, and not when another service was', () => {
    const revoking = (key: typeof identityKeys) => {
      const id = keyId(nodeCrypto, key.publicKey);
      return { ...statementKeys, isRevoked: (one: Uint8Array) => equalBytes(one, id) };
    };
    expect(refusal(assertIdentity(), assertionType, nowMs, revoking(identityKeys))).toBe('integrity/key-revoked');
    expect(refusal(stateSession(), sessionType, nowMs, revoking(accountKeys))).toBe('integrity/key-revoked');
    expect(refusal(assertIdentity(), assertionType, nowMs, revoking(accountKeys))).toBe('opened');
    expect(refusal(stateSession(), sessionType, nowMs, revoking(identityKeys))).toBe('opened');
  });

  test('is refused when it is for somebody else (SR-03)', () => {
    for (const audience of ['enigm-verifier', 'enigm-technician'])
      expect(refusal(stateSession({}, { audience }), sessionType)).toBe('integrity/audience-mismatch');
  });

  test('is refused as another kind than the one that was signed', () => {
    expect(refusal(assertIdentity(), sessionType)).toBe('integrity/payload-type');
    expect(refusal(stateSession(), assertionType)).toBe('integrity/payload-type');
    for (const unknown of ['visit-receipt', '', 'toString', 'Identity-Assertion'])
      expect(refusal(assertIdentity(), unknown)).toBe('integrity/payload-type');
  });

  test('is refused when its own service signed the message of the other kind under its type', () => {
    const assertionAsSession = seal(encodeMessage('IdentityAssertion', assertion), {
      signer: accountKeys.secretKey,
      payloadType: sessionType,
    });
    expect(refusal(assertionAsSession, sessionType)).toMatch(/^protocol\/(?:malformed|field-invalid)$/);
    const sessionAsAssertion = seal(encodeMessage('SessionStatement', statement), {
      signer: identityKeys.secretKey,
      payloadType: assertionType,
    });
    expect(refusal(sessionAsAssertion, assertionType)).toMatch(/^protocol\/(?:malformed|field-invalid)$/);
  });

  test.each([
    ['an assertion', assertIdentity(), assertionType],
    ['a session', stateSession(), sessionType],
  ])('expires: %s holds until its last millisecond and not one longer', (_, envelope, payloadType) => {
    expect(refusal(envelope, payloadType, assertion.expiresMs)).toBe('opened');
    expect(refusal(envelope, payloadType, assertion.expiresMs + 1)).toBe('identity/assertion-expired');
  });

  test.each([
    ['an assertion', assertIdentity(), assertionType],
    ['a session', stateSession(), sessionType],
  ])('begins: %s from the future is taken within two minutes of skew alone', (_, envelope, payloadType) => {
    expect(refusal(envelope, payloadType, issuedMs - 2 * minuteMs)).toBe('opened');
    expect(refusal(envelope, payloadType, issuedMs - 2 * minuteMs - 1)).toBe('identity/assertion-not-yet-valid');
  });

  test('lives a day at most, whatever it says', () => {
    const longLived = { expiresMs: issuedMs + 3650 * dayMs };
    for (const [envelope, payloadType] of [
      [assertIdentity(longLived), assertionType],
      [stateSession(longLived), sessionType],
    ] as const) {
      expect(open(envelope, payloadType)).toMatchObject({ ok: true, value: { expiresMs: issuedMs + dayMs } });
      expect(refusal(envelope, payloadType, issuedMs + dayMs)).toBe('opened');
      expect(refusal(envelope, payloadType, issuedMs + dayMs + 1)).toBe('identity/assertion-expired');
    }
  });

  test('is refused when it ends before it begins', () => {
    const backwards = { issuedMs: nowMs, expiresMs: nowMs - minuteMs };
    expect(refusal(assertIdentity(backwards), assertionType)).toBe('identity/assertion-expired');
    expect(refusal(stateSession(backwards), sessionType)).toBe('identity/assertion-expired');
  });
});
