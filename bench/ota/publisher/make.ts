/** A program of its own: what an office makes of image files, without the office. usage: make BASE TARGET FOLDER LEVEL */
import { payloadOf, unsignedStatement } from '#agents/release/build';
import { folderFiles } from '#agents/release/folder-files';
import { withImages } from '#agents/release/image-files';
import { unwrap } from '#hal/core/result';

const [base = '', target = '', folder = '', level = ''] = process.argv.slice(2);
const release = { id: 'bench', counter: 2, floorEpoch: 1, hardware: 'bench' };

unwrap(
  await withImages([target, base], async ([image, from]) => {
    const stated = await unsignedStatement({ ...release, image });
    if (!stated.ok) return stated;
    const input = {
      id: release.id,
      target: image,
      index: stated.value.index,
      bases: [from],
      level: Number(level),
      isForAnySource: true,
    };
    return payloadOf(input, folderFiles(folder).create);
  }),
);
