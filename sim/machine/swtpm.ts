/** A software TPM in a process of its own (swtpm), over two unix sockets: what QEMU and tpm2-tools can use too. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { u32be } from '#hal/core/bytes';
import { attemptAsync, deny, done, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';

export interface SwtpmOptions {
  /** Where the TPM keeps its permanent state; made if missing. One process at a time. */
  readonly stateDirectory: string;
  /** Where the two sockets are made; made if missing. The path must be short (a unix socket's is at most 107 bytes). */
  readonly socketDirectory: string;
  readonly clock: Clock;
}

export interface Swtpm extends AsyncDisposable {
  readonly processId: number;
  /** Commands and responses of the TPM, one client at a time. */
  readonly commandPath: string;
  /** swtpm's control channel, one client at a time. */
  readonly controlPath: string;
  /** Power off and on: registers, sessions and transient objects are gone; the TPM wants `startup`. */
  powerCycle(): Promise<Result<void>>;
  stop(): Promise<void>;
}

const readyWithinMs = 10_000;
const stopWithinMs = 2_000;
const answerWithinMs = 10_000;
const never = new AbortController().signal;

/**
 * Start swtpm, powered on and without TPM2_Startup. It dies with the thread that started it.
 * @returns the TPM, or `unavailable/tpm-missing` with what swtpm said
 */
export const startSwtpm = async ({ stateDirectory, socketDirectory, clock }: SwtpmOptions): Promise<Result<Swtpm>> => {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  mkdirSync(socketDirectory, { recursive: true, mode: 0o700 });
  const commandPath = join(socketDirectory, 'tpm');
  // tpm2-tss's own swtpm transport looks for the control channel under this name.
  const controlPath = `${commandPath}.ctrl`;
  const options = [
    ...['socket', '--tpm2', '--flags', 'not-need-init', '--tpmstate', `dir=${stateDirectory}`],
    ...['--server', `type=unixio,path=${commandPath}`, '--ctrl', `type=unixio,path=${controlPath}`],
  ];
  // The kernel kills it when its parent dies, however that happens; swtpm itself can only follow a connection.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'swtpm', ...options], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  const stop = () => end(child, ended, clock);
  if (!(await isReady(child, controlPath, clock))) {
    await stop();
    return deny('unavailable', 'tpm-missing', `swtpm does not start (apt-get install swtpm): ${said.trim()}`);
  }
  return ok({
    processId: child.pid ?? 0,
    commandPath,
    controlPath,
    powerCycle: () => control(controlPath, controlCommand.init, u32be(0)),
    stop,
    [Symbol.asyncDispose]: stop,
  });
};

const isRunning = (child: ChildProcess): boolean =>
  child.pid !== undefined && child.exitCode === null && child.signalCode === null;

const isReady = async (child: ChildProcess, controlPath: string, clock: Clock): Promise<boolean> => {
  for (let waitedMs = 0; waitedMs < readyWithinMs; waitedMs += 5) {
    if (!isRunning(child)) return false;
    if ((await control(controlPath, controlCommand.getCapability)).ok) return true;
    await clock.sleep(5, never);
  }
  return false;
};

const end = async (child: ChildProcess, ended: Promise<void>, clock: Clock): Promise<void> => {
  if (isRunning(child)) child.kill('SIGTERM');
  const patience = new AbortController();
  const tooLate = clock.sleep(stopWithinMs, patience.signal);
  await Promise.race([ended, tooLate]);
  if (isRunning(child)) child.kill('SIGKILL');
  patience.abort();
  await ended;
};

/** swtpm, tpm_ioctl.h: a command is its number and its parameters, an answer begins with a result; all big-endian. */
const controlCommand = { getCapability: 1, init: 2 } as const;

/** @returns nothing, or `unavailable/tpm-failed` */
const control = async (path: string, command: number, parameters: Uint8Array = new Uint8Array()): Promise<Result<void>> => {
  const answer = await attemptAsync(
    async () => {
      const socket = connect(path);
      try {
        await once(socket, 'connect');
        socket.write(Buffer.concat([u32be(command), parameters]));
        return await firstWord(socket);
      } finally {
        socket.destroy();
      }
    },
    (cause) => deny('unavailable', 'tpm-failed', `swtpm's control channel: ${cause}`),
  );
  if (!answer.ok) return answer;
  return answer.value === 0
    ? done
    : deny('unavailable', 'tpm-failed', `swtpm refused control command ${command}: ${answer.value}`);
};

const firstWord = async (socket: Socket): Promise<number> => {
  const signal = AbortSignal.timeout(answerWithinMs);
  let received = Buffer.alloc(0);
  while (received.length < 4) {
    const [data] = (await once(socket, 'data', { signal })) as [Buffer];
    received = Buffer.concat([received, data]);
  }
  return received.readUInt32BE(0);
};
