/**
 * What is in an image: an allow-list. A file of a package that is not named here, nor needed by one that is, is not in it.
 */

import { confiners } from '#agents/package/confinement';
import { tpmProvider } from '#agents/supervisor/tpm-provider';

/** What a first root has beside its programs. */
export interface InitrdContents {
  /** Drivers, in the order in which they are loaded, each after what it needs. */
  readonly modules: readonly string[];
  /** The same, for what is done seldom. */
  readonly laterModules?: readonly string[];
}

/** The first root of a slot, which opens and mounts the real one. */
export const slotContents: InitrdContents = {
  // The first compute the sums of the hash tree and of file systems with what the processor has for them.
  modules: [
    ...['sha256-ssse3', 'crc32c-intel'],
    ...['virtio_pci', 'virtio_blk', 'i6300esb', 'efivarfs'],
    ...['dm-verity', 'erofs', 'dm-crypt', 'ext4', 'xts', 'aesni-intel'],
  ],
};

/** That of recovery, which opens its own root file system, and only where no slot starts. */
export const recoveryContents: InitrdContents = {
  modules: ['i6300esb', 'efivarfs'],
  laterModules: [...['sha256-ssse3', 'crc32c-intel', 'virtio_pci', 'virtio_blk', 'virtio_net'], ...['dm-verity', 'erofs']],
};

/** What the program of recovery starts (`hal/linux/efi-variables.ts`). */
export const recoveryRootPrograms = ['usr/bin/chattr'] as const;

/**
 * What a driver is told when it is loaded. The watchdog resets a machine that fed it for the last time so long ago; a busy
 * host lets a start wait for half of it.
 */
export const driverWords: ReadonlyMap<string, string> = new Map([['i6300esb', 'heartbeat=60 nowayout=1']]);

/** Programs of the device; the first root uses those that open its data. */
export const rootPrograms = [
  ...['usr/sbin/nft', 'sbin/cryptsetup', 'sbin/mke2fs', 'usr/bin/chattr'],
  ...Object.values(confiners).map((path) => path.slice(1)),
] as const;
/** What the mouth's OpenSSL loads: it needs libraries as a program does. */
export const rootProviders = [tpmProvider.module.slice(1)] as const;
/** Loaded by name, so nothing that is linked says that it is needed: by the hands, the last by the provider. */
export const rootLibraries = [
  ...['libtss2-esys.so.0', 'libtss2-tcti-device.so.0', 'libtss2-mu.so.0', 'libtss2-rc.so.0'],
  'libtss2-tcti-mssim.so.0',
] as const;

/** Drivers of the device: nothing loads itself, each is loaded by name. */
export const rootModules = [
  ...['virtio_net', 'virtio_console', 'virtio-rng', 'xhci-pci', 'usbserial', 'ftdi_sio', 'rfkill'],
  ...['nf_tables', 'nf_conntrack', 'nft_ct', 'nft_reject_inet', 'nft_log', 'nft_limit', 'nft_objref'],
] as const;

/** Commands of busybox that the two start scripts use. */
export const busyboxCommands = [
  ...['sh', 'mount', 'umount', 'mkdir', 'cat', 'echo', 'insmod', 'modprobe', 'switch_root', 'reboot', 'poweroff'],
  ...[
    'chroot',
    'sleep',
    'ls',
    'grep',
    'cut',
    'tr',
    'ip',
    'hostname',
    'setsid',
    'dd',
    'head',
    'od',
    'chown',
    'chmod',
    'ln',
    'sync',
    'stty',
    'printf',
    'mkfifo',
    '[',
  ],
] as const;
