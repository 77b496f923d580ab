/** The hash tree of an image, whole: what lies behind the image in its slot. */
import { hashAreaBytes, type VerityParameters, veritySuperblock, verityTree } from '#ota-client/payload/verity';

export interface HashArea {
  readonly area: Uint8Array;
  /** What a boot entry signs: 32 bytes. */
  readonly root: Uint8Array;
}

export const hashAreaOf = (image: Uint8Array, { salt, uuid }: Omit<VerityParameters, 'imageBytes'>): HashArea => {
  const parameters = { imageBytes: image.length, salt, uuid };
  const area = new Uint8Array(hashAreaBytes(image.length));
  area.set(veritySuperblock(parameters));
  const tree = verityTree(parameters);
  const early = tree.update(image);
  const { blocks, root } = tree.finish();
  for (const { offsetBytes, bytes } of [...early, ...blocks]) area.set(bytes, offsetBytes);
  return { area, root };
};
