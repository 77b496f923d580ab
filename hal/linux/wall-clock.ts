/** The wall clock of a machine. */
import { done, type Result } from '#hal/core/result';
import type { Commands } from '#hal/ports/commands';

/** In whole seconds, never earlier than what is asked for. @returns nothing, or the faults of `Commands` */
export const setWallClock = async (commands: Commands, timeMs: number): Promise<Result<void>> => {
  const set = await commands.run('/bin/busybox', ['date', '-u', '-s', `@${Math.ceil(timeMs / 1000)}`]);
  return set.ok ? done : set;
};
