/**
 * What every TLS client of a device asks for. No group of an elliptic curve that a TPM has (SR-02): where a process prefers
 * the TPM's provider, the key of an exchange over such a curve would be made there too.
 */
export const tlsClient = { minVersion: 'TLSv1.3', ecdhCurve: 'X25519MLKEM768:X25519' } as const;
