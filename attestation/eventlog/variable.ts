/**
 * UEFI_VARIABLE_DATA: a UEFI variable as an event carries it.
 *
 * Source: PFP 1.05 §10.2.6. GUID (16 bytes, its first three fields little-endian), UINT64 count of UTF-16 units, UINT64
 * count of content bytes, the name without a terminator, the content.
 */
import { concat } from '#hal/core/bytes';
import { guidBytes, guidText } from '#hal/core/guid';
import { Reader } from '#hal/core/reader';

export interface UefiVariable {
  /** As it is written: `8be4df61-93ca-11d2-aa0d-00e098032b8c`. */
  readonly guid: string;
  readonly name: string;
  /** A view of the event data. */
  readonly content: Uint8Array;
  /** Bytes of event data after the structure: 0, except in events of old shims. */
  readonly bytesLeft: number;
}

const headerBytes = 32;

/** @returns undefined for data that ends before the structure does */
export const decodeVariable = (data: Uint8Array): UefiVariable | undefined => {
  if (data.length < headerBytes) return undefined;
  const reader = new Reader(data);
  const guid = guidText(reader.take(16));
  const nameUnits = reader.u64le();
  const contentBytes = reader.u64le();
  const left = BigInt(reader.remaining);
  if (nameUnits > left || contentBytes > left || 2n * nameUnits + contentBytes > left) return undefined;
  const name = utf16.decode(reader.take(2 * Number(nameUnits)));
  return { guid, name, content: reader.take(Number(contentBytes)), bytesLeft: reader.remaining };
};

/** The event data for a variable. @param guid as it is written; anything else throws */
export const encodeVariable = (guid: string, name: string, content: Uint8Array): Uint8Array => {
  const counts = new DataView(new ArrayBuffer(16));
  counts.setBigUint64(0, BigInt(name.length), true);
  counts.setBigUint64(8, BigInt(content.length), true);
  return concat(guidBytes(guid), new Uint8Array(counts.buffer), Buffer.from(name, 'utf16le'), content);
};

/** Lone surrogates become U+FFFD: a name is compared with known names, never written back. */
const utf16 = new TextDecoder('utf-16le', { ignoreBOM: true });
