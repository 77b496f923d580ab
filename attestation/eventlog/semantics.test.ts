import { describe, expect, test } from 'vitest';
import { concat, u8, utf8 } from '#hal/core/bytes';
import { globalVendor } from '#hal/core/guid';
import { codeOf, unwrap } from '#hal/core/result';
import type { Bank } from './algorithms.ts';
import { type EventTypeName, eventTypes, knownEventTypes, separators, startupLocalityData } from './events.ts';
import { type EventLog, parseEventLog } from './parse.ts';
import { sampleBoot, secureBootVariable, separator, startupLocalityEvent, writeLog } from './sample.fixture.ts';
import { checkSemantics, type SemanticsOptions } from './semantics.ts';
import { encodeVariable } from './variable.ts';
import type { Measurement } from './write.ts';

const logOf = (measurements: readonly Measurement[], banks?: readonly Bank[]): EventLog =>
  unwrap(parseEventLog(writeLog(measurements, banks)));

const verdict = (measurements: readonly Measurement[], options?: SemanticsOptions): string => {
  const judged = checkSemantics(logOf(measurements), options);
  if (judged.ok) return 'accepted';
  expect(codeOf(judged.fault)).toBe('attestation/log-semantics');
  return (judged.fault.detail ?? '').replace(/ at \d+/, '');
};

const without = (unwanted: (measurement: Measurement) => boolean) => sampleBoot.filter((each) => !unwanted(each));
const isSeparator = (pcr: number) => (each: Measurement) => each.type === 'EV_SEPARATOR' && each.pcr === pcr;
const isSecureBoot = ({ pcr, type, data }: Measurement) =>
  pcr === 7 && type === 'EV_EFI_VARIABLE_DRIVER_CONFIG' && Buffer.from(data).includes('S\0e\0c\0u\0r\0e\0');

/** Events put in before the separator of register 7. */
const before7 = (...added: readonly Measurement[]) => {
  const index = sampleBoot.findIndex(isSeparator(7));
  return [...sampleBoot.slice(0, index), ...added, ...sampleBoot.slice(index)];
};
const replaced = (which: (each: Measurement) => boolean, by: Measurement) => sampleBoot.map((each) => (which(each) ? by : each));
const variable = (name: string, content: Uint8Array, type: EventTypeName = 'EV_EFI_VARIABLE_DRIVER_CONFIG'): Measurement => ({
  pcr: 7,
  type,
  data: encodeVariable(globalVendor, name, content),
});

describe('the facts', () => {
  test('a plain boot contradicts nothing', () => {
    expect(verdict(sampleBoot)).toBe('accepted');
  });

  test('every event that extended a register is a measurement', () => {
    const log = logOf(sampleBoot);
    const { measurements } = unwrap(checkSemantics(log));
    expect(measurements).toEqual(log.events.filter(({ type }) => type !== eventTypes.EV_NO_ACTION.code));
    expect(measurements).toHaveLength(sampleBoot.length - 2);
  });

  test.each<[string, Uint8Array, boolean]>([
    ['on', Uint8Array.of(1), true],
    ['off', Uint8Array.of(0), false],
    ['off where the firmware has no such variable', new Uint8Array(0), false],
  ])('Secure Boot is %s', (_, content, expected) => {
    const log = logOf(replaced(isSecureBoot, secureBootVariable(content)));
    expect(unwrap(checkSemantics(log)).secureBoot).toBe(expected);
  });

  test('Secure Boot is not known when the firmware did not measure it', () => {
    expect(unwrap(checkSemantics(logOf(without(isSecureBoot)))).secureBoot).toBeUndefined();
  });
});

describe('types (attack 23)', () => {
  test('a type outside the allow-list is refused', () => {
    const allowedTypes = new Set([...knownEventTypes].filter((type) => type !== eventTypes.EV_IPL.code));
    expect(verdict(sampleBoot, { allowedTypes })).toBe('EV_IPL, register 11: a type that is not allowed');
  });

  test('a type outside the profile is refused unless it is allowed', () => {
    const bytes = writeLog(sampleBoot);
    const ipl = unwrap(parseEventLog(bytes)).events.find(({ type }) => type === eventTypes.EV_IPL.code);
    new DataView(bytes.buffer).setUint32((ipl?.offset ?? 0) + 4, 0x10000000, true);
    const log = unwrap(parseEventLog(bytes));
    expect(checkSemantics(log)).toMatchObject({ ok: false });
    expect(checkSemantics(log, { allowedTypes: new Set([...knownEventTypes, 0x10000000]) })).toMatchObject({ ok: true });
  });

  test('a measurement rewritten to EV_NO_ACTION keeps its digest, and is refused', () => {
    const bytes = writeLog(sampleBoot);
    const last = unwrap(parseEventLog(bytes)).events.at(-1);
    new DataView(bytes.buffer).setUint32((last?.offset ?? 0) + 4, eventTypes.EV_NO_ACTION.code, true);
    expect(checkSemantics(unwrap(parseEventLog(bytes)))).toMatchObject({
      fault: { detail: expect.stringContaining('it extends nothing, but has a digest') },
    });
  });

  test.each<[string, Measurement]>([
    ['a driver', { pcr: 2, type: 'EV_EFI_BOOT_SERVICES_DRIVER', data: utf8('driver'), measured: separators.zeros }],
    ['an action', { pcr: 4, type: 'EV_ACTION', data: separators.ones }],
    ['a loader', { pcr: 5, type: 'EV_IPL', data: utf8('loader'), measured: separators.error }],
    [
      'a boot variable beyond register 1',
      { ...variable('x', separators.zeros, 'EV_EFI_VARIABLE_BOOT'), pcr: 5, measured: separators.zeros },
    ],
  ])('a separator must not be called %s', (_, disguised) => {
    expect(verdict([...sampleBoot, disguised])).toMatch(/a separator under another type$/);
  });

  test.each<[string, Measurement]>([
    ['a boot order', { ...variable('BootOrder', separators.error, 'EV_EFI_VARIABLE_BOOT'), pcr: 1, measured: separators.error }],
    ['S-CRTM contents', { pcr: 0, type: 'EV_S_CRTM_CONTENTS', data: utf8('FIT Type 0x2D'), measured: separators.zeros }],
    ['anything the operating system measures', { pcr: 11, type: 'EV_COMPACT_HASH', data: separators.zeros }],
  ])('%s may consist of the same four bytes', (_, measurement) => {
    expect(verdict([...sampleBoot, measurement])).toBe('accepted');
  });
});

describe('digests (attack 24)', () => {
  const covered = (Object.keys(eventTypes) as EventTypeName[]).filter((name) => eventTypes[name].covers === 'data');

  test.each(covered)('the digest of %s is that of its data', (type) => {
    const data = encodeVariable(globalVendor, 'x', utf8('y'));
    expect(verdict([...sampleBoot, { pcr: 12, type, data }])).toBe('accepted');
    expect(verdict([...sampleBoot, { pcr: 12, type, data, measured: utf8('other') }])).toBe(
      `${type}, register 12: its digest is not that of its data`,
    );
  });

  test('every judged bank counts', () => {
    const bytes = writeLog(sampleBoot, ['sha1', 'sha256']);
    const log = unwrap(parseEventLog(bytes));
    log.events.at(-1)?.digests[0]?.fill(9);
    expect(checkSemantics(log)).toMatchObject({ ok: false });
    expect(checkSemantics(log, { banks: ['sha1'] })).toMatchObject({ ok: false });
    expect(checkSemantics(log, { banks: ['sha256'] })).toMatchObject({ ok: true });
  });

  test('a bank that the log lacks cannot be judged, nor can none', () => {
    expect(verdict(sampleBoot, { banks: ['sha256', 'sha384'] })).toBe('the log has no sha384 bank');
    expect(verdict(sampleBoot, { banks: [] })).toBe('no bank to judge');
  });

  test.each<EventTypeName>(['EV_EFI_VARIABLE_BOOT', 'EV_EFI_VARIABLE_BOOT2'])(
    '%s may cover the variable or its content',
    (type) => {
      const boot = { ...variable('Boot0002', utf8('slot B'), type), pcr: 1 };
      expect(verdict([...sampleBoot, boot])).toBe('accepted');
      expect(verdict([...sampleBoot, { ...boot, measured: utf8('slot B') }])).toBe('accepted');
      expect(verdict([...sampleBoot, { ...boot, measured: utf8('slot C') }])).toMatch(/its digest is not that of its data$/);
      const longer = concat(boot.data, u8(0));
      expect(verdict([...sampleBoot, { ...boot, data: longer }])).toMatch(/its digest is not that of its data$/);
    },
  );

  test('an authority of an old shim may have one byte more than was measured, but only after the variable', () => {
    const { data } = variable('Shim', utf8('certificate'));
    const authority = { pcr: 7, type: 'EV_EFI_VARIABLE_AUTHORITY' } as const;
    const measured = concat(data, utf8('12345'));
    expect(verdict([...sampleBoot, { ...authority, data: concat(measured, u8(0xaf)), measured }])).toBe('accepted');
    expect(verdict([...sampleBoot, { ...authority, data, measured: data.subarray(0, -1) }])).toMatch(
      /its digest is not that of its data$/,
    );
  });
});

describe('register 7 (attack 25)', () => {
  test('a second SecureBoot is refused', () => {
    expect(verdict(before7(secureBootVariable(Uint8Array.of(1))))).toBe(
      'EV_EFI_VARIABLE_DRIVER_CONFIG, register 7: the variable SecureBoot for the second time',
    );
  });

  test('any variable for the second time is refused', () => {
    expect(verdict(before7(variable('PK', utf8('other'))))).toMatch(/the variable PK for the second time$/);
  });

  test('a variable after the separator is refused', () => {
    expect(verdict([...sampleBoot, variable('dbt', utf8('late'))])).toMatch(/the variable dbt after the separator$/);
  });

  test.each([
    ['2', Uint8Array.of(2)],
    ['two bytes', Uint8Array.of(1, 0)],
  ])('SecureBoot of %s is refused', (_, content) => {
    expect(verdict(replaced(isSecureBoot, secureBootVariable(content)))).toMatch(/SecureBoot is neither 0 nor 1$/);
  });

  test('SecureBoot of another owner is refused', () => {
    const data = encodeVariable('00000000-0000-0000-0000-000000000001', 'SecureBoot', u8(1));
    expect(verdict(replaced(isSecureBoot, { ...secureBootVariable(u8(1)), data }))).toMatch(
      /SecureBoot of 00000000-0000-0000-0000-000000000001$/,
    );
  });

  test.each<[string, Uint8Array]>([
    ['too short', utf8('short')],
    ['too long', concat(encodeVariable(globalVendor, 'x', u8(1)), u8(0))],
  ])('a variable that is %s is refused', (_, data) => {
    expect(verdict(before7({ pcr: 7, type: 'EV_EFI_VARIABLE_DRIVER_CONFIG', data }))).toMatch(/not exactly one UEFI variable$/);
  });

  test.each<EventTypeName>(['EV_EFI_VARIABLE_AUTHORITY', 'EV_EFI_SPDM_DEVICE_POLICY', 'EV_EFI_SPDM_DEVICE_AUTHORITY'])(
    'SecureBoot cannot hide under %s',
    (type) => {
      const hidden = { ...secureBootVariable(u8(0)), type };
      expect(verdict(replaced(isSecureBoot, hidden))).toBe(`${type}, register 7: the variable SecureBoot under this type`);
      expect(verdict([...sampleBoot, { pcr: 7, type, data: utf8('no variable') }])).toBe(`${type}, register 7: no UEFI variable`);
    },
  );

  test('SecureBoot cannot hide under an action', () => {
    const hidden: Measurement = { ...secureBootVariable(u8(0)), type: 'EV_EFI_ACTION' };
    expect(verdict(replaced(isSecureBoot, hidden))).toBe('EV_EFI_ACTION, register 7: an action that has no place here');
  });

  test('a debugger is refused, DMA without protection is a measurement', () => {
    const action = (data: Uint8Array): Measurement => ({ pcr: 7, type: 'EV_EFI_ACTION', data });
    expect(verdict(before7(action(utf8('UEFI Debug Mode'))))).toMatch(/an action that has no place here$/);
    expect(verdict(before7(action(utf8('DMA Protection Disabled'))))).toBe('accepted');
  });

  test('a type that has no place there is refused', () => {
    expect(verdict(before7({ pcr: 7, type: 'EV_IPL', data: utf8('loader') }))).toBe(
      'EV_IPL, register 7: a type that has no place here',
    );
  });

  test('an EV_NO_ACTION event may stand there', () => {
    expect(verdict(before7({ pcr: 7, type: 'EV_NO_ACTION', data: utf8('note') }))).toBe('accepted');
  });
});

describe('separators (attack 26)', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7])('register %i must have one', (pcr) => {
    expect(verdict(without(isSeparator(pcr)))).toBe(`register ${pcr} has no separator`);
  });

  test.each([0, 1, 2, 3, 4, 5, 6, 7])('register %i must not have two', (pcr) => {
    expect(verdict([...sampleBoot, separator(pcr)])).toBe(`EV_SEPARATOR, register ${pcr}: a second separator`);
  });

  test('either value marks the passage', () => {
    expect(verdict(replaced(isSeparator(4), { ...separator(4), data: separators.ones }))).toBe('accepted');
  });

  test('the error value is refused, with or without the message that may stand in its place', () => {
    const error = { ...separator(4), data: separators.error };
    expect(verdict(replaced(isSeparator(4), error))).toBe('EV_SEPARATOR, register 4: the firmware reports an error');
    const message = { ...separator(4), data: utf8('memory failed'), measured: separators.error };
    expect(verdict(replaced(isSeparator(4), message))).toBe('EV_SEPARATOR, register 4: its digest is not that of its data');
  });

  test('another value is refused', () => {
    expect(verdict(replaced(isSeparator(4), { ...separator(4), data: utf8('WBCL') }))).toBe(
      'EV_SEPARATOR, register 4: a separator of another value',
    );
  });

  test('above register 7 the operating system may separate as it likes', () => {
    const mark: Measurement = { pcr: 12, type: 'EV_SEPARATOR', data: utf8('WBCL') };
    expect(verdict([...sampleBoot, mark, mark])).toBe('accepted');
  });
});

describe('the startup locality (attack 27)', () => {
  const rest = sampleBoot.filter(({ type }) => type !== 'EV_NO_ACTION');

  test.each([0, 3, 4])('%i is one', (locality) => {
    expect(verdict([startupLocalityEvent(locality), ...rest])).toBe('accepted');
  });

  test('it may be absent', () => {
    expect(verdict(rest)).toBe('accepted');
  });

  test.each([1, 2, 5, 255])('%i is none', (locality) => {
    expect(verdict([startupLocalityEvent(locality), ...rest])).toMatch(/a startup locality other than 0, 3 and 4$/);
  });

  test('it must not be longer than one byte', () => {
    const data = concat(startupLocalityData(3), u8(0));
    expect(verdict([{ pcr: 0, type: 'EV_NO_ACTION', data }, ...rest])).toMatch(/a startup locality other than 0, 3 and 4$/);
  });

  test('it comes before register 0 is extended', () => {
    const late = /the startup locality after an extension of register 0, or twice$/;
    expect(verdict([...rest, startupLocalityEvent(3)])).toMatch(late);
    expect(verdict([{ pcr: 1, type: 'EV_IPL', data: utf8('x') }, startupLocalityEvent(3), ...rest])).toBe('accepted');
  });

  test('it comes once', () => {
    expect(verdict([startupLocalityEvent(3), startupLocalityEvent(3), ...rest])).toMatch(/or twice$/);
  });

  test('it stands on register 0', () => {
    expect(verdict([{ ...startupLocalityEvent(3), pcr: 1 }, ...rest])).toMatch(/on another register than 0$/);
  });
});
