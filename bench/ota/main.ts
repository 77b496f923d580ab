/**
 * What writing an update costs: 256 MiB from one file into a slot, by the path that devices take (mind verifies each
 * segment, hands write it, flush by windows, read the whole slot back, build and check the hash tree). Ratios of one run
 * only; candidates take turns, so that other load on the machine falls on all alike.
 *
 * Ours: CPU time of this process around the install (user and system, all threads). Theirs: CPU time of the programs,
 * as bash reports it. The floor does the same work with C programs: `openssl dgst` (verify), `dd conv=fsync` (write),
 * `veritysetup format` (read back and hash tree). `sha256sum` stands beside it because everybody has it.
 *
 * usage: tsx bench/ota/main.ts [--json] [--rounds N]     exit code 1: the target is missed; 3: something is not installed
 */
import { spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { concat, toHex } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { linuxBlockDevice, linuxSlots } from '#hal/linux/block-device';
import { linuxClock } from '#hal/linux/clock';
import { install } from '#ota-client/apply/install';
import { installer } from '#ota-client/apply/installer';
import { segmentBytes } from '#ota-client/payload/limits';
import { encodeIndex, pinOf, sha256 } from '#ota-client/payload/segment-index';
import { hashAreaBytes, verityTree } from '#ota-client/payload/verity';
import { provisionSlots } from '#ota-client/slots/factory';
import { slotKeeper } from '#ota-client/slots/keeper';
import { ledgerStore } from '#ota-client/slots/ledger';

const imageBytes = 256 * 1024 * 1024;
const salt = new Uint8Array(32).fill(1);
const uuid = new Uint8Array(16).fill(2);
/** The target: at most 1.0 s for a slot of 256 MiB with its read-back, where `openssl` hashes 1,800 MB/s. */
const target = { toOpensslCpu: 6.7 } as const;
const path = `${process.env['PATH']}:/usr/sbin:/sbin`;

const directory = mkdtempSync(join(process.env['BENCH_DIRECTORY'] ?? tmpdir(), 'enigm-bench-ota-'));
const file = (name: string) => join(directory, name);

/** Noise from a fixed key: no file system stores it in less. @returns index and root of the image */
const makeImage = () => {
  const out = openSync(file('a'), 'w');
  const noise = createCipheriv('aes-128-ctr', new Uint8Array(16), new Uint8Array(16));
  const tree = verityTree({ imageBytes, salt, uuid });
  const digests: Uint8Array[] = [];
  const zeros = new Uint8Array(segmentBytes);
  for (let offset = 0; offset < imageBytes; offset += segmentBytes) {
    const segment = noise.update(zeros);
    writeSync(out, segment);
    digests.push(sha256(segment));
    tree.update(segment);
  }
  closeSync(out);
  const index = encodeIndex({ imageBytes, digests: concat(...digests) });
  return { index, root: tree.finish().root };
};

const cpuOfPrograms = (command: string): number => {
  const script = `TIMEFORMAT='%U %S'; time { ${command} >/dev/null 2>&1; }`;
  const { stderr, status } = spawnSync('bash', ['--norc', '-c', script], {
    env: { PATH: path },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [user = Number.NaN, system = Number.NaN] = stderr.trim().split(' ').map(Number);
  if (status !== 0) throw new Error(`${command}: ${stderr}`);
  return (user + system) * 1000;
};

/** @returns CPU milliseconds of one install */
const ours = async ({ index, root }: ReturnType<typeof makeImage>): Promise<number> => {
  for (const [name, bytes] of [
    ['b', imageBytes + hashAreaBytes(imageBytes)],
    ['journal', twinRecordBytes],
    ['boot', twinRecordBytes],
  ] as const) {
    writeFileSync(file(name), '');
    truncateSync(file(name), bytes);
  }
  const journal = unwrap(await linuxBlockDevice(file('journal'), 'write'));
  const bootDevice = unwrap(await linuxBlockDevice(file('boot'), 'write'));
  const source = unwrap(await linuxBlockDevice(file('a'), 'read'));
  const boot = bootRecordStore(bootDevice);
  const ledger = ledgerStore(journal);
  const facts = { floorEpoch: 1, imageBytes, verityRoot: root };
  unwrap(await provisionSlots(boot, ledger, { ...facts, counter: 1, digest: new Uint8Array(32) }));
  const control = recordedBootControl(boot, async () => ok({ slot: 'a', verityRoot: root }));
  const hands = installer({
    slots: linuxSlots({ a: file('a'), b: file('b') }),
    keeper: slotKeeper(control, ledger),
    floor: { read: async () => ok(1) },
  });
  const pin = { path: 'index', ...pinOf(index) };
  const order = {
    release: { ...facts, counter: 2, digest: new Uint8Array(32).fill(1) },
    salt,
    uuid,
    owner: 'bench',
    isForced: false,
  };
  const mirrors = [async (name: string) => (name === 'index' ? ok(index) : deny('unavailable', 'not-found', name))];
  const running = { index: sha256(index), device: source };
  const files = { index: pin, full: { recipe: pin, piecesPath: 'none' }, pairs: [] };
  const before = process.cpuUsage();
  unwrap(await install(order, files, { mirrors, running, installer: hands, clock: linuxClock() }, new AbortController().signal));
  const { user, system } = process.cpuUsage(before);
  for (const device of [journal, bootDevice, source]) await device.close();
  return (user + system) / 1000;
};

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const main = async (): Promise<number> => {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, rounds: { type: 'string', default: '5' } } });
  const missing = ['openssl', 'dd', 'veritysetup', 'sha256sum'].filter(
    (name) => spawnSync(name, ['--version'], { env: { PATH: path } }).error,
  );
  if (missing.length > 0) {
    console.error(`${missing.join(', ')} missing: apt-get install openssl coreutils cryptsetup-bin`);
    return 3;
  }
  const image = makeImage();
  const idleBytes = process.resourceUsage().maxRSS * 1024;
  const rounds: { ours: number; floor: number; sha256sum: number; openssl: number }[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const isFirst = round % 2 === 0;
    const early = isFirst ? await ours(image) : undefined;
    const openssl = cpuOfPrograms(`openssl dgst -sha256 ${file('a')}`);
    const write = cpuOfPrograms(`dd if=${file('a')} of=${file('copy')} bs=1M conv=fsync`);
    const tree = cpuOfPrograms(`veritysetup format ${file('a')} ${file('tree')} --salt=${toHex(salt)}`);
    const sha256sum = cpuOfPrograms(`sha256sum ${file('a')}`);
    const late = early ?? (await ours(image));
    rounds.push({ ours: late, floor: openssl + write + tree, sha256sum, openssl });
  }
  const ratio = (of: (round: (typeof rounds)[number]) => number) => Number(median(rounds.map(of)).toFixed(2));
  const report = {
    rounds: rounds.length,
    toFloorCpu: ratio((round) => round.ours / round.floor),
    toSha256sumCpu: ratio((round) => round.ours / round.sha256sum),
    toOpensslCpu: ratio((round) => round.ours / round.openssl),
    /** Highest resident memory of this process, after the image was made, and at the end. */
    growthMiB: Math.round((process.resourceUsage().maxRSS * 1024 - idleBytes) / 1024 / 1024),
    target,
  };
  const isMet = report.toOpensslCpu <= target.toOpensslCpu;
  if (values.json === true) console.log(JSON.stringify({ ...report, isMet }));
  else {
    console.log(`verify, write, read back and hash tree of 256 MiB, CPU, medians of ${report.rounds} rounds`);
    console.log(
      `  to openssl dgst alone ${report.toOpensslCpu}x (target ≤ ${target.toOpensslCpu}), to sha256sum ${report.toSha256sumCpu}x`,
    );
    console.log(`  to openssl + dd + veritysetup ${report.toFloorCpu}x; resident memory +${report.growthMiB} MiB`);
  }
  return isMet ? 0 : 1;
};

try {
  process.exitCode = await main();
} finally {
  rmSync(directory, { recursive: true });
}
