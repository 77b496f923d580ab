/** What is installed on a device, as text: units, accounts, folders, the example of a site. */
import { describe, expect, test } from 'vitest';
import { parseSite } from '#agents/management/site';
import { socketNames } from '#agents/programs/layout';
import { programNames } from '#agents/supervisor/launch';
import { accounts, groupsOf, sysusers, tmpfiles, userOf } from './accounts.ts';
import { confined } from './confinement.ts';
import { exampleSite } from './example-site.ts';
import { units } from './units.ts';
import { group, passwd } from './user-list.ts';

const unitOf = (name: string) => units().get(`enigm-${name}.service`) ?? '';
const valuesOf = (name: string, key: string): readonly string[] =>
  unitOf(name)
    .split('\n')
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));

describe('the units (SR-31)', () => {
  test('give each program a user of its own, no new privileges, and nothing to write but its own', () => {
    expect(new Set(programNames.map((name) => valuesOf(name, 'User').join())).size).toBe(programNames.length);
    for (const name of programNames) {
      expect(valuesOf(name, 'NoNewPrivileges'), name).toEqual(['yes']);
      expect(valuesOf(name, 'ProtectSystem'), name).toEqual(['strict']);
      const own = accounts[name].keeps === undefined ? [] : [accounts[name].keeps];
      const [writes, ...more] = valuesOf(name, 'ReadWritePaths');
      expect(writes?.split(' ').toSorted(), name).toEqual(
        [`/run/enigm/${name}`, ...(name === 'hald' ? ['/run/enigm/tpm'] : []), ...own].toSorted(),
      );
      expect(more, name).toEqual(name === 'hald' ? ['-/proc/sysrq-trigger'] : []);
    }
  });

  test('give the hands alone capabilities and the TPM', () => {
    for (const name of programNames) {
      const wanted = name === 'hald' ? 'CAP_NET_ADMIN CAP_DAC_OVERRIDE' : '';
      expect(valuesOf(name, 'CapabilityBoundingSet'), name).toEqual([wanted]);
      expect(valuesOf(name, 'DeviceAllow').filter((device) => device.includes('tpm')).length, name).toBe(name === 'hald' ? 1 : 0);
    }
  });

  test('give mind and tensor engine no network, and the page the loopback address', () => {
    for (const name of ['agentd', 'inferd']) expect(valuesOf(name, 'PrivateNetwork'), name).toEqual(['yes']);
    expect(valuesOf('paged', 'IPAddressDeny')).toEqual(['any']);
    expect(valuesOf('paged', 'IPAddressAllow')).toEqual(['localhost']);
    expect(valuesOf('linkd', 'PrivateNetwork')).toEqual([]);
  });

  test('let nothing be executable that can be written, where Node compiles nothing', () => {
    for (const name of programNames) {
      const isJitless = valuesOf(name, 'ExecStart').join().includes(' --jitless ');
      expect(valuesOf(name, 'MemoryDenyWriteExecute'), name).toEqual(isJitless ? ['yes'] : []);
      expect(valuesOf(name, 'SystemCallFilter').includes('~memfd_create'), name).toBe(isJitless);
      expect(valuesOf(name, 'NoExecPaths').join(), name).toContain(`/run/enigm/${name}`);
    }
  });

  test('give each program one heap of the C library', () => {
    for (const name of programNames) expect(valuesOf(name, 'Environment'), name).toContain('MALLOC_ARENA_MAX=1');
  });

  test('start the beacon relay before all others and let it wait for none (SR-11)', () => {
    const others = programNames.filter((name) => name !== 'beacond').map((name) => `enigm-${name}.service`);
    expect(valuesOf('beacond', 'Before')).toEqual([others.join(' ')]);
    expect(unitOf('beacond')).not.toMatch(/^(?:Requires|Requisite|BindsTo|Wants)=|^After=.*enigm-/m);
    expect(valuesOf('beacond', 'StartLimitIntervalSec')).toEqual(['0']);
  });
});

describe('accounts and folders', () => {
  test('let into the folder of a program whoever calls it, and nobody else', () => {
    const members = sysusers()
      .split('\n')
      .filter((line) => line.startsWith('m '));
    expect(members).toEqual([
      'm enigm-beacond enigm-hald',
      'm enigm-beacond dialout',
      ...['hald', 'linkd', 'inferd'].map((name) => `m enigm-agentd enigm-${name}`),
      'm enigm-paged enigm-agentd',
    ]);
  });

  test('have one for the filtered TPM, which lets in the mouth and shows it nothing else of the hands (SR-02)', () => {
    expect(tmpfiles()).toContain('d /run/enigm/tpm 02750 enigm-hald enigm-linkd\n');
    expect(groupsOf('linkd')).toEqual([]);
  });

  test('lead from each socket that is called to the folder of who serves it', () => {
    const links = tmpfiles()
      .split('\n')
      .flatMap((line) => (line.startsWith('L+ ') ? [line.split(' ')] : []));
    for (const [, from = '', , , , , to = ''] of links) {
      expect(from).not.toBe(to);
      expect(to).toMatch(/^\/run\/enigm\/[a-z]+\/(?:[a-z]+\.sock|tpm\.sock\.ctrl|tpm\.pem|page\.url)$/);
    }
    const called = Object.values(accounts).flatMap(({ calls }) => calls);
    for (const door of called)
      expect(
        links.some(([, from = '']) => from.endsWith(`/${socketNames[door]}`)),
        door,
      ).toBe(true);
  });

  test('keep what a program keeps from every other', () => {
    for (const name of programNames) {
      const { keeps } = accounts[name];
      if (keeps !== undefined) expect(tmpfiles()).toContain(`d ${keeps} 0700 ${userOf(name)} ${userOf(name)}\n`);
    }
  });
});

describe('a machine without systemd (SR-31)', () => {
  test('has the users and the groups that sysusers.d would make', () => {
    const rows = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(':'));
    const users = new Map(rows(passwd()).map(([name = '', , id = '']) => [name, id]));
    const groups = new Map(rows(group()).map(([name = '', , id, members = '']) => [name, { id, members }]));
    expect(new Set(users.values()).size).toBe(programNames.length + 1);
    for (const line of sysusers().trimEnd().split('\n')) {
      const [kind, name = '', groupName = ''] = line.split(' ');
      if (kind === 'u') expect(groups.get(name)?.id, name).toBe(users.get(name));
      else expect(groups.get(groupName)?.members.split(','), line).toContain(name);
    }
  });

  test('starts each program as its own user, without new privileges, with the capabilities of its unit alone', () => {
    for (const name of programNames) {
      const words = confined(name).join(' ');
      expect(words).toContain(`--reuid ${userOf(name)} --regid ${userOf(name)} --init-groups --no-new-privs`);
      const ofUnit = valuesOf(name, 'CapabilityBoundingSet').join().replaceAll('CAP_', '+').toLowerCase().split(' ');
      expect(words).toContain(`--bounding-set ${['-all', ...ofUnit.filter((one) => one !== '')].join(',')} `);
      expect(words.startsWith('/usr/bin/unshare --net'), name).toBe(valuesOf(name, 'PrivateNetwork').length > 0);
    }
    expect(confined('hald', ['FOWNER']).join(' ')).toContain('--ambient-caps -all,+net_admin,+dac_override,+fowner ');
  });
});

describe('the example of a site', () => {
  test('is refused as it is, with the path of what is to be filled in', () => {
    expect(parseSite(JSON.stringify(exampleSite))).toMatchObject({
      fault: { category: 'protocol', reason: 'config-invalid', detail: expect.stringMatching(/^verifier\.authority: expected/) },
    });
  });

  test('is taken when every gap is filled', () => {
    const filled = JSON.stringify(exampleSite)
      .replaceAll(/<Ed25519[^>]*>/g, Buffer.alloc(32, 1).toString('base64'))
      .replaceAll(/<ML-DSA-65[^>]*>/g, Buffer.alloc(1952, 1).toString('base64'))
      .replaceAll(/<certificate[^>]*>/g, '-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n');
    expect(parseSite(filled)).toMatchObject({ ok: true });
    expect(filled).not.toMatch(/[<>]/);
  });
});
