/** What must hold, judged over one run: ratios, never absolute times. */
import type { OurResult, Tier } from './ours.ts';
import type { PeerResult } from './peers.ts';
import { type PublisherCost, tableBytes } from './publisher/run.ts';

/** One pair of images, and what every candidate made of it. */
export interface WorkResult {
  readonly name: string;
  readonly peers: Readonly<Record<string, PeerResult>>;
  readonly ours: Readonly<Record<Tier, OurResult>>;
}

export interface CostResult {
  /** Medians over rounds of the ratio to `openssl` and `dd`, and to these and `veritysetup`. */
  readonly writeRatio: number;
  readonly treeRatio: number;
  readonly hasSameRoot: boolean;
}

export interface Gate {
  readonly name: string;
  readonly value: number;
  readonly most: number;
  readonly isMet: boolean;
  /** Wanted, and no reason to fail. */
  readonly isStretch: boolean;
}

const mebibyte = 1024 * 1024;
export const limits = {
  pairToXdelta: 0.8,
  pairToAdaptive: 0.16,
  pairToBsdiff: 1.3,
  anySourceToAdaptive: 0.85,
  peakMiB: 80,
  writeRatio: 1.3,
  treeRatio: 1.3,
  treeRatioStretch: 1,
  publisherMiB: 200,
  publisherGrowth: 1.1,
} as const;

const adaptivePeers = ['casync, 16 KiB chunks', 'zchunk', 'RAUC block index, computed'] as const;

const gate = (name: string, value: number, most: number, isStretch = false): Gate => ({
  ...{ name, value: Number(value.toFixed(3)), most, isStretch },
  isMet: value <= most,
});

/** A candidate that did not end has no bytes, and no gate is judged by it but as missed. */
const bytesOf = (result: PeerResult | undefined): number => (result?.outcome === 'done' ? result.bytes : Number.NaN);

export const gatesOfWork = ({ name, peers, ours }: WorkResult): readonly Gate[] => {
  const best = Math.min(...adaptivePeers.map((peer) => bytesOf(peers[peer])).filter((bytes) => !Number.isNaN(bytes)));
  const pair = ours.pair.fetchedBytes;
  const bsdiff = bytesOf(peers['bsdiff']);
  const memory = (['pair', 'adaptive', 'full'] as const).map((tier) => memoryGate(`${name}, ${tier}`, ours[tier]));
  if (Object.keys(peers).length === 0) return memory;
  return [
    gate(`${name}: pair to xdelta3 and zstd`, pair / bytesOf(peers['xdelta3 and zstd -19']), limits.pairToXdelta),
    gate(`${name}: pair to the best adaptive peer`, pair / best, limits.pairToAdaptive),
    gate(`${name}: any source to the best adaptive peer`, ours.adaptive.fetchedBytes / best, limits.anySourceToAdaptive),
    ...(Number.isNaN(bsdiff) ? [] : [gate(`${name}: pair to bsdiff`, pair / bsdiff, limits.pairToBsdiff, true)]),
    ...memory,
  ];
};

export const memoryGate = (name: string, { peakBytes }: OurResult): Gate =>
  gate(`${name}: largest resident set of a program, MiB`, Math.max(...Object.values(peakBytes)) / mebibyte, limits.peakMiB);

/** With the larger image nothing may grow but the tables. */
export const gatesOfPublisher = ([smaller, larger]: readonly PublisherCost[]): readonly Gate[] => {
  if (smaller === undefined || larger === undefined) return [];
  const tables = tableBytes(larger) - tableBytes(smaller);
  const name = (cost: PublisherCost) => `publisher, ${cost.mebibytes} MiB`;
  return [
    ...[smaller, larger].map((cost) =>
      gate(`${name(cost)}: largest resident set, MiB`, cost.peakBytes / mebibyte, limits.publisherMiB),
    ),
    gate(
      `${name(larger)}: to ${smaller.mebibytes} MiB and its tables`,
      larger.peakBytes / (smaller.peakBytes + tables),
      limits.publisherGrowth,
    ),
  ];
};

export const gatesOfCost = ({ writeRatio, treeRatio, hasSameRoot }: CostResult): readonly Gate[] => [
  gate('verify and write to openssl and dd', writeRatio, limits.writeRatio),
  gate('with hash tree to openssl, dd and veritysetup', treeRatio, limits.treeRatio),
  gate('with hash tree, stretch', treeRatio, limits.treeRatioStretch, true),
  gate('root hashes other than that of veritysetup', hasSameRoot ? 0 : 1, 0),
];
