/** Prologue 1: a technician makes a new device ready and leaves with a signed receipt. */
import { join } from 'node:path';
import { faultOf, textOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';

export const provision: Scenario = {
  step: 'provision',
  title: 'a technician provisions the device: keys in its TPM, a device secret sealed by it, a signed receipt',
  async run({ device }) {
    const receipt = join(device.directory, 'visit-receipt');
    await device.answers();
    const state = await device.enigmctl('status');
    const isNew = state.json['lifecycle'] === 'unprovisioned';
    if (isNew) {
      const done = await device.enigmctl('provision', '--technician', 'technician-of-the-day', '--receipt', receipt);
      const fault = faultOf(done);
      if (fault !== undefined) return refused(fault);
    }
    const checked = await device.enigmctl('receipt', receipt);
    const fault = faultOf(checked);
    if (fault !== undefined) return refused(fault);
    return seen({
      isNew,
      attestationKey: textOf(checked.json, 'attestationName'),
      steps: (checked.json['steps'] as readonly string[]).join(' '),
      receipt: 'verified',
    });
  },
};
