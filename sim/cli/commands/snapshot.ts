/** enigm-sim snapshot: the machine that runs, kept as it stands under a name, and gone back to. Its TPM goes with it. */
import { resolve } from 'node:path';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import { codeOf, type Fault } from '#hal/core/result';
import { snapshotsIn } from '#sim/levels/machines';
import { isSnapshotName, keptSnapshots, removeSnapshot } from '#sim/qemu/kept-snapshots';
import { orderSnapshot, type SnapshotOrder } from '#sim/qemu/snapshot-door';
import type { Context, Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { jsonOption, withDirectory } from '../options.ts';
import { worldDirectoryOf } from '../places.ts';
import { findRunning } from '../running.ts';

interface SnapshotOptions {
  readonly directory: string;
  readonly json?: boolean;
}

/** Its memory is written or read, its disk copied, and it says that it goes on. */
const withinMs = 180_000;

export const snapshotCommand = (program: Command, run: Run, context: Context): void => {
  const group = program
    .command('snapshot')
    .description('keep the machine that runs (up --qemu) as it stands, by name, and go back to it; its TPM goes with it');
  const verb = (words: string, what: string): Command =>
    withDirectory(group.command(words).description(what).addOption(jsonOption()), context.home);
  const named = (words: string, what: string, act: (name: string, options: SnapshotOptions) => Promise<number> | number) =>
    verb(words, what)
      .addArgument(new Argument('<name>', 'lower-case letters, digits and hyphens').argParser(snapshotName))
      .action(run(act));

  named('save', 'keep the machine as it stands; it goes on', (name, options) => order(context, 'save', name, options));
  verb('list', 'what is kept').action(run((options: SnapshotOptions) => list(context, options)));
  named('restore', 'go back to how the machine stood', (name, options) => order(context, 'restore', name, options));
  named('remove', 'keep one no longer', (name, options) => remove(context, name, options));
};

const snapshotName = (value: string): string => {
  if (!isSnapshotName(value)) throw new InvalidArgumentError('At most 32 lower-case letters, digits and hyphens.');
  return value;
};

const folderOf = (directory: string): string => snapshotsIn(worldDirectoryOf(resolve(directory), 'qemu'));

const order = async (
  { write, complain, clock }: Context,
  verb: SnapshotOrder,
  name: string,
  { directory, json = false }: SnapshotOptions,
): Promise<number> => {
  const found = findRunning(resolve(directory));
  if (found.state !== 'running' || found.running.kind !== 'qemu') {
    complain('no machine runs: ./enigm-sim up --qemu starts one');
    return exitCodes.failed;
  }
  const beganMs = clock.bootMs();
  const taken = await orderSnapshot(found.running.runDirectory, verb, name, { clock, withinMs });
  if (!taken.ok) {
    complain(sentenceOf(verb, name, taken.fault));
    return exitCodes.failed;
  }
  const ms = clock.bootMs() - beganMs;
  const { text, outcome } = done[verb];
  write(json ? `${JSON.stringify({ outcome, name, ms })}\n` : `${text(name)} (${(ms / 1000).toFixed(1)} s)\n`);
  return exitCodes.done;
};

const done: Readonly<Record<SnapshotOrder, { readonly outcome: string; readonly text: (name: string) => string }>> = {
  save: { outcome: 'saved', text: (name) => `kept as ${name}; the machine goes on` },
  restore: { outcome: 'restored', text: (name) => `the machine goes on from ${name}` },
};

const sentences: Readonly<Record<string, (name: string) => string>> = {
  'unavailable/not-found': (name) => `no snapshot is called ${name}: ./enigm-sim snapshot list`,
  'unavailable/link-down': () => 'the machine takes no orders now: it starts, or has ended',
  'unavailable/not-supported': (name) =>
    `${name} was kept by another emulator or of another image: only a machine of that goes on`,
};
const sentenceOf = (verb: SnapshotOrder, name: string, fault: Fault): string =>
  sentences[codeOf(fault)]?.(name) ??
  `${verb} ${name}: ${codeOf(fault)}${fault.detail === undefined ? '' : ` (${fault.detail})`}`;

const list = ({ write }: Context, { directory, json = false }: SnapshotOptions): number => {
  const kept = keptSnapshots(folderOf(directory)).map(({ name, savedAtMs, bytes }) => ({
    ...{ name, savedAt: new Date(savedAtMs).toISOString(), bytes },
  }));
  if (json) write(`${JSON.stringify({ snapshots: kept })}\n`);
  else if (kept.length === 0) write('no snapshot is kept: ./enigm-sim snapshot save NAME keeps one\n');
  else
    for (const { name, savedAt, bytes } of kept)
      write(`${name.padEnd(32)} ${savedAt}  ${String(Math.round(bytes / 1024 ** 2)).padStart(5)} MiB\n`);
  return exitCodes.done;
};

const remove = ({ write, complain }: Context, name: string, { directory, json = false }: SnapshotOptions): number => {
  if (!removeSnapshot(folderOf(directory), name)) {
    complain(`no snapshot is called ${name}: ./enigm-sim snapshot list`);
    return exitCodes.failed;
  }
  write(json ? `${JSON.stringify({ outcome: 'removed', name })}\n` : `${name} is removed\n`);
  return exitCodes.done;
};
