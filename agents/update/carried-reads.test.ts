import { describe, expect, test } from 'vitest';
import { codeOf, type Result } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import { carriedReads, maxWants } from './carried-reads.ts';

const clock = virtualClock();
const never = new AbortController().signal;
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

describe('reading what somebody carries', () => {
  test('is turn by turn, in order, and the parts are those that were given', async () => {
    const carried = carriedReads(clock);
    const reads = [carried.read('a', 0, 10, never), carried.read('b', 5, 10, never)];
    expect(await carried.turn(undefined, never)).toEqual({ number: 1, path: 'a', offset: 0, mostBytes: 10 });
    expect(await carried.turn({ number: 1, part: Uint8Array.of(7) }, never)).toMatchObject({ number: 2, path: 'b', offset: 5 });
    const waiting = carried.turn({ number: 2 }, never);
    expect(await reads[0]).toEqual({ ok: true, value: Uint8Array.of(7) });
    expect(code((await reads[1]) as Result<unknown>)).toBe('unavailable/not-found');
    const late = carried.read('c', 0, 1, never);
    expect(await waiting).toMatchObject({ number: 3, path: 'c' });
    carried.end();
    expect(code(await late)).toBe('unavailable/aborted');
    expect(await carried.turn({ number: 3, part: Uint8Array.of(1) }, never)).toBeUndefined();
    expect(code(await carried.read('d', 0, 1, never))).toBe('unavailable/aborted');
  });

  test.each(['metadata/1.policy%20EU.json', `targets/os/${'r'.repeat(200)}`, ''])(
    'wants nothing that has no such path: %j',
    async (path) => {
      const carried = carriedReads(clock);
      expect(code(await carried.read(path, 0, 1, never))).toBe('protocol/field-invalid');
      const read = carried.read('a', 0, 1, never);
      expect(await carried.turn(undefined, never)).toMatchObject({ number: 1, path: 'a' });
      carried.end();
      expect(code(await read)).toBe('unavailable/aborted');
    },
  );

  test('ends with whoever asked, and with whoever carries', async () => {
    const carried = carriedReads(clock);
    const gone = new AbortController();
    const read = carried.read('a', 0, 1, gone.signal);
    gone.abort();
    expect(code(await read)).toBe('unavailable/aborted');
    const carrier = new AbortController();
    const turn = carried.turn(undefined, carrier.signal);
    carrier.abort();
    expect(await turn).toBeUndefined();
  });

  test('takes no part that nobody wants, nor one twice', async () => {
    const carried = carriedReads(clock);
    const read = carried.read('a', 0, 1, never);
    await carried.turn({ number: 9, part: Uint8Array.of(9) }, AbortSignal.abort());
    await carried.turn({ number: 1, part: Uint8Array.of(1) }, AbortSignal.abort());
    await carried.turn({ number: 1, part: Uint8Array.of(2) }, AbortSignal.abort());
    expect(await read).toEqual({ ok: true, value: Uint8Array.of(1) });
  });

  test('says a want again until it is answered, to everybody who waits', async () => {
    const carried = carriedReads(clock);
    const waiting = [carried.turn(undefined, never), carried.turn(undefined, never)];
    const read = carried.read('a', 0, 1, never);
    expect((await Promise.all(waiting)).map((want) => want?.number)).toEqual([1, 1]);
    expect(await carried.turn(undefined, never)).toMatchObject({ number: 1 });
    const next = carried.turn({ number: 1, part: Uint8Array.of(1) }, never);
    expect(code(await read)).toBe('ok');
    carried.end();
    expect(await next).toBeUndefined();
  });

  test('does not wait for ever for whoever ordered and carries nothing (SR-12)', async () => {
    const patient = virtualClock();
    const read = carriedReads(patient).read('a', 0, 1, never);
    await patient.advance(60_000);
    expect(code(await read)).toBe('resource/time-limit');
  });

  test('has a limit', async () => {
    const carried = carriedReads(clock);
    const reads = Array.from({ length: maxWants + 1 }, () => carried.read('a', 0, 1, never));
    expect(code((await reads.at(-1)) as Result<unknown>)).toBe('resource/queue-full');
    carried.end();
    await Promise.all(reads);
  });
});
