/**
 * The archive that Linux unpacks as its first root (Documentation/driver-api/early-userspace/buffer-format.rst): "newc"
 * cpio. Owner, times and inode numbers are fixed, so the same entries give the same bytes.
 */
import { concat, utf8 } from '#hal/core/bytes';

export type Entry =
  | { readonly is: 'directory'; readonly path: string }
  | { readonly is: 'link'; readonly path: string; readonly target: string }
  | { readonly is: 'file'; readonly path: string; readonly bytes: Uint8Array; readonly isExecutable: boolean };

/** S_IFDIR, S_IFLNK, S_IFREG of stat(2) with their permissions. */
const modes = { directory: 0o040755, link: 0o120777, file: 0o100644, executable: 0o100755 } as const;
const trailer = 'TRAILER!!!';

/** @param entries parents are added; the order does not matter */
export const cpioArchive = (entries: readonly Entry[]): Uint8Array => {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    const parts = entry.path.split('/');
    for (let depth = 1; depth < parts.length; depth += 1) {
      const path = parts.slice(0, depth).join('/');
      if (!all.has(path)) all.set(path, { is: 'directory', path });
    }
    all.set(entry.path, entry);
  }
  const sorted = [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return concat(...sorted.map(recordOf), record(trailer, 0, 0, new Uint8Array()));
};

const recordOf = (entry: Entry, index: number): Uint8Array => {
  const inode = index + 1;
  switch (entry.is) {
    case 'directory':
      return record(entry.path, inode, modes.directory, new Uint8Array());
    case 'link':
      return record(entry.path, inode, modes.link, utf8(entry.target));
    case 'file':
      return record(entry.path, inode, entry.isExecutable ? modes.executable : modes.file, entry.bytes);
  }
};

const record = (path: string, inode: number, mode: number, bytes: Uint8Array): Uint8Array => {
  const name = utf8(`${path}\0`);
  // inode, mode, user, group, links, time, size, device (2), special device (2), name, check
  const numbers = [inode, mode, 0, 0, mode === modes.directory ? 2 : 1, 0, bytes.length, 0, 0, 0, 0, name.length, 0];
  const header = utf8(`070701${numbers.map((number) => number.toString(16).padStart(8, '0').toUpperCase()).join('')}`);
  return concat(header, name, padding(header.length + name.length), bytes, padding(bytes.length));
};

const padding = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);
