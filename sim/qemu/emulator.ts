/** QEMU and the TPM of its machine as two processes, and the sockets through which they are spoken to. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { machineArguments, qemu, sockets, type WriteLogs } from './arguments.ts';
import type { QemuDevice } from './device.ts';
import type { DiskFault } from './disk-node.ts';
import { missingForStart } from './missing.ts';
import { openQmp, type Qmp, type QmpEvent } from './qmp.ts';
import { listens, startTied, type TiedProcess, tied } from './tied-process.ts';

export interface EmulatorOptions {
  readonly clock: Clock;
  readonly memoryMiB?: number;
  readonly deletesEntries?: boolean;
  /** A machine that runs longer is ended. */
  readonly limitMs?: number;
  /** A state that was saved, to go on from: then it waits to be told to. */
  readonly savedState?: string;
  /** Errors of its disk, from power-on. */
  readonly diskFaults?: readonly DiskFault[];
  /** What its clock shows at power-on, if not the time. */
  readonly clockBaseMs?: number;
  /** Where its writes are noted; what is there is overwritten. */
  readonly logs?: WriteLogs;
}

export interface Emulator {
  readonly process: TiedProcess;
  readonly qmp: Qmp;
  readonly serial: Socket;
  /** Socket of its line to the simulator. */
  readonly link: string;
  /** Socket of the line to its Key. */
  readonly key: string;
  readonly events: readonly QmpEvent[];
  /** Ends at once, and leaves neither process nor socket. */
  stop(): Promise<void>;
}

const defaultMemoryMiB = 768;
const defaultLimitMs = 10 * 60_000;
const socketWithinMs = 10_000;

/** @returns both running, or `unavailable/not-supported` with what they said */
export const startEmulator = async (device: QemuDevice, options: EmulatorOptions): Promise<Result<Emulator>> => {
  const { clock, memoryMiB = defaultMemoryMiB, deletesEntries = false, limitMs = defaultLimitMs } = options;
  const { savedState, diskFaults = [], clockBaseMs, logs } = options;
  const missing = missingForStart();
  if (missing !== undefined) return deny('unavailable', 'not-supported', missing);
  const run = mkdtempSync(join(tmpdir(), 'enigm-q'));
  const tpmSocket = join(run, 'tpm.sock');
  mkdirSync(device.tpm, { recursive: true, mode: 0o700 });
  const tpm = startTied('swtpm', [
    ...['socket', '--tpm2', '--tpmstate', `dir=${device.tpm}`, '--ctrl', `type=unixio,path=${tpmSocket}`, '--terminate'],
  ]);
  const parts: { process?: TiedProcess; qmp?: Qmp; serial?: Socket } = {};
  const stop = async (): Promise<void> => {
    parts.qmp?.close();
    parts.serial?.destroy();
    parts.process?.child.kill('SIGKILL');
    tpm.child.kill('SIGTERM');
    await Promise.all([parts.process?.ended, tpm.ended]);
    rmSync(run, { recursive: true, force: true });
  };
  const fail = async (why: string): Promise<Result<never>> => {
    await stop();
    return deny('unavailable', 'not-supported', why);
  };

  if (!(await listens(tpmSocket, clock, socketWithinMs))) return fail(`swtpm does not start: ${tpm.said()}`);
  const words = machineArguments({
    ...{ variables: device.variables, disk: device.disk, tpm: tpmSocket, run, serialLog: device.serialLog },
    ...{ memoryMiB, deletesEntries, siteDisk: device.site },
    ...(savedState === undefined ? {} : { incoming: `exec:zstd -dqc ${savedState}` }),
    ...(logs === undefined ? {} : { logs }),
    ...(clockBaseMs === undefined ? {} : { clockBase: new Date(clockBaseMs).toISOString().slice(0, 19) }),
    diskFaults,
  });
  for (const log of Object.values(logs ?? {})) writeFileSync(log, '');
  // Killed, `timeout` takes QEMU with it; when its time is over, it ends QEMU in order.
  const process = startTied('timeout', ['-k', '5', String(Math.ceil(limitMs / 1000)), ...tied, qemu, ...words]);
  parts.process = process;
  const controlSocket = join(run, sockets.control);
  if (!(await listens(controlSocket, clock, socketWithinMs))) return fail(`QEMU does not start: ${process.said()}`);
  const events: QmpEvent[] = [];
  const opened = await openQmp(controlSocket, (event) => events.push(event));
  if (!opened.ok) return fail(`QEMU does not answer: ${process.said()}`);
  parts.qmp = opened.value;
  const serial = connect(join(run, sockets.serial));
  serial.on('error', () => undefined);
  serial.setEncoding('utf8');
  parts.serial = serial;
  return ok({ process, qmp: opened.value, serial, link: join(run, sockets.link), key: join(run, sockets.key), events, stop });
};
