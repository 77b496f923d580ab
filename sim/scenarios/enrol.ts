/** Prologue 2: the verifier learns to know the device; the record is written only after a first good appraisal. */
import { faultOf, textOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';

export const enrol: Scenario = {
  step: 'enrol',
  title: 'the device enrols: a credential that only its TPM can open, then a first appraisal',
  async run({ device, until }) {
    await until(
      'the mind serves its door',
      async () => (await device.enigmctl('status')).code === 0 && (await device.app.call('device.status', {})).ok,
    );
    const before = await device.app.call('device.status', {});
    const isNew = before.ok && before.value.lifecycle !== 'active';
    if (isNew) {
      const enrolled = await device.enigmctl('enrol');
      const fault = faultOf(enrolled);
      if (fault !== undefined) return refused(fault);
    }
    const after = await device.app.call('device.status', {});
    if (!after.ok) return refused(after.fault);
    const attested = await device.enigmctl('attest', 'now');
    const fault = faultOf(attested);
    if (fault !== undefined) return refused(fault);
    return seen({
      isNew,
      lifecycle: after.value.lifecycle,
      tpmClass: textOf(attested.json, 'tpmClass'),
      handle: textOf(attested.json, 'handle'),
    });
  },
};
