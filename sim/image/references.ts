/** What a machine that starts this image measures, as the build knows it before any machine did: reference values. */
import { digestOf } from '#attestation/eventlog/algorithms';
import { type EventTypeName, eventTypes } from '#attestation/eventlog/events';
import { encodeVariable } from '#attestation/eventlog/variable';
import type { Measurement, ReferenceSet } from '#attestation/references';
import { approvedRegisters, openedPhase, phaseRegister } from '#hal/core/boot-approval';
import { toHex, utf8 } from '#hal/core/bytes';
import { globalVendor, securityVendor } from '#hal/core/guid';
import { derOf, type ImageKeys } from './keys.ts';
import { afterMeasuring, type Uki } from './uki.ts';
import { certificatesOf, secureBootVariables, signatureData } from './variable-store.ts';

interface Event {
  readonly pcr: number;
  readonly type: EventTypeName;
  readonly bytes: Uint8Array;
}

/** Of a machine that went on from its first root: that is part of what was started (`agents/programs/unlock.ts`). */
export const imageReferences = (name: string, { measured }: Uki, keys: ImageKeys): ReferenceSet => ({
  name,
  registers: approvedRegisters,
  measurements: [...startOf(measured, keys), { pcr: phaseRegister, type: 'EV_IPL' as const, bytes: utf8(openedPhase) }].map(
    ({ pcr, type, bytes }): Measurement => ({
      ...{ pcr, type: eventTypes[type].code, digest: toHex(digestOf('sha256', bytes)) },
    }),
  ),
});

/** The registers in which this image finds a machine that just started it, and may open the data of it. */
export const registersAtStart = (measured: readonly Uint8Array[], keys: ImageKeys): ReadonlyMap<number, Uint8Array> => {
  const events = startOf(measured, keys);
  const after = (register: number) => afterMeasuring(events.filter(({ pcr }) => pcr === register).map(({ bytes }) => bytes));
  return new Map(approvedRegisters.map((register) => [register, after(register)]));
};

/** In order. */
const startOf = (measured: readonly Uint8Array[], keys: ImageKeys): readonly Event[] => [
  variable('EV_EFI_VARIABLE_DRIVER_CONFIG', globalVendor, 'SecureBoot', Uint8Array.of(1)),
  ...secureBootVariables(certificatesOf(keys)).map(({ name: key, vendor, data }) =>
    variable('EV_EFI_VARIABLE_DRIVER_CONFIG', vendor, key, data),
  ),
  variable('EV_EFI_VARIABLE_DRIVER_CONFIG', securityVendor, 'dbx', new Uint8Array()),
  { pcr: 7, type: 'EV_SEPARATOR', bytes: new Uint8Array(4) },
  variable('EV_EFI_VARIABLE_AUTHORITY', securityVendor, 'db', signatureData(derOf(keys.release))),
  ...measured.map((bytes): Event => ({ pcr: 11, type: 'EV_IPL', bytes })),
];

const variable = (type: EventTypeName, vendor: string, name: string, content: Uint8Array): Event => ({
  ...{ pcr: 7, type, bytes: encodeVariable(vendor, name, content) },
});
