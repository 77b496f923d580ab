/**
 * Canonical JSON as TUF signs it (TUF 1.0 §4.2.1, http://wiki.laptop.org/go/Canonical_JSON): no white space, names
 * sorted by code point, whole numbers only, and in strings nothing escaped but `\` and `"`. A string with a line break
 * in it, as a PEM key has, makes it no valid JSON any more: it is what is signed, never what is stored.
 */
import { utf8 } from '#hal/core/bytes';
import type { Json, JsonObject } from './json.ts';

/** @param value a value of the strict parser, or built from the same kinds: other numbers throw */
export const canonicalJson = (value: Json): Uint8Array => utf8(written(value));

const written = (value: Json): string => {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return whole(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (isList(value)) return `[${value.map(written).join(',')}]`;
  const names = Object.keys(value).toSorted(byCodePoint);
  return `{${names.map((name) => `${quoted(name)}:${written(value[name] ?? null)}`).join(',')}}`;
};

const isList = (value: readonly Json[] | JsonObject): value is readonly Json[] => Array.isArray(value);

const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

const whole = (value: number): string => {
  if (!Number.isSafeInteger(value)) throw new RangeError('canonical JSON has whole numbers only');
  return String(value);
};

/** JavaScript compares UTF-16 units, which puts U+E000 to U+FFFF after all that needs a pair. UTF-8 keeps the order. */
const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
