/** What the factory or a technician makes in a new device, step by step; each step may be repeated and is read back. */
import type { Result } from '#hal/core/result';

export interface Provisioning {
  /** The plan in order, with what is already so: read from the TPM and the disk, never from memory. */
  inspect(): Promise<Result<readonly ProvisioningStep[]>>;
  run(step: string): Promise<Result<void>>;
}

export interface ProvisioningStep {
  readonly name: string;
  readonly isDone: boolean;
}
