/** enigm-sim shell: the serial line of the machine that runs, for a person or for one line. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { within } from '#hal/core/deadline';
import { deny, ok, type Result } from '#hal/core/result';
import { shellPath } from '#sim/qemu/shell';
import type { Context, Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { withDirectory } from '../options.ts';
import { findRunning } from '../running.ts';

/** Ctrl-], as telnet(1) has it: every other key is the machine's. */
const leave = 0x1d;
const answerWithinMs = 60_000;
const noLine = 'the machine has no serial line now: it starts, or has ended';

export const shellCommand = (program: Command, run: Run, context: Context): void => {
  const command = program
    .command('shell')
    .description('the serial line of the machine that runs (up --qemu); Ctrl-] leaves it')
    .argument('[line]', 'run this one line, and show what came of it');
  withDirectory(command, context.home).action(
    run((line: string | undefined, { directory }: { readonly directory: string }) => shell(context, resolve(directory), line)),
  );
};

const shell = async (context: Context, directory: string, line: string | undefined): Promise<number> => {
  const { complain, write, clock } = context;
  const found = findRunning(directory);
  if (found.state !== 'running' || found.running.kind !== 'qemu') {
    complain('no machine runs: ./enigm-sim up --qemu starts one');
    return exitCodes.failed;
  }
  const socket = connect(shellPath(found.running.runDirectory));
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  if (!isOpen) {
    complain(noLine);
    return exitCodes.failed;
  }
  socket.on('error', () => undefined);
  if (line === undefined) {
    if (process.stdin.isTTY) complain('(Ctrl-] leaves)');
    await sit(socket, write);
    return exitCodes.done;
  }
  const said = await within(clock, answerWithinMs, () => askLine(socket, line));
  socket.destroy();
  if (said.ok) write(said.value);
  else complain(said.fault.reason === 'time-limit' ? `no answer within ${answerWithinMs / 1000} s` : noLine);
  return said.ok ? exitCodes.done : exitCodes.failed;
};

/** The echo of the line has the marks in two parts, so only the answer matches. */
const askLine = (socket: Socket, line: string): Promise<Result<string>> =>
  new Promise((resolve) => {
    let heard = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      heard += text;
      const [, answer] = /<line-begin>\r?\n(.*?)<line-end>/s.exec(heard) ?? [];
      if (answer !== undefined) resolve(ok(answer.replaceAll('\r\n', '\n')));
    });
    socket.on('close', () => resolve(deny('unavailable', 'link-down', line)));
    socket.write(`echo "<line-""begin>"; ${line}; echo "<line-""end>"\n`);
  });

/** Until the person leaves, or the machine. */
const sit = async (socket: Socket, write: (text: string) => void): Promise<void> => {
  const { stdin } = process;
  if (stdin.isTTY) stdin.setRawMode(true);
  socket.on('data', (bytes) => write(bytes.toString()));
  stdin.on('data', (bytes) => {
    if (stdin.isTTY && bytes.includes(leave)) socket.destroy();
    else socket.write(bytes);
  });
  stdin.on('end', () => socket.end());
  // A prompt, for whoever sees none yet.
  if (stdin.isTTY) socket.write('\n');
  await once(socket, 'close');
  if (stdin.isTTY) stdin.setRawMode(false);
};
