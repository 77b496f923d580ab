import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeCrypto } from '#hal/crypto/node';
import { assertIdentity, issuedMs, statementKeys, stateSession } from './issuer.fixture.ts';
import { assertionType, openStatement, sessionType } from './statements.ts';

const nowMs = issuedMs + 1_000;
const open = (envelope: Uint8Array, payloadType: string) =>
  openStatement(nodeCrypto, envelope, payloadType, statementKeys, nowMs);

const types = fc.oneof(fc.constantFrom(assertionType, sessionType), fc.string());
const valid = [
  { payloadType: assertionType, envelope: assertIdentity() },
  { payloadType: sessionType, envelope: stateSession() },
];

test('any bytes under any type are refused with a reason, and never throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), types, (envelope, payloadType) => {
      expect(open(envelope, payloadType)).toMatchObject({ ok: false, fault: { reason: /./ } });
    }),
    { numRuns: 500 },
  );
});

test('a statement with one bit changed is refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.nat(), fc.nat(7), ({ payloadType, envelope }, position, bit) => {
      const changed = envelope.slice();
      const at = position % changed.length;
      changed[at] = (changed[at] ?? 0) ^ (1 << bit);
      expect(open(changed, payloadType).ok).toBe(false);
    }),
    { numRuns: 400 },
  );
});

test('a statement that was cut short is refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.nat(), ({ payloadType, envelope }, length) => {
      expect(open(envelope.subarray(0, length % envelope.length), payloadType).ok).toBe(false);
    }),
  );
});
