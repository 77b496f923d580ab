/** Witnesses behind real sockets, and a keeper that asks them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { seededRandom } from '#hal/memory/random';
import { memoryFiles } from '#ota-client/repository/files';
import { checkProof } from '#ota-client/transparency/check';
import { type LogEntry, proofPath } from '#ota-client/transparency/entry';
import { newAuthority } from './authority.ts';
import { logTrustFrom } from './log-keys.ts';
import { openReleaseLog, type StartedWitnesses, startWitnesses } from './release-log.ts';

const clock = linuxClock();
const directory = mkdtempSync(join(tmpdir(), 'enigm-witnesses-'));
const seed = seededRandom('witnesses').bytes(32);
const files = memoryFiles();
const trust = logTrustFrom(nodeCrypto, seed);
let secrets: { readonly tlsAuthority: Awaited<ReturnType<typeof newAuthority>> };
let witnesses: StartedWitnesses;

const start = async () => unwrap(await startWitnesses({ directory, seed, secrets, clock }));
const log = (kept = files) => unwrap(openReleaseLog({ directory, files: kept, seed, clock }, witnesses.asked));
const entry = (name: string): LogEntry => ({ kind: 'statement', digest: nodeCrypto.hash('sha256', utf8(name)) });
const proved = async (of: LogEntry) => checkProof(nodeCrypto, trust, of, unwrap(await files.get(proofPath(of))));
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

beforeAll(async () => {
  secrets = { tlsAuthority: await newAuthority('test TLS', 'ed25519', clock) };
  witnesses = await start();
});
afterAll(async () => {
  await witnesses.close();
  rmSync(directory, { recursive: true });
});

test('both cosign over HTTPS, and the proof holds', async () => {
  unwrap(await log().record([entry('one')], []));
  const { witnesses: counted } = unwrap(await proved(entry('one')));
  expect(counted.map(({ name }) => name)).toEqual(['witness-a.enigm.example', 'witness-b.enigm.example']);
});

test('they remember across a restart: another history of the same log is cosigned by nobody', async () => {
  await witnesses.close();
  witnesses = await start();
  expect(code(await log(memoryFiles()).record([entry('other')], []))).toBe('integrity/witnesses-missing');
  unwrap(await log().record([entry('two')], [entry('one')]));
  expect(unwrap(await proved(entry('one'))).size).toBe(2);
});

test('while one is away nothing new is proved, and what was proved stays so', async () => {
  const asked = witnesses.asked;
  await witnesses.close();
  const alone = unwrap(openReleaseLog({ directory, files, seed, clock }, asked));
  expect(code(await alone.record([entry('three')], []))).toBe('integrity/witnesses-missing');
  expect(code(await proved(entry('three')))).toBe('integrity/log-proof-missing');
  expect(code(await proved(entry('one')))).toBe('ok');
  witnesses = await start();
  unwrap(await log().record([entry('three')], []));
  expect(unwrap(await proved(entry('three'))).size).toBe(3);
});
