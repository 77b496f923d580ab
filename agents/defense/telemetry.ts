/**
 * All that ever leaves this device about a judgement: category, band, and which model judged. Not the app, not the
 * score, not a time; the message has no field for more. It leaves only where policy approves.
 */
import type { RiskTelemetry } from '#protos/gen/types';
import type { Assessment } from './assessment.ts';

/**
 * @param isApproved whether the configuration in force approves of telemetry; without one it does not
 * @returns a message with nothing else in it, or undefined: then nothing leaves
 */
export const telemetryOf = (assessment: Assessment | undefined, isApproved: boolean): RiskTelemetry | undefined => {
  if (!isApproved || assessment === undefined) return undefined;
  const { category, band, model } = assessment;
  return { category, band, model };
};
