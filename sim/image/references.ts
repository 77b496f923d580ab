/** What a machine that starts this image measures, as the build knows it before any machine did: reference values. */

import { digestOf } from '#attestation/eventlog/algorithms';
import { type EventTypeName, eventTypes } from '#attestation/eventlog/events';
import { encodeVariable } from '#attestation/eventlog/variable';
import type { Measurement, ReferenceSet } from '#attestation/references';
import { toHex } from '#hal/core/bytes';
import { globalVendor, securityVendor } from '#hal/core/guid';
import { derOf, type ImageKeys } from './keys.ts';
import type { Uki } from './uki.ts';
import { certificatesOf, secureBootVariables, signatureData } from './variable-store.ts';

/**
 * The same registers everywhere (SR-07): 7 says which keys may start images, 11 what was started; 12 and 13 must be
 * untouched, since words and files beside the image are not signed.
 */
const judged = [7, 11, 12, 13] as const;

export const imageReferences = (name: string, { measured }: Uki, keys: ImageKeys): ReferenceSet => ({
  name,
  registers: judged,
  measurements: [
    variable('EV_EFI_VARIABLE_DRIVER_CONFIG', globalVendor, 'SecureBoot', Uint8Array.of(1)),
    ...secureBootVariables(certificatesOf(keys)).map(({ name: key, vendor, data }) =>
      variable('EV_EFI_VARIABLE_DRIVER_CONFIG', vendor, key, data),
    ),
    variable('EV_EFI_VARIABLE_DRIVER_CONFIG', securityVendor, 'dbx', new Uint8Array()),
    measurement(7, 'EV_SEPARATOR', new Uint8Array(4)),
    variable('EV_EFI_VARIABLE_AUTHORITY', securityVendor, 'db', signatureData(derOf(keys.release))),
    ...measured.map((bytes) => measurement(11, 'EV_IPL', bytes)),
  ],
});

const variable = (type: EventTypeName, vendor: string, name: string, content: Uint8Array): Measurement =>
  measurement(7, type, encodeVariable(vendor, name, content));

const measurement = (pcr: number, type: EventTypeName, bytes: Uint8Array): Measurement => ({
  pcr,
  type: eventTypes[type].code,
  digest: toHex(digestOf('sha256', bytes)),
});
