import { describe, expect, test } from 'vitest';
import { accountKeys, assertIdentity, identityKeys, issuedMs } from '#agents/session/issuer.fixture';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { codeOf, unwrap } from '#hal/core/result';
import { keyId } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import type { Envelope } from '#protos/gen/types';
import { concludes, outcome, ownHandle, serviceKeys } from './outcome.fixture.ts';
import { openOutcome } from './outcomes.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const open = (envelope: Uint8Array, nowMs = issuedMs + minuteMs) =>
  openOutcome(nodeCrypto, envelope, { keys: [serviceKeys.publicKey], isRevoked: () => false, handle: ownHandle, nowMs });
const code = (envelope: Uint8Array, nowMs?: number) => {
  const opened = open(envelope, nowMs);
  return opened.ok ? 'opened' : codeOf(opened.fault);
};
const changed = (envelope: Uint8Array, change: (envelope: Envelope) => Partial<Envelope>): Uint8Array => {
  const decoded = unwrap(decodeMessage('Envelope', envelope));
  return encodeMessage('Envelope', { ...decoded, ...change(decoded) });
};

describe('an outcome of the intelligence service', () => {
  test('opens to what the service concluded, and who signed it', () => {
    const opened = unwrap(open(concludes({ app: 'an-app', isBlock: true })));
    expect(opened).toMatchObject({ category: 'malware-like', band: 'strong', app: 'an-app', isBlock: true, sequence: 7 });
    expect(opened.signer).toEqual(keyId(nodeCrypto, serviceKeys.publicKey).slice(0, 16));
  });

  test('is refused with a signature by a key of another class (SR-03)', () => {
    for (const { secretKey: signer } of [identityKeys, accountKeys])
      expect(code(concludes({}, { signer }))).toBe('integrity/signature-missing');
  });

  test('is refused where one of its two algorithms did not sign', () => {
    const broken = (field: 'classical' | 'postQuantum') =>
      changed(concludes(), ({ signatures }) => ({
        signatures: signatures.map((signature) => ({ ...signature, [field]: signature[field].map((byte) => byte ^ 1) })),
      }));
    expect(code(broken('classical'))).toBe('integrity/signature-invalid');
    expect(code(broken('postQuantum'))).toBe('integrity/signature-invalid');
    expect(code(changed(concludes(), () => ({ signatures: [] })))).toBe('integrity/signature-missing');
  });

  test('is refused where it is for somebody else, or a statement of another kind', () => {
    expect(code(concludes({}, { audience: 'enigm-command' }))).toBe('integrity/audience-mismatch');
    expect(code(concludes({}, { payloadType: 'session-statement' }))).toBe('integrity/payload-type');
    expect(code(assertIdentity({}, { signer: serviceKeys.secretKey }))).toBe('integrity/payload-type');
    expect(
      code(changed(concludes(), ({ payload }) => ({ payload: payload.map((byte, at) => (at === 20 ? byte ^ 1 : byte)) }))),
    ).toBe('integrity/signature-invalid');
  });

  test('holds from its issue to its expiry, a day at most', () => {
    expect(code(concludes(), outcome.expiresMs)).toBe('opened');
    expect(code(concludes(), outcome.expiresMs + 1)).toBe('intelligence/outcome-expired');
    expect(code(concludes(), issuedMs - 2 * minuteMs)).toBe('opened');
    expect(code(concludes(), issuedMs - 2 * minuteMs - 1)).toBe('intelligence/outcome-not-yet-valid');
    const forEver = concludes({ expiresMs: issuedMs + 400 * dayMs });
    expect(code(forEver, issuedMs + dayMs)).toBe('opened');
    expect(code(forEver, issuedMs + dayMs + 1)).toBe('intelligence/outcome-expired');
  });

  test('is for every device, or for the one that it names', () => {
    expect(code(concludes({ handle: ownHandle }))).toBe('opened');
    expect(code(concludes({ handle: new Uint8Array(16) }))).toBe('handle/outcome-of-another-device');
  });

  test('blocks no app where it names none', () => {
    expect(code(concludes({ isBlock: true }))).toBe('protocol/field-invalid');
  });

  test('is nothing where the device knows no key of the service', () => {
    const opened = openOutcome(nodeCrypto, concludes(), { keys: [], isRevoked: () => false, handle: ownHandle, nowMs: issuedMs });
    expect(opened.ok || codeOf(opened.fault)).toBe('integrity/signature-missing');
  });
});
