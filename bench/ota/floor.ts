/** The least that verifying and writing an image costs: programs in C that do the same work. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { toHex } from '#hal/core/bytes';
import { type Cost, measure, outputOf } from './programs.ts';
import { salt } from './release.ts';

export interface FloorCost {
  readonly opensslMs: number;
  readonly ddMs: number;
  readonly veritysetupMs: number;
  readonly root: string;
}

const limitMs = 600_000;

/** `openssl dgst` verifies, `dd conv=fsync` writes, `veritysetup format` reads back and builds the hash tree. */
export const floorOf = (image: string, folder: string): FloorCost => {
  const [copy, tree] = [join(folder, 'copy'), join(folder, 'tree')];
  const costOf = (program: string, words: readonly string[]): Cost => {
    const run = measure(program, words, limitMs);
    if (run.outcome === 'failed') throw new Error(run.why);
    return run.cost;
  };
  try {
    const words = [image, tree, `--salt=${toHex(salt)}`];
    const costs = {
      opensslMs: costOf('openssl', ['dgst', '-sha256', image]).cpuMs,
      ddMs: costOf('dd', [`if=${image}`, `of=${copy}`, 'bs=1M', 'conv=fsync']).cpuMs,
      veritysetupMs: costOf('veritysetup', ['format', ...words]).cpuMs,
    };
    const root = /Root hash:\s+([0-9a-f]+)/.exec(outputOf('veritysetup', ['format', ...words]))?.[1] ?? '';
    return { ...costs, root };
  } finally {
    for (const file of [copy, tree]) rmSync(file, { force: true });
  }
};
