/**
 * `Provisioning` over ESYS: storage root, attestation key, device secret with its audit counter, key of the TLS
 * link, floor of releases.
 *
 * Every step can be cut and run again. The device secret is on disk only when the counter it protects
 * is defined and first-written, so a half-made one is never used.
 */
import { wipe } from '#hal/core/bytes';
import { deny, done, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Provisioning } from '#hal/ports/provisioning';
import type { Random } from '#hal/ports/random';
import { nvAttribute } from '#hal/tpm/constants';
import { tpm2b } from '#hal/tpm/public';
import { encodedTemplate } from '#hal/tpm/templates';
import { empty2b, nvPublic } from '#hal/tpm/wire';
import type { WrappedAreas } from './areas.ts';
import { type EsysHandle, handles } from './commands.ts';
import { type DeviceSecret, sealSecret } from './device-secret.ts';
import type { Esys } from './esys.ts';
import { nvIndex, persistent } from './layout.ts';
import { createLinkKey, holdsLinkKey } from './link-key.ts';
import { exists, makePersistentKey } from './persistent-key.ts';
import { counterAuth, readCounterValue } from './tpm.ts';
import { tpmResult } from './tpm-error.ts';

export interface ProvisioningParts {
  readonly esys: Esys;
  readonly crypto: CryptoBackend;
  readonly random: Random;
  readonly unseal: () => Promise<Result<DeviceSecret>>;
  /** Makes the sealed secret durable. */
  readonly saveSecret: (sealed: Uint8Array) => Result<void>;
  readonly linkKey: () => WrappedAreas | undefined;
  /** Makes the wrapped key durable. */
  readonly saveLinkKey: (key: WrappedAreas) => Result<void>;
  /** The floor of releases; absent where nobody approved one for this class of machines. */
  readonly floor?: FloorMaker | undefined;
}

export interface FloorMaker {
  isDefined(): Promise<Result<boolean>>;
  /** May be cut and repeated. */
  define(): Promise<Result<void>>;
}

interface Step {
  isDone(parts: ProvisioningParts): Promise<Result<boolean>>;
  run(parts: ProvisioningParts): Promise<Result<void>>;
}

const password = [handles.password] as const;

const persistentKey = (hierarchy: EsysHandle, template: Uint8Array, handle: number): Step => ({
  isDone: ({ esys }) => tpmResult(exists(esys, handle)),
  run: ({ esys }) => tpmResult(makePersistentKey(esys, hierarchy, template, handle)),
});

const deviceSecret: Step = {
  isDone: async ({ unseal }) => {
    const unsealed = await unseal();
    if (unsealed.ok) wipe(unsealed.value.secret);
    return ok(unsealed.ok);
  },
  run: async ({ esys, crypto, random, saveSecret }) => {
    const secret = random.bytes(32);
    const auth = counterAuth(crypto, secret);
    try {
      const counterBase = await tpmResult(defineCounter(esys, auth));
      if (!counterBase.ok) return counterBase;
      const sealed = await sealSecret(esys, { secret, counterBase: counterBase.value });
      return sealed.ok ? saveSecret(sealed.value) : sealed;
    } finally {
      wipe(secret, auth);
    }
  },
};

const tlsLinkKey: Step = {
  isDone: async ({ esys, linkKey }) => {
    const key = linkKey();
    return ok(key !== undefined && (await holdsLinkKey(esys, key)));
  },
  run: async ({ esys, saveLinkKey }) => {
    const key = await createLinkKey(esys);
    return key.ok ? saveLinkKey(key.value) : key;
  },
};

/** @returns the value after the first write, without which an NV counter cannot be read (Part 1 §37.2.4) */
const defineCounter = async (esys: Esys, auth: Uint8Array): Promise<number> => {
  if (await exists(esys, nvIndex.auditCounter)) {
    const left = await esys.handleOf(nvIndex.auditCounter, []);
    await esys.nvUndefineSpace(handles.owner, left, password);
  }
  const attributes = nvAttribute.counter | nvAttribute.authRead | nvAttribute.authWrite | nvAttribute.noDa;
  const sized = tpm2b(auth);
  const counter = await esys.nvDefineSpace(handles.owner, password, sized, nvPublic(nvIndex.auditCounter, attributes, 8));
  try {
    await esys.setAuth(counter, sized);
    await esys.nvIncrement(counter, counter, password);
    return await readCounterValue(esys, counter);
  } finally {
    // ESYS keeps it with the handle.
    await esys.setAuth(counter, empty2b);
    wipe(sized);
  }
};

const steps = {
  'storage-root': persistentKey(handles.owner, encodedTemplate.storage, persistent.storageRoot),
  'attestation-key': persistentKey(handles.endorsement, encodedTemplate.attestation, persistent.attestationKey),
  'device-secret': deviceSecret,
  'link-key': tlsLinkKey,
} as const satisfies Readonly<Record<string, Step>>;

const stepsOf = ({ floor }: ProvisioningParts): Readonly<Record<string, Step>> =>
  floor === undefined ? steps : { ...steps, floor: { isDone: () => floor.isDefined(), run: () => floor.define() } };

export const esysProvisioning = (parts: ProvisioningParts): Provisioning => ({
  async inspect() {
    const states: { name: string; isDone: boolean }[] = [];
    for (const [name, step] of Object.entries(stepsOf(parts))) {
      const isDone = await step.isDone(parts);
      if (!isDone.ok) return isDone;
      states.push({ name, isDone: isDone.value });
    }
    return ok(states);
  },
  async run(name) {
    const steps = stepsOf(parts);
    const step = Object.hasOwn(steps, name) ? steps[name] : undefined;
    if (step === undefined) return deny('protocol', 'field-invalid', `no step ${name}`);
    const before = await step.isDone(parts);
    if (!before.ok || before.value) return before.ok ? done : before;
    const ran = await step.run(parts);
    if (!ran.ok) return ran;
    const after = await step.isDone(parts);
    if (!after.ok) return after;
    return after.value ? done : deny('unavailable', 'tpm-failed', `${name} does not read back`);
  },
});
