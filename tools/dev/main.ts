/**
 * The edit loop: a machine in an emulator, healthy at once, whose programs are built again, swapped and started again when
 * a source of theirs is saved. Their output is standard output.
 *
 * usage: tsx tools/dev/main.ts     ends with Ctrl-C, and leaves no process; exit code 3: something is not installed
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { labelBytes } from '#agents/programs/code-cache';
import { codeOf } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { missingTools } from '#sim/image/tools';
import { hearPrograms } from '#sim/qemu/program-output';
import { swapProgram } from '#sim/qemu/swap';
import { openWorkbench } from '#sim/qemu/workbench';
import { root } from '#tools/build/bundles';
import { editLoop } from './loop.ts';
import { machinePrograms, programBuilds, sourceFolders } from './programs.ts';
import { watchFolders } from './watch.ts';

const clock = linuxClock();
const say = (line: string) => void process.stderr.write(`${line}\n`);

const main = async (signal: AbortSignal): Promise<number> => {
  const missing = missingTools();
  if (missing.length > 0) {
    say(`make dev needs ${missing.join(', ')}: make setup-machine installs them`);
    return 3;
  }
  const copy = mkdtempSync(join(tmpdir(), 'enigm-dev-'));
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
  const beganMs = clock.bootMs();
  const folder = join(root, 'build/dev');
  const opened = await openWorkbench({ ...{ project: root, folder, copy, clock, random: systemRandom, say } });
  if (!opened.ok) {
    say(`no machine: ${codeOf(opened.fault)} ${opened.fault.detail ?? ''}`);
    return 1;
  }
  await using machine = opened.value.machine;
  say(`the machine answers ${((clock.bootMs() - beganMs) / 1000).toFixed(1)} s after the start`);
  isWorking = true;
  await hearPrograms(machine);
  const known = (name: string) => {
    const path = join(opened.value.programs, `${name}.cjs`);
    return existsSync(path) ? new Uint8Array(readFileSync(path)).subarray(labelBytes) : undefined;
  };
  await using builds = await programBuilds(machinePrograms, known);
  using watch = watchFolders(sourceFolders, () => clock.bootMs());
  for (const { name, bytes } of await builds.build()) {
    const swapped = await swapProgram(machine, opened.value.device, name, bytes);
    say(swapped.ok ? `${name}: newer than the machine, put there` : `${name}: ${codeOf(swapped.fault)}`);
  }
  say('edit a source; Ctrl-C ends');
  const why = await editLoop({ bench: opened.value, builds, watch, clock, say: (line) => console.log(line) }, signal);
  if (why !== undefined) say(`the machine ended: ${why}`);
  return why === undefined ? 0 : 1;
};

/** Whoever ends before there is a machine need not wait for it: it ends with this process. */
let isWorking = false;
const ending = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => {
    if (!isWorking) process.exit(1);
    ending.abort();
  });
process.exit(await main(ending.signal));
