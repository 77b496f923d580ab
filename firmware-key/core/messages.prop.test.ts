import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutAck, cutMessage, decodeSubmission, encodeSubmission } from './alert-format.ts';
import { type Answer, decodeAnswer, decodeRequest, encodeAnswer, encodeRequest, type Request, verdicts } from './messages.ts';
import { decodeValue, encodeValue } from './records.ts';
import { states } from './table.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const pin = fc.array(fc.nat(9), { minLength: 4, maxLength: 8 }).map((digits) => Uint8Array.from(digits));

const anyRequest: fc.Arbitrary<Request> = fc.oneof(
  fc.record({ type: fc.constant('ping' as const), nonce: bytes(8) }),
  fc.record({ type: fc.constantFrom('status', 'release', 'arm', 'test', 'setup') }),
  fc.record({
    type: fc.constant('contact-put' as const),
    contact: bytes(16),
    tier: fc.integer({ min: 1, max: 3 }),
    isNamed: fc.boolean(),
    psk: bytes(32),
    publicKey: bytes(1216),
  }),
  fc.record({ type: fc.constant('contact-remove' as const), contact: bytes(16) }),
  fc.record({ type: fc.constant('pins' as const), cancel: pin, duress: pin }),
  fc.record({ type: fc.constant('remote-arm' as const), isAllowed: fc.boolean() }),
);

const anyAnswer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ type: fc.constant('pong' as const), nonce: bytes(8) }),
  fc.record({
    type: fc.constant('status' as const),
    status: fc.record({
      state: fc.constantFrom(...states),
      batteryPercent: fc.nat(100),
      contacts: fc.nat(8),
      hasPins: fc.boolean(),
      allowsRemoteArm: fc.boolean(),
      usedMicroampHours: fc.nat(0xffff_ffff),
    }),
  }),
  fc.record({
    type: fc.constant('answer' as const),
    to: fc.constantFrom('arm', 'pins', 'remote-arm'),
    verdict: fc.constantFrom(...verdicts),
  }),
);

describe('the words between host and Key', () => {
  test('are read as they were written', () => {
    fc.assert(
      fc.property(anyRequest, anyAnswer, (request, answer) => {
        expect(decodeRequest(encodeRequest(request))).toEqual(request);
        expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
      }),
    );
  });

  test('have one encoding: whatever is read is written back as the same bytes', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.nat(12), fc.uint8Array({ maxLength: 30 })).map(([type, rest]) => Uint8Array.of(type, ...rest)),
      fc
        .tuple(fc.integer({ min: 0x80, max: 0x84 }), fc.uint8Array({ maxLength: 10 }))
        .map(([type, rest]) => Uint8Array.of(type, ...rest)),
    );
    fc.assert(
      fc.property(anyBytes, (noise) => {
        const request = decodeRequest(noise);
        if (request !== undefined) expect(encodeRequest(request)).toEqual(noise);
        const answer = decodeAnswer(noise);
        if (answer !== undefined && answer.type !== 'status') expect(encodeAnswer(answer)).toEqual(noise);
        for (const read of [cutMessage, cutAck, decodeSubmission]) expect(read(noise)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  test('cut or lengthened by one byte they are nothing', () => {
    fc.assert(
      fc.property(anyRequest, (request) => {
        if (request.type === 'pins') return; // any length within the limits is a PIN
        const encoded = encodeRequest(request);
        expect(decodeRequest(encoded.subarray(0, encoded.length - 1))).not.toEqual(request);
        expect(decodeRequest(Uint8Array.of(...encoded, 0))).toBeUndefined();
      }),
    );
  });
});

test('a submission names one to eight contacts and carries exactly one message', () => {
  const message = Uint8Array.of(2, ...new Uint8Array(16), 0, 0, 0, 9, ...new Uint8Array(80));
  const submission = { sequence: 9, contacts: [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)], message };
  const encoded = encodeSubmission(submission);
  expect(decodeSubmission(encoded)).toEqual(submission);
  expect(decodeSubmission(encodeSubmission({ ...submission, sequence: 8 }))).toBeUndefined();
  expect(decodeSubmission(encodeSubmission({ ...submission, contacts: [] }))).toBeUndefined();
  expect(decodeSubmission(encoded.subarray(0, encoded.length - 1))).toBeUndefined();
});

test('what is persisted comes back, whatever kind of byte array it was', () => {
  const value = { a: Uint8Array.of(0, 1, 255), b: [Buffer.from([7])], c: 'text', d: { e: 1.5, f: true } };
  expect(decodeValue(encodeValue(value))).toEqual({ ...value, b: [Uint8Array.of(7)] });
});
