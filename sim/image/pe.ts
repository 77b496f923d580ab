/**
 * Portable Executable files as UEFI starts them: adding sections, and the digest that Authenticode signs.
 *
 * Sources: Microsoft "PE Format" (PE32+ optional header, section table); "Windows Authenticode Portable Executable
 * Signature Format" §"Calculating the PE Image Hash". Only PE32+ (x86-64, AArch64) is read.
 */
import { createHash } from 'node:crypto';
import { concat, u32le, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';

export interface PeSection {
  /** At most 8 characters. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface PeLayout {
  readonly coff: number;
  readonly optional: number;
  readonly sectionTable: number;
  readonly sections: readonly PlacedSection[];
  readonly sectionAlignment: number;
  readonly fileAlignment: number;
  readonly headerBytes: number;
}

interface PlacedSection {
  readonly name: string;
  readonly virtualBytes: number;
  readonly virtualAddress: number;
  readonly rawBytes: number;
  readonly rawOffset: number;
}

/** Offsets in the PE32+ optional header. */
const field = {
  sectionAlignment: 32,
  fileAlignment: 36,
  imageBytes: 56,
  headerBytes: 60,
  checksum: 64,
  directories: 112,
} as const;
const optionalMagic = 0x20b;
const sectionHeaderBytes = 40;
/** IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ. */
const readOnlyData = 0x4000_0040;
const maxSections = 96;
/** WIN_CERTIFICATE: revision 2.0, PKCS_SIGNED_DATA. */
const winCertificate = new Uint8Array([0x00, 0x02, 0x02, 0x00]);
/** Index of the certificate table among the data directories. */
const certificateDirectory = 4;
const pageBytes = 4096;

export const alignUp = (value: number, alignment: number): number => Math.ceil(value / alignment) * alignment;

/** @returns where the parts are, or `protocol/malformed` */
const layoutOf = (file: Uint8Array): Result<PeLayout> => {
  const view = viewOf(file);
  const bad = (what: string) => deny('protocol', 'malformed', `PE: ${what}`);
  if (file.length < 0x40 || view.getUint16(0, true) !== 0x5a4d) return bad('no MZ');
  const coff = view.getUint32(0x3c, true) + 4;
  if (directoryAt(coff + 20) + 8 > file.length || view.getUint32(coff - 4, true) !== 0x4550) return bad('no PE');
  const optional = coff + 20;
  if (view.getUint16(optional, true) !== optionalMagic) return bad('not PE32+');
  const sectionTable = optional + view.getUint16(coff + 16, true);
  const count = view.getUint16(coff + 2, true);
  if (count > maxSections || sectionTable + count * sectionHeaderBytes > file.length) return bad('section table');
  const at = (index: number) => sectionTable + index * sectionHeaderBytes;
  const sections = Array.from({ length: count }, (_, index) => ({
    name: Buffer.from(file.subarray(at(index), at(index) + 8))
      .toString('latin1')
      .replace(/\0+$/, ''),
    virtualBytes: view.getUint32(at(index) + 8, true),
    virtualAddress: view.getUint32(at(index) + 12, true),
    rawBytes: view.getUint32(at(index) + 16, true),
    rawOffset: view.getUint32(at(index) + 20, true),
  }));
  if (sections.some(({ rawOffset, rawBytes }) => rawOffset + rawBytes > file.length)) return bad('section beyond the end');
  return ok({
    ...{ coff, optional, sectionTable, sections },
    sectionAlignment: view.getUint32(optional + field.sectionAlignment, true),
    fileAlignment: view.getUint32(optional + field.fileAlignment, true),
    headerBytes: view.getUint32(optional + field.headerBytes, true),
  });
};

/**
 * The file with more sections behind its own. Symbols, time stamp, check sum and any signature of the original are left
 * out, so the same input gives the same bytes.
 * @returns the new file, `protocol/malformed`, or `resource/limit-reached` where the header has no room
 */
export const withSections = (file: Uint8Array, added: readonly PeSection[]): Result<Uint8Array> => {
  const layout = layoutOf(file);
  if (!layout.ok) return layout;
  const { coff, optional, sectionTable, sections, fileAlignment, headerBytes } = layout.value;
  const count = sections.length + added.length;
  if (sectionTable + count * sectionHeaderBytes > headerBytes) return deny('resource', 'count-limit', 'sections of a PE file');
  const fileEnd = Math.max(headerBytes, ...sections.map(({ rawOffset, rawBytes }) => rawOffset + rawBytes));
  const memoryEnd = Math.max(...sections.map(({ virtualAddress, virtualBytes }) => virtualAddress + virtualBytes));
  const headers = file.slice(0, headerBytes);
  const view = viewOf(headers);
  const bodies: Uint8Array[] = [file.subarray(headerBytes, fileEnd)];
  let rawOffset = alignUp(fileEnd, fileAlignment);
  bodies.push(new Uint8Array(rawOffset - fileEnd));
  let virtualAddress = alignUp(memoryEnd, pageBytes);
  for (const [index, { name, bytes }] of added.entries()) {
    const at = sectionTable + (sections.length + index) * sectionHeaderBytes;
    const rawBytes = alignUp(bytes.length, fileAlignment);
    headers.fill(0, at, at + sectionHeaderBytes);
    headers.set(utf8(name).subarray(0, 8), at);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, virtualAddress, true);
    view.setUint32(at + 16, rawBytes, true);
    view.setUint32(at + 20, rawOffset, true);
    view.setUint32(at + 36, readOnlyData, true);
    bodies.push(bytes, new Uint8Array(rawBytes - bytes.length));
    rawOffset += rawBytes;
    virtualAddress = alignUp(virtualAddress + bytes.length, pageBytes);
  }
  view.setUint16(coff + 2, count, true);
  // Time stamp, symbol table, number of symbols.
  headers.fill(0, coff + 4, coff + 16);
  view.setUint32(optional + field.imageBytes, virtualAddress, true);
  view.setUint32(optional + field.checksum, 0, true);
  headers.fill(0, directoryAt(optional), directoryAt(optional) + 8);
  return ok(concat(headers, ...bodies));
};

const directoryAt = (optional: number): number => optional + field.directories + 8 * certificateDirectory;

/**
 * What Authenticode signs, and what UEFI firmware measures into PCR 4 for a started image (PFP §3.3.4.5).
 * @param file without a signature
 * @returns SHA-256, 32 bytes; or `protocol/malformed`
 */
export const authenticodeDigest = (file: Uint8Array): Result<Uint8Array> => {
  const layout = layoutOf(file);
  if (!layout.ok) return layout;
  const { optional, sections, headerBytes } = layout.value;
  const checksum = optional + field.checksum;
  const directory = directoryAt(optional);
  const hash = createHash('sha256');
  hash.update(file.subarray(0, checksum));
  hash.update(file.subarray(checksum + 4, directory));
  hash.update(file.subarray(directory + 8, headerBytes));
  let hashed = headerBytes;
  const inFile = sections.filter(({ rawBytes }) => rawBytes > 0).sort((a, b) => a.rawOffset - b.rawOffset);
  for (const { rawOffset, rawBytes } of inFile) {
    hash.update(file.subarray(rawOffset, rawOffset + rawBytes));
    hashed += rawBytes;
  }
  const certificates = viewOf(file).getUint32(directory + 4, true);
  if (file.length - certificates > hashed) hash.update(file.subarray(hashed, file.length - certificates));
  return ok(new Uint8Array(hash.digest()));
};

/**
 * @param signature PKCS #7, DER
 * @returns the file with its attribute certificate table (WIN_CERTIFICATE, revision 2.0, PKCS_SIGNED_DATA); or `protocol/malformed`
 */
export const withSignature = (file: Uint8Array, signature: Uint8Array): Result<Uint8Array> => {
  const layout = layoutOf(file);
  if (!layout.ok) return layout;
  const padded = new Uint8Array(alignUp(file.length, 8));
  padded.set(file);
  const certificateBytes = alignUp(8 + signature.length, 8);
  const view = viewOf(padded);
  view.setUint32(directoryAt(layout.value.optional), padded.length, true);
  view.setUint32(directoryAt(layout.value.optional) + 4, certificateBytes, true);
  const fill = new Uint8Array(certificateBytes - 8 - signature.length);
  return ok(concat(padded, u32le(8 + signature.length), winCertificate, signature, fill));
};

/** @returns the one signature at the end of a file: PKCS #7, DER; or `protocol/malformed` where there is none such */
export const signatureOf = (file: Uint8Array): Result<Uint8Array> => {
  const layout = layoutOf(file);
  if (!layout.ok) return layout;
  const view = viewOf(file);
  const [at, allBytes] = [0, 4].map((by) => view.getUint32(directoryAt(layout.value.optional) + by, true)) as [number, number];
  const isTable = at > 0 && allBytes > winCertificate.length + 4 && at + allBytes === file.length;
  const bytes = isTable ? view.getUint32(at, true) : 0;
  if (bytes === 0 || alignUp(bytes, 8) !== allBytes || !winCertificate.every((byte, index) => file[at + 4 + index] === byte))
    return deny('protocol', 'malformed', 'PE: no signature');
  return ok(file.subarray(at + 8, at + bytes));
};

/** @returns what is in a section; `protocol/malformed` where there is none of this name */
export const sectionOf = (file: Uint8Array, name: string): Result<Uint8Array> => {
  const layout = layoutOf(file);
  if (!layout.ok) return layout;
  const found = layout.value.sections.find((section) => section.name === name);
  if (found === undefined) return deny('protocol', 'malformed', `PE: no section ${name}`);
  return ok(file.subarray(found.rawOffset, found.rawOffset + Math.min(found.rawBytes, found.virtualBytes)));
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
