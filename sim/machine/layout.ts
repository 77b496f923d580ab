/** What a simulated device has beside the device's own folders. */
import { join } from 'node:path';

export const simulatedLayout = (directory: string) => ({
  /** State of the TPM. */
  tpm: join(directory, 'tpm'),
  /** Boot log and boot id. */
  firmware: join(directory, 'firmware'),
  logs: join(directory, 'log'),
});
