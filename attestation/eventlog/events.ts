/**
 * The event types of a boot log, and what the digest of each one covers.
 *
 * The type itself is covered by no digest (go-attestation, docs/event-log-disclosure.md): a log may call an event what
 * it likes, so types are checked against digests and places in `semantics.ts`, and references name type and digest.
 * Source: TCG PC Client Platform Firmware Profile (PFP) 1.05 §10.4.1 and 1.06.
 */
import { concat } from '#hal/core/bytes';

/**
 * - `data`: the event data, all of it.
 * - `variable`: the event data, or only the content of the variable in it; firmware differs (EDK II: the content).
 * - `authority`: the event data; shim before its commit 8a27a480 logged one byte more than it measured.
 * - `elsewhere`: bytes that are not in the log (code, tables), or that the profile leaves to the maker.
 * - `nothing`: nothing was extended.
 */
export type Coverage = 'data' | 'variable' | 'authority' | 'elsewhere' | 'nothing';

interface EventType {
  readonly code: number;
  readonly covers: Coverage;
}

export const eventTypes = {
  EV_POST_CODE: { code: 0x01, covers: 'elsewhere' },
  EV_NO_ACTION: { code: 0x03, covers: 'nothing' },
  EV_SEPARATOR: { code: 0x04, covers: 'data' },
  EV_ACTION: { code: 0x05, covers: 'data' },
  EV_EVENT_TAG: { code: 0x06, covers: 'elsewhere' },
  EV_S_CRTM_CONTENTS: { code: 0x07, covers: 'elsewhere' },
  EV_S_CRTM_VERSION: { code: 0x08, covers: 'data' },
  EV_CPU_MICROCODE: { code: 0x09, covers: 'elsewhere' },
  EV_PLATFORM_CONFIG_FLAGS: { code: 0x0a, covers: 'elsewhere' },
  EV_TABLE_OF_DEVICES: { code: 0x0b, covers: 'elsewhere' },
  EV_COMPACT_HASH: { code: 0x0c, covers: 'elsewhere' },
  EV_IPL: { code: 0x0d, covers: 'elsewhere' },
  EV_IPL_PARTITION_DATA: { code: 0x0e, covers: 'elsewhere' },
  EV_NONHOST_CODE: { code: 0x0f, covers: 'elsewhere' },
  EV_NONHOST_CONFIG: { code: 0x10, covers: 'elsewhere' },
  EV_NONHOST_INFO: { code: 0x11, covers: 'elsewhere' },
  EV_OMIT_BOOT_DEVICE_EVENTS: { code: 0x12, covers: 'data' },
  EV_POST_CODE2: { code: 0x13, covers: 'elsewhere' },
  EV_EFI_VARIABLE_DRIVER_CONFIG: { code: 0x80000001, covers: 'data' },
  EV_EFI_VARIABLE_BOOT: { code: 0x80000002, covers: 'variable' },
  EV_EFI_BOOT_SERVICES_APPLICATION: { code: 0x80000003, covers: 'elsewhere' },
  EV_EFI_BOOT_SERVICES_DRIVER: { code: 0x80000004, covers: 'elsewhere' },
  EV_EFI_RUNTIME_SERVICES_DRIVER: { code: 0x80000005, covers: 'elsewhere' },
  EV_EFI_GPT_EVENT: { code: 0x80000006, covers: 'data' },
  EV_EFI_ACTION: { code: 0x80000007, covers: 'data' },
  EV_EFI_PLATFORM_FIRMWARE_BLOB: { code: 0x80000008, covers: 'elsewhere' },
  EV_EFI_HANDOFF_TABLES: { code: 0x80000009, covers: 'elsewhere' },
  EV_EFI_PLATFORM_FIRMWARE_BLOB2: { code: 0x8000000a, covers: 'elsewhere' },
  EV_EFI_HANDOFF_TABLES2: { code: 0x8000000b, covers: 'elsewhere' },
  EV_EFI_VARIABLE_BOOT2: { code: 0x8000000c, covers: 'variable' },
  EV_EFI_GPT_EVENT2: { code: 0x8000000d, covers: 'elsewhere' },
  EV_EFI_HCRTM_EVENT: { code: 0x80000010, covers: 'elsewhere' },
  EV_EFI_VARIABLE_AUTHORITY: { code: 0x800000e0, covers: 'authority' },
  EV_EFI_SPDM_FIRMWARE_BLOB: { code: 0x800000e1, covers: 'elsewhere' },
  EV_EFI_SPDM_FIRMWARE_CONFIG: { code: 0x800000e2, covers: 'elsewhere' },
  EV_EFI_SPDM_DEVICE_POLICY: { code: 0x800000e3, covers: 'data' },
  EV_EFI_SPDM_DEVICE_AUTHORITY: { code: 0x800000e4, covers: 'data' },
} as const satisfies Record<string, EventType>;

export type EventTypeName = keyof typeof eventTypes;

/** `EV_NO_ACTION`, the one type that extends nothing. */
export const noAction = eventTypes.EV_NO_ACTION.code;

/** Every type of the table: the allow-list where a policy names no shorter one. */
export const knownEventTypes: ReadonlySet<number> = new Set(Object.values(eventTypes).map(({ code }) => code));

const names: ReadonlyMap<number, EventTypeName> = new Map(
  (Object.keys(eventTypes) as EventTypeName[]).map((name) => [eventTypes[name].code, name]),
);

/** What the digest of an event covers; of a type that the table lacks nobody knows. */
export const coverageOf = (code: number): Coverage => {
  const name = names.get(code);
  return name === undefined ? 'elsewhere' : eventTypes[name].covers;
};

/** The name in the profile, or the number of a type that has none there. */
export const eventTypeName = (code: number): string => names.get(code) ?? `event type 0x${code.toString(16).padStart(8, '0')}`;

/** PFP §10.4.1, EV_SEPARATOR: both mark the passage to the operating system; the error value stands for a failure before it. */
export const separators = {
  zeros: Uint8Array.of(0, 0, 0, 0),
  ones: Uint8Array.of(0xff, 0xff, 0xff, 0xff),
  error: Uint8Array.of(1, 0, 0, 0),
} as const;

const startupLocalitySignature = new TextEncoder().encode('StartupLocality\0');

/** The data of the EV_NO_ACTION event that says from which locality the TPM was started (PFP §10.4.5.3): 17 bytes. */
export const startupLocalityData = (locality: number): Uint8Array => concat(startupLocalitySignature, Uint8Array.of(locality));

/** True for the data of every event that claims to name the startup locality, well-formed or not. */
export const claimsStartupLocality = (data: Uint8Array): boolean => startsWith(data, startupLocalitySignature);

/** @returns the locality; undefined for data that is not exactly signature and one byte */
export const startupLocality = (data: Uint8Array): number | undefined =>
  claimsStartupLocality(data) && data.length === startupLocalitySignature.length + 1 ? data.at(-1) : undefined;

export const startsWith = (data: Uint8Array, prefix: Uint8Array): boolean =>
  data.length >= prefix.length && prefix.every((byte, index) => data[index] === byte);
