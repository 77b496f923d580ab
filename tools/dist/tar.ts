/** Archives in the POSIX ustar format (IEEE 1003.1, pax, "ustar Interchange Format"): the same entries give the same bytes. */
import { concat, utf8 } from '#hal/core/bytes';

export type TarEntry = { readonly path: string } & (
  | { readonly is: 'file'; readonly mode: number; readonly bytes: Uint8Array }
  | { readonly is: 'directory'; readonly mode: number }
  | { readonly is: 'link'; readonly target: string }
);

const blockBytes = 512;
const typeOf = { file: '0', link: '2', directory: '5' } as const;

/** @param entries by their order in the archive. @param timeSeconds of every entry. All belong to root. */
export const tarArchive = (entries: readonly TarEntry[], timeSeconds: number): Uint8Array =>
  concat(
    ...entries.flatMap((entry) => {
      const bytes = entry.is === 'file' ? entry.bytes : new Uint8Array();
      return [header(entry, bytes.length, timeSeconds), bytes, new Uint8Array(-bytes.length & (blockBytes - 1))];
    }),
    new Uint8Array(2 * blockBytes),
  );

const header = (entry: TarEntry, sizeBytes: number, timeSeconds: number): Uint8Array => {
  const block = new Uint8Array(blockBytes);
  const put = (offset: number, length: number, text: string): void => {
    const bytes = utf8(text);
    if (bytes.length > length) throw new Error(`${entry.path}: ${text} has no room in a tar header`);
    block.set(bytes, offset);
  };
  const octal = (offset: number, length: number, value: number) =>
    put(offset, length, `${value.toString(8).padStart(length - 1, '0')}\0`);
  put(0, 100, entry.path);
  octal(100, 8, entry.is === 'link' ? 0o777 : entry.mode);
  octal(108, 8, 0);
  octal(116, 8, 0);
  octal(124, 12, sizeBytes);
  octal(136, 12, timeSeconds);
  put(156, 1, typeOf[entry.is]);
  if (entry.is === 'link') put(157, 100, entry.target);
  put(257, 8, 'ustar\x0000');
  put(265, 32, 'root');
  put(297, 32, 'root');
  // The sum counts its own field as blanks.
  put(148, 8, ' '.repeat(8));
  put(
    148,
    8,
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
  );
  return block;
};
