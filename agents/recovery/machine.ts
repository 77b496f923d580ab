/** A machine that no slot runs on: partitions, boot entries and ledger, as recovery finds them. */
import { ok, type Result } from '#hal/core/result';
import { linuxBlockDevice } from '#hal/linux/block-device';
import type { EfiVariables } from '#hal/linux/efi-variables';
import { machineBootControl, machinePartitions } from '#hal/linux/machine-boot';
import { machineSlots } from '#hal/linux/machine-slots';
import type { Clock } from '#hal/ports/clock';
import { ledgerStore } from '#ota-client/slots/ledger';
import { recoveryBoot } from './boot.ts';
import type { RepairParts } from './repair.ts';

export interface RecoveryMachineParts {
  readonly variables: EfiVariables;
  readonly clock: Clock;
  readonly startEndedPath: string;
}

/** Of a slot that does not run: no release has it, so none is committed by mistake. */
const noRoot = new Uint8Array(32);

/** @returns slots, boot control and ledger; or `unavailable/not-supported` without slots of ours, and faults of the media */
export const recoveryMachine = async ({
  variables,
  clock,
  startEndedPath,
}: RecoveryMachineParts): Promise<Result<Pick<RepairParts, 'slots' | 'boot' | 'ledger'>>> => {
  const partitions = machinePartitions();
  if (!partitions.ok) return partitions;
  const boot = await recoveryBoot({
    ...{ variables, startEndedPath },
    controlOf: (slot) =>
      machineBootControl({ variables, clock, startEndedPath, running: async () => ok({ slot, verityRoot: noRoot }) }),
  });
  if (!boot.ok) return boot;
  const medium = await linuxBlockDevice(partitions.value.ledger, 'write');
  return medium.ok ? ok({ slots: machineSlots(partitions.value), boot: boot.value, ledger: ledgerStore(medium.value) }) : medium;
};
