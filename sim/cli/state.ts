/** Whether a simulator runs in a directory, as text for people or as one JSON object. */
import type { Context } from './context.ts';
import { exitCodes } from './exit-codes.ts';
import { pageLink } from './page-link.ts';
import type { DeviceKind } from './places.ts';
import { findRunning } from './running.ts';

export const kindNames: Readonly<Record<DeviceKind, string>> = {
  embedded: 'TPM embedded',
  swtpm: 'TPM swtpm',
  qemu: 'a machine in QEMU',
};

/** How a person ends a device that runs, and how to talk to it. */
export const hint = ({ home }: Context, directory: string, runDirectory: string, ends: string): string =>
  `(${ends} ends the device; ./enigmctl ${directory === home ? '' : `--run ${runDirectory} `}talks to it meanwhile)`;

/** @returns `done` where one runs, `failed` where none does */
export const showRunning = ({ write }: Context, directory: string, isJson: boolean): number => {
  const found = findRunning(directory);
  if (found.state !== 'running') {
    const { text, json } =
      found.state === 'none'
        ? { text: 'no simulated device runs: ./enigm-sim up starts one', json: {} }
        : {
            text: `no simulated device runs: process ${found.running.processId} was killed; ./enigm-sim down removes what it left, ./enigm-sim up starts again`,
            json: { killedProcessId: found.running.processId },
          };
    write(isJson ? `${JSON.stringify({ isRunning: false, ...json })}\n` : `${text}\n`);
    return exitCodes.failed;
  }
  const { command, processId, kind, directory: device, runDirectory, isReady } = found.running;
  const page = pageLink(runDirectory);
  if (isJson) {
    const link = page === undefined ? {} : { page };
    write(
      `${JSON.stringify({ isRunning: true, isReady, command, processId, kind, directory: device, runDirectory, ...link })}\n`,
    );
    return exitCodes.done;
  }
  const lines = [
    `a simulated device ${isReady ? 'runs' : 'is busy starting or living its day'} (${command}, process ${processId}, ${kindNames[kind]})`,
    `  kept in ${device}`,
    `  sockets in ${runDirectory}`,
    ...(page === undefined ? [] : [`Trust Security Center: ${page}`]),
  ];
  write(`${lines.join('\n')}\n`);
  return exitCodes.done;
};
