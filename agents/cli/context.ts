/** What every command gets. */
import { type Console, newConsole, type Streams } from './console.ts';
import { runDirectoryOf } from './device.ts';

export interface GlobalOptions {
  readonly run?: string;
  readonly json?: boolean;
}

export interface Context {
  readonly console: Console;
  readonly runDirectory: string;
}

/** Binds an action of a command to the context and the exit code. */
export type Run = <A extends readonly unknown[]>(
  action: (context: Context, ...values: A) => Promise<number> | number,
) => (...values: A) => Promise<void>;

export const contextOf = ({ run, json = false }: GlobalOptions, streams: Streams): Context => ({
  console: newConsole(json, streams),
  runDirectory: runDirectoryOf(run),
});
