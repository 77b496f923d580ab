/** Prologue 4: a fresh challenge, a quote that binds everything, a pure appraisal, a result signed twice. */
import { faultOf, textOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';

export const attest: Scenario = {
  step: 'attest',
  title: 'the device answers a fresh challenge; the verifier appraises and signs a result with both algorithms',
  async run({ device }) {
    const attested = await device.enigmctl('attest', 'now');
    const fault = faultOf(attested);
    if (fault !== undefined) return refused(fault);
    const status = textOf(attested.json, 'status');
    if (status !== 'affirming') return refused({ category: 'attestation', reason: 'not-affirming' }, { status });
    const posture = await device.enigmctl('posture');
    return seen({
      status,
      tpmClass: textOf(attested.json, 'tpmClass'),
      level: textOf(posture.json, 'level'),
      handle: textOf(attested.json, 'handle'),
    });
  },
};
