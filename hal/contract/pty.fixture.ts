/** A pair of pseudo-terminals joined by socat: one end for serialport, the other for the test. */
import { spawn } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface PtyPair {
  /** For serialport. */
  readonly path: string;
  write(bytes: Uint8Array): void;
  onBytes(listen: (bytes: Uint8Array) => void): void;
  /** Both terminals go away. */
  end(): Promise<void>;
}

export const ptyPair = async (): Promise<PtyPair> => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-pty-'));
  const [near, far] = [join(folder, 'near'), join(folder, 'far')];
  const socat = spawn('socat', [`pty,raw,echo=0,link=${near}`, `pty,raw,echo=0,link=${far}`], { stdio: 'ignore' });
  const gone = new Promise<void>((resolve) => socat.once('exit', () => resolve()));
  for (let tries = 0; tries < 200 && !(existsSync(near) && existsSync(far)); tries++) await delay(10);
  const descriptor = openSync(far, 'r+');
  const incoming = createReadStream('', { fd: descriptor, autoClose: true });
  incoming.on('error', () => undefined);
  return {
    path: near,
    write: (bytes) => void writeSync(descriptor, bytes),
    onBytes: (listen) => void incoming.on('data', (bytes) => listen(Buffer.from(bytes))),
    async end() {
      socat.kill();
      await gone;
      incoming.destroy();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
