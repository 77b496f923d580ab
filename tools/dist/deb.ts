/** A Debian package (deb(5)): an ar archive of three members, the last of which is what is unpacked at `/`. */
import { createHash } from 'node:crypto';
import type { InstalledFile } from '#agents/package/files';
import { concat, utf8 } from '#hal/core/bytes';
import { compressed } from './compressed.ts';
import { tarArchive } from './tar.ts';

export interface Package {
  /** Of deb-control(5), in this order. */
  readonly control: ReadonlyMap<string, string>;
  /** Names of deb-postinst(5) and the like, and what they do. */
  readonly scripts: ReadonlyMap<string, string>;
  readonly files: readonly InstalledFile[];
  /** `data.tar.zst`. */
  readonly data: Uint8Array;
  readonly timeSeconds: number;
}

export const debianPackage = ({ control, scripts, files, data, timeSeconds }: Package): Uint8Array => {
  const member = (path: string, text: string, mode = 0o644) => ({ is: 'file', path, mode, bytes: utf8(text) }) as const;
  const controlArchive = tarArchive(
    [
      { is: 'directory', path: './', mode: 0o755 },
      member('./control', [...control].map(([name, value]) => `${name}: ${value}\n`).join('')),
      member('./md5sums', sumsOf(files)),
      ...[...scripts].map(([name, text]) => member(`./${name}`, text, 0o755)),
    ],
    timeSeconds,
  );
  const members: readonly (readonly [string, Uint8Array])[] = [
    ['debian-binary', utf8('2.0\n')],
    ['control.tar.zst', compressed(controlArchive)],
    ['data.tar.zst', data],
  ];
  return concat(
    utf8('!<arch>\n'),
    ...members.flatMap(([name, bytes]) => [
      utf8(
        [
          ...[name.padEnd(16), String(timeSeconds).padEnd(12), '0'.padEnd(6), '0'.padEnd(6)],
          ...['100644'.padEnd(8), String(bytes.length).padEnd(10), '`\n'],
        ].join(''),
      ),
      bytes,
      new Uint8Array(bytes.length & 1).fill(0x0a),
    ]),
  );
};

/** deb-md5sums(5): for `dpkg --verify`, against accidents; who wants more has the digest of the package. */
const sumsOf = (files: readonly InstalledFile[]): string =>
  files
    .flatMap((file) => ('target' in file ? [] : [`${createHash('md5').update(file.read()).digest('hex')}  ${file.path}\n`]))
    .join('');
