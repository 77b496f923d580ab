/** From an image to everything that is published of it: hash tree, statement signed by two, payload, manifest. */
import { manifestOf } from '#agents/update/manifest';
import { utf8 } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { ok, type Result } from '#hal/core/result';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import type { HybridSecretKey } from '#hal/crypto/suites';
import { buildPayload, type PayloadInput } from '#ota-client/payload/build';
import type { PayloadFiles } from '#ota-client/payload/files';
import { bytesImage, type Image, slotImage, wholeBlocks } from '#ota-client/payload/image';
import { indexOf } from '#ota-client/payload/image-index';
import type { CreateFile } from '#ota-client/payload/new-file';
import { type SegmentIndex, sha256 } from '#ota-client/payload/segment-index';
import { type VerityParameters, verityTree } from '#ota-client/payload/verity';
import { memoryFiles } from '#ota-client/repository/files';
import type { ReleaseFacts } from '#ota-client/slots/ledger';
import { encodeStatement, openStatement, type ReleasePolicy, statementHeader } from '#ota-client/slots/statement';

/** What a slot holds, and the statement that says so. */
export interface FactoryRelease {
  readonly image: Uint8Array;
  readonly index: SegmentIndex;
  /** An encoded envelope. */
  readonly statement: Uint8Array;
  readonly facts: ReleaseFacts;
  /** Of the hash tree: 32 bytes. */
  readonly salt: Uint8Array;
  /** Of the hash tree: 16 bytes. */
  readonly uuid: Uint8Array;
}

export interface BuiltRelease extends FactoryRelease {
  readonly id: string;
  /** The target's content: an encoded `ReleaseManifest`. */
  readonly manifest: Uint8Array;
  /** What a server must hold beside it, by path. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

export interface ReleaseInput {
  readonly id: string;
  readonly counter: number;
  readonly floorEpoch: number;
  readonly hardware: string;
  readonly image: Uint8Array;
  /** Images from which devices may come. */
  readonly bases: readonly Uint8Array[];
  /** Who signs the statement. */
  readonly signers: readonly HybridSecretKey[];
  /** Of zstd, 1 to 22. */
  readonly level?: number;
  /** Also for devices that come from any other image: as much again to store, and the time of a full payload to make. */
  readonly isForAnySource?: boolean;
}

const crypto = nodeCrypto;
/** The last tenth of a download costs twenty times the time. */
const defaultLevel = 6;

/** Where the files of a release lie on the server: beside the targets, named by their manifest alone. */
const payloadFolder = (id: string): string => `targets/payload/${id}`;

/** All of it in memory. @param policy how the hands of a device open the statement. @returns the release; or the fault with which they refuse it */
export const buildRelease = async (input: ReleaseInput, policy: ReleasePolicy): Promise<Result<BuiltRelease>> => {
  const stated = await stateRelease(input, policy);
  if (!stated.ok) return stated;
  const contents = new Map<string, Uint8Array>();
  const { id, level = defaultLevel, isForAnySource = false } = input;
  const images = { target: bytesImage(stated.value.image), index: stated.value.index, bases: input.bases.map(bytesImage) };
  const files = await payloadOf({ id, ...images, level, isForAnySource }, memoryFiles(contents).create);
  if (!files.ok) return files;
  const manifest = encodeMessage('ReleaseManifest', manifestOf({ statement: stated.value.statement, files: files.value }));
  return ok({ id, ...stated.value, manifest, contents });
};

/** Without a payload: what a factory writes, or somebody has already. @returns as `buildRelease` */
export const stateRelease = async (
  input: Omit<ReleaseInput, 'bases' | 'level' | 'isForAnySource'>,
  policy: ReleasePolicy,
): Promise<Result<FactoryRelease>> => {
  const unsigned = await unsignedStatement({ ...input, image: bytesImage(input.image) });
  if (!unsigned.ok) return unsigned;
  const { payload, salt, uuid, index } = unsigned.value;
  const statement = sealEnvelope(crypto, statementHeader, payload, input.signers);
  const opened = openStatement(policy, statement);
  return opened.ok ? ok({ image: wholeBlocks(input.image), index, statement, facts: opened.value.release, salt, uuid }) : opened;
};

export interface UnsignedStatement {
  /** Of the image of which it is said. */
  readonly index: SegmentIndex;
  /** The 140 bytes that the custodians sign. */
  readonly payload: Uint8Array;
  readonly salt: Uint8Array;
  readonly uuid: Uint8Array;
}

/** What is to be said of an image, signed by nobody yet; or the faults of `slotImage` and of the image. */
export const unsignedStatement = async ({
  id,
  counter,
  floorEpoch,
  hardware,
  image: given,
}: Pick<ReleaseInput, 'id' | 'counter' | 'floorEpoch' | 'hardware'> & { readonly image: Image }): Promise<
  Result<UnsignedStatement>
> => {
  // Of the id: the same release has the same tree, two releases of one image have two.
  const salt = sha256(utf8(`enigm release salt ${id}`));
  const uuid = sha256(utf8(`enigm release uuid ${id}`)).slice(0, 16);
  const tree = await treeOf(given, { salt, uuid });
  if (!tree.ok) return tree;
  const { index, verityRoot } = tree.value;
  const release = { counter, floorEpoch, imageBytes: index.imageBytes, verityRoot };
  return ok({ index, payload: encodeStatement(crypto, { release, salt, uuid, hardware }), salt, uuid });
};

export interface ImageTree {
  /** In whole blocks, as it will lie in its slot. */
  readonly index: SegmentIndex;
  readonly verityRoot: Uint8Array;
}

/** @returns index and hash tree of an image, of one look at it; or the faults of `slotImage` and of the image */
export const treeOf = async (given: Image, parameters: Omit<VerityParameters, 'imageBytes'>): Promise<Result<ImageTree>> => {
  const image = slotImage(given);
  if (!image.ok) return image;
  const tree = verityTree({ ...parameters, imageBytes: image.value.sizeBytes });
  const index = await indexOf(image.value, tree.update);
  return index.ok ? ok({ index: index.value, verityRoot: tree.finish().root }) : index;
};

/** Recipes and pieces by which devices make the image. */
export const payloadOf = (
  { id, ...input }: Omit<PayloadInput, 'folder'> & { readonly id: string },
  create: CreateFile,
): Promise<Result<PayloadFiles>> => buildPayload({ ...input, folder: payloadFolder(id) }, create);
