/**
 * Deterministic CBOR (RFC 8949 §4.2.1) for signed objects: one value has one encoding, and any other is refused.
 *
 * Maps are `Map`s, because COSE and EAT use integer labels. Tags are not used: the context says what an object is.
 */
import { decode as cborDecode, encode as cborEncode, rfc8949EncodeOptions } from 'cborg';
import { equalBytes } from '#hal/core/bytes';
import { attempt, deny, ok, type Result } from '#hal/core/result';

export type Cbor = number | bigint | string | boolean | null | Uint8Array | readonly Cbor[] | CborMap;
export type CborMap = ReadonlyMap<number | string, Cbor>;

/** Largest CBOR object read anywhere: evidence with a boot log inside. */
export const maxCborBytes = 2 * 1024 * 1024;

export const encodeCbor = (value: Cbor): Uint8Array => cborEncode(value, rfc8949EncodeOptions);

/** @returns the value, or `protocol/malformed` (also for any encoding but the deterministic one), `protocol/too-large` */
export const decodeCbor = (bytes: Uint8Array): Result<Cbor> => {
  if (bytes.length > maxCborBytes) return deny('protocol', 'too-large', `${bytes.length} bytes of CBOR`);
  const decoded = attempt(
    () => cborDecode(bytes, decodeOptions) as Cbor,
    (cause) => deny('protocol', 'malformed', cause),
  );
  if (!decoded.ok) return decoded;
  return equalBytes(encodeCbor(decoded.value), bytes)
    ? ok(decoded.value)
    : deny('protocol', 'malformed', 'CBOR is not deterministic');
};

const decodeOptions = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
} as const;
