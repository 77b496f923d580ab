/** Results for people to read. */
import type { CostResult, Gate, WorkResult } from './gates.ts';
import { tiers } from './ours.ts';
import type { PublisherCost } from './publisher/run.ts';

interface Row {
  readonly name: string;
  readonly bytes?: number;
  readonly cpuMs?: number;
  readonly peakBytes?: number;
  readonly note?: string;
}

export const workTable = ({ name, peers, ours }: WorkResult): string => {
  const rows: readonly Row[] = [
    ...tiers.map((tier) => {
      const { fetchedBytes, totalCpuMs, peakBytes } = ours[tier];
      return { name: `ours, ${tier}`, bytes: fetchedBytes, cpuMs: totalCpuMs, peakBytes: Math.max(...Object.values(peakBytes)) };
    }),
    ...Object.entries(peers).map(([peer, result]) =>
      result.outcome === 'done' ? { name: peer, bytes: result.bytes, ...(result.apply ?? {}) } : { name: peer, note: result.why },
    ),
  ];
  const pairBytes = ours.pair.fetchedBytes;
  const head = `${name.padEnd(28)} ${'bytes'.padStart(12)} ${'to ours'.padStart(8)} ${'apply CPU'.padStart(10)} ${'peak'.padStart(8)}`;
  return [head, ...rows.map((row) => lineOf(row, pairBytes))].join('\n');
};

const lineOf = ({ name, bytes, cpuMs, peakBytes, note }: Row, pairBytes: number): string => {
  if (bytes === undefined) return `${name.padEnd(28)} ${note ?? ''}`;
  const cpu = cpuMs === undefined ? '' : `${(cpuMs / 1000).toFixed(2)} s`;
  const peak = peakBytes === undefined ? '' : `${Math.round(peakBytes / 1024 / 1024)} MiB`;
  const ratio = `${(bytes / pairBytes).toFixed(2)}x`;
  return `${name.padEnd(28)} ${String(bytes).padStart(12)} ${ratio.padStart(8)} ${cpu.padStart(10)} ${peak.padStart(8)}`;
};

export const costTable = ({ writeRatio, treeRatio, hasSameRoot }: CostResult): string =>
  [
    'verify and write through three programs, CPU, medians',
    `  to openssl and dd ${writeRatio.toFixed(2)}x, with hash tree to these and veritysetup ${treeRatio.toFixed(2)}x`,
    `  root hash ${hasSameRoot ? 'equals' : 'DIFFERS FROM'} that of veritysetup`,
  ].join('\n');

export const publisherTable = (costs: readonly PublisherCost[], level: number): string =>
  [
    `full, pair and any-source files of a release at level ${level}, by a program of its own`,
    ...costs.map(({ mebibytes, oneIn, cpuMs, peakBytes }) => {
      const content = oneIn === 1 ? '' : `, one segment in ${oneIn} has content`;
      return `  ${mebibytes} MiB${content}: ${(cpuMs / 1000).toFixed(2)} s of CPU, ${Math.round(peakBytes / 1024 / 1024)} MiB resident`;
    }),
  ].join('\n');

export const gateTable = (gates: readonly Gate[]): string =>
  gates
    .map(({ name, value, most, isMet, isStretch }) => {
      const verdict = isMet ? 'met' : isStretch ? 'not met (stretch)' : 'MISSED';
      return `${name.padEnd(62)} ${String(value).padStart(9)} of at most ${String(most).padStart(5)}  ${verdict}`;
    })
    .join('\n');
