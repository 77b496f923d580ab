/**
 * The same update by other people's programs: what a device downloads, and what applying it costs. Each makes its own files
 * in a folder of its own, within a time limit; one that cannot says why, and the others go on.
 */

import { hash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { blockBytes } from '#ota-client/payload/limits';
import { type Cost, measure, outputOf } from './programs.ts';

/** Two images, as files. */
export interface ImagePair {
  readonly base: string;
  readonly target: string;
}

export type PeerResult =
  | { readonly outcome: 'done'; readonly bytes: number; readonly apply?: Cost }
  | { readonly outcome: 'failed'; readonly why: string };

export interface Peer {
  readonly name: string;
  /** `pair`: made for one base. `adaptive`: made once, for any base. `full`: without a base. */
  readonly kind: 'pair' | 'adaptive' | 'full';
  /** The program that must be there. */
  readonly needs: string;
  run(pair: ImagePair, folder: string): PeerResult;
}

/** bsdiff takes 2 to 3 minutes and ten times its input in memory. */
const limitMs = 600_000;
const windowBytes = 1 << 28;

/** Steps in order; the first that fails ends it. */
const inSteps = (steps: readonly (() => ReturnType<typeof measure>)[], bytes: () => number, isApplied = true): PeerResult => {
  let last: Cost | undefined;
  for (const step of steps) {
    const run = step();
    if (run.outcome === 'failed') return run;
    last = run.cost;
  }
  return { outcome: 'done', bytes: bytes(), ...(isApplied && last !== undefined ? { apply: last } : {}) };
};
const sizeOf = (path: string): number => statSync(path).size;
/** What was applied must be the image. */
const compared = (made: string, target: string) => () => measure('cmp', [made, target], limitMs);

/** Applying is the step before the comparison. */
const applied = (
  make: readonly (() => ReturnType<typeof measure>)[],
  apply: () => ReturnType<typeof measure>,
  made: string,
  target: string,
  bytes: () => number,
): PeerResult => {
  const done = inSteps([...make, apply], bytes);
  const same = done.outcome === 'done' ? compared(made, target)() : done;
  return same.outcome === 'failed' ? same : done;
};

export const peers: readonly Peer[] = [
  {
    name: 'bsdiff',
    kind: 'pair',
    needs: 'bsdiff',
    run({ base, target }, folder) {
      const [patch, out] = [join(folder, 'patch'), join(folder, 'out')];
      const make = [() => measure('bsdiff', [base, target, patch], limitMs)];
      return applied(
        make,
        () => measure('bspatch', [base, out, patch], limitMs),
        out,
        target,
        () => sizeOf(patch),
      );
    },
  },
  {
    name: 'xdelta3 and zstd -19',
    kind: 'pair',
    needs: 'xdelta3',
    run({ base, target }, folder) {
      const [patch, out] = [join(folder, 'patch'), join(folder, 'out')];
      const window = ['-B', String(windowBytes)];
      const make = [
        () => measure('xdelta3', ['-e', '-9', '-S', 'none', ...window, '-f', '-s', base, target, patch], limitMs),
        () => measure('zstd', ['-19', '-q', '-f', patch, '-o', `${patch}.zst`], limitMs),
      ];
      const apply = () => measure('xdelta3', ['-d', ...window, '-f', '-s', base, patch, out], limitMs);
      return applied(make, apply, out, target, () => sizeOf(`${patch}.zst`));
    },
  },
  {
    name: 'zstd -12 --patch-from',
    kind: 'pair',
    needs: 'zstd',
    run({ base, target }, folder) {
      const [patch, out] = [join(folder, 'patch'), join(folder, 'out')];
      const make = [
        () => measure('zstd', ['-12', '--long=28', `--patch-from=${base}`, '-q', '-f', target, '-o', patch], limitMs),
      ];
      const apply = () => measure('zstd', ['-d', '--long=28', `--patch-from=${base}`, '-q', '-f', patch, '-o', out], limitMs);
      return applied(make, apply, out, target, () => sizeOf(patch));
    },
  },
  {
    name: 'casync, 16 KiB chunks',
    kind: 'adaptive',
    needs: 'casync',
    run({ base, target }, folder) {
      const [old, store, index, out] = ['old', 'store', 'image.caibx', 'out'].map((name) => join(folder, name)) as [
        string,
        string,
        string,
        string,
      ];
      const chunked = (image: string, into: string, name: string) => () =>
        measure('casync', ['make', '--chunk-size=16384', '--compression=zstd', `--store=${into}`, name, image], limitMs);
      const make = [chunked(base, old, join(folder, 'base.caibx')), chunked(target, store, index)];
      const apply = () => measure('casync', ['extract', `--store=${store}`, `--seed=${base}`, index, out], limitMs);
      const newChunks = () =>
        readdirSync(store).flatMap((prefix) =>
          readdirSync(join(store, prefix))
            .filter((name) => !existsSync(join(old, prefix, name)))
            .map((name) => sizeOf(join(store, prefix, name))),
        );
      return applied(make, apply, out, target, () => newChunks().reduce((total, size) => total + size, sizeOf(index)));
    },
  },
  {
    name: 'zchunk',
    kind: 'adaptive',
    needs: 'zck',
    run({ base, target }, folder) {
      const [old, next] = [join(folder, 'base.zck'), join(folder, 'next.zck')];
      const made = inSteps(
        [() => measure('zck', ['-o', old, base], limitMs), () => measure('zck', ['-o', next, target], limitMs)],
        () => 0,
        false,
      );
      if (made.outcome === 'failed') return made;
      const bytes = Number(/Would download (\d+)/.exec(outputOf('zck_delta_size', [old, next]))?.[1]);
      return { outcome: 'done', bytes };
    },
  },
  {
    name: 'RAUC block index, computed',
    kind: 'adaptive',
    needs: 'mksquashfs',
    run({ base, target }, folder) {
      const squashed = join(folder, 'squashfs');
      const words = [target, squashed, '-noappend', '-quiet', '-no-progress', '-comp', 'zstd', '-b', '64k', '-processors', '1'];
      const made = measure('mksquashfs', words, limitMs);
      if (made.outcome === 'failed') return made;
      // Blocks of 4 KiB that are nowhere in the base, as large as the bundle's compression leaves them, in the 64 KiB units
      // that a squashfs is read in; and an index of 32 bytes for each block.
      const { blocks, touched } = unitsTouched(base, target, 65_536 / blockBytes);
      const ratio = sizeOf(squashed) / contentBytes(target);
      return { outcome: 'done', bytes: Math.round(touched * 65_536 * ratio) + blocks * 32 };
    },
  },
  {
    name: 'zstd -19 --long=27',
    kind: 'full',
    needs: 'zstd',
    run({ target }, folder) {
      const [packed, out] = [join(folder, 'packed'), join(folder, 'out')];
      const make = [() => measure('zstd', ['-19', '--long=27', '-q', '-f', target, '-o', packed], limitMs)];
      return applied(
        make,
        () => measure('zstd', ['-d', '--long=27', '-q', '-f', packed, '-o', out], limitMs),
        out,
        target,
        () => sizeOf(packed),
      );
    },
  },
];

/** In a folder of its own, which is gone afterwards. */
export const runPeer = (peer: Peer, pair: ImagePair, scratch: string): PeerResult => {
  const folder = join(scratch, 'peer');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    return peer.run(pair, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

const eachBlock = (path: string, take: (block: Uint8Array, at: number) => void): void => {
  const file = openSync(path, 'r');
  const piece = new Uint8Array(256 * blockBytes);
  let at = 0;
  for (let got = readSync(file, piece); got > 0; got = readSync(file, piece))
    for (let offset = 0; offset < got; offset += blockBytes)
      take(piece.subarray(offset, Math.min(got, offset + blockBytes)), at++);
  closeSync(file);
};
const digestOf = (block: Uint8Array): string => hash('sha256', block, 'binary');

const unitsTouched = (base: string, target: string, unitBlocks: number) => {
  const known = new Set<string>([digestOf(new Uint8Array(blockBytes))]);
  eachBlock(base, (block) => known.add(digestOf(block)));
  const touched = new Set<number>();
  let blocks = 0;
  eachBlock(target, (block, at) => {
    blocks += 1;
    if (!known.has(digestOf(block))) touched.add(Math.floor(at / unitBlocks));
  });
  return { blocks, touched: touched.size };
};

const contentBytes = (path: string): number => {
  let bytes = 0;
  eachBlock(path, (block) => {
    if (block.some((byte) => byte !== 0)) bytes += block.length;
  });
  return bytes;
};

/** Whose figures these are. */
export const versionsOf = (debianPackages: readonly string[]): Readonly<Record<string, string>> => {
  const lines = outputOf('dpkg-query', ['-W', ...debianPackages])
    .trim()
    .split('\n');
  return Object.fromEntries(lines.map((line) => line.split('\t')));
};
