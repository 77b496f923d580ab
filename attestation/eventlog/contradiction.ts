import { deny, type Failure } from '#hal/core/result';
import { eventTypeName } from './events.ts';
import type { LogEvent } from './parse.ts';

/** `attestation/log-semantics`: an event that contradicts its own digest or place. */
export const contradiction = ({ offset, pcr, type }: LogEvent, why: string): Failure =>
  deny('attestation', 'log-semantics', `${eventTypeName(type)} at ${offset}, register ${pcr}: ${why}`);
