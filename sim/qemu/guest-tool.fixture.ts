/** Scripts that run in the machine, at its serial line: each goes behind the site of the device. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { confined } from '#agents/package/confinement';
import type { Result } from '#hal/core/result';
import { siteBytes } from './device.ts';
import type { RunningMachine } from './machine.ts';

export type GuestTool = 'boot-control' | 'hands' | 'mouth';

/** The script of sim/qemu/guest as one file. @param constants words in it that stand for a text */
export const guestTool = async (name: GuestTool, constants: Readonly<Record<string, string>> = {}): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, `guest/${name}.ts`)],
    ...{ bundle: true, platform: 'node', format: 'cjs', target: 'node24', minify: true, write: false },
    define: Object.fromEntries(Object.entries(constants).map(([word, text]) => [word, JSON.stringify(text)])),
  });
  return outputFiles[0]?.text ?? '';
};

type Ask = <T>(machine: RunningMachine, ...words: readonly (string | number)[]) => Promise<Result<T>>;

/** @param before what stands before the script. @returns what it said: a `Result` in one line of JSON */
const ask =
  (before: string): Ask =>
  async <T>(machine: RunningMachine, ...words: readonly (string | number)[]): Promise<Result<T>> => {
    const path = '/run/tool.cjs';
    const put = `[ -f ${path} ] || dd if=/dev/vdb bs=${siteBytes} skip=1 2> /dev/null | tr -d '\\0' > ${path}`;
    const said = await machine.shell(`${put}; ${before} node --no-warnings ${path} ${words.join(' ')}`, answerWithinMs);
    return said.ok ? (JSON.parse(said.value.split('\n').findLast((line) => line.startsWith('{')) ?? '') as Result<T>) : said;
  };

/** Runs the script that was put behind the site, as root. */
export const askTool = ask('');

/** Runs it as the user of the mind, whom the hands know by that. */
export const askAsMind = ask(confined('agentd').join(' '));

/** Runs it as the user of the mouth, who comes into the folder of the hands: their doors stand there to be knocked at. */
export const askAsMouth = ask(confined('linkd').join(' '));

/** A program starts, and may have much to do. */
const answerWithinMs = 900_000;
