/**
 * JavaScript that runs once: V8 interprets a program until it serves. What its compilers make of a start is thrown away by
 * what comes after it. Of the mind of an emulated machine they took 0.4 of 3 CPU s; a host is told to count them
 * (`make bench-boot`).
 */
import { setFlagsFromString } from 'node:v8';

const compilers = ['sparkplug', 'maglev', 'turbofan'] as const;

/** @returns gives V8 its compilers back. A program that was started with `--jitless` has none, and gets none. */
export const interpretedStart = (): (() => void) => {
  if (process.execArgv.includes('--jitless')) return () => undefined;
  for (const compiler of compilers) setFlagsFromString(`--no-${compiler}`);
  // Node's own modules are compiled again where flags are other than at the start: not for longer than it takes.
  return () => {
    for (const compiler of compilers) setFlagsFromString(`--${compiler}`);
  };
};
