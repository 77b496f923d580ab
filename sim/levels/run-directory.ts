/** Where the sockets of a device are. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Short and stable: unix socket paths have at most 107 bytes, working directories may be long. */
export const runDirectoryOf = (directory: string): string =>
  join(tmpdir(), `enigm-${createHash('sha256').update(directory).digest('hex').slice(0, 12)}`);
