/** Images for tests: like file systems in that they compress, repeat, move and change in places. */
import { concat, utf8 } from '#hal/core/bytes';
import { seededRandom } from '#hal/memory/random';
import { blockBytes } from './limits.ts';

const words = [
  'enigm',
  'device',
  'slot',
  'segment',
  'kernel',
  'module',
  'return',
  'static',
  'const',
  'struct',
  'if',
  '\n',
  '{',
  '}',
];

/** Blocks of words in a seeded order. */
export const sampleImage = (seed: string, blocks: number): Uint8Array => {
  const random = seededRandom(`image ${seed}`);
  const parts: Uint8Array[] = [];
  for (let block = 0; block < blocks; block += 1) {
    const choices = random.bytes(blockBytes / 8);
    const text = [...choices].map((choice, at) => `${words[choice % words.length]}${(choice * 31 + at) % 97} `).join('');
    parts.push(utf8(text.padEnd(blockBytes, '.').slice(0, blockBytes)));
  }
  return concat(...parts);
};

/** The next release of `base`: some bytes changed, some inserted (what follows moves), a run of zeros, a new tail. */
export const nextImage = (seed: string, base: Uint8Array): Uint8Array => {
  const random = seededRandom(`next ${seed}`);
  const cut = Math.floor(base.length / 3);
  const changed = base.slice(0, cut);
  for (let at = 1000; at < changed.length; at += 50_000) changed.set(random.bytes(8), at);
  const moved = base.subarray(cut + 137, base.length - 5 * blockBytes);
  return concat(changed, random.bytes(300), moved, new Uint8Array(blockBytes * 2), sampleImage(`${seed} tail`, 3));
};
