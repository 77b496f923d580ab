/** enigm-paged as it ships: one bundle, in a process of its own, under Node's permission model. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type FeedMethods, feedMethods } from '#agents/api/methods';
import { samples } from '#agents/page/testing';
import { ok, unwrap } from '#hal/core/result';
import { memoryLog } from '#hal/memory/log';
import { dispatcher } from '#hal/remote/dispatcher';
import type { Handlers } from '#hal/remote/methods';
import { serveSocket } from '#hal/remote/socket-server';

const root = join(import.meta.dirname, '../..');
const key = { classical: Buffer.alloc(32).toString('base64'), postQuantum: Buffer.alloc(1952).toString('base64') };
const site = {
  version: 1,
  verifier: {
    name: 'verifier',
    url: 'https://127.0.0.1:1/',
    authority: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
    keys: key,
  },
  identityIssuer: key,
  accountService: key,
  page: { port: 0 },
  postureEverySeconds: 2,
};
const mind: Handlers<FeedMethods> = {
  'device.status': async () =>
    ok({
      lifecycle: 'active',
      level: 'basic',
      headline: 'reduced',
      nextStep: 'read-posture',
      auditSize: 1,
      auditState: 'intact',
    }),
  'posture.read': async () => ok(samples.reduced),
  'posture.watch': async function* (_, signal) {
    yield ok(samples.reduced);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  },
};

describe('enigm-paged', () => {
  let programs: string;
  let directory: string;
  let run: string;
  let child: ChildProcess;
  let output: string;
  const url = () => join(run, 'page.url');

  beforeAll(async () => {
    programs = mkdtempSync(join(tmpdir(), 'enigm-paged-'));
    await build({
      absWorkingDir: root,
      entryPoints: ['agents/programs/paged.ts'],
      outfile: join(programs, 'paged.cjs'),
      bundle: true,
      platform: 'node',
      format: 'cjs',
      target: 'node24',
    });
  });
  afterAll(() => rmSync(programs, { recursive: true }));

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-device-'));
    run = join(directory, 'run');
    mkdirSync(run);
    writeFileSync(join(directory, 'site.json'), JSON.stringify(site));
    output = '';
    const reads = [programs, join(directory, 'site.json'), '/proc/uptime', run].map((path) => `--allow-fs-read=${path}`);
    const words = ['--no-warnings', '--permission', ...reads, `--allow-fs-write=${run}`, join(programs, 'paged.cjs')];
    child = spawn(process.execPath, [...words, '--directory', directory, '--run', run], { stdio: ['pipe', 'ignore', 'pipe'] });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    await expect.poll(() => output, { timeout: 20_000 }).toContain('program.ready');
  });
  afterEach(() => {
    child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  test('writes its link for its owner alone, and never logs it', async () => {
    const link = readFileSync(url(), 'utf8').trim();
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/open\/[A-Za-z0-9_-]{43}$/);
    expect(statSync(url()).mode & 0o777).toBe(0o600);
    const opened = await fetch(link, { redirect: 'manual' });
    expect(opened.status).toBe(303);
    const next = readFileSync(url(), 'utf8').trim();
    expect(next).not.toBe(link);
    for (const used of [link, next]) expect(output).not.toContain(used.slice(used.lastIndexOf('/') + 1));
    expect(output).not.toContain('/open/');
  });

  test('shows what the feed says, and that nothing is known while there is none', async () => {
    const opened = await fetch(readFileSync(url(), 'utf8').trim(), { redirect: 'manual' });
    const headers = { cookie: opened.headers.get('set-cookie')?.split(';')[0] ?? '' };
    const page = async () => (await fetch(new URL('/', opened.url), { headers })).text();
    expect(await page()).toContain('<h2 id="headline">Not known</h2>');
    const door = unwrap(await serveSocket(dispatcher(feedMethods, mind), { path: join(run, 'feed.sock'), log: memoryLog() }));
    await expect.poll(page, { timeout: 10_000 }).toContain('<h2 id="headline">Reduced</h2>');
    await door.close();
    await expect.poll(page, { timeout: 10_000 }).toContain('<h2 id="headline">Not known</h2>');
  });

  test('ends in order when it is told to, and takes its link away', async () => {
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    expect(existsSync(url())).toBe(false);
  });

  test('ends when whoever started it is gone', async () => {
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.stdin?.end();
    expect(await ended).toBe(0);
  });
});
