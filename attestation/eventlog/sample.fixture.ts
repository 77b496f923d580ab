/** For tests: a whole boot as our firmware measures it, small enough to change every bit of it. */

import { concat, utf8 } from '#hal/core/bytes';
import { globalVendor, securityVendor } from '#hal/core/guid';
import type { Bank } from './algorithms.ts';
import { separators, startupLocalityData } from './events.ts';
import { encodeVariable } from './variable.ts';
import { eventLogWriter, type Measurement } from './write.ts';

const bootOrder = Uint8Array.of(1, 0, 2, 0);
/** UEFI_GPT_DATA: a header of 92 bytes and the count of the partitions. */
const emptyPartitionTable = concat(utf8('EFI PART'), new Uint8Array(84 + 8));
/** UEFI_IMAGE_LOAD_EVENT: address, length, link-time address, length of the device path, which is empty. */
const imageLoad = concat(new Uint8Array(16).fill(0x20), new Uint8Array(16));

export const separator = (pcr: number): Measurement => ({ pcr, type: 'EV_SEPARATOR', data: separators.zeros });

export const secureBootVariable = (content: Uint8Array): Measurement => ({
  pcr: 7,
  type: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
  data: encodeVariable(globalVendor, 'SecureBoot', content),
});

export const startupLocalityEvent = (locality: number): Measurement => ({
  pcr: 0,
  type: 'EV_NO_ACTION',
  data: startupLocalityData(locality),
});

const policyVariable = (guid: string, name: string): Measurement => ({
  pcr: 7,
  type: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
  data: encodeVariable(guid, name, utf8(`${name} signature list`)),
});

export const sampleBoot: readonly Measurement[] = [
  { pcr: 0, type: 'EV_NO_ACTION', data: utf8('SP800-155 Event\0reference') },
  startupLocalityEvent(3),
  { pcr: 0, type: 'EV_S_CRTM_VERSION', data: utf8('Enigm 1') },
  { pcr: 0, type: 'EV_EFI_PLATFORM_FIRMWARE_BLOB', data: new Uint8Array(16).fill(0x40), measured: utf8('firmware volume') },
  secureBootVariable(Uint8Array.of(1)),
  policyVariable(globalVendor, 'PK'),
  policyVariable(globalVendor, 'KEK'),
  policyVariable(securityVendor, 'db'),
  policyVariable(securityVendor, 'dbx'),
  separator(7),
  { pcr: 1, type: 'EV_EFI_VARIABLE_BOOT', data: encodeVariable(globalVendor, 'BootOrder', bootOrder), measured: bootOrder },
  { pcr: 1, type: 'EV_EFI_VARIABLE_BOOT2', data: encodeVariable(globalVendor, 'Boot0001', utf8('slot A')) },
  { pcr: 4, type: 'EV_EFI_ACTION', data: utf8('Calling EFI Application from Boot Option') },
  ...[0, 1, 2, 3, 4, 5, 6].map(separator),
  { pcr: 7, type: 'EV_EFI_VARIABLE_AUTHORITY', data: encodeVariable(securityVendor, 'db', utf8('owner and key')) },
  { pcr: 5, type: 'EV_EFI_GPT_EVENT', data: emptyPartitionTable },
  { pcr: 4, type: 'EV_EFI_BOOT_SERVICES_APPLICATION', data: imageLoad, measured: utf8('unified kernel image') },
  { pcr: 11, type: 'EV_IPL', data: utf8('.linux\0'), measured: utf8('kernel section') },
  { pcr: 5, type: 'EV_EFI_ACTION', data: utf8('Exit Boot Services Invocation') },
];

/** The sample with some events replaced, dropped or added. */
export const writeLog = (measurements: readonly Measurement[], algorithms: readonly Bank[] = ['sha256']): Uint8Array => {
  const writer = eventLogWriter(algorithms);
  for (const measurement of measurements) writer.add(measurement);
  return writer.bytes();
};
