/** What the three programs of the bench have in common: a configuration to read, and what they cost so far, when asked. */
import { readFileSync } from 'node:fs';

export interface DeviceConfiguration {
  /** Folder of the sockets. */
  readonly run: string;
  /** Slots, journal and boot record, as files. */
  readonly media: Readonly<Record<'a' | 'b' | 'journal' | 'boot', string>>;
  /** Root hash of what slot a holds, in hexadecimal. */
  readonly runningRoot: string;
  /** SHA-256 of the index of what slot a holds, and the size of that image; in hexadecimal. */
  readonly running: { readonly index: string; readonly imageBytes: number };
  readonly repository: { readonly url: string; readonly authority: string };
  /** Files: the manifest of the release, the public keys of its custodians. */
  readonly manifest: string;
  readonly custodians: string;
  readonly hardware: string;
  /** Path of the one for devices. */
  readonly addon: string;
}

export interface Usage {
  /** User and system, all threads, since the program started. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

export const configuration = (): DeviceConfiguration => JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));

/** Tells the one who started us that we are there, and answers each of its messages with the usage. */
export const report = (): void => {
  process.on('message', () => process.send?.(usage()));
  process.on('disconnect', () => process.exit(0));
  process.send?.('ready');
};

export const usage = (): Usage => {
  const { user, system } = process.cpuUsage();
  // Not `maxRSS`: the kernel counts in it what the parent held when it forked.
  const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
  return { cpuMs: (user + system) / 1000, peakBytes: Number(peak) * 1024 };
};
