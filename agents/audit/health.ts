/** How it stands with the log: losing it degrades the device, and what is not what it was stays so (SR-14). */
import type { Fault } from '#hal/core/result';

export type AuditState = 'intact' | 'degraded' | 'tampered';

export interface AuditHealth {
  state(): AuditState;
  /** Why it is not intact. */
  fault(): Fault | undefined;
  degrade(cause: Fault): void;
  /** What was degraded is whole again. */
  recover(): void;
  /** For good. */
  tamper(cause: Fault): void;
}

export const auditHealth = (): AuditHealth => {
  let state: AuditState = 'intact';
  let fault: Fault | undefined;
  const become = (next: AuditState, cause: Fault | undefined): void => {
    if (state === 'tampered') return;
    state = next;
    fault = cause;
  };
  return {
    state: () => state,
    fault: () => fault,
    degrade: (cause) => become('degraded', cause),
    recover: () => become('intact', undefined),
    tamper: (cause) => become('tampered', cause),
  };
};
