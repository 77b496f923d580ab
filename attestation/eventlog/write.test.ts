import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { eventTypes } from './events.ts';
import { maxEventBytes, maxEvents, noPcr, parseEventLog } from './parse.ts';
import { separator } from './sample.fixture.ts';
import { eventLogWriter } from './write.ts';

test('a log without events is its header', () => {
  expect(toHex(eventLogWriter(['sha1', 'sha256']).bytes())).toBe(
    [
      '00000000',
      '03000000',
      '00'.repeat(20),
      '25000000',
      Buffer.from('Spec ID Event03\0').toString('hex'),
      '00000000',
      '00026902',
      '02000000',
      '04001400',
      '0b002000',
      '00',
    ].join(''),
  );
});

test('an event is written with a digest for every bank', () => {
  const writer = eventLogWriter(['sha256']);
  const header = writer.bytes().length;
  const digests = writer.add(separator(7));
  const expected = createHash('sha256').update(new Uint8Array(4)).digest('hex');
  expect(toHex(writer.bytes().subarray(header))).toBe(`0700000004000000010000000b00${expected}0400000000000000`);
  expect([...digests].map(([bank, digest]) => [bank, toHex(digest)])).toEqual([['sha256', expected]]);
});

test('the digest covers what was measured, where that is not the data', () => {
  const digests = eventLogWriter(['sha1']).add({ pcr: 4, type: 'EV_IPL', data: utf8('name'), measured: utf8('code') });
  expect(toHex(digests.get('sha1') ?? new Uint8Array(0))).toBe(createHash('sha1').update('code').digest('hex'));
});

test('an EV_NO_ACTION event extends nothing', () => {
  const writer = eventLogWriter(['sha1', 'sha256']);
  expect(writer.add({ pcr: noPcr, type: 'EV_NO_ACTION', data: utf8('note') }).size).toBe(0);
  const [, event] = unwrap(parseEventLog(writer.bytes())).events;
  expect(event).toMatchObject({
    pcr: noPcr,
    type: eventTypes.EV_NO_ACTION.code,
    digests: [new Uint8Array(20), new Uint8Array(32)],
  });
});

test('what could not be parsed is not written', () => {
  expect(() => eventLogWriter([])).toThrow('one bank at least, none twice');
  expect(() => eventLogWriter(['sha1', 'sha1'])).toThrow('one bank at least, none twice');
  const writer = eventLogWriter(['sha256']);
  expect(() => writer.add(separator(24))).toThrow('register 24');
  expect(() => writer.add(separator(noPcr))).toThrow(`register ${noPcr}`);
  expect(() => writer.add({ ...separator(0), data: new Uint8Array(maxEventBytes + 1) })).toThrow('the log is full');
});

test('a log that was refused an event stays as it was', () => {
  const writer = eventLogWriter(['sha256']);
  const large = { ...separator(0), data: new Uint8Array(maxEventBytes) };
  for (let count = 0; count < 3; count += 1) writer.add(large);
  const before = writer.bytes().length;
  expect(() => writer.add(large)).toThrow('the log is full');
  expect(writer.bytes()).toHaveLength(before);
  writer.add(separator(0));
  expect(unwrap(parseEventLog(writer.bytes())).events).toHaveLength(5);
});

test('a log takes as many events as the parser reads', () => {
  const writer = eventLogWriter(['sha1']);
  for (let count = 1; count < maxEvents; count += 1) writer.add(separator(0));
  expect(() => writer.add(separator(0))).toThrow('the log is full');
  expect(unwrap(parseEventLog(writer.bytes())).events).toHaveLength(maxEvents);
});
