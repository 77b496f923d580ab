/**
 * The variables that a machine's firmware has when it leaves the factory: written into the empty store of OVMF, offline.
 *
 * Layout: UEFI Platform Initialization 1.8 vol. 3 §3.2.1 (firmware volume header); EDK II `MdeModulePkg/Include/Guid/
 * VariableFormat.h` (AUTHENTICATED_VARIABLE_HEADER); UEFI 2.10 §32.4.1 (EFI_SIGNATURE_LIST).
 */
import { concat, u8, u16le, u32le } from '#hal/core/bytes';
import { type BootEntry, bootVariable, encodeBootOrder, encodeLoadOption, utf16 } from '#hal/core/efi-load-option';
import { globalVendor, guidBytes, securityVendor } from '#hal/core/guid';
import { deny, ok, type Result } from '#hal/core/result';
import { derOf, type ImageKeys } from './keys.ts';

export interface FirmwareVariable {
  readonly name: string;
  readonly vendor: string;
  readonly attributes: number;
  readonly isAuthenticated: boolean;
  readonly data: Uint8Array;
}

export interface SecureBootCertificates {
  /** DER. */
  readonly platform: Uint8Array;
  readonly keyExchange: Uint8Array;
  /** Each may start images. */
  readonly signers: readonly Uint8Array[];
}

/** EFI_CERT_X509_GUID. */
const x509List = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072';
/** Of whoever put a certificate in: ours. */
const owner = '3f6b0c1e-6c43-4c8e-9d9b-656e69676d00';
/** NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS. */
const stored = 0x07;
/** TIME_BASED_AUTHENTICATED_WRITE_ACCESS. */
const authenticated = 0x20;

const firstRecord = 0x48 + 0x1c;
/** EFI_FVH_SIGNATURE, at 40 of the volume header. */
const volumeSignature = '_FVH';
const recordStart = 0x55aa;
const added = 0x3f;
/** EFI_TIME: 2023-01-01, no zone. */
const factoryTime = new Uint8Array([0xe7, 0x07, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

/** Whose keys a machine of ours is made with: releases, and recovery under a key of its own. */
export const certificatesOf = ({
  platform,
  'key-exchange': keyExchange,
  release,
  recovery,
}: ImageKeys): SecureBootCertificates => ({
  platform: derOf(platform),
  keyExchange: derOf(keyExchange),
  signers: [release, recovery].map(derOf),
});

export const secureBootVariables = ({ platform, keyExchange, signers }: SecureBootCertificates): readonly FirmwareVariable[] => [
  keyVariable('PK', globalVendor, [platform]),
  keyVariable('KEK', globalVendor, [keyExchange]),
  keyVariable('db', securityVendor, signers),
];

/** Entries under their numbers, and their order. */
export const bootVariables = (entries: ReadonlyMap<number, BootEntry>): readonly FirmwareVariable[] => [
  ...[...entries].map(([number, entry]) => plain(bootVariable(number), encodeLoadOption(entry))),
  plain('BootOrder', encodeBootOrder([...entries.keys()])),
];

const plain = (name: string, data: Uint8Array): FirmwareVariable => ({
  ...{ name, vendor: globalVendor, attributes: stored, isAuthenticated: false, data },
});

const keyVariable = (name: string, vendor: string, certificates: readonly Uint8Array[]): FirmwareVariable => ({
  ...{ name, vendor, attributes: stored | authenticated, isAuthenticated: true },
  data: concat(
    ...certificates.map((certificate) => {
      const data = signatureData(certificate);
      return concat(guidBytes(x509List), u32le(28 + data.length), u32le(0), u32le(data.length), data);
    }),
  ),
});

/** EFI_SIGNATURE_DATA: who put it in, and the certificate; what firmware measures of the one that vouched for an image. */
export const signatureData = (certificate: Uint8Array): Uint8Array => concat(guidBytes(owner), certificate);

/**
 * @param template OVMF_VARS_4M.fd: a store without a variable
 * @returns the store with the variables, or `protocol/malformed` for another template
 */
export const writeVariables = (template: Uint8Array, variables: readonly FirmwareVariable[]): Result<Uint8Array> => {
  const store = template.slice();
  if (Buffer.from(store.subarray(40, 44)).toString('latin1') !== volumeSignature || store[firstRecord] !== 0xff)
    return deny('protocol', 'malformed', 'not an empty variable store');
  let at = firstRecord;
  for (const variable of variables) {
    const record = recordOf(variable);
    store.set(record, at);
    at += Math.ceil(record.length / 4) * 4;
  }
  return ok(store);
};

const recordOf = ({ name, vendor, attributes, isAuthenticated, data }: FirmwareVariable): Uint8Array => {
  const title = utf16(name);
  const time = isAuthenticated ? factoryTime : new Uint8Array(16);
  return concat(
    ...[u16le(recordStart), u8(added), u8(0), u32le(attributes), new Uint8Array(8), time, u32le(0)],
    ...[u32le(title.length), u32le(data.length), guidBytes(vendor), title, data],
  );
};
