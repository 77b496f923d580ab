/** Public keys of one algorithm in PEM: a fixed prefix of SubjectPublicKeyInfo (RFC 5280 §4.1), then the raw key. */
import { concat, equalBytes, fromBase64, toBase64 } from '#hal/core/bytes';

const armour = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]{1,16384})\n-----END PUBLIC KEY-----\n?$/;

/** @returns the raw key of `keyBytes` bytes, undefined for any other algorithm, size or encoding */
export const keyFromPem = (pem: string, prefix: Uint8Array, keyBytes: number): Uint8Array | undefined => {
  const body = armour.exec(pem)?.[1];
  const der = body === undefined ? undefined : fromBase64(body.replaceAll('\n', ''));
  if (der === undefined || der.length !== prefix.length + keyBytes) return undefined;
  return equalBytes(der.subarray(0, prefix.length), prefix) ? der.slice(prefix.length) : undefined;
};

export const pemOfKey = (key: Uint8Array, prefix: Uint8Array): string => {
  const lines = toBase64(concat(prefix, key)).match(/.{1,64}/g) ?? [];
  return `-----BEGIN PUBLIC KEY-----\n${lines.join('\n')}\n-----END PUBLIC KEY-----\n`;
};
