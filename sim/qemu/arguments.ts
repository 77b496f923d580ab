/**
 * The command line of QEMU for one machine: a pure function, so that the same options give the same machine. Snapshots
 * are bound to it.
 */
import { type BlockNode, type DiskFault, faultyNode, fileNode, loggedNode } from './disk-node.ts';

export interface MachineShape {
  /** The firmware's variables, written at run time. */
  readonly variables: string;
  /** A qcow2 overlay. */
  readonly disk: string;
  /** Control socket of the machine's TPM. */
  readonly tpm: string;
  /** Where sockets are made: short, since unix socket paths have at most 107 bytes. */
  readonly run: string;
  readonly serialLog: string;
  readonly memoryMiB: number;
  /** Whether the firmware deletes boot entries that it cannot use: some real ones do, OVMF does with a boot index. */
  readonly deletesEntries: boolean;
  /** What this machine is told by its simulator, read-only; none for an image that knows its site. */
  readonly siteDisk?: string;
  /** A state that was saved before, as a command that writes it. */
  readonly incoming?: string;
  /** Errors of the disk, from power-on. */
  readonly diskFaults?: readonly DiskFault[];
  readonly logs?: WriteLogs;
  /** What its clock shows at power-on, if not the time: `2001-02-03T04:05:06`, in UTC. */
  readonly clockBase?: string;
}

/** Where each write to a medium is noted: files that are there, empty. */
export interface WriteLogs {
  readonly disk: string;
  readonly variables: string;
}

export const firmware = '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd';
export const qemu = '/usr/bin/qemu-system-x86_64';

export const sockets = { control: 'qmp.sock', serial: 'serial.sock', link: 'link.sock', key: 'key.sock' } as const;
export const networkCard = 'nic0';
export const diskDevice = 'disk';
/** Of user networking: the machine that runs the emulator is the gateway (QEMU, `-netdev user`). */
export const guestAddress = '10.0.2.15';
export const hostAddress = '10.0.2.2';

/** Every device is named: QMP addresses them by these names. */
export const machineArguments = (shape: MachineShape): readonly string[] => {
  const { tpm, run, serialLog, memoryMiB, siteDisk, incoming, clockBase } = shape;
  const socket = (id: string, name: string, more = '') => `socket,id=${id},path=${run}/${name},server=on,wait=off${more}`;
  return [
    // Guests hang under KVM here; MTTCG is what is left. One processor: while the firmware is in system management mode
    // every other one spins, and a start costs more. Its kernel and C library would copy with `rep movsb`, which is fast on
    // processors that say so, and here one byte after the other.
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max,-erms', '-smp', '1', '-m', String(memoryMiB)],
    ...[
      '-machine',
      `q35,smm=on${shape.logs === undefined ? '' : `,pflash1=${loggedVariables}`}`,
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
    ],
    ...['-global', 'driver=cfi.pflash01,property=secure,value=on'],
    ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${firmware}`],
    ...variablesWords(shape),
    ...['-chardev', `socket,id=tpmc,path=${tpm}`, '-tpmdev', 'emulator,id=tpm0,chardev=tpmc', '-device', 'tpm-crb,tpmdev=tpm0'],
    ...diskWords(shape),
    ...(siteDisk === undefined
      ? []
      : ['-drive', `if=none,id=site0,format=raw,readonly=on,file=${siteDisk}`, '-device', 'virtio-blk-pci,drive=site0']),
    ...['-netdev', 'user,id=net0', '-device', `virtio-net-pci,netdev=net0,romfile=,id=${networkCard}`],
    ...['-device', 'virtio-rng-pci', '-device', 'i6300esb', '-action', 'watchdog=reset'],
    ...['-chardev', socket('linkc', sockets.link), '-device', 'virtio-serial-pci'],
    ...['-device', 'virtconsole,chardev=linkc,name=link'],
    ...['-qmp', `unix:${run}/${sockets.control},server=on,wait=off`],
    ...['-chardev', socket('serialc', sockets.serial, `,logfile=${serialLog}`), '-serial', 'chardev:serialc'],
    ...['-chardev', socket('keyc', sockets.key), '-serial', 'chardev:keyc'],
    ...(clockBase === undefined ? [] : ['-rtc', `base=${clockBase}`]),
    ...(incoming === undefined ? [] : ['-incoming', incoming, '-S']),
  ];
};

const loggedVariables = 'variables';
const node = (name: string, options: BlockNode): readonly string[] => [
  ...['-blockdev', JSON.stringify({ 'node-name': name, ...options })],
];

const variablesWords = ({ variables, logs }: MachineShape): readonly string[] =>
  logs === undefined
    ? ['-drive', `if=pflash,format=raw,unit=1,file=${variables}`]
    : node(loggedVariables, loggedNode(fileNode('raw', variables), logs.variables));

const diskWords = ({ disk, diskFaults = [], logs, deletesEntries }: MachineShape): readonly string[] => {
  const device = `virtio-blk-pci,id=${diskDevice},drive=disk0${deletesEntries ? ',bootindex=1' : ''}`;
  if (logs === undefined && diskFaults.length === 0)
    return ['-drive', `if=none,id=disk0,format=qcow2,file=${disk},cache=writeback`, '-device', device];
  const file = fileNode('qcow2', disk);
  const logged = logs === undefined ? file : loggedNode(file, logs.disk);
  // The guest hears of an error; a full disk would stop the machine otherwise.
  return [
    ...node('disk0', diskFaults.length === 0 ? logged : faultyNode(logged, diskFaults)),
    ...['-device', `${device},werror=report,rerror=report`],
  ];
};
