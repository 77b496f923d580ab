/** Seeds of tests that draw what they do: a failure says its seed, and the command that does it again. */
import { randomInt } from 'node:crypto';
import { relative } from 'node:path';
import { causeOf } from '#hal/core/result';

/** `SEED` of the environment, where somebody replays; undefined otherwise. */
export const askedSeed = process.env['SEED'];

/** The seed that is replayed, or a new one. */
export const newSeed = (): string => askedSeed ?? String(randomInt(1_000_000));

/**
 * Runs what is drawn from `seed`.
 * @param file the test, from the root of the project
 * @throws what `run` throws, under a message with the seed and the command that replays it
 */
export const replayable = async <T>(seed: string, tier: string, file: string, run: () => Promise<T>): Promise<T> => {
  try {
    return await run();
  } catch (error) {
    const node = relative(process.cwd(), process.execPath);
    const command = `SEED=${seed} ${node} node_modules/vitest/vitest.mjs run --project ${tier} ${file}`;
    throw new Error(`seed ${seed}: ${causeOf(error)}\nreplay: ${command}`, { cause: error });
  }
};
