/** What every program does alike: arguments, log, orderly end. */
import { Socket } from 'node:net';
import { parseArgs } from 'node:util';
import { causeOf } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { interpretedStart } from '#hal/linux/interpreted-start';
import { pinoLog } from '#hal/linux/log';
import type { Log, LogFields } from '#hal/ports/log';

export interface ProgramContext<Option extends string> {
  readonly options: Readonly<Record<Option, string>>;
  readonly log: Log;
  /** Aborts on SIGTERM, SIGINT and when the program is gone that started this one through a pipe. */
  readonly signal: AbortSignal;
  /** Says in the log that the program serves. Until a little later its JavaScript is interpreted. */
  ready(fields?: LogFields): void;
}

/** Exit codes that a supervisor understands. */
export const exitCode = { done: 0, failed: 1, usage: 2, restart: 75, reboot: 86 } as const;

/** What others ask of a program that has just come. */
const settledMs = 5_000;

/**
 * Runs a program to its end.
 * @param names every option is needed, as `--name VALUE`
 * @param main returns the exit code
 */
export const runProgram = <Option extends string>(
  program: string,
  names: readonly Option[],
  main: (context: ProgramContext<Option>) => Promise<number>,
): void => {
  const log = pinoLog(program);
  const startEnded = interpretedStart();
  const { values } = parseArgs({
    options: Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
    strict: true,
  });
  const options = values as Partial<Record<Option, string>>;
  for (const name of names)
    if (options[name] === undefined) {
      process.stderr.write(`${program}: --${name} is needed\n`);
      process.exit(exitCode.usage);
    }
  const ending = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(name, () => ending.abort());
  const ready = (fields?: LogFields) => {
    log.info('program.ready', fields);
    void linuxClock().sleep(settledMs, ending.signal).then(startEnded);
  };
  // Whoever started us holds the other end of standard input: when it is gone, so are we. An input that nobody holds, a
  // file or /dev/null, says nothing: who starts programs so ends them by a signal, as systemd does.
  if (process.stdin instanceof Socket)
    process.stdin
      .on('end', () => ending.abort())
      .on('error', () => ending.abort())
      .resume();
  process.title = program;
  main({ options: options as Record<Option, string>, log, signal: ending.signal, ready }).then(
    (code) => process.exit(code),
    (error: unknown) => {
      log.error('program.failed', { cause: causeOf(error) });
      process.exit(exitCode.failed);
    },
  );
};

/** Resolves when the signal aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
