/** Releases for tests: image, recipes, hash tree and the server that has them. */
import { concat, utf8 } from '#hal/core/bytes';
import { deny, ok } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import type { PayloadFiles } from '../payload/files.ts';
import { wholeBlocks } from '../payload/image.ts';
import { nextImage, sampleImage } from '../payload/images.fixture.ts';
import { type BuiltPayload, builtPayload } from '../payload/payload.fixture.ts';
import { sha256 } from '../payload/segment-index.ts';
import { hashAreaBytes, veritySuperblock, verityTree } from '../payload/verity.ts';
import type { Offer } from '../plan/update.ts';
import type { ReleaseFacts } from '../slots/ledger.ts';
import type { FetchRange } from './fetch.ts';
import type { InstallOrder } from './installer.ts';

/** Stands still: windows are flushed by their size alone. */
export const clock = virtualClock();
export const salt = new Uint8Array(32).fill(7);
export const uuid = new Uint8Array(16).fill(9);
export const hardware = 'test-board';

export interface TestRelease {
  readonly name: string;
  readonly facts: ReleaseFacts;
  readonly offer: Offer;
  /** Image, superblock and hash tree: what a good slot holds. */
  readonly slotContent: Uint8Array;
  readonly payload: BuiltPayload;
  readonly files: PayloadFiles;
  /** The signed statement; `verifyArm` of these machines accepts exactly those of known releases. */
  readonly envelope: Uint8Array;
  readonly order: InstallOrder;
  readonly fetch: FetchRange;
}

/** @param base the image that a pair recipe starts from */
export const testRelease = async (
  name: string,
  counter: number,
  floorEpoch: number,
  image: Uint8Array,
  base?: Uint8Array,
  isForAnySource = false,
): Promise<TestRelease> => {
  const whole = wholeBlocks(image);
  const payload = await builtPayload(whole, base, { folder: name, level: 6, isForAnySource });
  const { root, content } = slotContent(whole);
  const facts = { digest: sha256(utf8(`release ${name}`)), counter, floorEpoch, imageBytes: whole.length, verityRoot: root };
  return {
    ...{ name, facts, payload, files: payload.files, slotContent: content },
    offer: { ...facts, hardware: [hardware] },
    envelope: utf8(`signed ${name}`),
    order: { release: facts, salt, uuid, owner: 'agent', isForced: false },
    fetch: fetchOf(payload.contents),
  };
};

/** A release for devices that come from anywhere: without a pair recipe. Over a floor of three. */
export const anySource = (name: string, image: Uint8Array): Promise<TestRelease> =>
  testRelease(name, 2, 3, image, undefined, true);

const fetchOf =
  (contents: ReadonlyMap<string, Uint8Array>): FetchRange =>
  async (path, offset, length) => {
    const bytes = contents.get(path);
    return bytes === undefined ? deny('unavailable', 'not-found', path) : ok(bytes.slice(offset, offset + length));
  };

const slotContent = (image: Uint8Array) => {
  const parameters = { imageBytes: image.length, salt, uuid };
  const tree = verityTree(parameters);
  const area = new Uint8Array(hashAreaBytes(image.length));
  area.set(veritySuperblock(parameters));
  const first = tree.update(image);
  const { blocks, root } = tree.finish();
  for (const { offsetBytes, bytes } of [...first, ...blocks]) area.set(bytes, offsetBytes);
  return { root, content: concat(image, area) };
};

export const windowSegments = 2;
export const segmentBytesOfWindow = windowSegments * 256 * 1024;
export const slotBytes = 1200 * 1024;
const oldImage = sampleImage('old', 200);
export const oldRelease = await testRelease('r1', 1, 1, oldImage);
export const newRelease = await testRelease('r2', 2, 3, nextImage('new', oldImage), oldImage);
export const releases: readonly TestRelease[] = [oldRelease, newRelease];
