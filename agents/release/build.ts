/** From an image to everything that is published of it: hash tree, statement signed by two, payload, manifest. */
import { manifestOf } from '#agents/update/manifest';
import { utf8 } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { ok, type Result } from '#hal/core/result';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import type { HybridSecretKey } from '#hal/crypto/suites';
import { buildPayload, indexOf, type RecipeFiles, wholeBlocks } from '#ota-client/payload/build';
import { buildUnits } from '#ota-client/payload/build-units';
import { type NamedPayload, namePayload } from '#ota-client/payload/files';
import { encodeIndex, sha256 } from '#ota-client/payload/segment-index';
import { type VerityParameters, verityTree } from '#ota-client/payload/verity';
import type { ReleaseFacts } from '#ota-client/slots/ledger';
import { encodeStatement, openStatement, type ReleasePolicy, statementHeader } from '#ota-client/slots/statement';

/** What a slot holds, and the statement that says so. */
export interface FactoryRelease {
  readonly image: Uint8Array;
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

/** @param policy how the hands of a device open the statement. @returns the release; or the fault with which they refuse it */
export const buildRelease = (input: ReleaseInput, policy: ReleasePolicy): Result<BuiltRelease> => {
  const stated = stateRelease(input, policy);
  if (!stated.ok) return stated;
  const { files, contents } = payloadOf(input, stated.value.image);
  const manifest = encodeMessage('ReleaseManifest', manifestOf({ statement: stated.value.statement, files }));
  return ok({ id: input.id, ...stated.value, manifest, contents });
};

/** Without a payload: what a factory writes, or somebody has already. @returns as `buildRelease` */
export const stateRelease = (
  input: Omit<ReleaseInput, 'bases' | 'level' | 'isForAnySource'>,
  policy: ReleasePolicy,
): Result<FactoryRelease> => {
  const { image, payload, salt, uuid } = unsignedStatement(input);
  const statement = sealEnvelope(crypto, statementHeader, payload, input.signers);
  const opened = openStatement(policy, statement);
  return opened.ok ? ok({ image, statement, facts: opened.value.release, salt, uuid }) : opened;
};

export interface UnsignedStatement {
  /** In whole blocks, as it will lie in its slot. */
  readonly image: Uint8Array;
  /** The 140 bytes that the custodians sign. */
  readonly payload: Uint8Array;
  readonly salt: Uint8Array;
  readonly uuid: Uint8Array;
}

/** What is to be said of an image, signed by nobody yet. */
export const unsignedStatement = ({
  id,
  counter,
  floorEpoch,
  hardware,
  image: given,
}: Pick<ReleaseInput, 'id' | 'counter' | 'floorEpoch' | 'hardware' | 'image'>): UnsignedStatement => {
  const image = wholeBlocks(given);
  // Of the id: the same release has the same tree, two releases of one image have two.
  const salt = sha256(utf8(`enigm release salt ${id}`));
  const uuid = sha256(utf8(`enigm release uuid ${id}`)).slice(0, 16);
  const release = { counter, floorEpoch, imageBytes: image.length, verityRoot: verityRoot(image, { salt, uuid }) };
  return { image, payload: encodeStatement(crypto, { release, salt, uuid, hardware }), salt, uuid };
};

export const verityRoot = (image: Uint8Array, parameters: Omit<VerityParameters, 'imageBytes'>): Uint8Array => {
  const tree = verityTree({ ...parameters, imageBytes: image.length });
  tree.update(image);
  return tree.finish().root;
};

/** Recipes and pieces by which devices make the image. @param image in whole blocks */
export const payloadOf = (
  { id, bases, level = defaultLevel, isForAnySource = false }: Pick<ReleaseInput, 'id' | 'bases' | 'level' | 'isForAnySource'>,
  image: Uint8Array,
): NamedPayload => {
  const payload = buildPayload(image, undefined, { level });
  const pairs = bases.map((base) => ({
    base: sha256(encodeIndex(indexOf(wholeBlocks(base)))),
    files: buildPayload(image, base, { level }).pair as RecipeFiles,
  }));
  return namePayload(payloadFolder(id), payload, pairs, isForAnySource ? buildUnits(image, level) : undefined);
};
