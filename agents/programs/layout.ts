/** Folders and sockets of a device, as every program names them. */
import { join } from 'node:path';

export interface DeviceLayout {
  readonly site: string;
  readonly hands: string;
  readonly mind: string;
  readonly beacon: string;
}

export const deviceLayout = (directory: string): DeviceLayout => ({
  site: join(directory, 'site.json'),
  hands: join(directory, 'hands'),
  mind: join(directory, 'mind'),
  beacon: join(directory, 'beacon'),
});

/** How far signed time has come, for the next start of the machine: the file itself is empty. */
export const clockMarkPath = (directory: string): string => join(deviceLayout(directory).mind, 'clock');

export const socketNames = {
  hands: 'hands.sock',
  factory: 'factory.sock',
  relay: 'relay.sock',
  link: 'link.sock',
  tpm: 'tpm.sock',
  /** The mssim TCTI has two sockets. */
  tpmControl: 'tpm.sock.ctrl',
  /** No socket: the file of the key that is used through them. */
  tpmKey: 'tpm.pem',
  inference: 'inference.sock',
  api: 'api.sock',
  feed: 'feed.sock',
  beacon: 'beacon.sock',
} as const;

export const socketPath = (runDirectory: string, name: keyof typeof socketNames): string => join(runDirectory, socketNames[name]);

/** There once this start of the machine came to its end: the supervisor heard the mind. */
export const startEndedPath = (runDirectory: string): string => join(runDirectory, 'start-ended');

/** In the verified root file system, and not an option: nothing else says whose releases are written (SR-01). */
export const releaseTrustPath = '/etc/enigm/releases.json';

/** In the verified root file system, and not an option: what the policy key approved of the floor (SR-08). */
export const floorApprovalsPath = '/etc/enigm/floor.json';

/** In the verified root file system of recovery, and not an option: whose repair releases it writes (SR-33). */
export const repairTrustPath = '/etc/enigm/repair.json';

/** Where recovery finds a site configuration with the address of a repository: whoever wrote it is not believed. */
export const mirrorPath = '/run/mirror.json';
