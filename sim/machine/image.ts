/**
 * What the simulated machine's firmware and boot manager measure, in order: one list, from which the firmware boots and
 * the build's reference values are made.
 *
 * The programs themselves are measured into register 11, from the files that will run; the rest stands for firmware
 * that a simulator does not have.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '#attestation/eventlog/algorithms';
import { type EventTypeName, eventTypes } from '#attestation/eventlog/events';
import { encodeVariable } from '#attestation/eventlog/variable';
import type { Measurement as BootMeasurement } from '#attestation/eventlog/write';
import type { ReferenceSet } from '#attestation/references';
import { toHex, utf8 } from '#hal/core/bytes';
import { utf16 } from '#hal/core/efi-load-option';
import { globalVendor, securityVendor } from '#hal/core/guid';

export interface Image {
  /** Folder of the programs' bundles. */
  readonly programs: string;
  readonly isSecureBootOn: boolean;
  readonly commandLine: string;
  /** dm-verity root hash of the root file system: tells releases apart. */
  readonly verityRoot: Uint8Array;
}

/** Files of the device that the boot manager measures before it starts them. */
export const measuredPrograms = [
  'start.cjs',
  ...(['agentd', 'linkd', 'inferd', 'paged', 'enigmctl', 'beacond'] as const).flatMap(
    (name) => [`${name}.cjs`, `${name}.code`] as const,
  ),
  /** What the mind, and the beacon relay, load beside their bundles. */
  ...(['cedar_wasm_bg.wasm', 'policy.memory', 'serialport.node'] as const),
] as const;

/** UEFI_IMAGE_LOAD_EVENT (PFP 1.05 §10.2.3) without a device path: four 64-bit numbers. */
const imageLoadEvent = new Uint8Array(32);

const separator = (pcr: number): BootMeasurement => ({ pcr, type: 'EV_SEPARATOR', data: new Uint8Array(4) });

export const bootMeasurements = ({ programs, isSecureBootOn, commandLine, verityRoot }: Image): readonly BootMeasurement[] => {
  const variable = (guid: string, name: string, content: Uint8Array): BootMeasurement => ({
    pcr: 7,
    type: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
    data: encodeVariable(guid, name, content),
  });
  const key = utf8('enigm-simulator-key');
  return [
    { pcr: 0, type: 'EV_S_CRTM_VERSION', data: utf16('Enigm simulated firmware 1') },
    {
      pcr: 0,
      type: 'EV_EFI_PLATFORM_FIRMWARE_BLOB',
      data: new Uint8Array(16),
      measured: utf8('enigm-simulated-firmware-volume'),
    },
    variable(globalVendor, 'SecureBoot', Uint8Array.of(isSecureBootOn ? 1 : 0)),
    variable(globalVendor, 'PK', key),
    variable(globalVendor, 'KEK', key),
    variable(securityVendor, 'db', key),
    variable(securityVendor, 'dbx', new Uint8Array()),
    separator(7),
    { pcr: 7, type: 'EV_EFI_VARIABLE_AUTHORITY', data: encodeVariable(securityVendor, 'db', key) },
    { pcr: 1, type: 'EV_EFI_VARIABLE_BOOT', data: encodeVariable(globalVendor, 'BootOrder', Uint8Array.of(2, 0)) },
    { pcr: 4, type: 'EV_EFI_ACTION', data: utf8('Calling EFI Application from Boot Option') },
    ...[0, 1, 2, 3, 4, 5, 6].map(separator),
    {
      pcr: 4,
      type: 'EV_EFI_BOOT_SERVICES_APPLICATION',
      data: imageLoadEvent,
      measured: utf8('enigm-simulated-boot-manager'),
    },
    ...measuredPrograms.map(
      (name): BootMeasurement => ({
        pcr: 11,
        type: 'EV_IPL',
        data: utf16(name),
        measured: new Uint8Array(readFileSync(join(programs, name))),
      }),
    ),
    { pcr: 11, type: 'EV_IPL', data: utf16(`root=${toHex(verityRoot)}`) },
    { pcr: 12, type: 'EV_IPL', data: utf16(commandLine) },
  ];
};

/** The reference values that the build of this image hands to the verifier. */
export const referencesOf = (name: string, image: Image): ReferenceSet => ({
  name,
  measurements: bootMeasurements(image)
    .filter(({ type }) => eventTypes[type as EventTypeName].covers !== 'nothing')
    .map(({ pcr, type, data, measured = data }) => ({
      pcr,
      type: eventTypes[type as EventTypeName].code,
      digest: toHex(digestOf('sha256', measured)),
    })),
});

/**
 * What a simulated machine runs. Limit: programs come from the build whatever is in the slot, so releases differ by their
 * root hash alone.
 */
export const imageOf = (programs: string, verityRoot: Uint8Array): Image => ({
  programs,
  verityRoot,
  isSecureBootOn: true,
  commandLine: 'console=ttyS0 lockdown=integrity',
});
