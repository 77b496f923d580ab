/** What a simulated device has beside the device's own folders. */
import { join } from 'node:path';

export const simulatedLayout = (directory: string) => ({
  /** State of the TPM. */
  tpm: join(directory, 'tpm'),
  /** Boot log and boot id. */
  firmware: join(directory, 'firmware'),
  /** System calls that were recorded of its programs, until its hands take them. */
  signals: join(directory, 'firmware', 'signals'),
  logs: join(directory, 'log'),
});
