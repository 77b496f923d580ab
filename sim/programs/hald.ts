/**
 * The hands of a simulated device: the same hands, over a software TPM, with a simulated firmware before them and a
 * simulated power switch. Not a part of any release (SR-04).
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deviceFloor } from '#agents/hands/device-floor';
import { startHands } from '#agents/hands/hands';
import { keptStatements } from '#agents/hands/kept-statements';
import { logOfReleases } from '#agents/hands/log-of-releases';
import { parseReleaseTrust, policiesOf } from '#agents/hands/release-trust';
import { slotUpdates } from '#agents/hands/updates';
import { deviceLayout } from '#agents/programs/layout';
import { aborted, exitCode, runProgram } from '#agents/programs/runtime';
import { recordedBootControl } from '#hal/core/boot-record';
import { utf8 } from '#hal/core/bytes';
import { parseFloorApprovals } from '#hal/core/floor-approval';
import { codeOf, done, ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { fileBootLog } from '#hal/linux/boot-log';
import { linuxClock } from '#hal/linux/clock';
import { openDurableStore } from '#hal/linux/durable-store';
import { nftNetPolicy } from '#hal/linux/nft-policy';
import { linuxPlatform } from '#hal/linux/platform';
import { systemRandom } from '#hal/linux/random';
import { memoryManaged } from '#hal/memory/managed';
import { nativeBlockDigests } from '#hal/native/block-digests';
import { nativeCommands } from '#hal/native/commands-native';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { peerCredentials } from '#hal/native/peer';
import { esysFloor } from '#hal/native/tpm-floor';
import { bootMachine, deadCode } from '#sim/machine/firmware';
import { imageOf } from '#sim/machine/image';
import { simulatedLayout, slotFiles, unwellPath } from '#sim/machine/layout';
import { openSlots, startSlot } from '#sim/machine/slots';
import { fileSupply } from '#sim/machine/supply';
import { spooledSignals } from '#sim/machine/syscalls-spool';

/** Images are small here: so they have several windows, as large ones have on a real machine. */
const windowBytes = 1024 * 1024;
/** Long enough for the answer to leave the socket. */
const powerDelayMs = 20;

runProgram('enigm-hald', ['directory', 'run', 'addon', 'tpm', 'programs', 'network'], async ({ options, log, signal, ready }) => {
  const { hands } = deviceLayout(options.directory);
  const { firmware, signals, supply, tpm } = simulatedLayout(options.directory);
  const clock = linuxClock();
  const esys = unwrap(
    await openSimulatedEsys(
      options.tpm === 'embedded'
        ? { addon: options.addon, embedded: tpm }
        : { addon: options.addon, swtpm: { path: options.tpm } },
    ),
  );
  const files = slotFiles(options.directory);
  const machine = unwrap(await openSlots(files));
  let isDead = false;
  const booted = await bootMachine(
    esys,
    {
      directory: firmware,
      imageOf: (verityRoot) => imageOf(options.programs, verityRoot),
      startSlot: async () => {
        const started = await startSlot(machine, (slot, { fault }) =>
          log.warn('slot.refused', { slot, code: codeOf(fault), cause: fault.detail ?? '' }),
        );
        isDead = !started.ok;
        return started;
      },
    },
    systemRandom,
  );
  if (isDead) {
    log.error('machine.dead', { cause: 'no slot starts' });
    return deadCode;
  }
  const boot = unwrap(booted);
  const store = unwrap(openDurableStore(join(hands, 'hands.db')));
  const trust = unwrap(parseReleaseTrust(readFileSync(files.trust, 'utf8')));
  const approvals = unwrap(parseFloorApprovals(readFileSync(files.floor, 'utf8')));
  const floor = deviceFloor(esysFloor(esys, approvals), store);
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
      supply: fileSupply(supply),
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
      updates: slotUpdates({
        slots: machine.slots,
        boot: recordedBootControl(machine.boot, async () => ok(boot.running)),
        ledger: machine.ledger,
        floor,
        statements: keptStatements(store, new Uint8Array(readFileSync(files.statement))),
        policies: policiesOf(nodeCrypto, trust),
        log: logOfReleases(nodeCrypto, trust.log, store, log),
        clock,
        soakMs: trust.soakMs,
        windowBytes,
        digestsFor: unwrap(nativeBlockDigests(options.addon, 'sim')),
        probes: [
          {
            name: 'storage-writable',
            run: async () =>
              store.put('health-probe', utf8(String(clock.bootMs()))).ok &&
              !existsSync(unwellPath(options.directory, boot.running.verityRoot)),
          },
        ],
      }),
      floor,
      bootId: boot.bootId,
      isSimulated: true,
      store,
      runDirectory: options.run,
      admits: (socket) => peer(socket)?.userId === process.getuid?.(),
    }),
  );
  ready();
  await Promise.race([aborted(signal), aborted(restart.signal)]);
  await running.close();
  await machine.close();
  return restart.signal.aborted ? exitCode.reboot : exitCode.done;
});
