import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kinds } from '#protos/kinds';
import { emitTypes, readSchema } from './schema.ts';

const read = (body: string) => readSchema([{ path: 'test.proto', text: `syntax = "proto3";\npackage enigm;\n${body}` }]);

describe('the schema lint', () => {
  test.each([
    ['a text field without a kind', 'message M { string note = 1; }', 'M.note: a string field names its kind'],
    ['a bytes field without a kind', 'message M { bytes content = 1; }', 'M.content: a bytes field names its kind'],
    ['a repeated field without a limit', 'message M { repeated uint32 n = 1; }', 'M.n: a repeated field names its limit'],
    ['a 64-bit integer', 'message M { uint64 n = 1; }', 'M.n: use uint32, or double'],
    ['a map', 'message M { map<string, uint32> n = 1; // @slug max 4\n}', 'M.n: a map has no order'],
    ['an enum value without its prefix', 'enum Colour { RED = 0; }', 'Colour.RED: starts with COLOUR_'],
    ['what is no schema', 'message {', 'test.proto'],
  ])('refuses %s', (_, body, message) => {
    expect(() => read(body)).toThrow(message);
  });

  test('turns enums into words and optional fields into optional properties', () => {
    const schema = read(
      'enum Colour { COLOUR_UNSPECIFIED = 0; COLOUR_DEEP_RED = 1; }\nmessage M { Colour colour = 1; optional uint32 count = 2; }',
    );
    expect(schema.enums['Colour']).toEqual({ 'deep-red': 1 });
    expect(emitTypes(schema)).toContain(
      "export type Colour = 'deep-red';\nexport interface M {\n  readonly colour: Colour;\n  readonly count?: number;\n}",
    );
  });
});

describe('no field of any API can carry content', () => {
  const folder = join(import.meta.dirname, '../../protos');
  const sources = readdirSync(folder)
    .filter((name) => name.endsWith('.proto'))
    .map((name) => ({ path: name, text: readFileSync(join(folder, name), 'utf8') }));
  const { messages } = readSchema(sources);
  const fields = Object.entries(messages).flatMap(([message, rules]) =>
    Object.entries(rules).map(([name, rule]) => ({ where: `${message}.${name}`, name, rule })),
  );

  test('every text and bytes field is of a kind in the closed list, and the list has no free text', () => {
    for (const { where, rule } of fields)
      if (rule.type === 'string' || rule.type === 'bytes') expect(kinds, where).toHaveProperty([rule.kind ?? 'none']);
    for (const [name, kind] of Object.entries(kinds))
      if (kind.type === 'string') expect(kind.pattern.test('Dear Alice, meet me at noon!'), name).toBe(false);
  });

  test('no field is named after content', () => {
    const forbidden = /content|plaintext|^text$|^note$|^body$|attachment|transcript|password|latitude|longitude|phone|email/i;
    // `body` of an exchange is a sealed message of this package, opaque to who carries it.
    const named = fields.filter(({ name, rule }) => forbidden.test(name) && rule.kind !== 'message');
    expect(named.map(({ where }) => where)).toEqual([]);
  });
});
