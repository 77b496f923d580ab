/** What a simulated device has beside the device's own folders. */
import { join } from 'node:path';
import { toHex } from '#hal/core/bytes';

/** Media of the machine, each a file. */
export interface SlotFiles {
  readonly a: string;
  readonly b: string;
  /** What the boot manager starts. */
  readonly boot: string;
  /** What the hands know of the slots. */
  readonly ledger: string;
  /** Whose releases the hands write: from the factory, and never written again. */
  readonly trust: string;
  /** What the policy key approved of their floor: likewise. */
  readonly floor: string;
  /** The signed statement of the release of the factory: likewise. */
  readonly statement: string;
}

export const simulatedLayout = (directory: string) => ({
  /** State of the TPM. */
  tpm: join(directory, 'tpm'),
  /** Boot log and boot id. */
  firmware: join(directory, 'firmware'),
  /** System calls that were recorded of its programs, until its hands take them. */
  signals: join(directory, 'firmware', 'signals'),
  /** How it is fed. */
  supply: join(directory, 'firmware', 'supply'),
  logs: join(directory, 'log'),
  slots: join(directory, 'slots'),
});

export const slotFiles = (directory: string): SlotFiles => {
  const { slots } = simulatedLayout(directory);
  return {
    a: join(slots, 'a.img'),
    b: join(slots, 'b.img'),
    boot: join(slots, 'boot.rec'),
    ledger: join(slots, 'ledger.rec'),
    trust: join(directory, 'releases.json'),
    floor: join(directory, 'floor.json'),
    statement: join(directory, 'factory.statement'),
  };
};

/** A release whose root hash names a file here is unwell: a fault of the simulator, which no image can put there. */
export const unwellPath = (directory: string, verityRoot: Uint8Array): string =>
  join(simulatedLayout(directory).firmware, `unwell-${toHex(verityRoot)}`);
