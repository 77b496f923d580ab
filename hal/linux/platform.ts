/** `Platform` read from procfs, sysfs and securityfs. What is not there stays absent. */
import { ok } from '#hal/core/result';
import type { Platform } from '#hal/ports/platform';
import type { ListeningSocket, PlatformFacts } from '#protos/gen/types';
import { type ReadText, readTextFile } from './text-file.ts';

/** @param readText how a file is read; undefined where it cannot be. Tests give recorded files. */
export const linuxPlatform = (readText: ReadText = readTextFile): Platform => ({
  read: async () => {
    const facts: { [K in keyof PlatformFacts]?: PlatformFacts[K] | undefined } = {
      kernelLockdown: selected(readText('/sys/kernel/security/lockdown')),
      kernelTaint: whole(readText('/proc/sys/kernel/tainted')),
      areModulesLocked: flag(readText('/proc/sys/kernel/modules_disabled')),
      securityModules: moduleList(readText('/sys/kernel/security/lsm')),
      isRootVerified: isRootVerified(readText),
      listeningSockets: listeningSockets(readText),
      ptraceScope: whole(readText('/proc/sys/kernel/yama/ptrace_scope')),
      areCoreDumpsOff: areCoreDumpsOff(readText('/proc/self/limits')),
      isSwapOff: isSwapOff(readText('/proc/swaps')),
    };
    return ok(Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as PlatformFacts);
  },
});

/** The word in brackets of `none [integrity] confidentiality`. */
const selected = (text: string | undefined): string | undefined => /\[([a-z]+)\]/.exec(text ?? '')?.[1];

const whole = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,9}\s*$/.test(text) ? Number(text) : undefined;

const flag = (text: string | undefined): boolean | undefined => {
  const value = whole(text);
  return value === undefined ? undefined : value !== 0;
};

const moduleList = (text: string | undefined) => {
  if (text === undefined) return undefined;
  const items = text
    .trim()
    .split(',')
    .filter((name) => /^[a-z0-9]+$/.test(name));
  return { items: items.slice(0, 32) };
};

/** The root file system's block device, and whether device-mapper says that it is a verity target. */
const isRootVerified = (readText: ReadText): boolean | undefined => {
  const mounts = readText('/proc/self/mountinfo');
  const device = mounts
    ?.split('\n')
    .map((line) => line.split(' '))
    .findLast((fields) => fields[4] === '/')?.[2];
  if (device === undefined) return undefined;
  return readText(`/sys/dev/block/${device}/dm/uuid`)?.startsWith('CRYPT-VERITY-') ?? false;
};

/** Tables of proc(5), with the state in which a socket takes what comes from outside: TCP_LISTEN, UDP unconnected. */
const socketTables = [
  { path: '/proc/net/tcp', protocol: 'tcp', state: '0A' },
  { path: '/proc/net/tcp6', protocol: 'tcp', state: '0A' },
  { path: '/proc/net/udp', protocol: 'udp', state: '07' },
  { path: '/proc/net/udp6', protocol: 'udp', state: '07' },
] as const;

const maxSockets = 256;

/** `sl: address:port remote:port state …` */
const socketLine = /^ *\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) \S+ ([0-9A-F]{2})\b/;

/** A line of another form makes the fact unknown: behind it a socket could listen that is not told. */
const listeningSockets = (readText: ReadText): { readonly items: readonly ListeningSocket[] } | undefined => {
  const found: ListeningSocket[] = [];
  let wasRead = false;
  for (const { path, protocol, state } of socketTables) {
    const table = readText(path);
    if (table === undefined) continue;
    wasRead = true;
    for (const line of table.trimEnd().split('\n').slice(1)) {
      const [isLine, address = '', port = '', socketState] = socketLine.exec(line) ?? [];
      if (isLine === undefined) return undefined;
      if (socketState === state) found.push({ protocol, address: addressOf(address), port: Number.parseInt(port, 16) });
    }
  }
  return wasRead ? { items: found.slice(0, maxSockets) } : undefined;
};

/** procfs prints addresses as 32-bit words in host order (little-endian on every machine of ours). */
const addressOf = (hex: string): string => {
  const bytes = Buffer.from(hex, 'hex');
  for (let word = 0; word + 4 <= bytes.length; word += 4) bytes.subarray(word, word + 4).reverse();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, group) => bytes.readUInt16BE(group * 2).toString(16));
  return groups.every((group) => group === '0')
    ? '::'
    : groups.slice(0, 7).every((group) => group === '0')
      ? `::${groups[7]}`
      : groups.join(':');
};

const areCoreDumpsOff = (limits: string | undefined): boolean | undefined => {
  const soft = /^Max core file size\s+(\S+)/m.exec(limits ?? '')?.[1];
  return soft === undefined ? undefined : soft === '0';
};

const isSwapOff = (swaps: string | undefined): boolean | undefined =>
  swaps === undefined ? undefined : swaps.trim().split('\n').length <= 1;
