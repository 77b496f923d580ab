/** enigmctl doctor: what is missing on this machine, each in one sentence with how to get it. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { exitCodes } from '../exit-codes.ts';
import { packages } from '../packages.ts';

interface Check {
  readonly name: string;
  readonly isFine: boolean;
  readonly text: string;
}

export const doctorCommand = (program: Command, run: Run): void => {
  program
    .command('doctor')
    .description('what is missing on this machine, and how to get it')
    .action(
      run(async ({ console, runDirectory }) => {
        const checks = [...packageChecks(), await deviceCheck(runDirectory)];
        const text = checks.map(({ isFine, text: line }) => `${isFine ? 'ok      ' : 'MISSING '} ${line}`).join('\n');
        console.print(text, { checks });
        return checks.every(({ isFine }) => isFine) ? exitCodes.done : exitCodes.failed;
      }),
    );
};

const packageChecks = (): readonly Check[] =>
  packages.map(({ name, probes, reason, tier }) => {
    const isFine = probes.some((probe) => existsSync(probe));
    return { name, isFine, text: isFine ? `${name}: ${reason}` : `${name} (${reason}; ${tier}): apt-get install ${name}` };
  });

const deviceCheck = (runDirectory: string): Promise<Check> =>
  withDevice(runDirectory, async (device) => {
    const status = await device.call('device.status', {});
    const answers = status.ok || status.fault.reason === 'not-provisioned';
    return {
      name: 'device',
      isFine: answers,
      text: answers
        ? `a device answers in ${runDirectory}`
        : `no device answers in ${runDirectory}: start it, or name its directory with --run`,
    };
  });
