import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { bundleOptions, bundles } from './bundles.ts';

/** A plugin of esbuild that answers when it likes makes the names in a bundle another order: seen in one build of two. */
const builds = 4;

test('bundles are the same bytes, however often they are built', async () => {
  const built = await Promise.all(
    Array.from({ length: builds }, () => build({ ...bundleOptions('again', bundles.device), metafile: false, write: false })),
  );
  const texts = built.map(({ outputFiles }) => outputFiles.map(({ text }) => text));
  for (const text of texts) expect(text.map((program, at) => program === texts[0]?.[at])).toEqual(text.map(() => true));
});
