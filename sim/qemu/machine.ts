/**
 * A running machine: QEMU with a TPM of its own. Every one is bounded in time, and ends with whoever started it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { machineArguments, networkCard, qemu, sockets } from './arguments.ts';
import type { QemuDevice } from './device.ts';
import { openQmp, type Qmp, type QmpEvent } from './qmp.ts';

export interface PowerOnOptions {
  readonly clock: Clock;
  readonly memoryMiB?: number;
  readonly deletesEntries?: boolean;
  /** A machine that runs longer is ended. */
  readonly limitMs?: number;
}

export interface RunningMachine extends AsyncDisposable {
  /** What it has said on its serial line since it was started. */
  serial(): string;
  /** Waits for a text on the serial line, behind what is there already. */
  until(pattern: RegExp, withinMs?: number): Promise<Result<string>>;
  /** Types a line at the shell of the simulator's image. @returns what came of it, without the prompt */
  shell(line: string, withinMs?: number): Promise<Result<string>>;
  events(): readonly QmpEvent[];
  /** The hardware's own watchdog, or a finger on the button. */
  reset(): Promise<Result<unknown>>;
  setNetwork(isUp: boolean): Promise<Result<unknown>>;
  /** Processor seconds that QEMU has used, user and system. */
  cpuSeconds(): number;
  isOn(): boolean;
  /** As when the battery is taken out. */
  powerCut(): Promise<void>;
}

const defaultMemoryMiB = 768;
const defaultLimitMs = 10 * 60_000;
const socketWithinMs = 10_000;
const lookMs = 20;
const bootWithinMs = 240_000;
const answerWithinMs = 60_000;
const never = new AbortController().signal;
/** Kernel clock ticks, USER_HZ. */
const ticksPerSecond = 100;

/** @returns the machine, its firmware just started; or `unavailable/not-supported` with what QEMU said */
export const powerOn = async (device: QemuDevice, options: PowerOnOptions): Promise<Result<RunningMachine>> => {
  const { clock, memoryMiB = defaultMemoryMiB, deletesEntries = false, limitMs = defaultLimitMs } = options;
  if (!existsSync(qemu)) return deny('unavailable', 'not-supported', 'QEMU is not installed (make setup-machine)');
  const run = mkdtempSync(join(tmpdir(), 'enigm-q'));
  const tpmSocket = join(run, 'tpm.sock');
  mkdirSync(device.tpm, { recursive: true, mode: 0o700 });
  const tpm = start('swtpm', [
    ...['socket', '--tpm2', '--tpmstate', `dir=${device.tpm}`, '--ctrl', `type=unixio,path=${tpmSocket}`, '--terminate'],
  ]);
  const events: QmpEvent[] = [];
  let serial = '';
  let emulator: Started | undefined;
  let qmp: Qmp | undefined;
  let line: Socket | undefined;
  const stop = async (): Promise<void> => {
    qmp?.close();
    line?.destroy();
    emulator?.child.kill('SIGKILL');
    tpm.child.kill('SIGTERM');
    await Promise.all([emulator?.ended, tpm.ended]);
    rmSync(run, { recursive: true, force: true });
  };
  const fail = async (why: string): Promise<Result<never>> => {
    await stop();
    return deny('unavailable', 'not-supported', why);
  };
  if (!(await isThere(tpmSocket, clock))) return fail(`swtpm does not start: ${tpm.said()}`);
  const words = machineArguments({
    ...{ variables: device.variables, disk: device.disk, tpm: tpmSocket, run, serialLog: device.serialLog },
    ...{ memoryMiB, deletesEntries, siteDisk: device.site },
  });
  // Killed, `timeout` takes QEMU with it; told to end, or when its time is over, it ends QEMU in order.
  emulator = start('timeout', ['-k', '5', String(Math.ceil(limitMs / 1000)), ...tied, qemu, ...words]);
  if (!(await isThere(join(run, sockets.control), clock))) return fail(`QEMU does not start: ${emulator.said()}`);
  const opened = await openQmp(join(run, sockets.control), (event) => events.push(event));
  if (!opened.ok) return fail(emulator.said());
  qmp = opened.value;
  line = connect(join(run, sockets.serial));
  line.on('error', () => undefined);
  line.setEncoding('utf8').on('data', (text: string) => {
    serial += text;
  });
  const running = emulator;
  const control = opened.value;
  const typed = line;

  const after = async (from: number, pattern: RegExp, withinMs: number): Promise<Result<string>> => {
    const untilMs = clock.bootMs() + withinMs;
    while (clock.bootMs() < untilMs) {
      const found = pattern.exec(serial.slice(from));
      if (found !== null) return ok(found[1] ?? found[0]);
      if (running.child.exitCode !== null) return deny('unavailable', 'link-down', `QEMU ended: ${running.said()}`);
      await clock.sleep(lookMs, never);
    }
    return deny('resource', 'time-limit', `${pattern} after ${serial.slice(-400)}`);
  };
  let asked = 0;
  return ok({
    serial: () => serial,
    until: (pattern, withinMs = bootWithinMs) => after(0, pattern, withinMs),
    async shell(text, withinMs = answerWithinMs) {
      asked += 1;
      const from = serial.length;
      // The echo of the line has the mark in two parts, so only the answer matches.
      typed.write(`echo "<${asked}""begin>"; ${text}; echo "<${asked}""end>"\n`);
      const said = await after(from, new RegExp(`<${asked}begin>\\r?\\n([^]*?)<${asked}end>`), withinMs);
      return said.ok ? ok(said.value.replaceAll('\r\n', '\n').trimEnd()) : said;
    },
    events: () => [...events],
    reset: () => control.command('system_reset'),
    setNetwork: (isUp) => control.command('set_link', { name: networkCard, up: isUp }),
    cpuSeconds: () => cpuSecondsOf(running.child),
    isOn: () => running.child.exitCode === null && running.child.signalCode === null,
    powerCut: stop,
    [Symbol.asyncDispose]: stop,
  });
};

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  said(): string;
}

/** What stands before a program that the kernel is to end when whoever started it is gone, however that happens. */
const tied = ['setpriv', '--pdeathsig', 'KILL'] as const;

const start = (program: string, words: readonly string[]): Started => {
  const [command = '', ...rest] = [...tied, program, ...words];
  const child = spawn(command, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  return { child, ended, said: () => said.trim() };
};

/** Of the one child of `timeout`: fields utime and stime of /proc/PID/stat (proc(5)). */
const cpuSecondsOf = ({ pid = 0 }: ChildProcess): number => {
  try {
    const emulator = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    const fields = readFileSync(`/proc/${emulator}/stat`, 'latin1').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return 0;
  }
};

const isThere = async (path: string, clock: Clock): Promise<boolean> => {
  for (let waitedMs = 0; waitedMs < socketWithinMs; waitedMs += lookMs) {
    if (existsSync(path)) return true;
    await clock.sleep(lookMs, never);
  }
  return false;
};
