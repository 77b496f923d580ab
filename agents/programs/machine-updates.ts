/** Updates of a machine whose kernel shows slots of ours: partitions, boot entries of its firmware, a ledger. */
import { readFileSync } from 'node:fs';
import { keptStatements } from '#agents/hands/kept-statements';
import { logOfReleases } from '#agents/hands/log-of-releases';
import { parseReleaseTrust, policiesOf } from '#agents/hands/release-trust';
import { runningRelease } from '#agents/hands/running-release';
import { type HealthProbe, slotUpdates } from '#agents/hands/updates';
import { utf8 } from '#hal/core/bytes';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxBlockDevice } from '#hal/linux/block-device';
import { linuxEfiVariables } from '#hal/linux/efi-variables';
import { machineBootControl, machinePartitions, runningSlot } from '#hal/linux/machine-boot';
import { machineSlots } from '#hal/linux/machine-slots';
import type { BlockDigestsFor } from '#hal/native/block-digests';
import type { RunningSlot } from '#hal/ports/boot-control';
import type { Clock } from '#hal/ports/clock';
import type { Commands } from '#hal/ports/commands';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Log } from '#hal/ports/log';
import type { UpdatePorts } from '#hal/ports/updater';
import type { Floor } from '#ota-client/plan/floor';
import { ledgerStore } from '#ota-client/slots/ledger';
import { releaseTrustPath } from './layout.ts';

export interface MachineUpdateParts {
  readonly commands: Commands;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: DurableStore;
  /** Or why there is none: then nothing is installed. */
  readonly floor: Result<Floor>;
  /** There once this start came to its end. */
  readonly startEndedPath: string;
  readonly digestsFor: BlockDigestsFor;
  readonly probes?: (running: () => Promise<Result<RunningSlot>>) => readonly HealthProbe[];
}

/** Of the sectors that sysfs counts in. */
const sectorBytes = 512;

/** @returns the ports; `unavailable/not-supported` without slots or without anybody whose releases may be written */
export const machineUpdates = async ({
  commands,
  clock,
  log,
  store,
  floor,
  startEndedPath,
  digestsFor,
  probes = () => [],
}: MachineUpdateParts): Promise<Result<UpdatePorts>> => {
  const partitions = machinePartitions();
  if (!partitions.ok) return partitions;
  const json = attempt(
    () => readFileSync(releaseTrustPath, 'utf8'),
    (cause) => deny('unavailable', 'not-supported', cause),
  );
  if (!json.ok) return json;
  const trust = parseReleaseTrust(json.value);
  if (!trust.ok) return trust;
  if (!floor.ok) return floor;
  const medium = await linuxBlockDevice(partitions.value.ledger, 'write');
  if (!medium.ok) return medium;

  const ledger = ledgerStore(medium.value);
  const slots = machineSlots(partitions.value);
  const variables = linuxEfiVariables(commands);
  /** What runs does not change, and its slot is not written while it does. */
  let known: RunningSlot | undefined;
  const running = async (): Promise<Result<RunningSlot>> => {
    if (known !== undefined) return ok(known);
    const opened = runningSlot(variables);
    if (!opened.ok) return opened;
    const rootOffsetBytes = partitions.value[opened.value.slot].entry.sectors * sectorBytes;
    const measured = await runningRelease({ slots, ledger, rootOffsetBytes }, opened.value);
    if (measured.ok) known = measured.value;
    return measured;
  };
  const boot = machineBootControl({ variables, clock, startEndedPath, running });
  if (!boot.ok) return boot;
  const isWritable = async () => store.put('health-probe', utf8(String(clock.bootMs()))).ok;
  return ok(
    slotUpdates({
      ...{ slots, boot: boot.value, ledger, floor: floor.value, statements: keptStatements(store), clock, digestsFor },
      policies: policiesOf(nodeCrypto, trust.value),
      log: logOfReleases(nodeCrypto, trust.value.log, store, log),
      soakMs: trust.value.soakMs,
      probes: [{ name: 'storage-writable', run: isWritable }, ...probes(running)],
    }),
  );
};
