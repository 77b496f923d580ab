import { describe, expect, test } from 'vitest';
import { boolean, decodeJson, integer, list, object, oneOf, optional, text } from './config.ts';

const decode = object({
  name: text(),
  port: integer(1, 65_535),
  mode: oneOf('a', 'b'),
  deep: object({ flag: boolean }),
  items: list(integer(0, 9), 3),
  note: optional(text()),
});
const good = { name: 'n', port: 1, mode: 'a', deep: { flag: true }, items: [1, 2] };
const refusal = (value: unknown) => {
  const decoded = decodeJson(JSON.stringify(value), decode);
  return decoded.ok ? 'accepted' : decoded.fault.detail;
};

describe('the configuration decoder', () => {
  test('accepts what is as described, with and without optional keys', () => {
    expect(decodeJson(JSON.stringify(good), decode)).toEqual({ ok: true, value: good });
    expect(decodeJson(JSON.stringify({ ...good, note: 'x' }), decode)).toEqual({ ok: true, value: { ...good, note: 'x' } });
  });

  test.each([
    [{ ...good, port: 0 }, 'port: expected a whole number from 1 to 65535'],
    [{ ...good, port: '1' }, 'port: expected a whole number from 1 to 65535'],
    [{ ...good, mode: 'c' }, 'mode: expected one of a, b'],
    [{ ...good, deep: { flag: 1 } }, 'deep.flag: expected true or false'],
    [{ ...good, items: [1, 10] }, 'items[1]: expected a whole number from 0 to 9'],
    [{ ...good, items: [1, 2, 3, 4] }, 'items: expected a list of at most 3'],
    [{ ...good, extra: 1 }, 'configuration: expected no key "extra"; known are name, port, mode, deep, items, note'],
    [{ ...good, name: undefined }, 'name: expected text of 1 to 1024 characters'],
    [[], 'configuration: expected an object'],
    [null, 'configuration: expected an object'],
  ])('names the path and what was expected: %j', (value, message) => {
    expect(refusal(value)).toBe(message);
  });

  test('refuses what is no JSON', () => {
    expect(decodeJson('{', decode)).toMatchObject({ ok: false, fault: { category: 'protocol', reason: 'config-invalid' } });
  });

  test('takes no key from a prototype', () => {
    expect(refusal(JSON.parse('{"__proto__": {"name": "n"}}'))).toContain('no key "__proto__"');
  });
});
