import { describe, expect, test } from 'vitest';
import { type PackageEntry, type PackageTier, packages } from '#agents/cli/packages';
import { onDisk, progressOf, toFetch } from './apt-plan.ts';
import { isPackageTier, missingIn, type SetupMachine, setUp } from './setup.ts';

const table: readonly PackageEntry[] = [
  { name: 'swtpm', probes: ['/usr/bin/swtpm', '/usr/local/bin/swtpm'], tier: 'day', reason: 'a TPM' },
  { name: 'nftables', probes: ['/usr/sbin/nft'], tier: 'day', reason: 'network policy' },
  { name: 'chromium', probes: ['/usr/bin/chromium'], tier: 'tests', reason: 'looks at the page' },
  { name: 'bsdiff', probes: ['/usr/bin/bsdiff'], tier: 'bench', reason: 'updates' },
];

const planText = `Reading package lists...
The following NEW packages will be installed:
  nftables swtpm
0 upgraded, 2 newly installed, 0 to remove and 3 not upgraded.
Need to get 72.2 MB of archives.
After this operation, 290 MB of additional disk space will be used.
Do you want to continue? [Y/n] N
Abort.
`;

/** A machine without apt, and a record of what was asked of it. */
const fakeMachine = (files: readonly string[], more: Partial<SetupMachine> = {}) => {
  const there = new Set(files);
  const asked: string[] = [];
  const said: string[] = [];
  const machine: SetupMachine = {
    isRoot: true,
    hasApt: true,
    hasFile: (path) => there.has(path),
    hasPackage: () => false,
    update: () => asked.push('update') > 0,
    simulate: (words) => {
      asked.push(`simulate ${words.join(' ')}`);
      return planText;
    },
    install: async (words) => {
      asked.push(words.join(' '));
      for (const { name, probes } of table) if (words.includes(name)) there.add(probes[0] ?? '');
      return true;
    },
    ...more,
  };
  return { machine, asked, said, run: (tier: 'day' | 'tests') => setUp(table, tier, machine, (line) => said.push(line)) };
};

describe('what is missing', () => {
  test('is what the tier needs and those before it, judged by files', () => {
    const names = (tier: PackageTier, ...files: readonly string[]) =>
      missingIn(table, tier, fakeMachine(files).machine).map(({ name }) => name);
    expect(names('day')).toEqual(['swtpm', 'nftables']);
    expect(names('tests')).toEqual(['swtpm', 'nftables', 'chromium']);
    expect(names('bench', '/usr/bin/swtpm')).toEqual(['nftables', 'chromium', 'bsdiff']);
    expect(names('machine', '/usr/bin/swtpm')).toEqual(['nftables', 'chromium']);
    expect(names('day', '/usr/local/bin/swtpm', '/usr/sbin/nft')).toEqual([]);
    expect(names('tests', '/usr/bin/swtpm', '/usr/sbin/nft')).toEqual(['chromium']);
  });
});

describe('setup', () => {
  test('says and does nothing where nothing is missing, whoever runs it', async () => {
    for (const isRoot of [true, false]) {
      const { run, asked, said } = fakeMachine(['/usr/bin/swtpm', '/usr/sbin/nft'], { isRoot });
      expect(await run('day')).toBe(true);
      expect({ asked, said }).toEqual({ asked: [], said: [] });
    }
  });

  test('tells the plan with names and size before it installs, and installs what is missing only', async () => {
    const saidBefore: string[] = [];
    const { run, asked, said, machine } = fakeMachine(['/usr/bin/swtpm']);
    const { install } = machine;
    machine.install = (words, plan) => {
      saidBefore.push(...said);
      return install(words, plan);
    };
    expect(await run('day')).toBe(true);
    expect(saidBefore).toEqual([
      'one Debian package is missing:',
      '  nftables           network policy',
      'apt-get update …',
      'installing (72.2 MB to fetch, 290 MB on disk) …',
    ]);
    expect(said).toEqual(saidBefore);
    expect(asked).toEqual([
      'update',
      'simulate install --no-install-recommends nftables',
      'install --yes --no-install-recommends nftables',
    ]);
  });

  test('without root prints the one command and changes nothing', async () => {
    const { run, asked, said } = fakeMachine([], { isRoot: false });
    expect(await run('day')).toBe(false);
    expect(asked).toEqual([]);
    expect(said.slice(0, 3)).toEqual([
      '2 Debian packages are missing:',
      '  swtpm              a TPM',
      '  nftables           network policy',
    ]);
    expect(said.at(-1)).toBe(
      "Installing needs root. Run this once, then start again:\n  sudo sh -c 'apt-get update && apt-get install --yes --no-install-recommends swtpm nftables'",
    );
  });

  test('without apt names the files that are wanted', async () => {
    const { run, asked, said } = fakeMachine([], { hasApt: false });
    expect(await run('day')).toBe(false);
    expect(asked).toEqual([]);
    expect(said).toContain('  swtpm: /usr/bin/swtpm or /usr/local/bin/swtpm');
  });

  test('installs a package again that has lost its file', async () => {
    const { run, asked } = fakeMachine(['/usr/bin/swtpm'], { hasPackage: (name) => name === 'nftables' });
    expect(await run('day')).toBe(true);
    expect(asked.at(-1)).toBe('install --yes --no-install-recommends --reinstall nftables');
  });

  test('is red where apt-get fails, and where the file is not there afterwards', async () => {
    const failing = fakeMachine([], { install: async () => false });
    expect(await failing.run('day')).toBe(false);
    expect(failing.said.at(-1)).toMatch(/^apt-get failed\. By hand: apt-get update && apt-get install /);
    const empty = fakeMachine(['/usr/bin/swtpm'], { install: async () => true });
    expect(await empty.run('day')).toBe(false);
    expect(empty.said.at(-1)).toBe('nftables is installed, but /usr/sbin/nft is not there.');
  });

  test('goes on where the lists cannot be refreshed, and says so', async () => {
    const { run, said } = fakeMachine([], { update: () => false });
    expect(await run('day')).toBe(true);
    expect(said).toContain('apt-get update failed; going on with the lists that are here.');
  });

  test('knows its tiers', () => {
    expect(['day', 'tests', 'bench', 'nights', 'toString', undefined].map(isPackageTier)).toEqual([
      ...[true, true, true],
      ...[false, false, false],
    ]);
  });
});

describe('what apt-get says', () => {
  test('gives the sizes', () => {
    expect([toFetch(planText), onDisk(planText)]).toEqual(['72.2 MB to fetch', '290 MB on disk']);
    expect(toFetch('Need to get 1,024 kB/195 MB of archives.')).toBe('1,024 kB to fetch');
    expect(toFetch('Need to get 0 B/195 MB of archives.')).toBe('nothing to fetch');
    expect([toFetch('E: Unable to locate package'), onDisk('After this operation, 3 MB disk space will be freed.')]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('gives progress now and then', () => {
    const progress = progressOf('0 upgraded, 5 newly installed, 0 to remove and 0 not upgraded.');
    const told = ['Unpacking', 'Setting up']
      .flatMap((verb) => [1, 2, 3, 4, 5].map((n) => `${verb} package-${n} (1.0) ...`))
      .map((line) => progress(line));
    expect(told.filter((line) => line !== undefined)).toEqual([
      '   20 %  unpacking package-2',
      '   40 %  unpacking package-4',
      '   60 %  setting up package-1',
      '   80 %  setting up package-3',
      '  100 %  setting up package-5',
    ]);
    expect(progress('Fetched 195 MB in 0s')).toBeUndefined();
    expect(progressOf('no counts')('Unpacking package-1')).toBeUndefined();
  });
});

describe('the table of packages', () => {
  test('names each once, says why, and probes files by their whole path', () => {
    const names = packages.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, probes, reason } of packages) {
      expect(probes.length, name).toBeGreaterThan(0);
      for (const probe of probes) expect(probe, name).toMatch(/^\/(usr|etc|s?bin)\//);
      expect(reason, name).not.toBe('');
    }
  });
});
