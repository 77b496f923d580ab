/** The line between a Key and a machine in the emulator, of which each power-on is another socket. */
import { connect, type Socket } from 'node:net';
import type { Line } from '#sim/machine/line';

export interface KeyLine extends Line {
  /** From now on it leads to this socket of an emulator; what was said to nobody is lost, as on any cable. */
  plug(socket: string): void;
  unplug(): void;
}

/** @param path of the line, as the machine names it */
export const keyLine = (path: string): KeyLine => {
  let socket: Socket | undefined;
  let listen: (bytes: Uint8Array) => void = () => undefined;
  const unplug = (): void => {
    socket?.destroy();
    socket = undefined;
  };
  return {
    path,
    write: (bytes) => void socket?.write(bytes),
    onBytes(next) {
      listen = next;
    },
    plug(place) {
      unplug();
      socket = connect(place)
        .on('error', () => undefined)
        .on('data', (bytes) => listen(new Uint8Array(bytes)));
    },
    unplug,
    close: async () => unplug(),
  };
};
