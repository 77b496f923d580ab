import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { seededRandom } from '#hal/memory/random';
import { memoryFiles } from '../repository/files.ts';
import { buildPayload } from './build.ts';
import { checkPiece, decodeSegment, type Source } from './decode.ts';
import { bytesImage, wholeBlocks } from './image.ts';
import { indexOf } from './image-index.ts';
import { nextImage, sampleImage } from './images.fixture.ts';
import { blockBytes, segmentBytes, segmentLength } from './limits.ts';
import { builtPayload, type RecipeFiles } from './payload.fixture.ts';
import { encodeRecipeHead, encodeSegmentRecipe, parseRecipe, type Recipe } from './recipe.ts';
import { isSegment, parseIndex, sha256 } from './segment-index.ts';
import { compress, decompress, isFormattedDictionary } from './zstd.ts';

const sourceOf = (image: Uint8Array): Source => {
  const device = memoryBlockDevice(image.length);
  device.load(image);
  return device;
};

const rebuild = async (files: RecipeFiles, index: Uint8Array, base?: Uint8Array): Promise<Uint8Array> => {
  const { imageBytes } = unwrap(parseIndex(index));
  const recipe = unwrap(parseRecipe(files.recipe, imageBytes));
  const parts: Uint8Array[] = [];
  for (const [segment, how] of recipe.segments.entries()) {
    const decoded = await decodeSegment(how, segmentLength(imageBytes, segment), {
      ...(base === undefined ? {} : { source: sourceOf(base) }),
      piece: async (piece) => checkPiece(files.pieces.subarray(piece.offsetBytes, piece.offsetBytes + piece.lengthBytes), piece),
    });
    parts.push(unwrap(decoded));
  }
  return concat(...parts);
};

const kindsOf = (files: RecipeFiles, imageBytes: number): readonly string[] => [
  ...new Set(unwrap(parseRecipe(files.recipe, imageBytes)).segments.map(({ kind }) => kind)),
];

describe('an update is built and made again', () => {
  const base = sampleImage('base', 200);
  const target = nextImage('target', base);

  test('without a base, and from a base, byte for byte', async () => {
    const payload = await builtPayload(target, base, { level: 3 });
    const whole = wholeBlocks(target);
    expect(Buffer.compare(await rebuild(payload.full, payload.index), whole)).toBe(0);
    expect(Buffer.compare(await rebuild(payload.pair, payload.index, base), whole)).toBe(0);
    const index = unwrap(parseIndex(payload.index));
    expect(isSegment(index, 0, whole.subarray(0, segmentBytes))).toBe(true);
    expect(isSegment(index, 1, whole.subarray(0, segmentBytes))).toBe(false);
  });

  test('in the same bytes each time', async () => {
    expect(await builtPayload(target, base, { level: 3 })).toEqual(await builtPayload(target, base, { level: 3 }));
  });

  test('from a base in far fewer bytes', async () => {
    const { full, pair } = await builtPayload(target, base, { level: 19 });
    expect(pair.pieces.length + pair.recipe.length).toBeLessThan((full.pieces.length + full.recipe.length) / 5);
  });

  test('with nothing but copies where blocks only moved', async () => {
    const blocks = Array.from({ length: 200 }, (_, at) => base.subarray(at * blockBytes, (at + 1) * blockBytes));
    const moved = concat(...blocks.toReversed().slice(0, 192));
    const { index, pair } = await builtPayload(moved, base, { level: 1 });
    expect(pair.pieces.length).toBe(0);
    expect(kindsOf(pair, moved.length)).toEqual(['copy']);
    expect(Buffer.compare(await rebuild(pair, index, base), moved)).toBe(0);
  });

  test('from several bases, from each as from it alone', async () => {
    const bases = [base, target.slice(0, 90 * blockBytes), sampleImage('strange', 70)];
    const contents = new Map<string, Uint8Array>();
    const index = unwrap(await indexOf(bytesImage(target)));
    const input = { folder: 'release', target: bytesImage(target), index, bases: bases.map(bytesImage), level: 1 };
    const { pairs } = unwrap(await buildPayload({ ...input, isForAnySource: false }, memoryFiles(contents).create));
    for (const [at, alone] of bases.entries()) {
      const { pair, files } = await builtPayload(target, alone);
      expect(pairs[at]).toEqual(files.pairs[0]);
      expect(Buffer.compare(contents.get(pairs[at]?.piecesPath ?? '') ?? new Uint8Array(), pair.pieces)).toBe(0);
    }
  });

  test('of zeros alone, in no bytes', async () => {
    const { index, full } = await builtPayload(new Uint8Array(3 * segmentBytes), undefined, { level: 1 });
    expect(full.pieces.length).toBe(0);
    expect((await rebuild(full, index)).every((byte) => byte === 0)).toBe(true);
  });

  test.each([1, blockBytes - 1, blockBytes, segmentBytes - 1, segmentBytes, segmentBytes + 1])(
    'of %d bytes: odd tails become whole blocks (row 38)',
    async (bytes) => {
      const image = sampleImage('odd', Math.ceil(bytes / blockBytes)).subarray(0, bytes);
      const { index, full } = await builtPayload(image, undefined, { level: 1 });
      const made = await rebuild(full, index);
      expect(made.length % blockBytes).toBe(0);
      expect(Buffer.compare(made.subarray(0, bytes), image)).toBe(0);
      expect(made.subarray(bytes).every((byte) => byte === 0)).toBe(true);
    },
  );

  test('not of nothing', async () => {
    const index = { imageBytes: 0, digests: new Uint8Array() };
    const nothing = { folder: 'r', target: bytesImage(new Uint8Array()), index, bases: [], level: 1, isForAnySource: false };
    const refused = await buildPayload(nothing, memoryFiles().create);
    expect(refused.ok ? 'made' : codeOf(refused.fault)).toBe('protocol/config-invalid');
    expect(() => wholeBlocks(new Uint8Array())).toThrow(/1 to/);
  });

  test('of noise that no compressor shrinks, within the limit of a piece', async () => {
    const noise = seededRandom('noise').bytes(2 * segmentBytes);
    const { index, full } = await builtPayload(noise, undefined, { level: 19 });
    expect(Buffer.compare(await rebuild(full, index), noise)).toBe(0);
  });
});

describe('a raw dictionary that begins as a formatted one', () => {
  const magic = Uint8Array.of(0x37, 0xa4, 0x30, 0xec);
  const base = concat(magic, sampleImage('formatted', 64).subarray(magic.length));
  const target = base.slice();
  target.set(seededRandom('change').bytes(40), 9000);

  test('is shifted by the publisher', async () => {
    const { index, pair } = await builtPayload(target, base, { level: 3 });
    expect(unwrap(parseRecipe(pair.recipe, target.length)).segments).toMatchObject([{ kind: 'dictionary', skip: 1 }]);
    expect(Buffer.compare(await rebuild(pair, index, base), target)).toBe(0);
  });

  test('is refused by the client', () => {
    expect(isFormattedDictionary(base)).toBe(true);
    const compressed = compress(target, base.subarray(1), 3);
    const refused = decompress(compressed, base, target.length);
    expect(refused.ok ? 'accepted' : codeOf(refused.fault)).toBe('integrity/payload-malformed');
  });
});

describe('a decoder asked for too much (row 36)', () => {
  const segment = sampleImage('bomb', 64);
  const good = compress(segment, undefined, 3);
  const refusalOf = (frame: Uint8Array, lengthBytes = segment.length) => {
    const decoded = decompress(frame, undefined, lengthBytes);
    return decoded.ok ? 'accepted' : codeOf(decoded.fault);
  };

  test('accepts a frame that states exactly the length that is due', () => {
    expect(refusalOf(good)).toBe('accepted');
    expect(refusalOf(good, segment.length - 1)).toBe('integrity/payload-malformed');
    expect(refusalOf(good, segment.length + 1)).toBe('integrity/payload-malformed');
  });

  test('refuses a bomb by its header', () => {
    expect(refusalOf(compress(new Uint8Array(64 * 1024 * 1024), undefined, 1))).toBe('integrity/payload-malformed');
  });

  test('refuses a frame whose header lies about its length', () => {
    const lying = good.slice();
    // A frame of 256 KiB in one segment: descriptor, then its size in four bytes.
    expect(lying[4]).toBe(0xa0);
    new DataView(lying.buffer, lying.byteOffset).setUint32(5, 4096, true);
    expect(refusalOf(lying, 4096)).toBe('integrity/payload-malformed');
  });

  test('refuses a window above the limit', () => {
    // Magic, descriptor without single segment and with four bytes of size, window of 2^31 (RFC 8878 §3.1.1.1.2).
    const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x80, 21 << 3, 0, 0, 4, 0, 1, 0, 0);
    expect(refusalOf(frame)).toBe('integrity/payload-malformed');
  });

  test('refuses anything else, whatever its length', () => {
    for (let length = 0; length < good.length; length += 97)
      expect(refusalOf(good.subarray(0, length))).toBe('integrity/payload-malformed');
  });
});

describe('ingredients that are not there', () => {
  const range = [{ block: 0, blocks: 1 }];
  const piece = { offsetBytes: 0, lengthBytes: 10, sha256: new Uint8Array(32) };
  const missing = async (): Promise<Result<Uint8Array>> => deny('unavailable', 'peer-unreachable');
  const refusal = async (recipe: Parameters<typeof decodeSegment>[0], ingredients: Parameters<typeof decodeSegment>[2]) => {
    const decoded = await decodeSegment(recipe, blockBytes, ingredients);
    return decoded.ok ? 'accepted' : codeOf(decoded.fault);
  };

  test('are a refusal, by kind', async () => {
    const none = { piece: missing };
    const rotten = { piece: missing, source: { sizeBytes: 0, read: async () => deny('unavailable', 'storage-failed') } };
    expect(await refusal({ kind: 'copy', ranges: range }, none)).toBe('integrity/payload-malformed');
    expect(await refusal({ kind: 'copy', ranges: range }, rotten)).toBe('unavailable/storage-failed');
    expect(await refusal({ kind: 'zstd', piece }, none)).toBe('unavailable/peer-unreachable');
    expect(await refusal({ kind: 'dictionary', skip: 0, ranges: range, piece }, rotten)).toBe('unavailable/storage-failed');
  });

  test('compressed bytes are hashed before they are decoded', () => {
    const refused = checkPiece(new Uint8Array(10), piece);
    expect(refused.ok ? 'accepted' : codeOf(refused.fault)).toBe('integrity/segment-mismatch');
    expect(checkPiece(new Uint8Array(10), { ...piece, sha256: sha256(new Uint8Array(10)) })).toEqual(ok(new Uint8Array(10)));
  });
});

test('a recipe is read back as it was written', () => {
  const piece = (offsetBytes: number, lengthBytes: number) => ({
    offsetBytes,
    lengthBytes,
    sha256: sha256(Uint8Array.of(lengthBytes)),
  });
  const recipe: Recipe = {
    target: sha256(Uint8Array.of(1)),
    base: { index: sha256(Uint8Array.of(2)), blocks: 1000 },
    segments: [
      { kind: 'zstd', piece: piece(0, 7) },
      { kind: 'copy', ranges: [{ block: 936, blocks: 64 }] },
      { kind: 'dictionary', skip: 1, ranges: [{ block: 0, blocks: 128 }], piece: piece(7, 9) },
      { kind: 'delta', skip: 0, ranges: [{ block: 1, blocks: 2 }], piece: piece(16, 30) },
      { kind: 'zero' },
    ],
  };
  const encoded = concat(encodeRecipeHead(recipe), ...recipe.segments.map(encodeSegmentRecipe));
  expect(unwrap(parseRecipe(encoded, 5 * segmentBytes))).toEqual(recipe);
});
