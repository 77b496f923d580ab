/**
 * The proof of enrolment, computed alike on both sides.
 *
 * Who could open the credential holds the endorsement key and the attestation key it names; the HMAC ties that to the
 * whole first message and to this challenge, so no part of it can be exchanged.
 */
import { createHash, createHmac } from 'node:crypto';
import { utf8 } from '#hal/core/bytes';

export const enrolmentProof = (secret: Uint8Array, begin: Uint8Array, session: Uint8Array, nonce: Uint8Array): Uint8Array =>
  createHmac('sha256', secret)
    .update(utf8('enigm-enrol-1'))
    .update(createHash('sha256').update(begin).digest())
    .update(session)
    .update(nonce)
    .digest();
