/**
 * The host's end of the line to a machine: its doors as sockets of this machine, so that whoever speaks to a device speaks
 * to this one alike; and what the emulator has not, for its hands.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { socketNames, socketPath } from '#agents/programs/layout';
import { within } from '#hal/core/deadline';
import { attemptAsync, deny, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { channelsOn, joined } from '#sim/doors/channels';
import { bootLogDoor, machineDoors, peripheralsDoor, signalDoor } from '#sim/doors/doors';

export interface Doors extends AsyncDisposable {
  /** Of this start. @returns the bytes, or `unavailable/link-down` */
  bootLog(): Promise<Result<Uint8Array>>;
  signal(program: string, signal: NodeJS.Signals): void;
}

export interface DoorsOptions {
  /** The emulator's socket of the line. */
  readonly line: string;
  /** Where sockets of doors are made, by the names that they have on a device. */
  readonly runDirectory: string;
  /** Who answers for parts that the emulator has not: a socket. */
  readonly peripherals: string;
  readonly clock: Clock;
  /** Each start of the machine, and of its end of the line. @param boot the kernel's own number of the start */
  readonly onHello: (boot: string) => void;
}

const answerWithinMs = 20_000;

export const openDoors = async (options: DoorsOptions): Promise<Doors> => {
  const { line: path, runDirectory, peripherals, clock, onHello } = options;
  const line = connect(path);
  line.on('error', () => undefined);
  const channels = channelsOn({
    side: 'host',
    write: (bytes) => void (line.destroyed || line.write(bytes)),
    onHello: (content) => onHello(new TextDecoder().decode(content)),
    onOpen: (name, stream) => (name === peripheralsDoor ? joined(stream, connect(peripherals)) : stream.destroy()),
  });
  line.on('data', (bytes) => channels.receive(bytes));
  line.on('close', () => channels.endAll());

  mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
  const servers = await Promise.all(
    machineDoors.map((name) => serve(socketPath(runDirectory, name), (socket) => joined(socket, channels.open(name)))),
  );
  channels.say('reset');
  return {
    async bootLog() {
      const stream = channels.open(bootLogDoor);
      const read = attemptAsync(
        async () => new Uint8Array(await buffer(stream)),
        () => deny('unavailable', 'link-down', bootLogDoor),
      );
      const inTime = await within(clock, answerWithinMs, () => read);
      stream.destroy();
      return inTime;
    },
    signal: (program, name) => void channels.open(signalDoor(program, name)).resume(),
    async [Symbol.asyncDispose]() {
      line.destroy();
      channels.endAll();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
      for (const name of machineDoors) rmSync(`${runDirectory}/${socketNames[name]}`, { force: true });
    },
  };
};

const serve = (path: string, onSocket: (socket: Duplex) => void): Promise<Server> =>
  new Promise((resolve, reject) => {
    rmSync(path, { force: true });
    const server = createServer(onSocket);
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
