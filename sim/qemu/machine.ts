/** A running machine: what a person at it can do and see, and what can happen to it. */
import type { Duplex } from 'node:stream';
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { networkCard } from './arguments.ts';
import type { QemuDevice } from './device.ts';
import { diskFaultSetter } from './disk-faults.ts';
import type { DiskFault } from './disk-node.ts';
import { type Emulator, type EmulatorOptions, startEmulator } from './emulator.ts';
import type { QmpEvent } from './qmp.ts';
import { cpuSecondsOfChild } from './tied-process.ts';

export interface RunningMachine extends AsyncDisposable {
  /** What it has said on its serial line since this power-on. */
  serial(): string;
  /**
   * Waits for a text on the serial line, which may be there already.
   * @param fromCharacter what was said before does not count. @returns its first group, or all of it
   */
  until(pattern: RegExp, withinMs?: number, fromCharacter?: number): Promise<Result<string>>;
  /** Types a line at the shell of the simulator's image. @returns what came of it, without the prompt */
  shell(line: string, withinMs?: number): Promise<Result<string>>;
  /** Joins somebody to the serial line, until they leave. */
  attach(person: Duplex): void;
  events(): readonly QmpEvent[];
  /** Socket of its line to the simulator. */
  readonly link: string;
  /** Socket of the line to its Key. */
  readonly key: string;
  /** The reset line: the watchdog of the hardware, or a finger on the button. */
  reset(): Promise<Result<unknown>>;
  setNetwork(isUp: boolean): Promise<Result<unknown>>;
  /** Its clock jumps, as by a person who sets it. */
  setClock(nowMs: number): Promise<Result<unknown>>;
  /** Errors of its disk from now on, in place of those that were set while it ran. */
  setDiskFaults(faults: readonly DiskFault[]): Promise<Result<void>>;
  /** Processor seconds that the emulator has used, user and system. */
  cpuSeconds(): number;
  isOn(): boolean;
  /** In order: its kernel shuts its devices down, the TPM among them. @returns whether it ended by itself */
  powerOff(): Promise<boolean>;
  /** As when the battery is taken out. */
  powerCut(): Promise<void>;
  /** Stops it for good, and writes all of it but its media to a file. */
  saveState(path: string): Promise<Result<void>>;
}

const lookMs = 20;
const bootWithinMs = 240_000;
const answerWithinMs = 60_000;
const moveWithinMs = 60_000;
const offWithinMs = 30_000;
const never = new AbortController().signal;

/** @returns the machine, its firmware just started, or where the saved state left it */
export const powerOn = async (device: QemuDevice, options: EmulatorOptions): Promise<Result<RunningMachine>> => {
  const started = await startEmulator(device, options);
  if (!started.ok) return started;
  if (options.savedState !== undefined) {
    const resumed = await resume(started.value, options.clock);
    if (!resumed.ok) {
      await started.value.stop();
      return resumed;
    }
  }
  return ok(runningMachine(started.value, options.clock));
};

const runningMachine = ({ process, qmp, serial: line, link, key, events, stop }: Emulator, clock: Clock): RunningMachine => {
  let serial = '';
  line.on('data', (text: string) => {
    serial += text;
  });
  const after = async (from: number, pattern: RegExp, withinMs: number): Promise<Result<string>> => {
    for (const untilMs = clock.bootMs() + withinMs; clock.bootMs() < untilMs; await clock.sleep(lookMs, never)) {
      const found = pattern.exec(serial.slice(from));
      if (found !== null) return ok(found[1] ?? found[0]);
      if (!process.isRunning()) return deny('unavailable', 'link-down', `QEMU ended: ${process.said()}`);
    }
    return deny('resource', 'time-limit', `${pattern} after ${serial.slice(-400)}`);
  };
  let asked = 0;
  const machine: RunningMachine = {
    serial: () => serial,
    until: (pattern, withinMs = bootWithinMs, fromCharacter = 0) => after(fromCharacter, pattern, withinMs),
    async shell(text, withinMs = answerWithinMs) {
      asked += 1;
      const from = serial.length;
      // The echo of the line has the mark in two parts, so only the answer matches.
      line.write(`echo "<${asked}""begin>"; ${text}; echo "<${asked}""end>"\n`);
      const said = await after(from, new RegExp(`<${asked}begin>\\r?\\n([^]*?)<${asked}end>`), withinMs);
      return said.ok ? ok(said.value.replaceAll('\r\n', '\n').trimEnd()) : said;
    },
    attach(person) {
      const show = (text: string) => person.write(text);
      line.on('data', show);
      person
        .on('data', (bytes) => line.write(bytes))
        .on('error', () => undefined)
        .on('close', () => line.off('data', show));
    },
    events: () => [...events],
    link,
    key,
    reset: () => qmp.command('system_reset'),
    setNetwork: (isUp) => qmp.command('set_link', { name: networkCard, up: isUp }),
    setClock: (nowMs) => machine.shell(`date -u -s @${Math.round(nowMs / 1000)}`),
    setDiskFaults: diskFaultSetter(qmp),
    cpuSeconds: () => cpuSecondsOfChild(process.child),
    isOn: () => process.isRunning(),
    async powerOff() {
      line.write('sync; poweroff -f\n');
      for (const untilMs = clock.bootMs() + offWithinMs; clock.bootMs() < untilMs; await clock.sleep(lookMs, never))
        if (!process.isRunning()) break;
      const isOff = !process.isRunning();
      await stop();
      return isOff;
    },
    powerCut: stop,
    async saveState(path) {
      for (const [name, words] of [
        ['stop', {}],
        ['migrate', { uri: `exec:zstd -1 -T2 -qf -o ${path}` }],
      ] as const) {
        const done = await qmp.command(name, words);
        if (!done.ok) return done;
      }
      const saved = await moved(qmp, clock, 'query-migrate', (status) => status === 'completed');
      await stop();
      return saved;
    },
    [Symbol.asyncDispose]: stop,
  };
  return machine;
};

/** Waits until all of a saved state is there, and lets the machine go on. */
const resume = async ({ qmp }: Emulator, clock: Clock): Promise<Result<unknown>> => {
  const loaded = await moved(qmp, clock, 'query-status', (status) => status !== 'inmigrate');
  return loaded.ok ? qmp.command('cont') : loaded;
};

const moved = async (
  qmp: Emulator['qmp'],
  clock: Clock,
  question: 'query-migrate' | 'query-status',
  isThere: (status: string) => boolean,
): Promise<Result<void>> => {
  for (const untilMs = clock.bootMs() + moveWithinMs; clock.bootMs() < untilMs; await clock.sleep(lookMs, never)) {
    const answer = await qmp.command(question);
    if (!answer.ok) return answer;
    const { status = '' } = answer.value as { readonly status?: string };
    if (status === 'failed') return deny('unavailable', 'storage-failed', 'the state of the machine');
    if (isThere(status)) return ok(undefined);
  }
  return deny('resource', 'time-limit', question);
};
