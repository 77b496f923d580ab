/** What a device or its verifier reads and did not write itself in this life, with good inputs to begin from. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { manifestOf, readManifest } from '#agents/update/manifest';
import { appraise } from '#attestation/appraise';
import { forge, input } from '#attestation/forger.fixture';
import { concat } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { type Result, unwrap } from '#hal/core/result';
import { twinRecord, twinRecordBytes } from '#hal/core/twin-record';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { applyDelta, encodeDelta } from '#ota-client/payload/delta';
import { difference } from '#ota-client/payload/difference';
import { wholeBlocks } from '#ota-client/payload/image';
import { nextImage, sampleImage } from '#ota-client/payload/images.fixture';
import { blockBytes } from '#ota-client/payload/limits';
import { builtPayload, builtUnits } from '#ota-client/payload/payload.fixture';
import { parseRecipe } from '#ota-client/payload/recipe';
import { parseIndex } from '#ota-client/payload/segment-index';
import { parseLocator, parseSheet } from '#ota-client/payload/units';
import { compress, decompress } from '#ota-client/payload/zstd';
import { grantFile } from '#ota-client/repository/field-grant';
import { custodian } from '#ota-client/repository/repository.fixture';
import { emptyEntry, ledgerStore } from '#ota-client/slots/ledger';
import { checkProof } from '#ota-client/transparency/check';
import { readCheckpoint } from '#ota-client/transparency/checkpoint';
import { logTrust, provedEntry } from '#ota-client/transparency/log.fixture';
import { readProof } from '#ota-client/transparency/proof';
import { encodeRequest, readRequest } from '#ota-client/transparency/witness-request';
import { readGrant } from '#ota-client/trust/field-grant';
import { hybridForge } from '#ota-client/trust/forge.fixture';
import { deviceSchemes } from '#ota-client/trust/keys';
import { readRoot, readSnapshot, readTargets, readTimestamp } from '#ota-client/trust/metadata';
import type { MessageName } from '#protos/edge';
import { messages } from '#protos/gen/fields';

export interface FuzzedParser {
  readonly name: string;
  readonly samples: readonly Uint8Array[];
  /** Must answer whatever the bytes; a throw is a finding. */
  parse(bytes: Uint8Array): Result<unknown> | Promise<Result<unknown>>;
}

export const parsers = async (): Promise<readonly FuzzedParser[]> => [
  messageParser(),
  { name: 'evidence', samples: [forge()], parse: (bytes) => appraise(nodeCrypto, input(bytes)) },
  ...metadataParsers(),
  grantParser(),
  ...(await payloadParsers()),
  ...(await logParsers()),
  await journalParser('journal, as it lies on the medium', false),
  await journalParser('journal, under a good checksum', true),
];

/** Any message between two programs, or a device and a far end: the first byte says which, as it is not on the wire. */
const messageParser = (): FuzzedParser => {
  const names = Object.keys(messages) as MessageName[];
  const golden = readFileSync(join(import.meta.dirname, '../../protos/golden/messages.json'), 'utf8');
  const vectors = JSON.parse(golden) as readonly { readonly message: MessageName; readonly hex: string }[];
  return {
    name: 'message',
    samples: vectors.map(({ message, hex }) => concat(Uint8Array.of(names.indexOf(message)), Buffer.from(hex, 'hex'))),
    parse: (bytes) => decodeMessage(names[(bytes[0] ?? 0) % names.length] ?? 'Frame', bytes.subarray(1)),
  };
};

const metadataParsers = (): readonly FuzzedParser[] => {
  const forge = hybridForge();
  forge.publishRoot();
  forge.addTarget('targets', 'os/x', 'content', { releaseCounter: 1 });
  forge.publish();
  const readers = { root: readRoot, timestamp: readTimestamp, snapshot: readSnapshot, targets: readTargets } as const;
  return Object.entries(readers).map(([role, read]) => ({
    name: `metadata, ${role}`,
    samples: [forge.latest(role)],
    parse: (bytes) => read(bytes, deviceSchemes),
  }));
};

const grantParser = (): FuzzedParser => {
  const bounds = { version: 1, expiresMs: Date.UTC(2027, 0, 1), releases: { first: 2, last: 4 }, uses: 1 };
  const technicians = [custodian('tess'), custodian('toby')];
  return { name: 'grant', samples: [unwrap(grantFile(nodeCrypto, { ...bounds, technicians }))], parse: readGrant };
};

const payloadParsers = async (): Promise<readonly FuzzedParser[]> => {
  const base = sampleImage('fuzz', 70);
  const image = wholeBlocks(nextImage('fuzz', base));
  const { index, full, pair, files } = await builtPayload(image, base, { isForAnySource: true });
  const { locator, units } = await builtUnits(image);
  const located = unwrap(parseLocator(locator, image.length)).segment(0);
  if (located === undefined) throw new Error('a segment of zeros');
  const dictionary = base.subarray(0, 4 * blockBytes);
  const segment = concat(dictionary.subarray(100, 9000), Uint8Array.of(1, 2, 3), dictionary.subarray(20, 3000));
  segment[77] = 0;
  const delta = encodeDelta(difference(segment, dictionary), dictionary, 1) ?? index;
  const content = { statement: new Uint8Array(200), files };
  const sheet = units.subarray(0, located.sheet.lengthBytes);
  return [
    { name: 'index', samples: [index], parse: parseIndex },
    { name: 'recipe', samples: [pair.recipe, full.recipe], parse: (bytes) => parseRecipe(bytes, image.length) },
    { name: 'locator', samples: [locator], parse: (bytes) => parseLocator(bytes, image.length) },
    { name: 'sheet', samples: [sheet], parse: (bytes) => parseSheet(bytes, located, 64 * blockBytes) },
    { name: 'delta', samples: [delta], parse: (bytes) => applyDelta(bytes, dictionary, segment.length) },
    {
      name: 'compressed segment',
      samples: [compress(segment, dictionary, 1)],
      parse: (bytes) => decompress(bytes, dictionary, segment.length),
    },
    { name: 'manifest', samples: [encodeMessage('ReleaseManifest', manifestOf(content))], parse: readManifest },
  ];
};

/** What is stapled to a release, and what a witness is asked: both come from elsewhere. */
const logParsers = async (): Promise<readonly FuzzedParser[]> => {
  const { entry, proof } = await provedEntry();
  const stapled = unwrap(readProof(proof));
  const request = encodeRequest({ ...stapled, oldSize: 4 });
  return [
    { name: 'log proof', samples: [proof], parse: (bytes) => checkProof(nodeCrypto, logTrust(), entry, bytes) },
    { name: 'log checkpoint', samples: [stapled.checkpoint], parse: readCheckpoint },
    { name: 'request to a witness', samples: [request], parse: readRequest },
  ];
};

/** @param isSealed the value of the record is spoilt and stored anew; otherwise the bytes of the medium are */
const journalParser = async (name: string, isSealed: boolean): Promise<FuzzedParser> => {
  const device = memoryBlockDevice(twinRecordBytes);
  const store = ledgerStore(device);
  const release = {
    counter: 2,
    floorEpoch: 1,
    imageBytes: blockBytes,
    verityRoot: new Uint8Array(32),
    digest: new Uint8Array(32),
  };
  const writing = { content: 'writing', writtenSegments: 3, mismatches: 1, reason: 'medium', release } as const;
  unwrap(await store.write({ a: emptyEntry, b: writing }));
  const record = twinRecord(device, 'ENIGMLG1');
  const sample = isSealed ? unwrap(await record.read()) : device.durable().slice();
  return {
    name,
    samples: [sample ?? new Uint8Array()],
    async parse(bytes) {
      if (isSealed) unwrap(await record.write(bytes.subarray(0, 3000)));
      else device.load(bytes.subarray(0, twinRecordBytes));
      return store.read();
    },
  };
};
