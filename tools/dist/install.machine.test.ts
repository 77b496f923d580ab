/** The package in a fresh Debian: installed, started as its units say, asked, removed, purged. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { userOf } from '#agents/package/accounts';
import { installed } from '#agents/package/places';
import { units } from '#agents/package/units';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
import { tpmLine } from '#hal/contract/tpm-line.fixture';
import { toBase64 } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { frame } from '#hal/remote/frames';
import { openLine } from '#sim/machine/line';
import { startSwtpm } from '#sim/machine/swtpm';
import { newAuthority } from '#sim/peers/authority';
import { type DebianRoot, freshDebian, missingForDebian } from './debian.fixture.ts';
import { type Distribution, distribution } from './dist.ts';
import { startAll } from './running.fixture.ts';

const project = join(import.meta.dirname, '../..');
const missing = missingForDebian();
const clock = linuxClock();
/** What `Depends` names, in its smallest form. */
const packages = [
  ...[
    'libc6',
    'libstdc++6',
    'libgcc-s1',
    'libssl3',
    'libtss2-esys-3.0.2-0',
    'libtss2-mu0',
    'libtss2-rc0',
    'libtss2-tcti-device0',
  ],
  ...['nftables', 'passwd', 'systemd-standalone-sysusers', 'systemd-standalone-tmpfiles'],
];
/** A call that the hands answer to the mind, in hexadecimal. */
const hello = Buffer.from(
  frame(encodeMessage('Frame', { call: { id: 1, method: 'hands.hello', arguments: new Uint8Array() } })),
).toString('hex');
/** No Key is plugged in. */
const started = programNames.filter((name) => name !== 'beacond');

describe.skipIf(missing !== undefined)(`the package ${missing ?? ''}`, () => {
  let made: Distribution;
  let debian: DebianRoot;
  let folder: string;
  let before: readonly string[];
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'enigm-dist-'));
    made = distribution({ project, folder: join(folder, 'one'), timeSeconds: 1_700_000_000 });
    debian = freshDebian(join(project, 'build/packages'), packages);
    before = debian.files();
  }, 900_000);
  afterAll(() => {
    debian?.[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('has the same bytes when it is packed again elsewhere', () => {
    const again = distribution({ project, folder: join(folder, 'two'), timeSeconds: 1_700_000_000 });
    for (const name of ['package', 'tarball', 'bill'] as const)
      expect(Buffer.compare(readFileSync(again[name]), readFileSync(made[name])), name).toBe(0);
  });

  test('is installed, and every file of it is what was packed', () => {
    copyFileSync(made.package, join(debian.folder, 'tmp/enigm.deb'));
    const { status, error } = debian.run('dpkg', '--install', '/tmp/enigm.deb');
    rmSync(join(debian.folder, 'tmp/enigm.deb'));
    expect([status, error]).toEqual([0, expect.not.stringContaining('rror')]);
    expect(debian.run('dpkg', '--verify', 'enigm-device')).toMatchObject({ status: 0, out: '' });
    const listed = spawnSync('tar', ['--zstd', '-tf', made.tarball], { encoding: 'utf8' }).stdout.split('\n');
    for (const path of listed.filter((name) => name !== '' && !name.endsWith('/')))
      expect(existsSync(join(debian.folder, path)) || path.endsWith('.target'), path).toBe(true);
  });

  test('has units that systemd takes without a word, and finds little to say against', () => {
    const ofTheSystem = ['sysinit', 'basic', 'shutdown', 'multi-user'].map((name) => `usr/lib/systemd/system/${name}.target`);
    for (const name of ofTheSystem) copyFileSync(`/${name}`, join(debian.folder, name));
    const names = [...units().keys()];
    const { stderr, status } = spawnSync('systemd-analyze', ['verify', `--root=${debian.folder}`, '--man=no', ...names], {
      encoding: 'utf8',
    });
    expect(stderr.split('\n').filter((line) => line.includes('enigm'))).toEqual([]);
    expect(status).toBe(0);
    const services = names.filter((name) => name.endsWith('.service'));
    const words = ['security', '--offline=true', '--threshold=25', `--root=${debian.folder}`, '--no-pager', ...services];
    expect(spawnSync('systemd-analyze', words, { encoding: 'utf8' })).toMatchObject({ status: 0 });
    for (const name of ofTheSystem) rmSync(join(debian.folder, name));
  });

  test('starts as its units say, and without a TPM says that nobody can answer', async () => {
    writeFileSync(join(debian.folder, 'var/lib/enigm/site.json'), await filledSite(debian.folder));
    await using device = startAll(debian, started, join(folder, 'without-tpm.log'));
    await expect
      .poll(() => enigmctl(debian, 'posture'), patience)
      .toMatchObject({
        status: 5,
        answer: { fault: { category: 'unavailable', reason: 'program-down' } },
      });
    const users = device.running().map(({ name, processId }) => [name, userOfProcess(processId)]);
    // The hands end again and again: they are nothing without a TPM.
    expect(users.filter(([name]) => name !== 'hald')).toEqual(
      started.filter((name) => name !== 'hald').map((name) => [name, userNumber(debian, userOf(name))]),
    );
    expect(device.log()).toContain('"program":"enigm-hald","cause":"unavailable/tpm-missing');
  });

  test('starts the relay of the Key alone, where nobody else runs (SR-11)', async () => {
    const sitePath = join(debian.folder, 'var/lib/enigm/site.json');
    const site = JSON.parse(readFileSync(sitePath, 'utf8')) as { readonly verifier: { readonly authority: string } };
    const courier = { url: 'https://127.0.0.1:1', authority: site.verifier.authority };
    writeFileSync(sitePath, JSON.stringify({ ...site, beacon: { link: installed.keyLink, courier } }));
    const line = unwrap(await openLine(join(debian.folder, installed.keyLink), clock));
    // As udev leaves a serial line on Debian.
    chownSync(line.path, 0, Number(debian.run('getent', 'group', 'dialout').out.split(':')[2]));
    chmodSync(line.path, 0o660);
    await using relay = startAll(debian, ['beacond'], join(folder, 'relay.log'));
    await expect
      .poll(() => enigmctl(debian, 'beacon', 'status'), patience)
      .toMatchObject({ status: 0, answer: { isLineUp: true, isPaired: false } });
    expect(relay.running().map(({ processId }) => userOfProcess(processId))).toEqual([userNumber(debian, userOf('beacond'))]);
    expect(await relay.stop()).toEqual({ beacond: 0 });
    await line.close();
    writeFileSync(sitePath, JSON.stringify(site));
  });

  test('is provisioned where a TPM is, and reports posture over its sockets', async () => {
    await using tpm = unwrap(
      await startSwtpm({ stateDirectory: join(folder, 'tpm'), socketDirectory: join(folder, 's'), clock }),
    );
    await using _line = await tpmLine(tpm.commandPath, join(debian.folder, 'dev/tpmrm0'));
    await using device = startAll(debian, started, join(folder, 'with-tpm.log'));
    await expect.poll(() => existsSync(join(debian.folder, 'run/enigm/hald/factory.sock')), patience).toBe(true);
    const provisioned = enigmctl(debian, 'provision', '--technician', 'ada');
    expect(provisioned, device.log()).toMatchObject({ status: 0, answer: { isProvisioned: true } });
    await expect.poll(() => enigmctl(debian, 'posture').status, patience).toBe(0);
    const { answer } = enigmctl(debian, 'posture');
    const findings = answer['findings'] as readonly { readonly id: string; readonly result: string }[];
    expect(answer['level']).toBe('none');
    expect(findings.length).toBeGreaterThan(15);
    expect(new Set(findings.map(({ result }) => result)).has('fail')).toBe(true);
    expect(enigmctl(debian, 'decide', 'open-secure-messaging', 'messaging').status).toBe(3);
    expect(device.running().map(({ name }) => name)).toEqual(started);

    const asMouth = (...words: readonly string[]) =>
      debian.run('setpriv', '--reuid=enigm-linkd', '--regid=enigm-linkd', '--init-groups', ...words);
    // A boundary is what the kernel holds, whatever the program does (SR-31).
    const knocks = (program: ProgramName, door: string) => {
      const script = `require('node:net').connect('/run/enigm/${door}', function () { this.write(Buffer.from('${hello}', 'hex')); })
        .on('data', () => process.exit(0)).on('error', ({ code }) => process.exit(code === 'EACCES' ? 9 : 7)).on('close', () => process.exit(7))`;
      return debian.run(
        'setpriv',
        `--reuid=${userOf(program)}`,
        `--regid=${userOf(program)}`,
        '--init-groups',
        '/usr/lib/enigm/node',
        '-e',
        script,
      ).status;
    };
    expect(knocks('agentd', 'hald/hands.sock')).toBe(0);
    for (const door of ['hald/hands.sock', 'agentd/api.sock', 'inferd/inference.sock'])
      expect(knocks('linkd', door), door).toBe(9);
    // The kernel lets the mouth's group come that far, and tells the hands who it is.
    expect(knocks('agentd', 'tpm/tpm.sock')).toBe(7);
    expect(asMouth('cat', '/run/enigm/tpm/tpm.pem').status).toBe(0);
    expect(asMouth('touch', '/run/enigm/tpm/other.sock').status).not.toBe(0);
    expect(knocks('paged', 'hald/hands.sock')).toBe(9);
    expect(asMouth('touch', '/run/enigm/hands.sock', '/run/enigm/hald/hands.sock').status).not.toBe(0);
    expect(asMouth('ls', '/var/lib/enigm/mind').status).not.toBe(0);

    const ends = await device.stop();
    expect(ends).toEqual(Object.fromEntries(started.map((name) => [name, 0])));
  });

  test('is removed without a trace but its state, and purged without any', () => {
    expect(debian.processes()).toEqual([]);
    expect(debian.run('dpkg', '--remove', 'enigm-device').status).toBe(0);
    const left = () => debian.files().filter((path) => !before.includes(path) && !isOfDebian.test(path));
    const kept = left();
    expect(kept.filter((path) => !path.startsWith('var/lib/enigm'))).toEqual([]);
    expect(kept).toEqual(
      expect.arrayContaining(['var/lib/enigm/site.json', 'var/lib/enigm/hands/hands.db', 'var/lib/enigm/mind/audit.db']),
    );
    expect(debian.run('dpkg', '--purge', 'enigm-device').status).toBe(0);
    expect(left()).toEqual([]);
    expect(debian.run('getent', 'passwd', ...programNames.map(userOf)).out).toBe('');
    expect(readFileSync(join(debian.folder, 'etc/group'), 'utf8')).not.toContain('enigm');
    expect(debian.run('find', '/', '-xdev', '-nouser', '-o', '-nogroup').out).toBe('');
    expect(debian.processes()).toEqual([]);
  });
});

/** What dpkg and the tools for users keep for themselves: lists, locks, and the lists as they were before. */
const isOfDebian = /^var\/lib\/dpkg\/|^var\/log\/|^etc\/(?:passwd|group|shadow|gshadow|subuid|subgid)-$|^etc\/\.pwd\.lock$/;

const patience = { timeout: 60_000, interval: 250 };

const enigmctl = (debian: DebianRoot, ...words: readonly string[]) => {
  const { status, out } = debian.run('enigmctl', '--json', ...words);
  return { status, answer: JSON.parse(out === '' ? '{}' : out) as Readonly<Record<string, unknown>> };
};

/** The example that is installed, filled in as somebody does who sets up a device. */
const filledSite = async (root: string): Promise<string> => {
  const authority = await newAuthority('Authority of a test', 'p256', clock);
  return readFileSync(join(root, 'usr/share/enigm/site.example.json'), 'utf8')
    .replaceAll(/<Ed25519[^>]*>/g, () => toBase64(systemRandom.bytes(32)))
    .replaceAll(/<ML-DSA-65[^>]*>/g, () => toBase64(systemRandom.bytes(1952)))
    .replaceAll(/<certificate[^>]*>/g, JSON.stringify(authority.certificate).slice(1, -1));
};

const userOfProcess = (processId: number): number =>
  Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${processId}/status`, 'utf8'))?.[1]);
const userNumber = (debian: DebianRoot, name: string): number => Number(debian.run('id', '-u', name).out);
