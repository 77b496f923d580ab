/**
 * Records in pairs of pages, written in turn: `sequence 4 | length 4 | bytes | crc32c 4`. The newest page that reads is
 * the record, so a cut at any byte leaves the old value or the new one; the older page is then erased and read back,
 * because the Key's secrets must be gone when it says that they are.
 */
import { crc32c } from '../core/crc32c.ts';
import { ascii, join, readU32, u32 } from '../core/octets.ts';

/** Raw pages by name. A power cut may leave any prefix of what was being written. */
export interface Pages {
  names(): readonly string[];
  read(page: string): Uint8Array | undefined;
  write(page: string, bytes: Uint8Array): void;
  erase(page: string): void;
}

export interface Flash {
  /** Every record, as text; also finishes an erasure that a power cut interrupted. */
  readAll(): { readonly [record: string]: string };
  write(record: string, value: string): void;
}

export const pairedFlash = (pages: Pages): Flash => {
  const pageOf = (record: string, side: 0 | 1): string => `${record}.${side}`;
  const valid = (record: string, side: 0 | 1): Page | undefined => decodePage(pages.read(pageOf(record, side)));
  const eraseWhole = (page: string): void => {
    pages.erase(page);
    if ((pages.read(page)?.length ?? 0) !== 0) throw new Error('a page cannot be erased: the Key must not go on');
  };

  const current = (record: string): { readonly page?: Page; readonly side: 0 | 1 } => {
    const [a, b] = [valid(record, 0), valid(record, 1)];
    const side = b !== undefined && (a === undefined || b.sequence > a.sequence) ? 1 : 0;
    const page = side === 1 ? b : a;
    return page === undefined ? { side } : { page, side };
  };

  return {
    readAll() {
      const records: { [record: string]: string } = {};
      for (const record of new Set(pages.names().map((page) => page.slice(0, -2)))) {
        const { page, side } = current(record);
        if (page === undefined) continue;
        records[record] = page.text;
        const older = pageOf(record, side === 0 ? 1 : 0);
        if ((pages.read(older)?.length ?? 0) !== 0) eraseWhole(older);
      }
      return records;
    },
    write(record, value) {
      const { page, side } = current(record);
      const next = page === undefined || side === 1 ? 0 : 1;
      pages.write(pageOf(record, next), encodePage((page?.sequence ?? 0) + 1, value));
      if (page !== undefined) eraseWhole(pageOf(record, side));
    },
  };
};

interface Page {
  readonly sequence: number;
  readonly text: string;
}

const encodePage = (sequence: number, text: string): Uint8Array => {
  const content = join(u32(sequence), u32(text.length), ascii(text));
  return join(content, u32(crc32c(content)));
};

const decodePage = (bytes: Uint8Array | undefined): Page | undefined => {
  if (bytes === undefined || bytes.length < 12 || readU32(bytes, 4) !== bytes.length - 12) return undefined;
  const content = bytes.subarray(0, bytes.length - 4);
  if (crc32c(content) !== readU32(bytes, content.length)) return undefined;
  return { sequence: readU32(bytes, 0), text: Buffer.from(content.subarray(8)).toString('latin1') };
};

/** Pages that live as long as the map that holds them. */
export const memoryPages = (kept = new Map<string, Uint8Array>()): Pages => ({
  names: () => [...kept.keys()],
  read: (page) => kept.get(page),
  write: (page, bytes) => void kept.set(page, bytes.slice()),
  erase: (page) => void kept.delete(page),
});
