import { expect, test } from 'vitest';
import { type MachineShape, machineArguments } from './arguments.ts';

const shape: MachineShape = {
  variables: '/d/variables.fd',
  disk: '/d/disk.qcow2',
  tpm: '/r/tpm.sock',
  run: '/r',
  serialLog: '/d/serial.log',
  memoryMiB: 768,
  deletesEntries: false,
};

test('one machine has one command line', () => {
  expect(machineArguments({ ...shape, siteDisk: '/d/site.img' })).toEqual([
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max,-erms', '-smp', '1', '-m', '768'],
    ...['-machine', 'q35,smm=on', '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', 'if=pflash,format=raw,unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.secboot.fd'],
    ...['-drive', 'if=pflash,format=raw,unit=1,file=/d/variables.fd'],
    ...['-chardev', 'socket,id=tpmc,path=/r/tpm.sock', '-tpmdev', 'emulator,id=tpm0,chardev=tpmc'],
    ...['-device', 'tpm-crb,tpmdev=tpm0'],
    ...[
      '-drive',
      'if=none,id=disk0,format=qcow2,file=/d/disk.qcow2,cache=writeback',
      '-device',
      'virtio-blk-pci,id=disk,drive=disk0',
    ],
    ...['-drive', 'if=none,id=site0,format=raw,readonly=on,file=/d/site.img', '-device', 'virtio-blk-pci,drive=site0'],
    ...['-netdev', 'user,id=net0', '-device', 'virtio-net-pci,netdev=net0,romfile=,id=nic0'],
    ...['-device', 'virtio-rng-pci', '-device', 'i6300esb', '-action', 'watchdog=reset'],
    ...['-chardev', 'socket,id=linkc,path=/r/link.sock,server=on,wait=off', '-device', 'virtio-serial-pci'],
    ...['-device', 'virtconsole,chardev=linkc,name=link'],
    ...['-qmp', 'unix:/r/qmp.sock,server=on,wait=off'],
    ...[
      '-chardev',
      'socket,id=serialc,path=/r/serial.sock,server=on,wait=off,logfile=/d/serial.log',
      '-serial',
      'chardev:serialc',
    ],
    ...['-chardev', 'socket,id=keyc,path=/r/key.sock,server=on,wait=off', '-serial', 'chardev:keyc'],
  ]);
});

test('firmware that deletes entries has a boot index, and a saved state waits', () => {
  expect(machineArguments({ ...shape, deletesEntries: true })).toContain('virtio-blk-pci,id=disk,drive=disk0,bootindex=1');
  expect(machineArguments({ ...shape, incoming: 'exec:cat state' }).slice(-3)).toEqual(['-incoming', 'exec:cat state', '-S']);
});

test('no machine uses KVM: guests hang with it', () => {
  expect(machineArguments(shape).join(' ')).not.toMatch(/kvm/);
});

/** What stands in place of the same words of a machine without. */
const changed = (more: Partial<MachineShape>) => {
  const usual = machineArguments(shape);
  return machineArguments({ ...shape, ...more }).filter((word) => !usual.includes(word));
};

test('a clock may show another time', () => {
  expect(changed({ clockBase: '2001-02-03T04:05:06' })).toEqual(['-rtc', 'base=2001-02-03T04:05:06']);
});

test('errors of the disk are a node before it, and the machine hears of them', () => {
  const diskFaults = [
    { on: 'write', sector: 4096 },
    { on: 'read', sector: 8 },
  ] as const;
  const [node = '', device] = changed({ diskFaults }).filter((word) => word !== '-blockdev');
  expect(JSON.parse(node)).toEqual({
    'node-name': 'disk0',
    driver: 'blkdebug',
    image: { driver: 'qcow2', file: { driver: 'file', filename: '/d/disk.qcow2' } },
    'inject-error': [
      { event: 'none', iotype: 'write', sector: 4096, errno: 5 },
      { event: 'none', iotype: 'read', sector: 8, errno: 5 },
    ],
  });
  expect(device).toBe('virtio-blk-pci,id=disk,drive=disk0,werror=report,rerror=report');
});

test('logs are nodes before disk and variables, behind the errors', () => {
  const logs = { disk: '/l/disk.log', variables: '/l/variables.log' };
  const [machine, variables = '', disk = '', ...rest] = changed({ logs }).filter((word) => word !== '-blockdev');
  expect(machine).toBe('q35,smm=on,pflash1=variables');
  const logged = (driver: string, filename: string, log: string) => ({
    ...{ driver: 'blklogwrites', 'log-sector-size': 512 },
    ...{ file: { driver, file: { driver: 'file', filename } }, log: { driver: 'file', filename: log } },
  });
  const disk0 = logged('qcow2', '/d/disk.qcow2', '/l/disk.log');
  expect(JSON.parse(variables)).toEqual({ 'node-name': 'variables', ...logged('raw', '/d/variables.fd', '/l/variables.log') });
  expect(JSON.parse(disk)).toEqual({ 'node-name': 'disk0', ...disk0 });
  expect(rest).toEqual(['virtio-blk-pci,id=disk,drive=disk0,werror=report,rerror=report']);
  const both = changed({ logs, diskFaults: [{ on: 'read', sector: 1 }] }).find((word) => word.includes('blkdebug'));
  expect(JSON.parse(both ?? '')).toMatchObject({ driver: 'blkdebug', image: disk0 });
});
