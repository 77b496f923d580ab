/** `Commands` by the addon, for a program that may start no process by itself. */
import { attemptAsync, deny, ok, type Result } from '#hal/core/result';
import type { Commands } from '#hal/ports/commands';
import { type Addon, loadAddon } from './load.ts';

/**
 * @param before what stands before each program: `nsenter …` of a network lab, which only the simulator's build starts
 * @returns the commands, or `unavailable/tpm-missing` where the addon cannot be loaded
 */
export const nativeCommands = (addonPath: string, build: Addon['build'], before: readonly string[] = []): Result<Commands> => {
  const addon = loadAddon(addonPath, build);
  if (!addon.ok) return addon;
  return ok({
    async run(program, words, input = '') {
      const ended = await attemptAsync(
        () => addon.value.run([...before, program, ...words], input),
        (cause) => deny('unavailable', 'not-supported', cause),
      );
      if (!ended.ok) return ended;
      const { status, output } = ended.value;
      return status === 0
        ? ok(output)
        : deny('unavailable', 'not-supported', `${program} ended with ${status}: ${output.slice(0, 500)}`);
    },
  });
};
