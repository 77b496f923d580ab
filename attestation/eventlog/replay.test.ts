import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { concat, u8, u16le, u32le, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { eventTypes, separators, startupLocalityData } from './events.ts';
import { parseEventLog } from './parse.ts';
import { replay, replayBank } from './replay.ts';
import { separator, startupLocalityEvent, writeLog } from './sample.fixture.ts';
import type { Measurement } from './write.ts';

const sha256 = (...parts: readonly Uint8Array[]): Uint8Array =>
  createHash('sha256')
    .update(concat(...parts))
    .digest();
const values = (...measurements: readonly Measurement[]) =>
  replayBank(unwrap(parseEventLog(writeLog(measurements))), 'sha256') ?? new Map<number, Uint8Array>();
const started = (locality: number): Uint8Array => concat(new Uint8Array(31), Uint8Array.of(locality));
const version: Measurement = { pcr: 0, type: 'EV_S_CRTM_VERSION', data: utf8('1') };

test('a register is extended event by event', () => {
  const first = sha256(new Uint8Array(32), sha256(separators.zeros));
  expect(values(separator(4), separator(4)).get(4)).toEqual(new Uint8Array(sha256(first, sha256(separators.zeros))));
});

test('only registers that an event extended have a value', () => {
  expect([...values(separator(4), { pcr: 6, type: 'EV_NO_ACTION', data: utf8('x') }).keys()]).toEqual([4]);
});

test('the startup locality stands in the last byte of register 0 when that is first extended', () => {
  const extended = (locality: number) => new Uint8Array(sha256(started(locality), sha256(version.data)));
  expect(values(version).get(0)).toEqual(extended(0));
  expect(values(startupLocalityEvent(3), version).get(0)).toEqual(extended(3));
  expect(values(startupLocalityEvent(4), version).get(0)).toEqual(extended(4));
});

test('the startup locality leaves other registers alone', () => {
  expect(values(startupLocalityEvent(3), separator(1)).get(1)).toEqual(values(separator(1)).get(1));
});

test.each<[string, readonly Measurement[]]>([
  ['after register 0 was extended', [version, startupLocalityEvent(3)]],
  ['on another register', [{ ...startupLocalityEvent(3), pcr: 1 }, version]],
  ['of two bytes', [{ pcr: 0, type: 'EV_NO_ACTION', data: concat(startupLocalityData(3), u8(0)) }, version]],
])('a startup locality %s is not believed', (_, measurements) => {
  expect(values(...measurements).get(0)).toEqual(values(version).get(0));
});

test('every bank that can be computed is replayed, and no other', () => {
  const log = unwrap(parseEventLog(writeLog([separator(0)], ['sha384', 'sha1'])));
  expect([...replay(log).keys()]).toEqual(['sha1', 'sha384']);
  expect(replayBank(log, 'sha256')).toBeUndefined();
});

test('a bank of an algorithm that is not computed here is never replayed', () => {
  const event = concat(
    utf8('Spec ID Event03\0'),
    concat(u32le(0), u8(0), u8(2), u8(0), u8(2), u32le(1), u16le(0x12), u16le(32), u8(0)),
  );
  const bytes = concat(u32le(0), u32le(eventTypes.EV_NO_ACTION.code), new Uint8Array(20), u32le(event.length), event);
  expect(replay(unwrap(parseEventLog(bytes))).size).toBe(0);
});
