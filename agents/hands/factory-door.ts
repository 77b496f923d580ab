/** What the hands do for a technician until the device is provisioned. */
import { deny, type Fault, ok } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Clock } from '#hal/ports/clock';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { Provisioning } from '#hal/ports/provisioning';
import type { Tpm } from '#hal/ports/tpm';
import type { Handlers } from '#hal/remote/methods';
import type { FactoryMethods } from './factory-methods.ts';
import type { HandsFiles } from './files.ts';
import { signReceipt } from './receipt.ts';

export interface FactoryParts {
  readonly provisioning: Provisioning;
  readonly tpm: Tpm;
  readonly keys: DeviceKeys;
  readonly crypto: CryptoBackend;
  readonly clock: Clock;
  readonly files: HandsFiles;
  readonly dataFault?: Fault | undefined;
}

export const factoryDoor = (parts: FactoryParts): Handlers<FactoryMethods> => {
  const { provisioning, tpm, keys, crypto, clock, files, dataFault } = parts;
  const closed = () => deny('unavailable', 'already-provisioned');
  return {
    'provision.inspect': async () => {
      const steps = await provisioning.inspect();
      return steps.ok ? ok({ steps: steps.value, isComplete: files.isProvisioned() }) : steps;
    },
    'provision.run': async ({ step }) => {
      // The device has an owner already, whose data this is.
      if (dataFault !== undefined) return { ok: false, fault: dataFault };
      if (files.isProvisioned()) return closed();
      const begun = files.writeJournal({ step, phase: 'begun' });
      if (!begun.ok) return begun;
      const ran = await provisioning.run(step);
      if (!ran.ok) return ran;
      const ended = files.writeJournal({ step, phase: 'done' });
      return ended.ok ? ok({}) : ended;
    },
    'provision.finish': async ({ technician }) => {
      if (files.isProvisioned()) return closed();
      const steps = await provisioning.inspect();
      if (!steps.ok) return steps;
      const open = steps.value.find(({ isDone }) => !isDone);
      if (open !== undefined) return deny('protocol', 'event-refused', `${open.name} is not done`);
      const identity = await tpm.identity();
      if (!identity.ok) return identity;
      const key = await keys.publicKey('report');
      if (!key.ok) return key;
      const names = steps.value.map(({ name }) => name);
      const receipt = await signReceipt(crypto, keys, {
        technician,
        finishedMs: Math.floor(clock.nowMs()),
        steps: names,
        identity: identity.value,
      });
      if (!receipt.ok) return receipt;
      const saved = files.saveReceipt(receipt.value);
      return saved.ok ? ok({ envelope: receipt.value, key: key.value }) : saved;
    },
  };
};
