/**
 * What the addon costs: ECC P-256 restricted attestation key, 15 SHA-256 registers, 32-byte nonce. Ratios of one run
 * only; the candidates take turns, in alternating order, so that other load on the machine falls on both alike.
 *
 * (a) CPU time: quotes pipelined through the addon against the same ESYS calls from C++, TPM inside the process.
 *     `process.cpuUsage` counts all threads of this process, as `getrusage` does for the floor.
 * (b) Wall time, one swtpm: a quote with a loaded key through the addon against one `tpm2_quote` process.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { concat, u32be } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { toolWords } from '#hal/linux/tool-words';
import { type EsysHandle, handles } from '#hal/native/commands';
import type { Esys } from '#hal/native/esys';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import {
  addonPaths,
  buildAddons,
  createAttestationKey,
  password,
  sha256Pcrs,
  startEmbedded,
  temporaryDirectory,
} from '#hal/native/testing';
import { tpm2b } from '#hal/tpm/public';
import { keyScheme } from '#hal/tpm/wire';
import { startSwtpm } from '#sim/machine/swtpm';
import { startFloor } from './floor.ts';

const quotesPerRound = 200;
/** Until the just-in-time compiler has nothing left to do. */
const warmUpRounds = 20;
const pcrs = Array.from({ length: 15 }, (_, index) => index);
const selection = sha256Pcrs(pcrs);
const persistentHandle = 0x81010002;

const usage = `usage: tsx bench/quote/main.ts [--json] [--rounds N]

exit code: 0 both targets are met, 1 one is missed, 2 these words, 3 something is not installed`;
const target = { addonToFloorCpu: 1.25, addonToToolWall: 1 / 15 } as const;

interface Comparison {
  readonly unit: string;
  readonly rounds: number;
  /** Medians, for one quote. */
  readonly ours: number;
  readonly theirs: number;
  /** Median of the rounds' ratios. */
  readonly ratio: number;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

/** Both candidates once in each round, in alternating order. */
const compare = async (
  rounds: number,
  unit: string,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Comparison> => {
  const pairs: { ours: number; theirs: number }[] = [];
  for (let round = 0; round < rounds + warmUpRounds; round++) {
    const pair = { ours: 0, theirs: 0 };
    if (round % 2 === 0) pair.ours = await ours();
    pair.theirs = await theirs();
    if (round % 2 === 1) pair.ours = await ours();
    if (round >= warmUpRounds) pairs.push(pair);
  }
  return {
    unit,
    rounds,
    ours: median(pairs.map((pair) => pair.ours)),
    theirs: median(pairs.map((pair) => pair.theirs)),
    ratio: median(pairs.map((pair) => pair.ours / pair.theirs)),
  };
};

const quote = (esys: Esys, key: EsysHandle, index: number) =>
  esys.quote(key, password, tpm2b(concat(u32be(index), new Uint8Array(28))), keyScheme, selection);

const againstFloor = async (rounds: number): Promise<Comparison> => {
  using directory = temporaryDirectory();
  await using floor = startFloor(join(directory.path, 'floor'));
  await using esys = await startEmbedded(join(directory.path, 'addon'));
  const { handle } = await createAttestationKey(esys);
  return await compare(
    rounds,
    'CPU µs',
    async () => {
      const before = process.cpuUsage();
      await Promise.all(Array.from({ length: quotesPerRound }, (_, index) => quote(esys, handle, index)));
      const { user, system } = process.cpuUsage(before);
      return (user + system) / quotesPerRound;
    },
    async () => (await floor.quotes(quotesPerRound)) / quotesPerRound,
  );
};

const againstTool = async (rounds: number): Promise<Comparison> => {
  using directory = temporaryDirectory();
  const options = { stateDirectory: join(directory.path, 'state'), socketDirectory: directory.path };
  await using swtpm = unwrap(await startSwtpm({ ...options, clock: linuxClock() }));
  await using esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: swtpm.commandPath } }));
  await esys.startup(0);
  const { handle } = await createAttestationKey(esys);
  await esys.evictControl(handles.owner, handle, password, persistentHandle);
  const file = (name: string) => join(directory.path, name);
  const tool = [
    ...['-c', `0x${persistentHandle.toString(16)}`, '-l', `sha256:${pcrs.join(',')}`, '-g', 'sha256'],
    ...['-q', '00'.repeat(32), '-m', file('attest'), '-s', file('signature')],
  ];
  const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${swtpm.commandPath}` };
  let index = 0;
  return await compare(
    rounds,
    'wall µs',
    async () => {
      const before = process.hrtime.bigint();
      await quote(esys, handle, index++);
      return Number(process.hrtime.bigint() - before) / 1000;
    },
    async () => {
      const before = process.hrtime.bigint();
      const { status, stderr } = spawnSync('tpm2_quote', tool, { env, encoding: 'utf8' });
      if (status !== 0) throw new Error(`tpm2_quote: ${stderr}`);
      return Number(process.hrtime.bigint() - before) / 1000;
    },
  );
};

const isMissing = (program: string) => spawnSync(program, ['--version'], { stdio: 'ignore' }).error !== undefined;

const main = async (): Promise<number> => {
  const { values } = toolWords(usage, { json: { type: 'boolean' }, rounds: { type: 'string', default: '200' } });
  const absent = ['swtpm', 'tpm2_quote'].filter(isMissing);
  const missing = absent.length > 0 ? `${absent.join(', ')} missing: apt-get install swtpm tpm2-tools` : buildAddons();
  if (missing !== undefined) {
    console.error(missing);
    return 3;
  }
  const rounds = Number(values.rounds);
  const floor = await againstFloor(Math.ceil(rounds / 5));
  const tool = await againstTool(rounds);
  const isMet = floor.ratio <= target.addonToFloorCpu && tool.ratio <= target.addonToToolWall;
  if (values.json === true) console.log(JSON.stringify({ addonToFloorCpu: floor, addonToToolWall: tool, target, isMet }));
  else {
    const row = ({ unit, rounds: count, ours, theirs }: Comparison, name: string) =>
      `  one quote: addon ${ours.toFixed(0)}, ${name} ${theirs.toFixed(0)} ${unit} (medians of ${count} rounds)`;
    console.log(`addon/floor CPU ratio ${floor.ratio.toFixed(2)}x (target ≤ ${target.addonToFloorCpu})`);
    console.log(row(floor, 'C++'));
    console.log(`addon/tpm2_quote wall ratio 1/${(1 / tool.ratio).toFixed(0)} (target ≤ 1/${1 / target.addonToToolWall})`);
    console.log(row(tool, 'tpm2_quote'));
  }
  return isMet ? 0 : 1;
};

process.exitCode = await main();
