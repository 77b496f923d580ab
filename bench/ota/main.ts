/**
 * What an update costs: bytes for our three tiers and for other people's programs, CPU and memory to apply them, and the
 * CPU of verifying and writing against programs in C. Images are made of two sets of real Debian packages, so figures
 * move with the mirror; ratios of one run count (docs/benchmarks.md).
 */
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toHex } from '#hal/core/bytes';
import { toolWords } from '#hal/linux/tool-words';
import { bundlePrograms } from './device/install.ts';
import { floorOf } from './floor.ts';
import { type CostResult, type Gate, gatesOfCost, gatesOfPublisher, gatesOfWork, memoryGate, type WorkResult } from './gates.ts';
import { type FileSystem, fileSystems, imageOf } from './images.ts';
import { runOurs, runSame } from './ours.ts';
import { type PackageSets, packageSets } from './packages.ts';
import { peers, runPeer, versionsOf } from './peers.ts';
import { type PublisherCost, publishedImages, publisherLevel, runPublisher } from './publisher/run.ts';
import { factsOf } from './release.ts';
import { costTable, gateTable, publisherTable, workTable } from './tables.ts';

const cache = join(import.meta.dirname, '../../build/bench/ota');
const say = (line: string) => void process.stderr.write(`${line}\n`);
const tools = [
  'bsdiff',
  'casync',
  'cryptsetup-bin',
  'e2fsprogs',
  'erofs-utils',
  'openssl',
  'squashfs-tools',
  'xdelta3',
  'zchunk',
  'zstd',
];

const updates = ['security', 'month'] as const;
const works = updates.flatMap((update) =>
  fileSystems.map((fileSystem) => ({ name: `${update}-${fileSystem}`, update, fileSystem })),
);
type NamedWork = (typeof works)[number];

const parts = ['works', 'peers', 'cost', 'memory', 'publisher'] as const;
type Part = (typeof parts)[number];

const runWork = async (
  { name, update, fileSystem }: NamedWork,
  sets: PackageSets,
  withPeers: boolean,
  level: number,
  scratch: string,
): Promise<WorkResult> => {
  say(`${name}: images …`);
  const imageFor = (set: readonly string[]) => imageOf(cache, set, fileSystem as FileSystem);
  const pair = { base: imageFor(sets.base), target: imageFor(sets[update]) };
  say(`${name}: ours …`);
  const ours = await runOurs(pair, scratch, level);
  const results = (withPeers ? peers : []).map((peer) => {
    say(`${name}: ${peer.name} …`);
    return [peer.name, runPeer(peer, pair, scratch)] as const;
  });
  return { name, ours, peers: Object.fromEntries(results) };
};

const usage = `usage: tsx bench/ota/main.ts [--json] [--works NAME,…] [--rounds N] [--sizes MIB,…] [--parts NAME,…] [--level N]

  --works   updates: ${works.map(({ name }) => name).join(', ')}
  --rounds  of verify and write
  --sizes   of sparse images
  --parts   some of ${parts.join(', ')}, in less time; what needs others is not judged
  --level   of zstd, for what is published

exit code: 0 every gate is met, 1 one is missed, 2 these words, 3 something is not installed`;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Candidates take turns, so that other load on the machine falls on all alike. */
const runCost = async (image: string, rounds: number, scratch: string): Promise<CostResult> => {
  const ratios: { write: number; tree: number }[] = [];
  const root = toHex(factsOf(image).root);
  let hasSameRoot = true;
  for (let round = 0; round < rounds; round += 1) {
    say(`verify and write, round ${round + 1} of ${rounds} …`);
    const floor = floorOf(image, scratch);
    const ours = await runSame(image, scratch);
    const plain = floor.opensslMs + floor.ddMs;
    ratios.push({ write: ours.writeCpuMs / plain, tree: ours.totalCpuMs / (plain + floor.veritysetupMs) });
    hasSameRoot &&= floor.root === root;
  }
  return {
    writeRatio: median(ratios.map(({ write }) => write)),
    treeRatio: median(ratios.map(({ tree }) => tree)),
    hasSameRoot,
  };
};

/** A sparse image of any size, written to the other slot: memory must not know how large it is. */
const memoryOf = async (mebibytes: number, scratch: string): Promise<Gate> => {
  say(`memory, ${mebibytes} MiB …`);
  const image = join(scratch, 'sparse');
  writeFileSync(image, 'enigm');
  truncateSync(image, mebibytes * 1024 * 1024);
  const gate = memoryGate(`${mebibytes} MiB, sparse`, await runSame(image, scratch));
  rmSync(image);
  return gate;
};

const main = async (): Promise<number> => {
  const { values } = toolWords(usage, {
    json: { type: 'boolean', default: false },
    works: { type: 'string', default: 'security-ext4,security-erofs' },
    rounds: { type: 'string', default: '5' },
    level: { type: 'string', default: '19' },
    sizes: { type: 'string', default: '10,4096' },
    parts: { type: 'string', default: parts.join(',') },
  });
  const chosen = values.parts.split(',').flatMap((name) => parts.find((part) => part === name) ?? []);
  const has = (part: Part) => chosen.includes(part);
  const wanted = values.works.split(',').flatMap((name) => works.find((work) => work.name === name) ?? []);
  if (wanted.length !== values.works.split(',').length || chosen.length !== values.parts.split(',').length) {
    say(`works: ${works.map(({ name }) => name).join(', ')}; parts: ${parts.join(', ')}`);
    return 2;
  }
  mkdirSync(cache, { recursive: true });
  // Short, since sockets are made below it.
  const scratch = mkdtempSync(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'eb-'));
  try {
    await bundlePrograms();
    const sets = has('works') || has('cost') ? packageSets() : undefined;
    const level = Number(values.level);
    const results: WorkResult[] = [];
    if (has('works') && sets !== undefined)
      for (const work of wanted) results.push(await runWork(work, sets, has('peers'), level, scratch));
    const cost =
      has('cost') && sets !== undefined
        ? await runCost(imageOf(cache, sets.base, 'ext4'), Number(values.rounds), scratch)
        : undefined;
    const memory: Gate[] = [];
    for (const size of has('memory') ? values.sizes.split(',') : []) memory.push(await memoryOf(Number(size), scratch));
    const published: PublisherCost[] = [];
    for (const images of has('publisher') ? publishedImages : []) {
      say(`publisher, ${images.mebibytes} MiB …`);
      published.push(await runPublisher(images, publisherLevel, scratch));
    }
    const gates = [
      ...results.flatMap(gatesOfWork),
      ...(cost === undefined ? [] : gatesOfCost(cost)),
      ...memory,
      ...gatesOfPublisher(published),
    ];
    const isMet = gates.every((gate) => gate.isMet || gate.isStretch);
    if (values.json) {
      const facts = sets === undefined ? {} : { versions: versionsOf(tools), changed: sets.changed };
      console.log(JSON.stringify({ works: results, cost, publisher: published, gates, isMet, ...facts }));
    } else {
      const tables = [...results.map(workTable), ...(cost === undefined ? [] : [costTable(cost)])];
      const ofPublisher = published.length === 0 ? [] : [publisherTable(published, publisherLevel)];
      console.log([...tables, ...ofPublisher, gateTable(gates)].join('\n\n'));
    }
    return isMet ? 0 : 1;
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

process.exitCode = await main();
