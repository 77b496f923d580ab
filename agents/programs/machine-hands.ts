/**
 * The hands of a machine: the kernel's TPM, the firmware's own log, slots on partitions, the machine's power. What no
 * adapter of Linux has here comes from the entry that starts them.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DeviceFloor, deviceFloor } from '#agents/hands/device-floor';
import { type Door, startHands } from '#agents/hands/hands';
import { withPhase } from '#agents/hands/phase-log';
import type { HealthProbe } from '#agents/hands/updates';
import { installed } from '#agents/package/places';
import { parseFloorApprovals } from '#hal/core/floor-approval';
import { attempt, codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { kernelBootId } from '#hal/linux/boot-id';
import { fileBootLog, kernelBootLogPath } from '#hal/linux/boot-log';
import { linuxClock } from '#hal/linux/clock';
import { openDurableStore } from '#hal/linux/durable-store';
import { nftNetPolicy } from '#hal/linux/nft-policy';
import { linuxPlatform } from '#hal/linux/platform';
import { sysrqPower } from '#hal/linux/power';
import { systemRandom } from '#hal/linux/random';
import { noUpdates } from '#hal/linux/unsupported';
import { userIdOf } from '#hal/linux/user-id';
import { nativeBlockDigests } from '#hal/native/block-digests';
import { nativeCommands } from '#hal/native/commands-native';
import { type Esys, openEsys } from '#hal/native/esys';
import { peerCredentials } from '#hal/native/peer';
import { esysFloor } from '#hal/native/tpm-floor';
import type { AppHost } from '#hal/ports/app-host';
import type { RunningSlot } from '#hal/ports/boot-control';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Signals } from '#hal/ports/signals';
import type { Supply } from '#hal/ports/supply';
import type { Switches } from '#hal/ports/switches';
import { deviceLayout, floorApprovalsPath, startEndedPath } from './layout.ts';
import { machineUpdates } from './machine-updates.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

/** What `unlock.ts` says of a data partition that it did not open. */
const closedData = 'closed';
/** The kernel's resource manager of the first TPM; not an option, so that nothing can name another (SR-04). */
const tpmDevice = '/dev/tpmrm0';

/** Long enough for the answer to leave the machine, by way of a mind that may be busy. */
const powerDelayMs = 2_000;

export interface MachineParts {
  readonly signals: Signals;
  readonly supply: Supply;
  readonly switches: Switches;
  readonly apps: AppHost;
  /** What else its health depends on. */
  readonly probes?: (running: () => Promise<Result<RunningSlot>>) => readonly HealthProbe[];
  readonly isSimulated: boolean;
}

/** @returns the floor, or why this image brings none */
const floorOf = (esys: Esys, store: DurableStore): Result<DeviceFloor> => {
  const json = attempt(
    () => readFileSync(floorApprovalsPath, 'utf8'),
    (cause) => deny('unavailable', 'not-supported', cause),
  );
  if (!json.ok) return json;
  const approvals = parseFloorApprovals(json.value);
  return approvals.ok ? ok(deviceFloor(esysFloor(esys, approvals.value), store)) : approvals;
};

/** Runs to the end of the program. */
export const runMachineHands = ({ signals, supply, switches, apps, probes, isSimulated }: MachineParts): void =>
  runProgram(
    'enigm-hald',
    ['directory', 'run', 'tpm-run', 'addon', 'data', 'mind-user', 'mouth-user', 'relay-user'],
    async ({ options, log, signal, ready }) => {
      const esys = unwrap(await openEsys({ addon: options.addon, device: tpmDevice }));
      const peer = unwrap(peerCredentials(options.addon, 'release'));
      const clock = linuxClock();
      const commands = unwrap(nativeCommands(options.addon, 'release'));
      const store = unwrap(openDurableStore(join(deviceLayout(options.directory).hands, 'hands.db')));
      const floor = floorOf(esys, store);
      const updates = await machineUpdates({
        ...{ commands, clock, log, store, floor, startEndedPath: startEndedPath(installed.runDirectory) },
        digestsFor: unwrap(nativeBlockDigests(options.addon, 'release')),
        ...(probes === undefined ? {} : { probes }),
      });
      if (!updates.ok) log.warn('updates.none', { code: codeOf(updates.fault), cause: updates.fault.detail ?? '' });
      const userOf: Readonly<Record<Door, number>> = {
        mind: unwrap(userIdOf(options['mind-user'])),
        mouth: unwrap(userIdOf(options['mouth-user'])),
        relay: unwrap(userIdOf(options['relay-user'])),
        factory: 0,
      };
      const hands = unwrap(
        await startHands({
          esys,
          crypto: nodeCrypto,
          clock,
          random: systemRandom,
          log,
          bootLog: withPhase(fileBootLog(kernelBootLogPath)),
          platform: linuxPlatform(),
          ...{ signals, supply },
          power: sysrqPower('/proc/sysrq-trigger', () => clock.sleep(powerDelayMs, signal)),
          managed: {
            network: nftNetPolicy(commands, clock, { relay: userOf.relay, mouth: userOf.mouth }),
            switches,
            apps,
          },
          updates: updates.ok ? updates.value : noUpdates,
          floor: floor.ok ? floor.value : undefined,
          bootId: unwrap(kernelBootId()),
          isSimulated,
          store,
          dataFault: options.data === closedData ? deny('integrity', 'data-closed').fault : undefined,
          runDirectory: options.run,
          tpmDirectory: options['tpm-run'],
          admits: (socket, door) => peer(socket)?.userId === userOf[door],
        }),
      );
      ready();
      await aborted(signal);
      await hands.close();
      return exitCode.done;
    },
  );
