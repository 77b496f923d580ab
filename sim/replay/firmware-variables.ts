/**
 * What a machine's firmware knows, read from its flash as it lies there: also where a write of it was cut.
 *
 * Layout: `sim/image/variable-store.ts`. States: EDK II `MdeModulePkg/Include/Guid/VariableFormat.h`; a variable that is
 * being replaced is the variable until its successor is whole (`VariableRuntimeDxe/Variable.c`, `FindVariableEx`).
 */
import { guidText } from '#hal/core/guid';
import { deny, ok, type Result } from '#hal/core/result';

export type Variables = ReadonlyMap<string, Uint8Array>;

/** The name of a variable among all. */
export const variableKey = (name: string, vendor: string): string => `${name}-${vendor}`;

const volumeBytes = 0x48;
const firstRecord = volumeBytes + 0x1c;
const recordBytes = 60;
const recordStart = 0x55aa;
/** Of the store: formatted, and healthy. */
const formatted = 0x5a;
const healthy = 0xfe;
const state = { whole: 0x3f, leaving: 0x3e } as const;
/** Erased flash: the header of the record was never finished. */
const erased = 0xff;
const never = 0xffff_ffff;
export const maxVariables = 4096;

/** @param flash volume header, store header, records. @returns the variables that count; `protocol/malformed`, `resource/count-limit` */
export const readVariables = (flash: Uint8Array): Result<Variables> => {
  const bad = (what: string) => deny('protocol', 'malformed', `store of variables: ${what}`);
  if (flash.length < firstRecord || Buffer.from(flash.subarray(40, 44)).toString('latin1') !== '_FVH') return bad('no volume');
  const view = new DataView(flash.buffer, flash.byteOffset, flash.length);
  if (flash[volumeBytes + 20] !== formatted || flash[volumeBytes + 21] !== healthy) return bad('not formatted');
  const end = Math.min(flash.length, volumeBytes + view.getUint32(volumeBytes + 16, true));

  const found = { whole: new Map<string, Uint8Array>(), leaving: new Map<string, Uint8Array>() };
  let count = 0;
  for (let at = firstRecord; at + recordBytes <= end && view.getUint16(at, true) === recordStart; count += 1) {
    if (count === maxVariables) return deny('resource', 'count-limit', `more than ${maxVariables} variables`);
    const [attributes, nameBytes, dataBytes] = [4, 36, 40].map((offset) => view.getUint32(at + offset, true)) as [
      number,
      number,
      number,
    ];
    const isBegun = flash[at + 2] === erased || [attributes, nameBytes, dataBytes].includes(never);
    const [nameAt, dataAt] = [at + recordBytes, at + recordBytes + (isBegun ? 0 : nameBytes)];
    const next = dataAt + (isBegun ? 0 : dataBytes);
    if (next > end) return bad(`record ${count} has no end`);
    const name = Buffer.from(flash.subarray(nameAt, Math.max(nameAt, dataAt - 2))).toString('utf16le');
    const key = variableKey(name, guidText(flash.subarray(at + 44, at + recordBytes)));
    for (const kind of ['whole', 'leaving'] as const)
      if (!isBegun && flash[at + 2] === state[kind]) found[kind].set(key, flash.slice(dataAt, next));
    at = Math.ceil(next / 4) * 4;
  }
  return ok(new Map([...found.leaving, ...found.whole]));
};
