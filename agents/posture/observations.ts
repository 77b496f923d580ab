/** What the posture is judged from: each with the time at which it was really read. */

import type { AuditState } from '#agents/audit/health';
import type { Status, TpmClass } from '#attestation/result';
import type { PlatformFacts } from '#protos/gen/types';

export interface Observed<T> {
  readonly value: T;
  /** CLOCK_BOOTTIME of the reading. */
  readonly measuredBootMs: number;
}

export interface Observations {
  readonly platform?: Observed<PlatformFacts>;
  /** That a TPM answers; its class once a verifier's root vouched for it. */
  readonly tpm?: Observed<{ readonly tpmClass: TpmClass | undefined }>;
  /** The boot log against the registers, as the device itself sees it; `code` is why it does not hold. */
  readonly boot?: Observed<{ readonly code?: string; readonly isSecureBoot: boolean | undefined }>;
  /** The slot that runs, as the hands know it, and whether what was started from it is the release that they wrote there. */
  readonly release?: Observed<{
    readonly state: string;
    readonly isAsInstalled: boolean;
    /** Why it has no proof from the log of releases; empty where it has, absent where none was asked for. */
    readonly log?: string;
  }>;
  /** The floor of releases in the TPM; `code` is why it is not known. */
  readonly floor?: Observed<{ readonly epoch?: number; readonly code?: string }>;
  /** What the verifier last said, or `code`: why it did not. */
  readonly attestation?: Observed<{ readonly status: Status | 'none'; readonly code?: string }>;
  readonly time?: Observed<{ readonly isKnown: boolean; readonly offsetSeconds: number }>;
  readonly audit?: Observed<{ readonly state: AuditState }>;
  readonly programs?: Observed<readonly { readonly name: string; readonly isRunning: boolean }[]>;
  /** The key that the mouth shows to the fleet; `code` is why it is not in the TPM. */
  readonly link?: Observed<{ readonly key: 'in-tpm' | 'software' | 'none-shown'; readonly code?: string }>;
  /** The engine; what our own model says, where it judged; what the engine said of the same windows. */
  readonly inference?: Observed<{
    readonly engine: string | undefined;
    readonly category?: string;
    readonly opinion?: string;
  }>;
  readonly lifecycle?: Observed<string>;
}
