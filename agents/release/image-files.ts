/** Images as files that somebody named: read where they are asked for, and never whole. */
import { deny, type Result } from '#hal/core/result';
import { linuxBlockDevice } from '#hal/linux/block-device';
import type { SlotDevice } from '#hal/ports/slots';
import type { Image } from '#ota-client/payload/image';

type ImagesOf<Paths extends readonly string[]> = { readonly [At in keyof Paths]: Image };

/** @returns what `work` makes of them while they are open; or `protocol/file-unreadable` */
export const withImages = async <const Paths extends readonly string[], T>(
  paths: Paths,
  work: (images: ImagesOf<Paths>) => Promise<Result<T>>,
): Promise<Result<T>> => {
  const images: SlotDevice[] = [];
  try {
    for (const path of paths) {
      const image = await linuxBlockDevice(path, 'read');
      if (!image.ok) return deny('protocol', 'file-unreadable', image.fault.detail);
      images.push(image.value);
    }
    return await work(images as unknown as ImagesOf<Paths>);
  } finally {
    for (const image of images) await image.close();
  }
};
