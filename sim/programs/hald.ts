/**
 * The hands of a simulated device: the same hands, over a software TPM, with a simulated firmware before them and a
 * simulated power switch. Not a part of any release (SR-04).
 */

import { join } from 'node:path';
import { startHands } from '#agents/hands/hands';
import { deviceLayout } from '#agents/programs/layout';
import { aborted, exitCode, runProgram } from '#agents/programs/runtime';
import { done, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { fileBootLog } from '#hal/linux/boot-log';
import { linuxClock } from '#hal/linux/clock';
import { openDurableStore } from '#hal/linux/durable-store';
import { nftNetPolicy } from '#hal/linux/nft-policy';
import { linuxPlatform } from '#hal/linux/platform';
import { systemRandom } from '#hal/linux/random';
import { memoryManaged } from '#hal/memory/managed';
import { nativeCommands } from '#hal/native/commands-native';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { peerCredentials } from '#hal/native/peer';
import { bootMachine } from '#sim/machine/firmware';
import { imageOf } from '#sim/machine/image';
import { simulatedLayout } from '#sim/machine/layout';
import { spooledSignals } from '#sim/machine/syscalls-spool';

/** Long enough for the answer to leave the socket. */
const powerDelayMs = 20;

runProgram('enigm-hald', ['directory', 'run', 'addon', 'tpm', 'programs', 'network'], async ({ options, log, signal }) => {
  const { hands } = deviceLayout(options.directory);
  const { firmware, signals, tpm } = simulatedLayout(options.directory);
  const clock = linuxClock();
  const esys = unwrap(
    await openSimulatedEsys(
      options.tpm === 'embedded'
        ? { addon: options.addon, embedded: tpm }
        : { addon: options.addon, swtpm: { path: options.tpm } },
    ),
  );
  const boot = unwrap(await bootMachine(esys, firmware, imageOf(options.programs), systemRandom));
  const restart = new AbortController();
  const peer = unwrap(peerCredentials(options.addon, 'sim'));
  const running = unwrap(
    await startHands({
      esys,
      crypto: nodeCrypto,
      clock,
      random: systemRandom,
      log,
      bootLog: fileBootLog(boot.logPath),
      platform: linuxPlatform(),
      signals: spooledSignals(signals),
      power: {
        reboot: async (cause) => {
          log.info('power.reboot', { cause });
          void clock.sleep(powerDelayMs, signal).then(() => restart.abort());
          return done;
        },
      },
      managed: {
        ...memoryManaged(clock),
        ...(options.network === 'none'
          ? {}
          : { network: nftNetPolicy(unwrap(nativeCommands(options.addon, 'sim', options.network.split(' '))), clock) }),
      },
      bootId: boot.bootId,
      isSimulated: true,
      store: unwrap(openDurableStore(join(hands, 'hands.db'))),
      runDirectory: options.run,
      admits: (socket) => peer(socket)?.userId === process.getuid?.(),
    }),
  );
  log.info('program.ready');
  await Promise.race([aborted(signal), aborted(restart.signal)]);
  await running.close();
  return restart.signal.aborted ? exitCode.reboot : exitCode.done;
});
