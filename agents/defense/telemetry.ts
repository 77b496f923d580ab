/**
 * All that ever leaves this device about a judgement: category, band, and which model judged. Not the app, not the
 * score, not a time; the message has no field for more. It leaves only where policy approves.
 */
import { encodeMessage } from '#hal/core/message';
import type { Assessment } from './assessment.ts';

/**
 * @param isApproved whether the policy in force approves of telemetry; without a policy it does not
 * @returns an encoded `RiskTelemetry`, or undefined: then nothing leaves
 */
export const telemetryOf = (assessment: Assessment | undefined, isApproved: boolean): Uint8Array | undefined => {
  if (!isApproved || assessment === undefined) return undefined;
  const { category, band, model } = assessment;
  return encodeMessage('RiskTelemetry', { category, band, model });
};
