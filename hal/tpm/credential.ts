/**
 * TPM2_MakeCredential in TypeScript (TPM 2.0 Part 1 §24, "Credential Protection"): a secret that only the TPM holding
 * both the endorsement key and the named object can open. The verifier needs no TPM for it.
 *
 * ECC P-256 endorsement keys with AES-128-CFB and SHA-256 (template L-2); other keys are refused by name.
 */
import { createCipheriv, createECDH, createHash, createHmac } from 'node:crypto';
import { concat, u32be, utf8, wipe } from '#hal/core/bytes';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import type { CredentialChallenge } from '#hal/ports/tpm';
import { alg } from '#hal/tpm/constants';
import { type PublicArea, p256Point, tpm2b } from '#hal/tpm/public';

/**
 * @param endorsement the endorsement key's public area
 * @param name TPM name of the object the credential is for: 34 bytes
 * @param secret at most 32 bytes
 * @param ephemeralSecret 32 random bytes, the scalar of the one-time key; wiped here
 * @returns the challenge, or `attestation/algorithm`, `attestation/malformed`
 */
export const makeCredential = (
  endorsement: PublicArea,
  name: Uint8Array,
  secret: Uint8Array,
  ephemeralSecret: Uint8Array,
): Result<CredentialChallenge> => {
  const point = p256Point(endorsement);
  if (
    point === undefined ||
    endorsement.nameAlg !== alg.sha256 ||
    endorsement.key.type !== 'ecc' ||
    endorsement.key.symmetric?.bits !== 128
  )
    return deny('attestation', 'algorithm', 'endorsement key is not ECC P-256 with AES-128 and SHA-256');
  const agreed = attempt(
    () => {
      const ephemeral = createECDH('prime256v1');
      ephemeral.setPrivateKey(ephemeralSecret);
      return { z: ephemeral.computeSecret(point), own: new Uint8Array(ephemeral.getPublicKey()) };
    },
    (cause) => deny('attestation', 'malformed', `endorsement point: ${cause}`),
  );
  wipe(ephemeralSecret);
  if (!agreed.ok) return agreed;
  const { z, own } = agreed.value;
  // Part 1 §C.6.4: seed = KDFe(Z, "IDENTITY", x of the one-time key, x of the endorsement key).
  const seed = kdfE(z, 'IDENTITY', own.subarray(1, 33), point.subarray(1, 33));
  // Part 1 §24.4: the secret is encrypted under KDFa(seed, "STORAGE", name) …
  const cipher = createCipheriv('aes-128-cfb', kdfA(seed, 'STORAGE', name, 128), new Uint8Array(16));
  const identity = concat(cipher.update(tpm2b(secret)), cipher.final());
  // … and Part 1 §24.5: protected by an HMAC under KDFa(seed, "INTEGRITY") over it and the name.
  const integrity = createHmac('sha256', kdfA(seed, 'INTEGRITY', new Uint8Array(), 256))
    .update(identity)
    .update(name)
    .digest();
  wipe(z, seed);
  return ok({
    credentialBlob: tpm2b(concat(tpm2b(integrity), identity)),
    encryptedSecret: tpm2b(concat(tpm2b(own.subarray(1, 33)), tpm2b(own.subarray(33, 65)))),
  });
};

/** KDFa, Part 1 §11.4.10.2 (SP 800-108 counter mode, HMAC-SHA-256), at most one block of output. */
const kdfA = (key: Uint8Array, label: string, contextU: Uint8Array, bits: 128 | 256): Uint8Array =>
  createHmac('sha256', key)
    .update(concat(u32be(1), utf8(label), new Uint8Array(1), contextU, u32be(bits)))
    .digest()
    .subarray(0, bits / 8);

/** KDFe, Part 1 §11.4.10.3 (SP 800-56A one-step, SHA-256), one block of output. */
const kdfE = (z: Uint8Array, label: string, partyU: Uint8Array, partyV: Uint8Array): Uint8Array =>
  createHash('sha256')
    .update(concat(u32be(1), z, utf8(label), new Uint8Array(1), partyU, partyV))
    .digest();
