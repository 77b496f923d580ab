/** Our three tiers of one update: the files, and each installed through the three programs of a device. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildPayload, indexOf, wholeBlocks } from '#ota-client/payload/build';
import { buildUnits } from '#ota-client/payload/build-units';
import { namePayload, type PayloadFiles } from '#ota-client/payload/files';
import { encodeIndex, sha256 } from '#ota-client/payload/segment-index';
import { type Installation, installOnce } from './device/install.ts';
import type { ImagePair } from './peers.ts';
import { factsOf, type ImageFacts, publish } from './release.ts';

export const tiers = ['pair', 'adaptive', 'full'] as const;
export type Tier = (typeof tiers)[number];

export interface OurResult extends Installation {
  /** What the device downloaded: index, recipe or locator, and pieces; counted by the client as it came in. */
  readonly fetchedBytes: number;
}

/** zstd level of what is published. */
const level = 19;

/** @param folder whose path is short: sockets are made in it */
export const runOurs = async ({ base, target }: ImagePair, folder: string): Promise<Readonly<Record<Tier, OurResult>>> => {
  const [from, to] = [base, target].map((path) => wholeBlocks(new Uint8Array(readFileSync(path)))) as [Uint8Array, Uint8Array];
  const payload = buildPayload(to, from, { level });
  const units = buildUnits(to, level);
  const index = sha256(encodeIndex(indexOf(from)));
  const pairs = payload.pair === undefined ? [] : [{ base: index, files: payload.pair }];
  const { files, contents } = namePayload('release', payload, pairs, units);
  const { units: unitSource, ...withoutUnits } = files;
  const offered: Readonly<Record<Tier, PayloadFiles>> = {
    pair: files,
    adaptive: { ...files, pairs: [] },
    full: { ...withoutUnits, pairs: [] },
  };
  const facts = { running: factsOf(base), target: factsOf(target) };
  const results: Partial<Record<Tier, OurResult>> = {};
  for (const tier of tiers) results[tier] = await installed(folder, base, facts, offered[tier], contents, tier);
  return results as Record<Tier, OurResult>;
};

/** @throws where the update did not go this way */
const installed = async (
  folder: string,
  image: string,
  facts: { readonly running: ImageFacts; readonly target: ImageFacts },
  files: PayloadFiles,
  contents: ReadonlyMap<string, Uint8Array>,
  tier: Tier | 'same',
): Promise<OurResult> => {
  const place = join(folder, tier);
  try {
    const published = publish(join(place, 'publisher'), facts.target, files, contents);
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
  const none = new Uint8Array();
  const { files, contents } = namePayload('release', { index: facts.index, full: { recipe: none, pieces: none } });
  return installed(folder, image, { running: facts, target: facts }, files, contents, 'same');
};
