/**
 * How `enigmctl` talks: data on standard output, everything else on standard error; `--json` gives one object.
 * A refusal is its code, what it means, and what to do next.
 */
import { explain } from '#hal/core/faults';
import { codeOf, type Fault, type Result } from '#hal/core/result';
import { exitCodeOf, exitCodes } from './exit-codes.ts';

export interface Console {
  readonly isJson: boolean;
  /** The result, as text for people or as one JSON object. */
  print(text: string, json: unknown): void;
  /** Progress and hints; never part of the data. */
  say(text: string): void;
  /** @returns the exit code of the refusal */
  refuse(fault: Fault): number;
}

export interface Streams {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
}

export const standardStreams: Streams = {
  out: (text) => void process.stdout.write(text),
  error: (text) => void process.stderr.write(text),
};

export const newConsole = (isJson: boolean, { out, error }: Streams): Console => ({
  isJson,
  print: (text, json) => out(isJson ? `${JSON.stringify(json)}\n` : `${text}\n`),
  say: (text) => error(`${text}\n`),
  refuse: (fault) => {
    const code = codeOf(fault);
    const known = explain(code);
    if (isJson) out(`${JSON.stringify({ fault: { category: fault.category, reason: fault.reason } })}\n`);
    const detail = fault.detail === undefined ? '' : `\n  ${fault.detail}`;
    error(`${code}: ${known?.meaning ?? ''}${detail}\n${known === undefined ? '' : `  next: ${known.remedy}\n`}`);
    return exitCodeOf(fault);
  },
});

/** Prints the value or refuses. @returns the exit code */
export const answer = <T>(
  console: Console,
  result: Result<T>,
  show: (value: T) => { readonly text: string; readonly json: unknown },
): number => {
  if (!result.ok) return console.refuse(result.fault);
  const { text, json } = show(result.value);
  console.print(text, json);
  return exitCodes.done;
};
