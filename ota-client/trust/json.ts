/**
 * A strict reader of JSON (RFC 8259) for signed metadata.
 *
 * `JSON.parse` keeps the last of two equal names, rounds numbers and accepts halves of surrogate pairs: two readers can
 * then see two documents under one signature. Here such a text is no document at all.
 */
import { deny, ok, type Result } from '#hal/core/result';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** Has no prototype, so that a name that is absent is absent. */
export interface JsonObject {
  readonly [name: string]: Json;
}

export const maxDepth = 32;
export const maxValues = 200_000;

/**
 * @param maxBytes longer input is refused unread
 * @returns the one value in `bytes`; or `protocol/too-large`, `resource/count-limit`, `protocol/malformed` for anything
 * that is not JSON in valid UTF-8, and for repeated names, `__proto__`, numbers that are not safe integers in their
 * shortest form, and unpaired surrogates
 */
export const parseJson = (bytes: Uint8Array, maxBytes: number): Result<Json> => {
  if (bytes.length > maxBytes) return deny('protocol', 'too-large', `${bytes.length} bytes of JSON, at most ${maxBytes}`);
  try {
    return ok(new Parser(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)).document());
  } catch (error) {
    if (error instanceof TooMany) return deny('resource', 'count-limit', error.message);
    if (error instanceof NotStrict) return deny('protocol', 'malformed', error.message);
    if (error instanceof TypeError) return deny('protocol', 'malformed', 'not UTF-8');
    throw error;
  }
};

class NotStrict extends Error {}
class TooMany extends Error {}

const whitespace = /[ \t\n\r]*/y;
/** RFC 8259 §7: everything but the quotation mark, the backslash and control characters. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the grammar names them
const plainCharacters = /[^"\\\u0000-\u001f]*/y;
const wholeNumber = /-?(?:0|[1-9][0-9]*)/y;
const hexDigits = /^[0-9a-fA-F]{4}$/;
const escapes: Readonly<Record<string, string>> = {
  ...{ '"': '"', '\\': '\\', '/': '/' },
  ...{ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' },
};
const words = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

class Parser {
  private offset = 0;
  private values = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  document(): Json {
    const value = this.value(0);
    if (this.offset !== this.text.length) this.refuse('more than one value');
    return value;
  }

  private value(depth: number): Json {
    if (depth > maxDepth) throw new TooMany(`nested deeper than ${maxDepth}`);
    this.values += 1;
    if (this.values > maxValues) throw new TooMany(`more than ${maxValues} values`);
    this.match(whitespace);
    const value = this.bare(depth);
    this.match(whitespace);
    return value;
  }

  private bare(depth: number): Json {
    if (this.take('{')) return this.object(depth);
    if (this.take('[')) return this.array(depth);
    if (this.take('"')) return this.string();
    for (const [word, value] of words) if (this.take(word)) return value;
    return this.number();
  }

  private object(depth: number): JsonObject {
    const object: Record<string, Json> = Object.create(null);
    this.match(whitespace);
    if (this.take('}')) return object;
    do {
      this.match(whitespace);
      if (!this.take('"')) this.refuse('a name expected');
      const name = this.string();
      if (name === '__proto__' || Object.hasOwn(object, name)) this.refuse('a name that may not stand here');
      this.match(whitespace);
      if (!this.take(':')) this.refuse('":" expected');
      object[name] = this.value(depth + 1);
    } while (this.take(','));
    if (!this.take('}')) this.refuse('"}" expected');
    return object;
  }

  private array(depth: number): readonly Json[] {
    const items: Json[] = [];
    this.match(whitespace);
    if (this.take(']')) return items;
    do items.push(this.value(depth + 1));
    while (this.take(','));
    if (!this.take(']')) this.refuse('"]" expected');
    return items;
  }

  /** After the opening quotation mark. */
  private string(): string {
    let text = '';
    for (;;) {
      text += this.match(plainCharacters);
      if (this.take('"')) break;
      if (!this.take('\\')) this.refuse('a character that must be escaped, or no end of a string');
      text += this.escape();
    }
    return text.isWellFormed() ? text : this.refuse('half of a surrogate pair');
  }

  private escape(): string {
    const letter = this.text[this.offset] ?? '';
    this.offset += 1;
    if (letter !== 'u') return escapes[letter] ?? this.refuse('an unknown escape');
    const digits = this.text.slice(this.offset, this.offset + 4);
    this.offset += 4;
    return hexDigits.test(digits) ? String.fromCharCode(Number.parseInt(digits, 16)) : this.refuse('an unknown escape');
  }

  private number(): number {
    const digits = this.match(wholeNumber);
    const value = Number(digits);
    if (digits === '' || digits === '-0' || !Number.isSafeInteger(value)) this.refuse('a value expected');
    if (/[.eE0-9]/.test(this.text[this.offset] ?? '')) this.refuse('a number that is not a whole number');
    return value;
  }

  private take(expected: string): boolean {
    const found = this.text.startsWith(expected, this.offset);
    if (found) this.offset += expected.length;
    return found;
  }

  /** What a sticky pattern matches here; it may be nothing. */
  private match(pattern: RegExp): string {
    pattern.lastIndex = this.offset;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.offset += found.length;
    return found;
  }

  private refuse(why: string): never {
    throw new NotStrict(`${why} at ${this.offset}`);
  }
}
