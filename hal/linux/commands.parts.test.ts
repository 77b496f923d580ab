import { expect, test } from 'vitest';
import { linuxCommands } from './commands.ts';

test('what a program says is the answer, with nothing of our environment', async () => {
  expect(await linuxCommands().run('/usr/bin/env', [])).toEqual({
    ok: true,
    value: 'PATH=/usr/sbin:/usr/bin:/sbin:/bin\nLC_ALL=C\n',
  });
  expect(await linuxCommands({ before: ['/usr/bin/env', 'A=b'] }).run('/usr/bin/env', [])).toMatchObject({
    value: expect.stringContaining('A=b'),
  });
});

test('a program that is not there, and one that fails, are no answer', async () => {
  for (const [program, words] of [
    ['/nowhere', []],
    ['/usr/bin/false', []],
  ] as const)
    expect(await linuxCommands().run(program, words)).toMatchObject({
      ok: false,
      fault: { category: 'unavailable', reason: 'not-supported' },
    });
});

test('a program that does not end is killed, and that is another refusal', async () => {
  expect(await linuxCommands({ timeoutMs: 50 }).run('/usr/bin/sleep', ['60'])).toMatchObject({
    ok: false,
    fault: { category: 'resource', reason: 'time-limit' },
  });
});
