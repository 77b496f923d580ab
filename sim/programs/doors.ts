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
import { socketPath } from '#agents/programs/layout';
import { utf8 } from '#hal/core/bytes';
import { kernelBootLogPath } from '#hal/linux/boot-log';
import { channelsOn, joined } from '#sim/doors/channels';
import { bootLogDoor, isMachineDoor, lineDevice, parseSignalDoor, peripheralsDoor, peripheralsSocket } from '#sim/doors/doors';

const runDirectory = '/run/enigm';

/** By the name that programs give themselves. */
const processesOf = (program: string): readonly number[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return readFileSync(`/proc/${name}/comm`, 'utf8').trim() === `enigm-${program}` ? [Number(name)] : [];
    } catch {
      return [];
    }
  });

/** Made raw by whoever starts us: the raw mode of Node goes on adding carriage returns. */
const line = openSync(lineDevice, 'r+');
const input = new ReadStream(line);
const output = new WriteStream(line);

const openDoor = (name: string, stream: Duplex): void => {
  const order = parseSignalDoor(name);
  if (isMachineDoor(name)) joined(stream, connect(socketPath(runDirectory, name)));
  else if (name === bootLogDoor) createReadStream(kernelBootLogPath).pipe(stream);
  else if (order === undefined) stream.destroy();
  else {
    for (const processId of processesOf(order.program)) process.kill(processId, order.signal);
    stream.end();
  }
};

const sayHello = (): void =>
  channels.say(
    'hello',
    utf8(
      JSON.stringify({
        boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
        slot: readFileSync('/run/slot', 'utf8').trim(),
      }),
    ),
  );

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
