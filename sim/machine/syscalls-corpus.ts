/** The recorded windows that the model of the image was made of: numbers of calls, kept so that anybody can make it again. */
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Run } from '#agents/defense/train';

/** JSON of the runs, gzip, base64. */
export const decodeCorpus = (text: string): readonly Run[] => {
  const { runs } = JSON.parse(text) as { readonly runs: string };
  return JSON.parse(gunzipSync(Buffer.from(runs, 'base64')).toString('utf8')) as readonly Run[];
};

export const encodeCorpus = (runs: readonly Run[]): string =>
  `${JSON.stringify({ runs: gzipSync(JSON.stringify(runs), { level: 9 }).toString('base64') }, null, 2)}\n`;

export const corpusPath = `${import.meta.dirname}/syscalls-corpus.json`;

export const readCorpus = (): readonly Run[] => decodeCorpus(readFileSync(corpusPath, 'utf8'));
