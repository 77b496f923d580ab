/** A terminal with a software TPM behind it, under the name of the kernel's device: what a release opens (SR-04). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, existsSync, openSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startSwtpm } from './swtpm.fixture.ts';

/** TPM2_Startup(CLEAR), TPM 2.0 Part 3 §9.3: what firmware sends before a kernel runs. */
const startup = Buffer.from('80010000000c000001440000', 'hex');

/** @param commandPath the command socket of swtpm */
export const tpmLine = async (commandPath: string, path: string): Promise<AsyncDisposable> => {
  const firmware = connect(commandPath);
  firmware.write(startup);
  await once(firmware, 'data');
  firmware.destroy();
  const socat = spawn('socat', [`PTY,link=${path},rawer`, `UNIX-CONNECT:${commandPath}`], { stdio: 'ignore' });
  for (let waitedMs = 0; !existsSync(path) && waitedMs < 10_000; waitedMs += 20) await setTimeout(20);
  return {
    [Symbol.asyncDispose]: async () => {
      if (socat.exitCode === null && socat.signalCode === null) {
        const gone = once(socat, 'exit');
        socat.kill('SIGKILL');
        await gone;
      }
      rmSync(path, { force: true });
    },
  };
};

/** A TPM of its own behind such a line, to be opened as often as one likes. @returns the path of the device */
export const startTpmDevice = async (directory: string): Promise<AsyncDisposable & { readonly path: string }> => {
  const swtpm = await startSwtpm(directory);
  const path = join(directory, 'tpmrm0');
  const line = await tpmLine(swtpm.path, path);
  // The line ends with its last opener.
  const held = openSync(path, constants.O_RDWR | constants.O_NOCTTY);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      closeSync(held);
      await line[Symbol.asyncDispose]();
      await swtpm.stop();
    },
  };
};
