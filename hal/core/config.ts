/** Decoders for configuration and other JSON: unknown keys refused, the message names the path and what was expected. */
import { fromBase64 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';

export type Decoder<T> = (value: unknown, path?: string) => Result<T>;
export type Decoded<D> = D extends Decoder<infer T> ? T : never;

const expected = (what: string, path: string) =>
  deny('protocol', 'config-invalid', `${path || 'configuration'}: expected ${what}`);

export const text =
  (pattern: RegExp = /^.{1,1024}$/su, what = 'text of 1 to 1024 characters', holds = (_: string) => true): Decoder<string> =>
  (value, path = '') =>
    typeof value === 'string' && pattern.test(value) && holds(value) ? ok(value) : expected(what, path);

export const integer =
  (least: number, most: number): Decoder<number> =>
  (value, path = '') =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? ok(value as number)
      : expected(`a whole number from ${least} to ${most}`, path);

export const boolean: Decoder<boolean> = (value, path = '') =>
  typeof value === 'boolean' ? ok(value) : expected('true or false', path);

export const oneOf =
  <const T extends string>(...choices: readonly T[]): Decoder<T> =>
  (value, path = '') =>
    choices.includes(value as T) ? ok(value as T) : expected(`one of ${choices.join(', ')}`, path);

export const list =
  <T>(item: Decoder<T>, most = 256): Decoder<readonly T[]> =>
  (value, path = '') => {
    if (!Array.isArray(value) || value.length > most) return expected(`a list of at most ${most}`, path);
    const items: T[] = [];
    for (const [index, element] of value.entries()) {
      const decoded = item(element, `${path}[${index}]`);
      if (!decoded.ok) return decoded;
      items.push(decoded.value);
    }
    return ok(items);
  };

/** So many bytes. */
export const base64 =
  (length: number): Decoder<Uint8Array> =>
  (value, path = '') => {
    const bytes = typeof value === 'string' ? fromBase64(value) : undefined;
    return bytes?.length === length ? ok(bytes) : expected(`base64 of ${length} bytes`, path);
  };

/** At least one byte. */
export const someBase64 =
  (most: number): Decoder<Uint8Array> =>
  (value, path = '') => {
    const bytes = typeof value === 'string' && value.length <= 2 * most ? fromBase64(value) : undefined;
    return bytes !== undefined && bytes.length > 0 && bytes.length <= most
      ? ok(bytes)
      : expected(`base64 of at most ${most} bytes`, path);
  };

/** A key that may be left out. */
export const optional = <T>(inner: Decoder<T>): Decoder<T | undefined> =>
  Object.assign((value: unknown, path = '') => (value === undefined ? ok(undefined) : inner(value, path)), { optional: true });

export const object =
  <Shape extends Record<string, Decoder<unknown>>>(shape: Shape): Decoder<{ readonly [K in keyof Shape]: Decoded<Shape[K]> }> =>
  (value, path = '') => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected('an object', path);
    for (const key of Object.keys(value))
      if (!Object.hasOwn(shape, key))
        return expected(`no key "${key.slice(0, 64)}"; known are ${Object.keys(shape).join(', ')}`, path);
    const decoded: Record<string, unknown> = {};
    for (const [key, decode] of Object.entries(shape)) {
      const at = path === '' ? key : `${path}.${key}`;
      const field = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
      const result = decode(field, at);
      if (!result.ok) return result;
      if (result.value !== undefined) decoded[key] = result.value;
    }
    return ok(decoded as { readonly [K in keyof Shape]: Decoded<Shape[K]> });
  };

/** @returns the decoded value, or `protocol/config-invalid` naming the path */
export const decodeJson = <T>(json: string, decode: Decoder<T>): Result<T> => {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return expected('JSON', '');
  }
  return decode(value);
};
