/** Textual encoding of DER (RFC 7468 §3). */
import { toBase64 } from './bytes.ts';

/** @param label what it is, in capitals: `CERTIFICATE` */
export const pemOf = (label: string, der: Uint8Array): string => {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
};
