/** Agents: long-running work inside a program that sees only the parts it lists. */
import { causeOf } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';

export interface Agent<Parts> {
  readonly name: string;
  run(parts: Parts, signal: AbortSignal): Promise<void>;
}

/**
 * @param needs the names of the parts that `run` gets; the others do not exist for it
 */
export const defineAgent = <Parts, Need extends keyof Parts>(agent: {
  readonly name: string;
  readonly needs: readonly Need[];
  run(parts: Pick<Parts, Need>, signal: AbortSignal): Promise<void>;
}): Agent<Parts> => ({
  name: agent.name,
  run: (parts, signal) => {
    const given: Partial<Pick<Parts, Need>> = {};
    for (const need of agent.needs) given[need] = parts[need];
    return agent.run(given as Pick<Parts, Need>, signal);
  },
});

export interface AgentHealth {
  readonly name: string;
  readonly isRunning: boolean;
  readonly restarts: number;
}

export interface Supervision {
  health(): readonly AgentHealth[];
  /** Resolves when every agent has ended after the signal. */
  readonly ended: Promise<void>;
}

const firstDelayMs = 100;
const maxDelayMs = 30_000;
/** An agent that ran this long was well: the next delay is the first one again. */
const settledMs = 60_000;

/**
 * Runs every agent until the signal aborts; one that throws or returns early starts again, with a delay that grows from
 * one to the next while it does not run for long.
 */
export const superviseAgents = <Parts>(
  agents: readonly Agent<Parts>[],
  parts: Parts,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  signal: AbortSignal,
): Supervision => {
  const states = agents.map(({ name }) => ({ name, isRunning: false, restarts: 0 }));
  const supervise = async (agent: Agent<Parts>, state: { isRunning: boolean; restarts: number }) => {
    let delayMs = firstDelayMs;
    while (!signal.aborted) {
      const startedMs = clock.bootMs();
      state.isRunning = true;
      try {
        await agent.run(parts, signal);
        if (!signal.aborted) log.warn('agent.returned', { agent: agent.name });
      } catch (error) {
        log.error('agent.failed', { agent: agent.name, cause: causeOf(error) });
      }
      state.isRunning = false;
      if (signal.aborted) return;
      state.restarts += 1;
      if (clock.bootMs() - startedMs > settledMs) delayMs = firstDelayMs;
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, maxDelayMs);
    }
  };
  return {
    health: () => states.map((state) => ({ ...state })),
    ended: Promise.all(agents.map((agent, index) => supervise(agent, states[index] as (typeof states)[number]))).then(
      () => undefined,
    ),
  };
};
