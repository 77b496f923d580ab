/** For tests: a device over a real TPM that booted what its log says, and what it sends to a verifier. */
import { createHash } from 'node:crypto';
import { certifyEndorsement } from '#attestation/certificates.fixture';
import { type Claims, encodeClaims } from '#attestation/claims';
import { parseEventLog } from '#attestation/eventlog/parse';
import { encodeEvidence, evidenceInput, type Purpose, qualifyingData } from '#attestation/evidence';
import { pcrs } from '#attestation/forger.fixture';
import { deviceOver, type Kept, provisionAll } from '#hal/contract/device.fixture';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { TestAuthority } from '#hal/linux/certificates.fixture';
import { systemRandom } from '#hal/linux/random';
import { password, startEmbedded } from '#hal/native/testing';
import type { TpmIdentity } from '#hal/ports/tpm';
import { alg } from '#hal/tpm/constants';
import { p256Point, parsePublic } from '#hal/tpm/public';
import { digestValues } from '#hal/tpm/wire';
import type { EnrolBegin } from '#protos/gen/types';

/** A challenge as it comes, and what the device says for itself. */
export interface Asked {
  readonly purpose: Purpose;
  readonly verifier: string;
  readonly nonce: Uint8Array;
  readonly deviceNonce: Uint8Array;
  readonly relyingParty: string;
}

export type TestDevice = Awaited<ReturnType<typeof startDevice>>;

/**
 * Power on the TPM in `directory`, provision it and extend what the boot measured.
 * @param maker certifies its endorsement key
 * @param kept the disk of a device that starts again
 */
export const startDevice = async (directory: string, maker: TestAuthority, log: Uint8Array, kept: Kept = {}) => {
  const esys = await startEmbedded(directory);
  const device = deviceOver(esys, kept);
  await provisionAll(device.provisioning);
  for (const { pcr, digests } of unwrap(parseEventLog(log)).events)
    for (const digest of digests) await esys.pcrExtend(pcr, password, digestValues([{ algorithm: alg.sha256, digest }]));
  const bare = unwrap(await device.tpm.identity());
  const point = p256Point(unwrap(parsePublic(bare.endorsementPublic))) ?? new Uint8Array();
  const identity: TpmIdentity = { ...bare, endorsementCertificate: await certifyEndorsement(maker, point) };
  const { postQuantum: postQuantumKey } = unwrap(await device.keys.publicKey('attestation'));
  const confirmationKey = nodeCrypto.ed25519.publicKey(systemRandom.bytes(32));
  const bootId = systemRandom.bytes(16);

  return {
    ...device,
    identity,
    confirmationKey,
    begin: (): EnrolBegin => ({ ...identity, postQuantumKey, deviceNonce: systemRandom.bytes(32) }),
    evidence: async (asked: Asked, changed: Partial<Claims> = {}, isLogSent = true): Promise<Uint8Array> => {
      const handle = unwrap(await device.keys.handle(asked.relyingParty, 1));
      const claims: Claims = { ...asked, epoch: 1, bootId, handle, confirmationKey, ...changed };
      const encoded = encodeClaims(claims);
      const bootLogDigest = createHash('sha256').update(log).digest();
      const binding = { ...asked, claims: encoded, bootLogDigest, postQuantumKey, confirmationKey: claims.confirmationKey };
      const { payload, signed } = evidenceInput({
        purpose: asked.purpose,
        verifier: asked.verifier,
        claims: encoded,
        quote: unwrap(await device.tpm.quote(qualifyingData(binding), pcrs)),
        pcrs,
        bootLog: isLogSent ? { digest: bootLogDigest, bytes: log } : { digest: bootLogDigest },
        postQuantumKey,
      });
      return encodeEvidence(payload, unwrap(await device.keys.sign('attestation', signed)).postQuantum);
    },
    powerOff: () => esys.close(),
  };
};
