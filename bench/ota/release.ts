/** A release on disk, as a server holds it, and a device that waits for it. */
import { closeSync, mkdirSync, openSync, readSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestOf } from '#agents/update/manifest';
import { concat, toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import type { PayloadFiles } from '#ota-client/payload/files';
import { segmentBytes } from '#ota-client/payload/limits';
import { encodeIndex, sha256 } from '#ota-client/payload/segment-index';
import { verityTree } from '#ota-client/payload/verity';
import { encodeStatement, releaseAudience, releaseType } from '#ota-client/slots/statement';
import { writtenCustodians } from './device/custodians.ts';

export const hardware = 'bench';
export const salt = new Uint8Array(32).fill(1);
const uuid = new Uint8Array(16).fill(2);

export interface ImageFacts {
  readonly imageBytes: number;
  /** Encoded. */
  readonly index: Uint8Array;
  readonly root: Uint8Array;
}

/** Index and hash tree of an image of any size, read piece by piece. */
export const factsOf = (image: string): ImageFacts => {
  const imageBytes = statSync(image).size;
  const tree = verityTree({ imageBytes, salt, uuid });
  const digests: Uint8Array[] = [];
  const file = openSync(image, 'r');
  for (let offset = 0; offset < imageBytes; offset += segmentBytes) {
    const segment = new Uint8Array(Math.min(segmentBytes, imageBytes - offset));
    readSync(file, segment, 0, segment.length, offset);
    digests.push(sha256(segment));
    tree.update(segment);
  }
  closeSync(file);
  return { imageBytes, index: encodeIndex({ imageBytes, digests: concat(...digests) }), root: tree.finish().root };
};

export interface Published {
  /** Served. */
  readonly repository: string;
  readonly manifest: string;
  readonly custodians: string;
}

/** @param repository where the files of the payload are */
export const publish = (folder: string, repository: string, { imageBytes, root }: ImageFacts, files: PayloadFiles): Published => {
  mkdirSync(folder, { recursive: true });
  const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
  const random = seededRandom('bench custodians');
  const pairs = [0, 1].map(() => hybridKeyPair(nodeCrypto, suite, random));
  const release = { counter: 2, floorEpoch: 1, imageBytes, verityRoot: root };
  const header = { suite, audience: releaseAudience, payloadType: releaseType };
  const content = encodeStatement(nodeCrypto, { release, salt, uuid, hardware });
  const statement = sealEnvelope(
    nodeCrypto,
    header,
    content,
    pairs.map(({ secretKey }) => secretKey),
  );
  const published = { repository, manifest: join(folder, 'manifest'), custodians: join(folder, 'custodians.json') };
  writeFileSync(published.manifest, encodeMessage('ReleaseManifest', manifestOf({ statement, files })));
  writeFileSync(published.custodians, writtenCustodians(pairs.map(({ publicKey }) => publicKey)));
  return published;
};

export const indexDigest = ({ index }: ImageFacts): string => toHex(sha256(index));
