import { describe, expect, test } from 'vitest';
import { day } from '#sim/scenarios/day';
import { liveDay, nothingIsLeft, processesOf, socketsOf, startDay, temporaryHome } from './simulator.fixture.ts';

describe('a day that does not come to its end', () => {
  test.concurrent.for(day.map(({ step }, index) => [step, index] as const))(
    'Ctrl-C during %s leaves no process and no socket',
    async ([, index], { expect }) => {
      using home = temporaryHome();
      const running = startDay(home.path);
      await running.told(index);
      expect(running.child.exitCode, 'the day ended before that step').toBeNull();
      await expect.poll(() => socketsOf(home.path).length, { timeout: 15_000 }).toBeGreaterThan(0);
      process.kill(-(running.child.pid ?? 0), 'SIGINT');
      const { code, said, summary } = await running.ended;
      // The last step may have ended before the signal came.
      expect([130, 0], `${said} ${JSON.stringify(summary)}`).toContain(code);
      nothingIsLeft(home.path);
    },
  );

  test('the simulator killed outright takes every program of its device with it', async () => {
    using home = temporaryHome();
    const running = startDay(home.path, '--tpm', 'swtpm');
    await running.told(2);
    running.child.kill('SIGKILL');
    await running.ended;
    await expect.poll(() => processesOf(home.path), { timeout: 15_000 }).toEqual([]);
  });

  test('two simulators do not use one directory at once', async () => {
    using home = temporaryHome();
    const first = startDay(home.path);
    await first.told(1);
    const second = await liveDay(home.path);
    expect(second.code).toBe(1);
    expect(second.said).toContain('another simulator uses');
    first.child.kill('SIGINT');
    await first.ended;
  });
});
