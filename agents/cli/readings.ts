/** Where each finding of the platform is read, and what makes it readable where it is not. */
const securityfs = 'mount -t securityfs securityfs /sys/kernel/security';

export const readings: Readonly<Record<string, { readonly file: string; readonly remedy: string }>> = {
  'verified-root': { file: '/proc/self/mountinfo', remedy: 'mount -t proc proc /proc' },
  'kernel-lockdown': { file: '/sys/kernel/security/lockdown', remedy: `${securityfs}, on a kernel with lockdown` },
  'module-lock': { file: '/proc/sys/kernel/modules_disabled', remedy: 'use a kernel with loadable modules and sysctl' },
  'security-modules': { file: '/sys/kernel/security/lsm', remedy: securityfs },
  'kernel-taint': { file: '/proc/sys/kernel/tainted', remedy: 'mount -t proc proc /proc' },
  'listening-sockets': { file: '/proc/net/tcp', remedy: 'mount -t proc proc /proc' },
  'ptrace-scope': { file: '/proc/sys/kernel/yama/ptrace_scope', remedy: 'use a kernel with the Yama security module' },
  'core-dumps': { file: '/proc/self/limits', remedy: 'mount -t proc proc /proc' },
  swap: { file: '/proc/swaps', remedy: 'use a kernel with swap accounting in procfs' },
};
