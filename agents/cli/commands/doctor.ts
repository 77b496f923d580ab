/** enigmctl doctor: what is missing on this machine, each in one sentence with how to get it. */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { findingWords } from '#agents/posture/words';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { exitCodes } from '../exit-codes.ts';
import { packages } from '../packages.ts';
import { readings } from '../readings.ts';

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
        const unread = await unreadFindings(runDirectory);
        const lines = [
          ...checks.map(({ isFine, text }) => `${isFine ? 'ok      ' : 'MISSING '} ${text}`),
          ...unread.map(({ text }) => `unread   ${text}`),
        ];
        console.print(lines.join('\n'), { checks, unread });
        return checks.every(({ isFine }) => isFine) ? exitCodes.done : exitCodes.failed;
      }),
    );
};

const packageChecks = (): readonly Check[] =>
  packages.map(({ name, probes, reason, tier }) => {
    const isFine = probes.some((probe) => existsSync(probe));
    return { name, isFine, text: isFine ? `${name}: ${reason}` : `${name} (${reason}; ${tier}): apt-get install ${name}` };
  });

/** What the device could not read about its machine: no fault of the set-up, but a level stays out of reach. */
const unreadFindings = (runDirectory: string): Promise<readonly { readonly id: string; readonly text: string }[]> =>
  withDevice(runDirectory, async (device) => {
    const posture = await device.call('posture.read', {});
    if (!posture.ok) return [];
    return posture.value.findings.flatMap(({ id, result }) => {
      const reading = readings[id];
      if (result !== 'unknown' || reading === undefined) return [];
      return [{ id, text: `${findingWords(id).title}: ${reading.file} cannot be read here; ${reading.remedy}` }];
    });
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
