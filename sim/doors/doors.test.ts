/** The line between a machine and its simulator: whole streams over a line that cuts where it likes and has noise on it. */
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, utf8 } from '#hal/core/bytes';
import { type Channels, channelsOn } from './channels.ts';
import { parseSignalDoor, signalDoor } from './doors.ts';
import { encodePiece, maxContentBytes, type Piece, pieceReader } from './wire.ts';

const piece = fc.record({
  kind: fc.constantFrom('reset', 'hello', 'open', 'data', 'end'),
  channel: fc.nat(0xffff),
  content: fc.uint8Array({ maxLength: 600 }),
}) satisfies fc.Arbitrary<Piece>;

describe('pieces on a line', () => {
  test('come out as they went in, however the line cuts them', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        (sent, cuts) => {
          const whole = concat(...sent.map(encodePiece));
          const read = pieceReader();
          const got: Piece[] = [];
          for (let at = 0, turn = 0; at < whole.length; turn += 1) {
            const length = cuts[turn % cuts.length] ?? 1;
            got.push(...read(whole.subarray(at, at + length)));
            at += length;
          }
          expect(got).toEqual(sent);
        },
      ),
    );
  });

  test('are found again after noise, and noise is none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3 * maxContentBytes }), piece, (noise, sent) => {
        const read = pieceReader();
        read(noise);
        expect(read(encodePiece(sent)).at(-1)).toEqual(sent);
      }),
      { numRuns: 50 },
    );
  });
});

/** Two ends and the line between them. */
const pair = (onOpen: (name: string, stream: Duplex) => void, onReset: () => void = () => undefined) => {
  const hellos: string[] = [];
  const far: { guest?: Channels } = {};
  const host = channelsOn({
    side: 'host',
    write: (bytes) => queueMicrotask(() => far.guest?.receive(bytes)),
    onOpen,
    onHello: (content) => void hellos.push(new TextDecoder().decode(content)),
  });
  const guest = channelsOn({
    side: 'guest',
    write: (bytes) => queueMicrotask(() => host.receive(bytes)),
    onOpen,
    onReset,
  });
  far.guest = guest;
  return { host, guest, hellos };
};

describe('channels', () => {
  test('carry what is long both ways, each its own', async () => {
    const { host, guest } = pair((_, stream) => stream.pipe(stream));
    const echoes = [host.open('one'), guest.open('two'), host.open('three')].map(async (stream, index) => {
      const sent = Buffer.alloc(5 * maxContentBytes + 7, index);
      stream.write(sent);
      const got: Buffer[] = [];
      for await (const part of stream) {
        got.push(part as Buffer);
        if (Buffer.concat(got).length === sent.length) break;
      }
      expect(Buffer.concat(got).equals(sent)).toBe(true);
    });
    await Promise.all(echoes);
  });

  test('that are answered and ended give the whole answer', async () => {
    const { host } = pair((name, stream) => stream.end(utf8(name.repeat(maxContentBytes))));
    expect((await buffer(host.open('ab'))).toString()).toBe('ab'.repeat(maxContentBytes));
  });

  test('that are refused are at their end at once', async () => {
    const { host } = pair((_, stream) => stream.destroy());
    expect((await buffer(host.open('nowhere'))).length).toBe(0);
  });

  test('are over when the far end starts anew, and it says who it is', async () => {
    let opened = 0;
    const { host, guest, hellos } = pair(
      () => {
        opened += 1;
      },
      () => guest.say('hello', utf8('second life')),
    );
    const stream = host.open('api');
    const ended = new Promise((resolve) => stream.on('close', resolve));
    await Promise.resolve();
    guest.say('hello', utf8('first life'));
    await ended;
    host.say('reset');
    await new Promise((resolve) => setImmediate(resolve));
    expect([opened, hellos]).toEqual([1, ['first life', 'second life']]);
  });
});

test('a signal is for a program that is named, and one of three', () => {
  expect(parseSignalDoor(signalDoor('linkd', 'SIGSTOP'))).toEqual({ program: 'linkd', signal: 'SIGSTOP' });
  for (const name of ['signal init SIGKILL', 'signal linkd SIGSEGV', 'signal linkd SIGKILL ', 'api'])
    expect(parseSignalDoor(name)).toBeUndefined();
});
