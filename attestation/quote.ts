/** One quote against one attestation key: a list of named steps, each with its own refusal. */
import { equalBytes } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Quote } from '#hal/ports/tpm';
import { parseQuote, parseSignature, pcrDigestOf, type QuoteAttest } from '#hal/tpm/attest';
import { alg } from '#hal/tpm/constants';
import { type PublicArea, p256Point } from '#hal/tpm/public';
import { attestationAttributes } from '#hal/tpm/templates';

/**
 * The key must be a restricted signing key that its TPM made and that cannot leave it, ECC P-256 with SHA-256
 * (SR-05; attack table 7 and 8). Exactly these attributes: decrypt beside sign, or stClear, is refused.
 * @returns the key as an uncompressed point, or `attestation/key-attributes`, `attestation/algorithm`
 */
export const attestationKeyPoint = (area: PublicArea): Result<Uint8Array> => {
  if (area.attributes !== attestationAttributes) return deny('attestation', 'key-attributes', area.attributes.toString(16));
  const point = p256Point(area);
  const scheme = area.key.type === 'ecc' ? area.key.scheme : undefined;
  if (point === undefined || area.nameAlg !== alg.sha256)
    return deny('attestation', 'algorithm', 'attestation key is not ECC P-256');
  if (scheme?.algorithm !== alg.ecdsa || scheme.hash !== alg.sha256)
    return deny('attestation', 'algorithm', 'attestation key scheme');
  return ok(point);
};

/**
 * @param keyPoint uncompressed P-256 point of the attestation key
 * @param pcrs ascending registers that came with the quote
 * @param extraData what the quote must bind
 * @returns the quote, or `attestation/quote-signature`, `quote-type`, `malformed`, `algorithm`, `binding-mismatch`,
 * `pcr-selection`, `pcr-digest`
 */
export const verifyQuote = (
  crypto: CryptoBackend,
  quote: Quote,
  keyPoint: Uint8Array,
  pcrs: readonly number[],
  extraData: Uint8Array,
): Result<QuoteAttest> => {
  const signature = parseSignature(quote.signature);
  if (!signature.ok) return signature;
  if (signature.value.algorithm !== 'ecdsa' || signature.value.hash !== alg.sha256)
    return deny('attestation', 'algorithm', 'quote signature');
  if (!crypto.p256.verify(keyPoint, quote.attest, signature.value.bytes)) return deny('attestation', 'quote-signature');
  const attest = parseQuote(quote.attest);
  if (!attest.ok) return attest;
  if (!equalBytes(attest.value.extraData, extraData)) return deny('attestation', 'binding-mismatch');
  if (!selectsExactly(attest.value, pcrs)) return deny('attestation', 'pcr-selection');
  if (!equalBytes(attest.value.pcrDigest, pcrDigestOf(quote.pcrValues))) return deny('attestation', 'pcr-digest');
  return attest;
};

/** One selection, the SHA-256 bank, exactly the registers whose values came along (attack table 16, 17, 19). */
const selectsExactly = ({ selections }: QuoteAttest, pcrs: readonly number[]): boolean => {
  const [only, ...others] = selections;
  return (
    only !== undefined && others.length === 0 && only.hash === alg.sha256 && only.pcrs.join() === pcrs.join() && pcrs.length > 0
  );
};
