/**
 * A serial line of Linux: a USB adapter, a UART or a pseudo-terminal, through `serialport`.
 *
 * Modem lines are not touched (a pseudo-terminal has none). The port is locked exclusively, so a second opener is
 * refused. The close event is not trusted alone, since it is sometimes missed when the line goes right after it was
 * opened: the node of a line that is gone is gone too, and is looked for twice a second. A far end that is silent but
 * there shows only to whoever asks it something.
 */
import { existsSync } from 'node:fs';
import { SerialPort } from 'serialport';
import { Inbox } from '#hal/core/inbox';
import { causeOf, deny, done, ok, type Result } from '#hal/core/result';
import type { SerialLink, SerialLinks } from '#hal/ports/serial-link';

/** Above this the port is told to wait, and again below it once somebody reads. */
const maxWaitingBytes = 64 * 1024;
const lookMs = 500;

export interface SerialOptions {
  /** A stable name: `/dev/serial/by-id/…`. */
  readonly path: string;
  readonly baudRate?: number;
}

const down = (cause?: unknown) => deny('unavailable', 'link-down', cause === undefined ? undefined : causeOf(cause));

export const linuxSerialLinks = ({ path, baudRate = 115_200 }: SerialOptions): SerialLinks => ({
  async open() {
    const port = new SerialPort({ path, baudRate, autoOpen: false });
    const failure = await new Promise<Error | null>((resolve) => port.open(resolve));
    return failure === null ? ok(linkOver(port, path)) : down(failure);
  },
});

const linkOver = (port: SerialPort, path: string): SerialLink => {
  const inbox = new Inbox();
  const look = setInterval(() => {
    if (!existsSync(path)) inbox.close(down());
  }, lookMs);
  look.unref();
  port.on('data', (bytes: Uint8Array) => {
    if (inbox.push(bytes) > maxWaitingBytes) port.pause();
  });
  port.on('error', (error) => inbox.close(down(error)));
  port.on('close', () => {
    clearInterval(look);
    inbox.close(down());
  });
  return {
    async read(signal) {
      const bytes = await inbox.take(signal);
      if (port.isPaused()) port.resume();
      return bytes;
    },
    write: (bytes) =>
      new Promise<Result<void>>((resolve) => {
        if (!port.isOpen) return resolve(down());
        port.write(bytes, (error) => resolve(error ? down(error) : done));
      }),
    async close() {
      clearInterval(look);
      inbox.close(down());
      if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()));
    },
  };
};
