import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { windowLimits } from '#hal/ports/signals';
import { parseCalls, windowsOf } from './syscalls.ts';

const canary = 'CANARY-of-a-person';
const call = fc.record({
  thread: fc.integer({ min: 1, max: 40 }),
  number: fc.integer({ min: 0, max: windowLimits.callNumber - 1 }),
});
const lineOf = ({ thread, number }: { readonly thread: number; readonly number: number }) =>
  `${thread} [${String(number).padStart(4)}] a_call(0x1, "${canary}") = 0`;
/** What strace writes between calls. */
const noise = fc.constantFrom(
  `7 [ 232] <... epoll_wait resumed>"${canary}") = 1`,
  `7 --- SIGCHLD {si_signo=SIGCHLD, si_pid=8, si_uid=0} ---`,
  '7 +++ exited with 0 +++',
  `[ Process PID=7 runs in 32 bit mode. ]`,
  `strace: ${canary}`,
  '',
);

describe('reading what strace wrote', () => {
  test('keeps the numbers of calls of each thread in their order, and nothing else', () => {
    const text = [
      '10 [  59] execve(0x7ffe, 0x7ffd, 0x7ffc) = 0',
      `10 [ 257] openat(0xffffff9c, "/home/${canary}/secret.txt", 0x80000) = 0x3`,
      '11 [   0] read(0x3,  <unfinished ...>',
      `10 [   1] write(0x1, "${canary}", 0x12) = 0x12`,
      `11 [   0] <... read resumed>"${canary}", 0x12) = 0x12`,
      '11 [   3] close(0x3) = 0',
    ].join('\n');
    expect(unwrap(parseCalls(text))).toEqual([
      [59, 257, 1],
      [0, 3],
    ]);
  });

  test('finds every call between any noise, and no word of an argument', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: call }, noise), { maxLength: 200 }), (lines) => {
        const calls = lines.filter((line) => typeof line === 'object');
        const threads = unwrap(parseCalls(lines.map((line) => (typeof line === 'string' ? line : lineOf(line))).join('\n')));
        expect(threads.flat()).toHaveLength(calls.length);
        const order = [...new Set(calls.map(({ thread }) => thread))];
        expect(threads).toEqual(order.map((thread) => calls.filter((one) => one.thread === thread).map(({ number }) => number)));
        expect(JSON.stringify(threads)).not.toMatch(/[A-Za-z]/);
      }),
    );
  });

  test('says only numbers below the limit of any text at all', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 400 }),
          fc.array(fc.string({ maxLength: 30 }).map((rest) => `1 [${rest}] x(`)).map((all) => all.join('\n')),
        ),
        (text) => {
          const parsed = parseCalls(text);
          for (const number of unwrap(parsed).flat())
            expect(Number.isInteger(number) && number >= 0 && number < windowLimits.callNumber).toBe(true);
        },
      ),
    );
  });

  test('stops at so many threads and so many calls', () => {
    const code = (text: string) => {
      const parsed = parseCalls(text);
      return parsed.ok ? 'read' : codeOf(parsed.fault);
    };
    const threads = (count: number) =>
      Array.from({ length: count }, (_, index) => lineOf({ thread: index + 1, number: 1 })).join('\n');
    expect([code(threads(256)), code(threads(257))]).toEqual(['read', 'resource/count-limit']);
    const calls = (count: number) => `${'1 [   1] a(\n'.repeat(count)}`;
    expect([code(calls(200_000)), code(calls(200_001))]).toEqual(['read', 'resource/count-limit']);
  });

  test('windows of any thread are within their limits and together hold every call', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), (count) => {
        const calls = Array.from({ length: count }, (_, index) => index);
        const windows = windowsOf('an-app', [calls]);
        for (const { calls: some } of windows) {
          expect(some.length).toBeGreaterThanOrEqual(windowLimits.least);
          expect(some.length).toBeLessThanOrEqual(windowLimits.calls);
          expect(some.every((value, index) => value === (some[0] ?? 0) + index)).toBe(true);
        }
        expect(new Set(windows.flatMap((window) => window.calls)).size).toBe(count < windowLimits.least ? 0 : count);
        expect(
          windows.every(
            ({ calls: some }, index) => index === 0 || (some[0] ?? 0) - (windows[index - 1]?.calls[0] ?? 0) <= windowLimits.step,
          ),
        ).toBe(true);
      }),
    );
  });
});
