/**
 * Decoders of signed JSON, beside those of `hal/core/config`. Names that are not known here are left alone: TUF 1.0 §4
 * wants them kept, and they are, in the bytes that the signatures cover.
 */
import type { Decoded, Decoder } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import type { Json, JsonObject } from './json.ts';

const expected = (what: string, path: string) => deny('protocol', 'field-invalid', `${path}: expected ${what}`);

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** An object with at least these names. */
export const fields =
  <Shape extends Record<string, Decoder<unknown>>>(shape: Shape): Decoder<{ readonly [K in keyof Shape]: Decoded<Shape[K]> }> =>
  (value, path = '') => {
    if (!isObject(value)) return expected('an object', path);
    const decoded: Record<string, unknown> = {};
    for (const [name, decode] of Object.entries(shape)) {
      const field = decode(Object.hasOwn(value, name) ? value[name] : undefined, `${path}.${name}`);
      if (!field.ok) return field;
      decoded[name] = field.value;
    }
    return ok(decoded as { readonly [K in keyof Shape]: Decoded<Shape[K]> });
  };

/** An object whose names are data, in the order of the file. */
export const record =
  <T>(item: Decoder<T>, most: number): Decoder<ReadonlyMap<string, T>> =>
  (value, path = '') => {
    if (!isObject(value) || Object.keys(value).length > most) return expected(`an object of at most ${most} names`, path);
    const items = new Map<string, T>();
    for (const [name, element] of Object.entries(value)) {
      const decoded = item(element, `${path}[${JSON.stringify(name.slice(0, 64))}]`);
      if (!decoded.ok) return decoded;
      items.set(name, decoded.value);
    }
    return ok(items);
  };

export const anyObject: Decoder<JsonObject> = (value, path = '') => (isObject(value) ? ok(value) : expected('an object', path));

/** @returns what `decode` makes of `json`, or `protocol/field-invalid` naming the path */
export const decodeFields = <T>(decode: Decoder<T>, json: Json, path: string): Result<T> => {
  const decoded = decode(json, path);
  return decoded.ok ? decoded : deny('protocol', 'field-invalid', decoded.fault.detail);
};
