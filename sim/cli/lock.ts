/** One simulator for one directory: an abstract socket, which the kernel frees however its holder ends. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { deny, ok, type Result } from '#hal/core/result';

export interface Lock {
  release(): void;
}

/** @returns the lock, or `resource/count-limit` while another process holds it */
export const lockDirectory = (directory: string): Promise<Result<Lock>> =>
  new Promise((resolve) => {
    const name = `\0enigm-sim-${createHash('sha256').update(directory).digest('hex').slice(0, 32)}`;
    const server = createServer((socket) => socket.destroy());
    server.once('error', () => resolve(deny('resource', 'count-limit', `another simulator uses ${directory}: ./enigm-sim down`)));
    server.listen({ path: name }, () => {
      server.unref();
      resolve(ok({ release: () => void server.close() }));
    });
  });
