/**
 * Deterministic CBOR (RFC 8949 §4.2.1) for signed objects: one value has one encoding, and any other is refused.
 *
 * Maps are `Map`s, because COSE and EAT use integer labels. Tags are not used: the context says what an object is.
 */
import { decode as cborDecode, encode as cborEncode, rfc8949EncodeOptions } from 'cborg';
import { equalBytes } from '#hal/core/bytes';
import { attempt, deny, type Result } from '#hal/core/result';

export type Cbor = number | bigint | string | boolean | null | Uint8Array | readonly Cbor[] | CborMap;
export type CborMap = ReadonlyMap<number | string, Cbor>;

/** Largest CBOR object read anywhere: evidence with a boot log inside. */
export const maxCborBytes = 2 * 1024 * 1024;
/** Deepest nesting of arrays and maps read anywhere; no object of ours has half of it. */
export const maxCborDepth = 32;

/** A text that begins with a byte order mark, or has half a surrogate pair, comes out as what `decodeCbor` refuses. */
export const encodeCbor = (value: Cbor): Uint8Array => cborEncode(value, rfc8949EncodeOptions);

/**
 * @returns the value, or `protocol/too-large`, `protocol/malformed`: also for any encoding but the deterministic one, for
 *   keys of maps that are no labels (integer or text, RFC 9052 §1.4), and for what lies deeper than `maxCborDepth`
 */
export const decodeCbor = (bytes: Uint8Array): Result<Cbor> => {
  if (bytes.length > maxCborBytes) return deny('protocol', 'too-large', `${bytes.length} bytes of CBOR`);
  return attempt(
    () => {
      const value: unknown = cborDecode(bytes, decodeOptions);
      if (!isCbor(value, maxCborDepth)) throw new Error('CBOR has keys that are no labels, or lies too deep');
      if (!equalBytes(encodeCbor(value), bytes)) throw new Error('CBOR is not deterministic');
      return value;
    },
    (cause) => deny('protocol', 'malformed', cause),
  );
};

const isCbor = (value: unknown, depth: number): value is Cbor => {
  if (Array.isArray(value)) return depth > 0 && value.every((item) => isCbor(item, depth - 1));
  if (!(value instanceof Map)) return true;
  return depth > 0 && [...value].every(([label, item]) => isLabel(label) && isCbor(item, depth - 1));
};

const isLabel = (key: unknown): key is number | string => typeof key === 'string' || Number.isSafeInteger(key);

const decodeOptions = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowNaN: false,
  allowInfinity: false,
} as const;
