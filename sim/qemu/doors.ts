/**
 * The host's end of the line to a machine: its doors as sockets of this machine, so that whoever speaks to a device speaks
 * to this one alike; and what the emulator has not, for its hands.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type ListenOptions, type Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { socketNames, socketPath } from '#agents/programs/layout';
import { within } from '#hal/core/deadline';
import { attemptAsync, deny, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { channelsOn, joined } from '#sim/doors/channels';
import { fileDoor, machineDoors, pageDoor, pageLinkDoor, peripheralsDoor, signalDoor } from '#sim/doors/doors';

export interface Doors extends AsyncDisposable {
  /** @returns the bytes of a file of the machine, none where it is not there; or `unavailable/link-down` */
  file(path: string): Promise<Result<Uint8Array>>;
  signal(program: string, signal: NodeJS.Signals): void;
}

export interface DoorsOptions {
  /** The emulator's socket of the line. */
  readonly line: string;
  /** Where sockets of doors are made, by the names that they have on a device. */
  readonly runDirectory: string;
  /** Where the page of the device is served here: it is told to be at the same number there. */
  readonly pagePort: number;
  /** Who answers for parts that the emulator has not: a socket. */
  readonly peripherals: string;
  readonly clock: Clock;
  /** Each start of the machine, and of its end of the line. @param boot the kernel's own number of the start */
  readonly onHello: (boot: string) => void;
}

const answerWithinMs = 20_000;

export const openDoors = async (options: DoorsOptions): Promise<Doors> => {
  const { line: path, runDirectory, pagePort, peripherals, clock, onHello } = options;
  const line = connect(path);
  line.on('error', () => undefined);
  const channels = channelsOn({
    side: 'host',
    write: (bytes) => void (line.destroyed || line.write(bytes)),
    onHello: (content) => onHello(new TextDecoder().decode(content)),
    onOpen(name, stream) {
      if (name === peripheralsDoor) joined(stream, connect(peripherals));
      else if (name === pageLinkDoor) void keepLink(join(runDirectory, 'page.url'), stream);
      else stream.destroy();
    },
  });
  line.on('data', (bytes) => channels.receive(bytes));
  line.on('close', () => channels.endAll());

  mkdirSync(runDirectory, { recursive: true, mode: 0o700 });
  const servers = await Promise.all([
    ...machineDoors.map((name) => serve(socketPath(runDirectory, name), (socket) => joined(socket, channels.open(name)))),
    serve({ host: '127.0.0.1', port: pagePort }, (socket) => joined(socket, channels.open(pageDoor))),
  ]);
  channels.say('reset');
  return {
    async file(name) {
      const stream = channels.open(fileDoor(name));
      const read = attemptAsync(
        async () => new Uint8Array(await buffer(stream)),
        () => deny('unavailable', 'link-down', name),
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
      for (const name of [...machineDoors.map((door) => socketNames[door]), 'page.url'])
        rmSync(join(runDirectory, name), { force: true });
    },
  };
};

/** Each link works once, so the last one is the one that does. */
const keepLink = async (path: string, stream: Duplex): Promise<void> => {
  const url = await buffer(stream).catch(() => Buffer.alloc(0));
  if (url.length === 0) rmSync(path, { force: true });
  else writeFileSync(path, url, { mode: 0o600 });
};

const serve = (place: string | ListenOptions, onSocket: (socket: Duplex) => void): Promise<Server> =>
  new Promise((resolve, reject) => {
    if (typeof place === 'string') rmSync(place, { force: true });
    const server = createServer(onSocket);
    server.once('error', reject);
    server.listen(place, () => resolve(server));
  });
