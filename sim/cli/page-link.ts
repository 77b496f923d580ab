/** The link to the Trust Security Center of a device that runs; each works once, and the page makes the next. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns undefined while the device shows no page */
export const pageLink = (runDirectory: string): string | undefined => {
  try {
    return readFileSync(join(runDirectory, 'page.url'), 'utf8').trim();
  } catch {
    return undefined;
  }
};
