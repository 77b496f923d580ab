/**
 * Started by the script of recovery where no slot starts, out of recovery's own root file system: fetches the repair
 * release, writes it, and has it start next (SR-12, SR-33). It has no secret, opens no data, and starts no program of a slot.
 *
 * Whom it believes is in its own signed image. Where it fetches from is not: no certificate is asked for there, since it
 * would prove nothing that the signatures do not, and needs a clock that a device in recovery may not have (SR-16).
 *
 * usage: node recover.cjs
 * Says to the kernel's log what it does. Ends with 0 where the machine is to be restarted, with 1 where nothing changes by
 * that.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { recoveryMachine } from '#agents/recovery/machine';
import { mirrorUrl } from '#agents/recovery/mirror';
import { repair } from '#agents/recovery/repair';
import { parseRepairTrust } from '#agents/recovery/repair-trust';
import { kernelLogPath } from '#agents/supervisor/kernel-log';
import { attempt, causeOf, codeOf, deny, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { linuxCommands } from '#hal/linux/commands';
import { linuxEfiVariables } from '#hal/linux/efi-variables';
import { httpsRange } from '#hal/linux/https-range';
import { mirrorPath, repairTrustPath, startEndedPath } from './layout.ts';

/** Level KERN_ERR, which a quiet kernel shows on the console too. */
const say = (line: string) => writeFileSync(kernelLogPath, `<3>enigm recovery: ${line}\n`);
const never = new AbortController().signal;

const textOf = (path: string): Result<string> =>
  attempt(
    () => readFileSync(path, 'utf8'),
    (cause) => deny('unavailable', 'not-supported', cause),
  );

const main = async (): Promise<Result<void>> => {
  const trustFile = textOf(repairTrustPath);
  if (!trustFile.ok) return trustFile;
  const trust = parseRepairTrust(trustFile.value);
  if (!trust.ok) return trust;
  const clock = linuxClock();
  const variables = linuxEfiVariables(linuxCommands());
  const machine = await recoveryMachine({ variables, clock, startEndedPath: startEndedPath('/run') });
  if (!machine.ok) return machine;
  const mirrorFile = textOf(mirrorPath);
  if (!mirrorFile.ok) return mirrorFile;
  const url = mirrorUrl(mirrorFile.value);
  if (!url.ok) return url;
  const files = httpsRange({ repository: { url: url.value } });
  return repair(
    {
      ...machine.value,
      ...{ crypto: nodeCrypto, trust: trust.value, clock, say },
      read: (path, offset, mostBytes, signal) => files.read('repository', path, offset, mostBytes, signal),
    },
    never,
  );
};

void main().then(
  (repaired) => {
    say(
      repaired.ok
        ? 'a repair is next to start'
        : `nothing was repaired: ${codeOf(repaired.fault)} ${repaired.fault.detail ?? ''}`,
    );
    process.exit(repaired.ok ? 0 : 1);
  },
  (error: unknown) => {
    say(`nothing was repaired: ${causeOf(error)}`);
    process.exit(1);
  },
);
