import { describe, expect, test } from 'vitest';
import { concat, u8, u16le, u32le, utf8 } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { eventTypes } from './events.ts';
import { maxEventBytes, maxEvents, maxLogBytes, noPcr, parseEventLog } from './parse.ts';
import { sampleBoot, writeLog } from './sample.fixture.ts';

const noAction = eventTypes.EV_NO_ACTION.code;
const separatorType = eventTypes.EV_SEPARATOR.code;
type Digest = readonly [id: number, digestBytes: number];
const sha1: Digest = [4, 20];
const sha256: Digest = [11, 32];

interface Header {
  readonly platformClass?: number;
  readonly version?: readonly [minor: number, major: number];
  readonly uintnSize?: number;
  readonly algorithms?: readonly Digest[];
  readonly algorithmCount?: number;
  readonly vendorInfoSize?: number;
  readonly vendorInfo?: Uint8Array;
  readonly digest?: Uint8Array;
}

const header = (fields: Header = {}): Uint8Array => {
  const { algorithms = [sha256], vendorInfo = new Uint8Array(0), version = [0, 2] } = fields;
  const event = concat(
    utf8('Spec ID Event03\0'),
    u32le(fields.platformClass ?? 0),
    u8(version[0]),
    u8(version[1]),
    u8(105),
    u8(fields.uintnSize ?? 2),
    u32le(fields.algorithmCount ?? algorithms.length),
    ...algorithms.flatMap(([id, digestBytes]) => [u16le(id), u16le(digestBytes)]),
    u8(fields.vendorInfoSize ?? vendorInfo.length),
    vendorInfo,
  );
  return concat(u32le(0), u32le(noAction), fields.digest ?? new Uint8Array(20), u32le(event.length), event);
};

const event = (
  digests: readonly Digest[],
  { pcr = 0, type = separatorType as number, count = digests.length } = {},
): Uint8Array =>
  concat(
    u32le(pcr),
    u32le(type),
    u32le(count),
    ...digests.flatMap(([id, digestBytes]) => [u16le(id), new Uint8Array(digestBytes).fill(id)]),
    u32le(4),
    new Uint8Array(4),
  );

const sha1Event = (pcr: number, type: number, data: Uint8Array): Uint8Array =>
  concat(u32le(pcr), u32le(type), new Uint8Array(20).fill(7), u32le(data.length), data);

const refusal = (bytes: Uint8Array): string => {
  const parsed = parseEventLog(bytes);
  if (parsed.ok) return 'accepted';
  expect(codeOf(parsed.fault)).toBe('attestation/log-malformed');
  return parsed.fault.detail ?? '';
};

describe('a crypto-agile log', () => {
  test('gives its algorithms and events, the header first', () => {
    const bytes = concat(header({ algorithms: [sha1, sha256] }), event([sha1, sha256], { pcr: 7 }));
    const log = unwrap(parseEventLog(bytes));
    expect(log.algorithms.map(({ name }) => name)).toEqual(['sha1', 'sha256']);
    expect(log.events.map(({ pcr, type, offset }) => [pcr, type, offset])).toEqual([
      [0, noAction, 0],
      [7, separatorType, header({ algorithms: [sha1, sha256] }).length],
    ]);
    expect(log.events[0]?.digests).toEqual([]);
    expect(log.parsedBytes).toBe(bytes.length);
  });

  test('is viewed, not copied', () => {
    const bytes = concat(header(), event([sha256]));
    const [, separator] = unwrap(parseEventLog(bytes)).events;
    expect(separator?.data.buffer).toBe(bytes.buffer);
    expect(separator?.digests[0]?.buffer).toBe(bytes.buffer);
  });

  test('may name its digests in another order than the header', () => {
    const log = unwrap(parseEventLog(concat(header({ algorithms: [sha1, sha256] }), event([sha256, sha1]))));
    expect(log.events[1]?.digests.map((digest) => [digest.length, digest[0]])).toEqual([
      [20, 4],
      [32, 11],
    ]);
  });

  test('may list an algorithm that is not computed here', () => {
    const sm3: Digest = [0x12, 32];
    const log = unwrap(parseEventLog(concat(header({ algorithms: [sha256, sm3] }), event([sha256, sm3]))));
    expect(log.algorithms.map(({ name }) => name)).toEqual(['sha256', 'sm3_256']);
  });

  test('may carry vendor information in its header', () => {
    expect(refusal(concat(header({ vendorInfo: utf8('maker') }), event([sha256])))).toBe('accepted');
  });

  test('may hold an EV_NO_ACTION event for no register', () => {
    expect(refusal(concat(header(), event([sha256], { pcr: noPcr, type: noAction })))).toBe('accepted');
  });

  test.each([
    ['a header with a digest', header({ digest: new Uint8Array(20).fill(1) }), 'the header has a digest'],
    ['an unknown platform class', header({ platformClass: 2 }), 'platform class 2; client is 0, server is 1'],
    ['an unknown version', header({ version: [1, 2] }), 'version 2.1 of the log; 2.0 is known'],
    ['an unknown UINTN size', header({ uintnSize: 3 }), 'UINTN size 3; 1 is 32 bits, 2 is 64 bits'],
    ['a header without algorithms', header({ algorithms: [] }), '0 algorithms in the header; 1 to 16'],
    ['a header with too many algorithms', header({ algorithmCount: 17 }), '17 algorithms in the header; 1 to 16'],
    ['a header that ends within its algorithms', header({ algorithmCount: 16 }), 'truncated at 32: 2 wanted, 1 left'],
    ['an algorithm listed twice', header({ algorithms: [sha256, sha256] }), 'sha256 twice in the header'],
    [
      'a digest size that is not the algorithm’s',
      header({ algorithms: [[11, 20]] }),
      '20 bytes for a sha256 digest in the header',
    ],
    ['an unknown algorithm in the header', header({ algorithms: [[0x99, 32]] }), 'unknown algorithm 0x99 in the header'],
    ['vendor information past the end', header({ vendorInfoSize: 9 }), 'truncated at 33: 9 wanted, 0 left'],
    ['bytes after the vendor information', header({ vendorInfoSize: 1, vendorInfo: utf8('ab') }), '1 bytes left over at 34'],
    ['fewer digests than the header lists', concat(header(), event([])), '0 digests at 65, the header lists 1'],
    ['more digests than the header lists', concat(header(), event([sha256, sha1])), '2 digests at 65, the header lists 1'],
    ['2^32-1 digests', concat(header(), event([sha256], { count: 0xffffffff })), '4294967295 digests at 65, the header lists 1'],
    ['a digest of another algorithm', concat(header(), event([sha1])), 'algorithm 0x4 at 65 is not in the header'],
    [
      'two digests of one algorithm',
      concat(header({ algorithms: [sha1, sha256] }), event([sha1, sha1])),
      'two sha1 digests at 69',
    ],
    ['a register above 23', concat(header(), event([sha256], { pcr: 24 })), 'register 24 at 65'],
    ['no register for an event that extends', concat(header(), event([sha256], { pcr: noPcr })), `register ${noPcr} at 65`],
  ])('is refused for %s', (_, bytes, why) => {
    expect(refusal(bytes)).toBe(why);
  });

  test('is refused wherever it is cut, except between events', () => {
    const bytes = writeLog(sampleBoot);
    const starts = unwrap(parseEventLog(bytes)).events.map(({ offset }) => offset);
    for (let length = 1; length < bytes.length; length += 1) {
      const lastStart = starts.findLast((start) => start <= length) ?? 0;
      const looksPadded = lastStart > 0 && bytes.subarray(lastStart, length).every((byte) => byte === 0);
      expect(parseEventLog(bytes.subarray(0, length)).ok, `cut at ${length}`).toBe(looksPadded);
    }
  });
});

describe('the older form', () => {
  test('knows SHA-1 alone', () => {
    const log = unwrap(parseEventLog(sha1Event(4, separatorType, new Uint8Array(4))));
    expect(log.algorithms.map(({ name }) => name)).toEqual(['sha1']);
    expect(log.events).toMatchObject([{ pcr: 4, type: separatorType, digests: [new Uint8Array(20).fill(7)] }]);
  });

  test('may begin with the header of TPM 1.2', () => {
    expect(refusal(sha1Event(0, noAction, utf8('Spec ID Event02\0')))).toBe('accepted');
  });

  test('is not taken for the newer one by the data of an extending event', () => {
    const log = unwrap(parseEventLog(sha1Event(0, separatorType, utf8('Spec ID Event03\0'))));
    expect(log.events).toHaveLength(1);
  });

  test('is refused when it ends within an event', () => {
    expect(refusal(sha1Event(0, separatorType, new Uint8Array(4)).subarray(0, 30))).toBe('truncated at 28: 4 wanted, 2 left');
  });
});

describe('padding', () => {
  const log = concat(header(), event([sha256]));

  test.each([
    ['zero', 0x00],
    ['0xFF', 0xff],
  ])('of %s bytes ends the log', (_, byte) => {
    const parsed = unwrap(parseEventLog(concat(log, new Uint8Array(1000).fill(byte))));
    expect(parsed.events).toHaveLength(2);
    expect(parsed.parsedBytes).toBe(log.length);
  });

  test('of mixed bytes is refused', () => {
    expect(refusal(concat(log, new Uint8Array(100).fill(0xff), new Uint8Array(100)))).toBe(`register ${noPcr} at ${log.length}`);
  });

  test('alone is no log', () => {
    expect(refusal(new Uint8Array(0))).toBe('no events');
    expect(refusal(new Uint8Array(64))).toBe('no events');
    expect(refusal(new Uint8Array(64).fill(0xff))).toBe('no events');
  });
});

describe('limits', () => {
  const small = sha1Event(0, separatorType, utf8('x'));

  test(`at most ${maxLogBytes} bytes`, () => {
    expect(refusal(concat(small, new Uint8Array(maxLogBytes - small.length)))).toBe('accepted');
    expect(refusal(concat(small, new Uint8Array(maxLogBytes - small.length + 1)))).toBe('1048577 bytes of log, 1048576 at most');
  });

  test(`at most ${maxEvents} events`, () => {
    const full = concat(...new Array<Uint8Array>(maxEvents).fill(small));
    expect(refusal(full)).toBe('accepted');
    expect(refusal(concat(full, small))).toBe(`more than ${maxEvents} events at ${full.length}`);
  });

  test(`at most ${maxEventBytes} bytes of event data`, () => {
    expect(refusal(sha1Event(0, separatorType, new Uint8Array(maxEventBytes).fill(1)))).toBe('accepted');
    expect(refusal(sha1Event(0, separatorType, new Uint8Array(maxEventBytes + 1).fill(1)))).toBe(
      '262145 bytes of event data at 28, 262144 at most',
    );
  });

  test('an event of 2^32-1 bytes is refused by its size', () => {
    const huge = concat(u32le(0), u32le(separatorType), new Uint8Array(20).fill(1), u32le(0xffffffff));
    expect(refusal(huge)).toBe('4294967295 bytes of event data at 28, 262144 at most');
  });

  test('an event past the end is refused', () => {
    const long = concat(u32le(0), u32le(separatorType), new Uint8Array(20).fill(1), u32le(9), utf8('x'));
    expect(refusal(long)).toBe('truncated at 32: 9 wanted, 1 left');
  });
});
