/**
 * The machine's end of the line to its simulator. In the simulator's image alone: a release image has neither this
 * program nor who would start it (SR-04).
 *
 * usage: node doors.cjs
 */
import { createReadStream, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';
import { socketFolder } from '#agents/package/accounts';
import { installed } from '#agents/package/places';
import { socketPath } from '#agents/programs/layout';
import { utf8 } from '#hal/core/bytes';
import { channelsOn, joined } from '#sim/doors/channels';
import {
  fileOf,
  isMachineDoor,
  lineDevice,
  pageDoor,
  pageLinkDoor,
  parseSignalDoor,
  peripheralsDoor,
  peripheralsSocket,
} from '#sim/doors/doors';

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

const linkPath = join(socketFolder('paged'), 'page.url');
const pageUrl = (): string => (existsSync(linkPath) ? readFileSync(linkPath, 'utf8') : '');

const openDoor = (name: string, stream: Duplex): void => {
  const order = parseSignalDoor(name);
  const path = fileOf(name);
  if (isMachineDoor(name)) joined(stream, connect(socketPath(installed.runDirectory, name)));
  else if (name === pageDoor && pageUrl() !== '') joined(stream, connect(Number(new URL(pageUrl()).port), '127.0.0.1'));
  else if (path !== undefined)
    createReadStream(path)
      .on('error', () => stream.destroy())
      .pipe(stream);
  else if (order === undefined) stream.destroy();
  else {
    signalAll(order.program, order.signal);
    stream.end();
  }
};

/** Which start of the machine this is, and where its page is. */
const sayHello = (): void => {
  channels.say('hello', utf8(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()));
  tellLink();
};
const tellLink = (): void => void channels.open(pageLinkDoor).end(pageUrl());

const channels = channelsOn({
  side: 'guest',
  write: (bytes) => void output.write(bytes),
  onOpen: openDoor,
  onReset: sayHello,
});
input.on('data', (bytes) => channels.receive(bytes));
watch(socketFolder('paged'), tellLink);

mkdirSync(dirname(peripheralsSocket), { recursive: true, mode: 0o700 });
rmSync(peripheralsSocket, { force: true });
createServer((socket) => joined(channels.open(peripheralsDoor), socket)).listen(peripheralsSocket, sayHello);
