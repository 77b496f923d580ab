/**
 * enigm-hald, the hands: the one program with devices. This is the release entry: the kernel's TPM, the firmware's own
 * log, the machine's power; nothing of a simulator is in it (SR-04).
 */

import { join } from 'node:path';
import { type Door, startHands } from '#agents/hands/hands';
import { withPhase } from '#agents/hands/phase-log';
import { codeOf, deny, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { kernelBootId } from '#hal/linux/boot-id';
import { fileBootLog, kernelBootLogPath } from '#hal/linux/boot-log';
import { linuxClock } from '#hal/linux/clock';
import { openDurableStore } from '#hal/linux/durable-store';
import { nftNetPolicy } from '#hal/linux/nft-policy';
import { linuxPlatform } from '#hal/linux/platform';
import { sysrqPower } from '#hal/linux/power';
import { systemRandom } from '#hal/linux/random';
import { noAppHost, noSignals, noSwitches, noUpdates } from '#hal/linux/unsupported';
import { userIdOf } from '#hal/linux/user-id';
import { nativeCommands } from '#hal/native/commands-native';
import { openEsys } from '#hal/native/esys';
import { peerCredentials } from '#hal/native/peer';
import { deviceLayout, startEndedPath } from './layout.ts';
import { machineUpdates } from './machine-updates.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

/** What `unlock.ts` says of a data partition that it did not open. */
const closedData = 'closed';
/** The kernel's resource manager of the first TPM; not an option, so that nothing can name another (SR-04). */
const tpmDevice = '/dev/tpmrm0';

runProgram(
  'enigm-hald',
  ['directory', 'run', 'addon', 'data', 'mind-user', 'mouth-user', 'relay-user'],
  async ({ options, log, signal }) => {
    const esys = unwrap(await openEsys({ addon: options.addon, device: tpmDevice }));
    const peer = unwrap(peerCredentials(options.addon, 'release'));
    const clock = linuxClock();
    const commands = unwrap(nativeCommands(options.addon, 'release'));
    const store = unwrap(openDurableStore(join(deviceLayout(options.directory).hands, 'hands.db')));
    const updates = await machineUpdates({ commands, clock, store, startEndedPath: startEndedPath(options.run) });
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
        signals: noSignals,
        power: sysrqPower('/proc/sysrq-trigger'),
        managed: {
          network: nftNetPolicy(commands, clock, userOf.relay || undefined),
          switches: noSwitches,
          apps: noAppHost,
        },
        updates: updates.ok ? updates.value : noUpdates,
        bootId: unwrap(kernelBootId()),
        isSimulated: false,
        store,
        dataFault: options.data === closedData ? deny('integrity', 'data-closed').fault : undefined,
        runDirectory: options.run,
        admits: (socket, door) => peer(socket)?.userId === userOf[door],
      }),
    );
    log.info('program.ready');
    await aborted(signal);
    await hands.close();
    return exitCode.done;
  },
);
