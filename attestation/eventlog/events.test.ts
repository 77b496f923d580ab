import { expect, test } from 'vitest';
import { concat, u8, utf8 } from '#hal/core/bytes';
import {
  claimsStartupLocality,
  coverageOf,
  eventTypeName,
  eventTypes,
  knownEventTypes,
  startupLocality,
  startupLocalityData,
} from './events.ts';

test('every type has one code and one name', () => {
  expect(knownEventTypes.size).toBe(Object.keys(eventTypes).length);
  for (const [name, { code, covers }] of Object.entries(eventTypes)) {
    expect(eventTypeName(code)).toBe(name);
    expect(coverageOf(code)).toBe(covers);
  }
});

test('a type outside the profile is named by its number, and nobody knows what its digest covers', () => {
  expect(eventTypeName(0x10000000)).toBe('event type 0x10000000');
  expect(coverageOf(0x10000000)).toBe('elsewhere');
});

test('the startup locality is read from exactly its signature and one byte', () => {
  expect(startupLocality(startupLocalityData(3))).toBe(3);
  expect(startupLocality(concat(startupLocalityData(3), u8(0)))).toBeUndefined();
  expect(startupLocality(utf8('StartupLocality\0'))).toBeUndefined();
  expect(startupLocality(utf8('StartupLocalitz\0\u0003'))).toBeUndefined();
});

test('a malformed startup locality is still one', () => {
  expect(claimsStartupLocality(utf8('StartupLocality\0'))).toBe(true);
  expect(claimsStartupLocality(utf8('StartupLocality'))).toBe(false);
});
