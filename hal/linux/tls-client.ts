/** What the TLS clients of a device have in common. */
import { deny, type Failure } from '#hal/core/result';

/**
 * What each asks for. No group of an elliptic curve that a TPM has (SR-02): where a process prefers
 * the TPM's provider, the key of an exchange over such a curve would be made there too.
 */
export const tlsClient = { minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768:X25519' } as const;

/** X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED, as OpenSSL words them (X509_verify_cert_error_string(3)). */
export const isCertificateTime = (cause: string): boolean => /certificate (?:is not yet valid|has expired)/.test(cause);

/** @returns `unavailable/certificate-time` where a clock may be wrong, here or there; else `unavailable/peer-unreachable` */
export const unreached = (cause: string): Failure =>
  deny('unavailable', isCertificateTime(cause) ? 'certificate-time' : 'peer-unreachable', cause);
