/** Kernel drivers and what they need, in the order in which they can be loaded. */
import { relative } from 'node:path';
import type { Base } from './base.ts';
import { runTool } from './tools.ts';

/** @returns paths within the base, each behind what it needs */
export const modulesInOrder = async ({ folder, kernel }: Base, names: readonly string[]): Promise<readonly string[]> => {
  const paths = new Set<string>();
  for (const name of names) {
    const shown = await runTool('modprobe', ['-d', folder, '-S', kernel, '-n', '--show-depends', name]);
    for (const [, path = ''] of shown.matchAll(/^insmod (\S+)/gm)) paths.add(relative(folder, path));
  }
  return [...paths];
};
