/**
 * What is in an image: an allow-list. A file of a package that is not named here, nor needed by one that is, is not in it.
 */

/** Programs of the first root, which opens and mounts the real one. */
export const initrdPrograms = ['sbin/veritysetup', 'usr/bin/chattr'] as const;

/**
 * Drivers that the first root loads, in this order, each after what it needs. The first compute the sums of the hash tree
 * and of file systems with what the processor has for them.
 */
export const initrdModules = [
  ...['sha256-ssse3', 'crc32c-intel'],
  ...['virtio_pci', 'virtio_blk', 'i6300esb', 'efivarfs'],
  ...['dm-verity', 'erofs', 'dm-crypt', 'ext4', 'xts', 'aesni-intel'],
] as const;

/** Programs of the device; the first root uses those that open its data. */
export const rootPrograms = ['usr/sbin/nft', 'sbin/cryptsetup', 'sbin/mke2fs', 'usr/bin/chattr'] as const;
/** Loaded by name, so nothing that is linked says that it is needed. */
export const rootLibraries = ['libtss2-esys.so.0', 'libtss2-tcti-device.so.0', 'libtss2-mu.so.0', 'libtss2-rc.so.0'] as const;

/** Drivers of the device: nothing loads itself, each is loaded by name. */
export const rootModules = [
  ...['virtio_net', 'virtio_console', 'virtio-rng', 'xhci-pci', 'usbserial', 'ftdi_sio', 'rfkill'],
  ...['nf_tables', 'nf_conntrack', 'nft_ct', 'nft_reject_inet', 'nft_log', 'nft_limit'],
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
    '[',
  ],
] as const;
