/** For tests: the intelligence service, each field and the signer theirs to change. */
import { issuedMs, type Sealing, seal } from '#agents/session/issuer.fixture';
import { encodeMessage } from '#hal/core/message';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import type { IntelligenceOutcome } from '#protos/gen/types';
import { outcomeType } from './outcomes.ts';

export const serviceKeys = hybridKeyPair(
  nodeCrypto,
  hybridSignatureSuites['enigm-ed25519-mldsa65'],
  seededRandom('intelligence'),
);
/** The device's own handle at the service. */
export const ownHandle = new Uint8Array(16).fill(0x1d);

export const outcome: IntelligenceOutcome = {
  service: 'the-service',
  sequence: 7,
  category: 'malware-like',
  band: 'strong',
  isBlock: false,
  issuedMs,
  expiresMs: issuedMs + 600_000,
};

export const concludes = (changed: Partial<IntelligenceOutcome> = {}, sealing: Sealing = {}): Uint8Array =>
  seal(encodeMessage('IntelligenceOutcome', { ...outcome, ...changed }), {
    signer: serviceKeys.secretKey,
    payloadType: outcomeType,
    ...sealing,
  });
