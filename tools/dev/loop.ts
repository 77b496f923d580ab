/** From an edit to what the program says in the machine: built, put there, started again, heard. */
import { codeOf, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { programOutput } from '#sim/qemu/program-output';
import { swapProgram } from '#sim/qemu/swap';
import type { Workbench } from '#sim/qemu/workbench';
import type { Bundle, ProgramBuilds } from './programs.ts';
import type { Watch } from './watch.ts';

export interface LoopParts {
  readonly bench: Pick<Workbench, 'machine' | 'device'>;
  readonly builds: ProgramBuilds;
  readonly watch: Watch;
  readonly clock: Clock;
  readonly say: (line: string) => void;
}

const lookMs = 150;

/** Until the signal aborts, or the machine ends. @returns why it ended before */
export const editLoop = async (parts: LoopParts, signal: AbortSignal): Promise<string | undefined> => {
  const { bench, builds, watch, clock, say } = parts;
  /** Programs that were swapped, and from when on they are waited for. */
  const awaited = new Map<string, { readonly editedMs: number; hasEnded: boolean }>();
  const put = async (bundle: Bundle, editedMs: number): Promise<void> => {
    const swapped = await swapProgram(bench.machine, bench.device, bundle.name, bundle.bytes);
    if (!swapped.ok) return say(`${bundle.name}: ${codeOf(swapped.fault)} ${swapped.fault.detail ?? ''}`);
    say(`${bundle.name}: in the machine ${seconds(clock.bootMs() - editedMs)} after the edit`);
    awaited.set(bundle.name, { editedMs, hasEnded: false });
  };
  const hear = (line: string): void => {
    say(line);
    for (const [name, wait] of awaited) {
      // What it says before the supervisor saw its end is still the old one's.
      if (line.includes('"program.ended"') && line.includes(`"program":"${name}"`)) wait.hasEnded = true;
      else if (wait.hasEnded && line.includes(`"program":"enigm-${name}"`)) {
        awaited.delete(name);
        say(`${name}: speaks ${seconds(clock.bootMs() - wait.editedMs)} after the edit`);
      }
    }
  };
  while (!signal.aborted) {
    const changes = watch.changes();
    if (changes !== undefined) {
      const fresh = await attempted(() => builds.build(changes.paths), say);
      for (const bundle of fresh) await put(bundle, changes.noticedMs);
    }
    const said: Result<readonly string[]> = await programOutput(bench.machine);
    if (!said.ok) return signal.aborted ? undefined : codeOf(said.fault);
    for (const line of said.value) hear(line);
    await clock.sleep(lookMs, signal);
  }
  return undefined;
};

/** A source that does not build is what somebody is about to mend. */
const attempted = async (build: () => Promise<readonly Bundle[]>, say: (line: string) => void): Promise<readonly Bundle[]> => {
  try {
    return await build();
  } catch {
    say('not built: the programs of the machine stay as they are');
    return [];
  }
};

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
