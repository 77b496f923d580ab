/** What making a release costs: a program of its own, from image files to a folder, for two sizes of images. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { blockBytes } from '#ota-client/payload/limits';
import { type Cost, measure } from '../programs.ts';
import { type PublishedImages, writeImages } from './images.ts';

export interface PublisherCost extends Cost, PublishedImages {}

/** Half the content of the smaller in four times its size: less work, and larger tables. */
export const publishedImages: readonly [PublishedImages, PublishedImages] = [
  { mebibytes: 256, oneIn: 1 },
  { mebibytes: 1024, oneIn: 8 },
];
/** Of zstd: at 19 the same tables are kept, and it takes many times as long. */
export const publisherLevel = 3;
const root = join(import.meta.dirname, '../../..');
const bundle = join(root, 'build/bench/publisher/make.mjs');
const limitMs = 900_000;

/** Of the target and of the base, as `ota-client/payload/build.ts` says. */
const tableBytesPerBlock = 34.5;
export const tableBytes = ({ mebibytes }: PublishedImages): number =>
  ((mebibytes * 1024 * 1024) / blockBytes) * tableBytesPerBlock;

/** Full, pair and any-source files. @throws where the program fails */
export const runPublisher = async (images: PublishedImages, level: number, scratch: string): Promise<PublisherCost> => {
  await build({
    ...{ absWorkingDir: root, entryPoints: [join(import.meta.dirname, 'make.ts')], outfile: bundle },
    ...{ bundle: true, platform: 'node', format: 'esm', target: 'node24', logLevel: 'warning' },
  });
  const folder = join(scratch, 'publisher');
  mkdirSync(folder, { recursive: true });
  try {
    const { base, target } = writeImages(folder, images);
    const run = measure(process.execPath, [bundle, base, target, join(folder, 'made'), String(level)], limitMs);
    if (run.outcome === 'failed') throw new Error(run.why);
    return { ...images, ...run.cost };
  } finally {
    rmSync(folder, { recursive: true });
  }
};
