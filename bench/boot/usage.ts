/** Processor time of an emulator over the time of its host, so that any moment of a start has its price. */
import type { Clock } from '#hal/ports/clock';
import type { RunningMachine } from '#sim/qemu/machine';

export interface Usage {
  /** Processor seconds that were used up to a moment, between two looks in proportion. @param atMs of `Clock.bootMs` */
  until(atMs: number): number;
  stop(): Promise<void>;
}

const lookMs = 25;

/** Looks until it is stopped. */
export const watchUsage = (machine: Pick<RunningMachine, 'cpuSeconds'>, clock: Clock): Usage => {
  const looks = [{ atMs: clock.bootMs(), cpuSeconds: 0 }];
  const ending = new AbortController();
  const looking = (async () => {
    for (; !ending.signal.aborted; await clock.sleep(lookMs, ending.signal))
      looks.push({ atMs: clock.bootMs(), cpuSeconds: machine.cpuSeconds() });
  })();
  return {
    until(atMs) {
      const next = looks.findIndex((look) => look.atMs >= atMs);
      const [before, after] = [looks[next - 1], looks[next]];
      if (before === undefined || after === undefined) return looks.at(next)?.cpuSeconds ?? 0;
      const share = (atMs - before.atMs) / (after.atMs - before.atMs);
      return before.cpuSeconds + share * (after.cpuSeconds - before.cpuSeconds);
    },
    async stop() {
      ending.abort();
      await looking;
    },
  };
};
