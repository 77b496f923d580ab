import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import { linuxPlatform } from './platform.ts';

/** In the forms of proc(5), sysfs and securityfs: a machine with a verified root. */
const recorded: Readonly<Record<string, string>> = {
  '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
  '/proc/sys/kernel/tainted': '4096\n',
  '/proc/sys/kernel/modules_disabled': '1\n',
  '/sys/kernel/security/lsm': 'lockdown,capability,landlock,yama,apparmor,ima',
  '/proc/self/mountinfo': [
    '22 27 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw',
    '27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '28 1 254:0 / / ro,relatime shared:1 - erofs /dev/mapper/root ro',
    '',
  ].join('\n'),
  '/sys/dev/block/254:0/dm/uuid': 'CRYPT-VERITY-0b8a7bd0c9a64bd5-root\n',
  '/proc/net/tcp': [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 21 1 0 100 0 0 10 0',
    '   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 22 1 0 20 4 30 10 -1',
    '',
  ].join('\n'),
  '/proc/net/tcp6': [
    '  sl  local_address                         remote_address                        st',
    '   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 0 0 0 0 0 23',
    '   1: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 0 0 0 0 0 24',
    '   2: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 0 0 0 0 0 25',
  ].join('\n'),
  '/proc/net/udp': [
    '   sl  local_address rem_address   st',
    '  101: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 26',
    '  102: 0F02000A:8000 01020304:0035 01 00000000:00000000 00:00000000 00000000 0 0 27',
  ].join('\n'),
  '/proc/sys/kernel/yama/ptrace_scope': '2\n',
  '/proc/self/limits': [
    'Limit                     Soft Limit           Hard Limit           Units',
    'Max core file size        0                    unlimited            bytes',
  ].join('\n'),
  '/proc/swaps': 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n',
};

const read = async (files: Readonly<Record<string, string | undefined>>) =>
  unwrap(await linuxPlatform((path) => files[path]).read());
const changed = async (path: string, text: string | undefined) => read({ ...recorded, [path]: text });

describe('what the kernel says of itself', () => {
  test('is read from its files', async () => {
    expect(await read(recorded)).toEqual({
      kernelLockdown: 'integrity',
      kernelTaint: 4096,
      areModulesLocked: true,
      securityModules: { items: ['lockdown', 'capability', 'landlock', 'yama', 'apparmor', 'ima'] },
      isRootVerified: true,
      listeningSockets: {
        items: [
          { protocol: 'tcp', address: '127.0.0.1', port: 8080 },
          { protocol: 'tcp', address: '::', port: 22 },
          { protocol: 'tcp', address: '::1', port: 631 },
          { protocol: 'tcp', address: '2001:db8:0:0:0:0:0:1', port: 443 },
          { protocol: 'udp', address: '0.0.0.0', port: 68 },
        ],
      },
      ptraceScope: 2,
      areCoreDumpsOff: true,
      isSwapOff: true,
    });
  });

  test('of this machine fits the message that carries it', async () => {
    const facts = unwrap(await linuxPlatform().read());
    expect(unwrap(decodeMessage('PlatformFacts', encodeMessage('PlatformFacts', facts)))).toEqual(facts);
  });

  test('stays absent where a file is: never a default', async () => {
    expect(await read({})).toEqual({});
    for (const [path, fact] of [
      ['/sys/kernel/security/lockdown', 'kernelLockdown'],
      ['/proc/sys/kernel/tainted', 'kernelTaint'],
      ['/proc/sys/kernel/modules_disabled', 'areModulesLocked'],
      ['/sys/kernel/security/lsm', 'securityModules'],
      ['/proc/self/mountinfo', 'isRootVerified'],
      ['/proc/sys/kernel/yama/ptrace_scope', 'ptraceScope'],
      ['/proc/self/limits', 'areCoreDumpsOff'],
      ['/proc/swaps', 'isSwapOff'],
    ] as const) {
      expect(Object.keys(await changed(path, undefined))).not.toContain(fact);
    }
  });

  test('stays absent where a file holds something else', async () => {
    expect((await changed('/sys/kernel/security/lockdown', 'none integrity')).kernelLockdown).toBeUndefined();
    for (const text of ['', '-1', '0x1', '12345678901', 'yes'])
      expect((await changed('/proc/sys/kernel/tainted', text)).kernelTaint).toBeUndefined();
    expect((await changed('/proc/self/limits', 'Max open files 1024')).areCoreDumpsOff).toBeUndefined();
    for (const line of ['not a socket', '0: 0100007F:1F9 00000000:0000 0A', '0: 0100007:1F90 00000000:0000 0A'])
      expect((await changed('/proc/net/udp6', `header\n${line}\n`)).listeningSockets).toBeUndefined();
  });

  test.each<[string, string, string, unknown]>([
    ['no lockdown', '/sys/kernel/security/lockdown', '[none] integrity confidentiality', { kernelLockdown: 'none' }],
    ['modules that can be loaded', '/proc/sys/kernel/modules_disabled', '0\n', { areModulesLocked: false }],
    ['core dumps', '/proc/self/limits', 'Max core file size        unlimited            unlimited', { areCoreDumpsOff: false }],
    ['swap', '/proc/swaps', 'Filename Type\n/dev/sda2 partition 1 0 -2\n', { isSwapOff: false }],
    [
      'a root on another kind of device mapper',
      '/sys/dev/block/254:0/dm/uuid',
      'CRYPT-LUKS2-0b8a-root',
      { isRootVerified: false },
    ],
    ['a root on a plain disk', '/proc/self/mountinfo', '27 1 8:1 / / rw - ext4 /dev/sda1 rw', { isRootVerified: false }],
  ])('tells %s', async (_, path, text, expected) => {
    expect(await changed(path, text)).toMatchObject(expected as object);
  });

  test('what is mounted last over the root is the root', async () => {
    const mounts = `${recorded['/proc/self/mountinfo']}99 1 8:1 / / rw - ext4 /dev/sda1 rw\n`;
    expect((await changed('/proc/self/mountinfo', mounts)).isRootVerified).toBe(false);
  });

  test('is bounded: of thousands of sockets and modules the first are told', async () => {
    const line = '   0: 0100007F:1F90 00000000:0000 0A\n';
    const sockets = (await changed('/proc/net/tcp', `header\n${line.repeat(5_000)}`)).listeningSockets?.items;
    expect(sockets).toHaveLength(256);
    const modules = (await changed('/sys/kernel/security/lsm', 'a,'.repeat(100))).securityModules?.items;
    expect(modules).toHaveLength(32);
  });

  test('in any other words never throws, and still fits the message that carries it', async () => {
    const text = fc.oneof(
      fc.string(),
      fc
        .array(fc.constantFrom(' ', '\n', ':', '0A', '07', '/', '0100007F', 'ABC', '1F90', '-', '[', ']', ',', 'FFFFFFFFFF'), {
          maxLength: 60,
        })
        .map((words) => words.join('')),
      fc
        .array(fc.tuple(fc.stringMatching(/^[0-9A-F]{0,34}$/), fc.stringMatching(/^[0-9A-F]{0,9}$/)))
        .map((sockets) => ['header', ...sockets.map(([address, port]) => `0: ${address}:${port} 0:0 0A`)].join('\n')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (said) => {
        const facts = unwrap(await linuxPlatform(() => said).read());
        expect(decodeMessage('PlatformFacts', encodeMessage('PlatformFacts', facts)).ok).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
