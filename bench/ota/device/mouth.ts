/** The mouth of an update: ranges over HTTPS. */
import { join } from 'node:path';
import { ok } from '#hal/core/result';
import { httpsRange } from '#hal/linux/https-range';
import { memoryLog } from '#hal/memory/log';
import { dispatcher } from '#hal/remote/dispatcher';
import { linkMethods } from '#hal/remote/link-methods';
import { serveSocket } from '#hal/remote/socket-server';
import { configuration, report } from './program.ts';

const { run, repository } = configuration();
const files = httpsRange({ repository });
const { 'link.range': range } = linkMethods;
const door = dispatcher(
  { 'link.range': range },
  {
    'link.range': async ({ endpoint, path, offset, mostBytes }, signal) => {
      const read = await files.read(endpoint, path, offset, mostBytes, signal);
      return read.ok ? ok({ part: read.value }) : read;
    },
  },
);
await serveSocket(door, { path: join(run, 'link.sock'), log: memoryLog() });
report();
