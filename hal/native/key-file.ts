/**
 * A key that a TPM made and wrapped, as TLS stacks take it and name it: `TSS2 PRIVATE KEY` (TCG, ASN.1 Specification for
 * TPM 2.0 Key Files §3.1), and its public half as SubjectPublicKeyInfo (RFC 5480 §2).
 */
import { bits, integer, objectIdentifier, octets, sequence, tagged, truth } from '#hal/core/der';
import { pemOf } from '#hal/core/pem';
import { deny, ok, type Result } from '#hal/core/result';
import { p256Point, parsePublic } from '#hal/tpm/public';
import type { WrappedAreas } from './areas.ts';

/** id-loadablekey: what TPM2_Load takes under its parent. */
const loadableKey = '2.23.133.10.1.3';
const ellipticKey = '1.2.840.10045.2.1';
const p256 = '1.2.840.10045.3.1.7';
export const keyFileLabel = 'TSS2 PRIVATE KEY';

/**
 * No secret is in it: the private area is encrypted by the TPM's own parent key, and no other TPM opens it.
 *
 * @param parentHandle TPM handle of the persistent parent
 */
export const keyFile = ({ privateArea, publicArea }: WrappedAreas, parentHandle: number): string =>
  pemOf(
    keyFileLabel,
    sequence(
      objectIdentifier(loadableKey),
      // The key is used with an empty password.
      tagged(0, truth(true)),
      integer(parentHandle),
      octets(publicArea),
      octets(privateArea),
    ),
  );

/** @returns SubjectPublicKeyInfo in DER, 91 bytes; `attestation/malformed` for anything but TPM2B_PUBLIC of an ECC P-256 key */
export const publicKeyInfo = ({ publicArea }: Pick<WrappedAreas, 'publicArea'>): Result<Uint8Array> => {
  const parsed = parsePublic(publicArea.subarray(2));
  if (!parsed.ok) return parsed;
  const point = p256Point(parsed.value);
  if (point === undefined) return deny('attestation', 'malformed', 'not a P-256 key');
  return ok(sequence(sequence(objectIdentifier(ellipticKey), objectIdentifier(p256)), bits(point)));
};
