/**
 * The machine's end of the line to its simulator. In the simulator's image alone: a release image has neither this
 * program nor who would start it (SR-04).
 *
 * usage: node doors.cjs
 */
import { createReadStream, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import type { Duplex } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import { installed } from '#agents/package/places';
import { socketPath } from '#agents/programs/layout';
import { utf8 } from '#hal/core/bytes';
import { kernelBootLogPath } from '#hal/linux/boot-log';
import { channelsOn, joined } from '#sim/doors/channels';
import { bootLogDoor, isMachineDoor, lineDevice, parseSignalDoor, peripheralsDoor, peripheralsSocket } from '#sim/doors/doors';

/** By the name that programs give themselves; one that ended meanwhile is none. */
const signalAll = (program: string, signal: NodeJS.Signals): void => {
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)))
    try {
      if (readFileSync(`/proc/${name}/comm`, 'utf8').trim() === `enigm-${program}`) process.kill(Number(name), signal);
    } catch {}
};

/** Made raw by whoever starts us: the raw mode of Node goes on adding carriage returns. */
const line = openSync(lineDevice, 'r+');
const input = new ReadStream(line);
const output = new WriteStream(line);

const openDoor = (name: string, stream: Duplex): void => {
  const order = parseSignalDoor(name);
  if (isMachineDoor(name)) joined(stream, connect(socketPath(installed.runDirectory, name)));
  else if (name === bootLogDoor) createReadStream(kernelBootLogPath).pipe(stream);
  else if (order === undefined) stream.destroy();
  else {
    signalAll(order.program, order.signal);
    stream.end();
  }
};

/** Which start of the machine this is. */
const sayHello = (): void => channels.say('hello', utf8(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()));

const channels = channelsOn({
  side: 'guest',
  write: (bytes) => void output.write(bytes),
  onOpen: openDoor,
  onReset: sayHello,
});
input.on('data', (bytes) => channels.receive(bytes));

mkdirSync(dirname(peripheralsSocket), { recursive: true, mode: 0o700 });
rmSync(peripheralsSocket, { force: true });
createServer((socket) => joined(channels.open(peripheralsDoor), socket)).listen(peripheralsSocket, sayHello);
