/**
 * The headers of a tar archive (POSIX.1-2017, pax, "ustar Interchange Format"): plain files alone, no time and no owner,
 * so that the same files give the same archive, and any tar can read it.
 */
import { utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';

export interface TarEntry {
  readonly path: string;
  readonly lengthBytes: number;
}

export const blockBytes = 512;
export const maxNameBytes = 100;
/** Eleven octal digits. */
export const maxEntryBytes = 8 ** 11 - 1;

/** Where each field lies, and how long it is. */
const field = {
  name: [0, maxNameBytes],
  mode: [100, 8],
  user: [108, 8],
  group: [116, 8],
  size: [124, 12],
  time: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
  prefix: [345, 155],
} as const;

const plainFile = '0';
const magic = 'ustar\x0000';

/** @returns the block before a file; or `protocol/field-invalid` for a path or a size that does not fit */
export const encodeTarHeader = ({ path, lengthBytes }: TarEntry): Result<Uint8Array> => {
  const split = splitPath(path);
  if (split === undefined || lengthBytes > maxEntryBytes)
    return deny('protocol', 'field-invalid', `${path} does not fit an archive`);
  const block = new Uint8Array(blockBytes);
  const put = ([offset]: readonly [number, number], text: string) => block.set(utf8(text), offset);
  put(field.name, split.name);
  put(field.prefix, split.prefix);
  put(field.mode, octal(0o644, 7));
  put(field.user, octal(0, 7));
  put(field.group, octal(0, 7));
  put(field.size, octal(lengthBytes, 11));
  put(field.time, octal(0, 11));
  put(field.type, plainFile);
  put(field.magic, magic);
  put(field.checksum, `${octal(sumOf(block), 6)}\0 `);
  return ok(block);
};

/** @returns the entry, undefined for the block of zeros at the end; or `protocol/malformed` for anything but a plain file */
export const readTarHeader = (block: Uint8Array): Result<TarEntry | undefined> => {
  if (block.length !== blockBytes) return malformed('a cut header');
  if (block.every((byte) => byte === 0)) return ok(undefined);
  const text = ([offset, length]: readonly [number, number]) =>
    Buffer.from(block.subarray(offset, offset + length))
      .toString('latin1')
      .replace(/\0.*$/s, '');
  const number = (where: readonly [number, number]) => {
    const digits = text(where).trim();
    return /^[0-7]{1,11}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
  };
  const lengthBytes = number(field.size);
  if (number(field.checksum) !== sumOf(block)) return malformed('a header with another sum');
  if (text(field.type) !== plainFile || !text(field.magic).startsWith('ustar'))
    return malformed('an entry that is no plain file');
  const [prefix, name] = [text(field.prefix), text(field.name)];
  const path = prefix === '' ? name : `${prefix}/${name}`;
  if (lengthBytes === undefined || !isArchivePath(path)) return malformed(`an entry ${path.slice(0, 64)}`);
  return ok({ path, lengthBytes });
};

/** Printable, relative, and nowhere upwards. */
export const isArchivePath = (path: string): boolean =>
  /^[\x21-\x7e]{1,255}$/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

export const paddingBytes = (lengthBytes: number): number => (blockBytes - (lengthBytes % blockBytes)) % blockBytes;

const malformed = (why: string) => deny('protocol', 'malformed', why);

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');

/** The sum of all bytes, those of the sum itself counted as blanks. */
const sumOf = (block: Uint8Array): number => {
  const [start, length] = field.checksum;
  return block.reduce((sum, byte, at) => sum + (at >= start && at < start + length ? 0x20 : byte), 0);
};

/** A long path is cut at a slash, so that both parts fit. */
const splitPath = (path: string): { readonly prefix: string; readonly name: string } | undefined => {
  if (!isArchivePath(path)) return undefined;
  if (path.length <= maxNameBytes) return { prefix: '', name: path };
  const slash = path.indexOf('/', path.length - maxNameBytes - 1);
  const [, prefixBytes] = field.prefix;
  if (slash === -1 || slash > prefixBytes) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
};
