/** The three programs of a running device that tests kill: how often they were started again, and whether they answer. */
import { socketPath } from '#agents/programs/layout';
import type { Result } from '#hal/core/result';
import { handsMethods } from '#hal/remote/hands-methods';
import { linkMethods } from '#hal/remote/link-methods';
import { socketClient } from '#hal/remote/socket-client';
import type { ProcessWorld } from './processes.ts';

export const killables = ['hald', 'agentd', 'linkd'] as const;
export type Killable = (typeof killables)[number];

type Running = Pick<ProcessWorld, 'machine' | 'device'>;

export const restartsOf = ({ machine }: Pick<Running, 'machine'>): Record<string, number> =>
  Object.fromEntries(machine.status().map(({ name, restarts }) => [name, restarts]));

/** It was started again since, and answers. */
export const isBack = async (world: Running, program: Killable, restartsBefore: number): Promise<boolean> => {
  const status = world.machine.status().find(({ name }) => name === program);
  return status?.processId !== undefined && status.restarts > restartsBefore && isThere(world, program);
};

export const isThere = async ({ machine, device }: Running, program: Killable): Promise<boolean> => {
  const ask = async <T>(call: (close: { readonly signal: AbortSignal }) => Promise<Result<T>>) =>
    (await call({ signal: AbortSignal.timeout(1_000) })).ok;
  if (program === 'agentd') return ask((options) => device.app.call('audit.status', {}, options));
  if (program === 'hald') {
    const hands = socketClient(handsMethods, socketPath(machine.runDirectory, 'hands'));
    const answers = await ask((options) => hands.call('hands.hello', {}, options));
    hands.close();
    return answers;
  }
  const link = socketClient(linkMethods, socketPath(machine.runDirectory, 'link'));
  const answers = await ask((options) => link.call('link.status', {}, options));
  link.close();
  return answers;
};
