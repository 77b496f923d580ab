/** Our three tiers of one update: the files, and each installed through the three programs of a device. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { folderFiles } from '#agents/release/folder-files';
import { withImages } from '#agents/release/image-files';
import { unwrap } from '#hal/core/result';
import { buildPayload } from '#ota-client/payload/build';
import type { PayloadFiles } from '#ota-client/payload/files';
import { indexOf } from '#ota-client/payload/image-index';
import { pinOf } from '#ota-client/payload/segment-index';
import { type Installation, installOnce } from './device/install.ts';
import type { ImagePair } from './peers.ts';
import { factsOf, type ImageFacts, publish } from './release.ts';

export const tiers = ['pair', 'adaptive', 'full'] as const;
export type Tier = (typeof tiers)[number];

export interface OurResult extends Installation {
  /** What the device downloaded: index, recipe or locator, and pieces; counted by the client as it came in. */
  readonly fetchedBytes: number;
}

/**
 * @param folder whose path is short: sockets are made in it
 * @param level of zstd
 */
export const runOurs = async (
  { base, target }: ImagePair,
  folder: string,
  level: number,
): Promise<Readonly<Record<Tier, OurResult>>> => {
  const repository = join(folder, 'repository');
  const files = unwrap(
    await withImages([target, base], async ([to, from]) => {
      const index = await indexOf(to);
      if (!index.ok) return index;
      const input = { folder: 'release', target: to, index: index.value, bases: [from], level, isForAnySource: true };
      return buildPayload(input, folderFiles(repository).create);
    }),
  );
  const { units: unitSource, ...withoutUnits } = files;
  const offered: Readonly<Record<Tier, PayloadFiles>> = {
    pair: files,
    adaptive: { ...files, pairs: [] },
    full: { ...withoutUnits, pairs: [] },
  };
  const facts = { running: factsOf(base), target: factsOf(target) };
  const results: Partial<Record<Tier, OurResult>> = {};
  for (const tier of tiers) results[tier] = await installed(folder, repository, base, facts, offered[tier], tier);
  rmSync(repository, { recursive: true });
  return results as Record<Tier, OurResult>;
};

/** @throws where the update did not go this way */
const installed = async (
  folder: string,
  repository: string,
  image: string,
  facts: { readonly running: ImageFacts; readonly target: ImageFacts },
  files: PayloadFiles,
  tier: Tier | 'same',
): Promise<OurResult> => {
  const place = join(folder, tier);
  try {
    const published = publish(join(place, 'publisher'), repository, facts.target, files);
    const installation = await installOnce({ folder: join(place, 'device'), image, ...facts, published });
    const { outcome, made } = installation;
    const others = Object.entries(made).filter(([name, count]) => name !== tier && count > 0);
    if (outcome !== 'installed' || others.length > 0) throw new Error(`${tier}: ${outcome}, ${JSON.stringify(made)}`);
    return installation;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
};

/** The image that runs is written to the other slot as well: no download but the index, so all of it is verify and write. */
export const runSame = async (image: string, folder: string): Promise<OurResult> => {
  const facts = factsOf(image);
  const repository = join(folder, 'repository');
  const put = async (path: string, bytes: Uint8Array) => {
    unwrap(await folderFiles(repository).put(path, bytes));
    return { path, ...pinOf(bytes) };
  };
  const nothing = { recipe: await put('release/full.recipe', new Uint8Array()), piecesPath: 'release/full.pieces' };
  const files = { index: await put('release/index', facts.index), full: nothing, pairs: [] };
  return installed(folder, repository, image, { running: facts, target: facts }, files, 'same');
};
