/**
 * The Debian packages that this project uses, what each is for, and the file that shows that it is really there.
 *
 * Read by `make setup` and by `enigmctl doctor`. Tools lie in /usr/sbin as well, which is not in everybody's PATH, so
 * files are probed, not commands.
 */
export interface PackageEntry {
  readonly name: string;
  /** Any one of these files shows that the package is there. */
  readonly probes: readonly string[];
  readonly tier: PackageTier;
  readonly reason: string;
}

/**
 * `day`: make run. `tests`: make test, beside those of the day. `machine`: our image in QEMU, beside all those. `bench`: make
 * bench-ota, beside those of the tests.
 */
export type PackageTier = 'day' | 'tests' | 'machine' | 'bench';

const entry = (name: string, tier: PackageTier, reason: string, ...probes: readonly string[]): PackageEntry => ({
  name,
  probes,
  tier,
  reason,
});

export const packages: readonly PackageEntry[] = [
  entry('build-essential', 'day', 'compiles the TPM addon and the program of a first root', '/usr/bin/g++'),
  entry('pkg-config', 'day', 'finds the TPM libraries', '/usr/bin/pkg-config'),
  entry('libtss2-dev', 'day', 'the TPM 2.0 software stack', '/usr/include/tss2/tss2_esys.h'),
  entry('libssl-dev', 'day', 'hash trees of slots, by the library that the TPM stack brings', '/usr/include/openssl/evp.h'),
  entry(
    'tpm2-openssl',
    'day',
    "the TPM's key in the TLS of the mouth",
    '/usr/lib/x86_64-linux-gnu/ossl-modules/tpm2.so',
    '/usr/lib/aarch64-linux-gnu/ossl-modules/tpm2.so',
  ),
  entry('libtpms-dev', 'day', 'the software TPM inside a simulated device', '/usr/include/libtpms/tpm_library.h'),
  entry('swtpm', 'day', 'the software TPM as a process of its own (TPM=swtpm)', '/usr/bin/swtpm'),
  entry('nftables', 'day', 'enforces the network policy', '/usr/sbin/nft'),
  entry('iproute2', 'day', 'the network that a simulated device has for itself', '/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'),
  entry(
    'mosquitto',
    'day',
    'the MQTT broker of the simulated fleet (Debian also starts one of its own, on the loopback address)',
    '/usr/sbin/mosquitto',
  ),
  entry('erofs-utils', 'day', 'makes the root file systems of releases', '/usr/bin/mkfs.erofs'),
  entry('strace', 'day', 'records which system calls a program makes, for Active Defense', '/usr/bin/strace'),
  entry('ca-certificates', 'day', 'npm over HTTPS', '/etc/ssl/certs/ca-certificates.crt'),
  entry('tpm2-tools', 'day', 'oracle for boot logs and quotes', '/usr/bin/tpm2_eventlog'),
  entry('cryptsetup-bin', 'tests', 'oracle for the hash tree of an image', '/usr/sbin/veritysetup', '/sbin/veritysetup'),
  entry('zstd', 'tests', 'keeps the state of a machine; compresses what updates are measured against', '/usr/bin/zstd'),
  entry('faketime', 'tests', 'another clock for a client of updates', '/usr/bin/faketime'),
  entry('libp11-kit-dev', 'tests', 'keys of custodians in PKCS #11 tokens', '/usr/include/p11-kit-1/p11-kit/pkcs11.h'),
  entry('softhsm2', 'tests', 'such a token, in software', '/usr/lib/softhsm/libsofthsm2.so'),
  entry('socat', 'day', 'the line of the simulated Enigm Key; in tests, a TPM behind a device path', '/usr/bin/socat'),
  entry('chromium', 'tests', 'looks at the page', '/usr/bin/chromium'),
  entry('qemu-system-x86', 'machine', 'the machine that our image boots on', '/usr/bin/qemu-system-x86_64'),
  entry('qemu-utils', 'machine', 'its disks', '/usr/bin/qemu-img'),
  entry('ovmf', 'machine', 'its firmware, with Secure Boot', '/usr/share/OVMF/OVMF_CODE_4M.secboot.fd'),
  entry('systemd-boot-efi', 'machine', 'starts the kernel of a boot image', '/usr/lib/systemd/boot/efi/linuxx64.efi.stub'),
  entry('mmdebstrap', 'machine', 'fetches and unpacks the packages of an image', '/usr/bin/mmdebstrap'),
  entry('systemd', 'machine', 'checks the units of the package', '/usr/bin/systemd-analyze'),
  entry('kmod', 'machine', 'knows which drivers need which', '/usr/sbin/depmod', '/sbin/depmod'),
  entry('dosfstools', 'machine', 'the file systems that firmware reads', '/usr/sbin/mkfs.vfat', '/sbin/mkfs.vfat'),
  entry('mtools', 'machine', 'puts boot images into them', '/usr/bin/mcopy'),
  entry('time', 'bench', 'CPU and memory of other programs', '/usr/bin/time'),
  entry('e2fsprogs', 'bench', 'makes images to be updated', '/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4'),
  entry('openssl', 'bench', 'the least that verifying costs', '/usr/bin/openssl'),
  entry('bsdiff', 'bench', 'updates from one image', '/usr/bin/bsdiff'),
  entry('xdelta3', 'bench', 'updates from one image', '/usr/bin/xdelta3'),
  entry('casync', 'bench', 'updates from any image', '/usr/bin/casync'),
  entry('zchunk', 'bench', 'updates from any image', '/usr/bin/zck'),
  entry('squashfs-tools', 'bench', 'what RAUC packs images in', '/usr/bin/mksquashfs'),
];
