/** QEMU Machine Protocol (docs/interop/qmp-spec.txt): one JSON object a line, replies by their id, events between them. */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { deny, ok, type Result } from '#hal/core/result';

export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Qmp {
  /** @returns what the command returned; `unavailable/link-down` where QEMU is gone, `unavailable/not-supported` with its words */
  command(name: string, words?: Readonly<Record<string, unknown>>): Promise<Result<unknown>>;
  close(): void;
}

interface Waiting {
  readonly resolve: (reply: Result<unknown>) => void;
}

interface Line {
  readonly QMP?: unknown;
  readonly id?: number;
  readonly return?: unknown;
  readonly error?: { readonly desc?: string };
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** @param path a socket that QEMU has made */
export const openQmp = async (path: string, onEvent: (event: QmpEvent) => void): Promise<Result<Qmp>> => {
  const socket = connect(path);
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let isOpen = true;
  const command: Qmp['command'] = (name, words) =>
    new Promise((resolve) => {
      if (!isOpen) return resolve(deny('unavailable', 'link-down', 'QEMU'));
      last += 1;
      waiting.set(last, { resolve });
      socket.write(`${JSON.stringify({ execute: name, id: last, ...(words === undefined ? {} : { arguments: words }) })}\n`);
    });
  const take = (line: Line): void => {
    if (line.event !== undefined) onEvent({ event: line.event, data: line.data ?? {} });
    if (line.id === undefined) return;
    const asked = waiting.get(line.id);
    waiting.delete(line.id);
    asked?.resolve('return' in line ? ok(line.return) : deny('unavailable', 'not-supported', line.error?.desc ?? ''));
  };
  const greeted = greetingOf(socket);
  // What goes wrong with the socket is seen at its end.
  createInterface(socket)
    .on('line', (text) => take(JSON.parse(text) as Line))
    .on('error', () => undefined);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isOpen = false;
    for (const { resolve } of waiting.values()) resolve(deny('unavailable', 'link-down', 'QEMU'));
    waiting.clear();
  });
  if (!(await greeted)) return deny('unavailable', 'link-down', path);
  const able = await command('qmp_capabilities');
  return able.ok ? ok({ command, close: () => socket.destroy() }) : able;
};

const greetingOf = (socket: Socket): Promise<boolean> =>
  new Promise((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('close', () => resolve(false));
  });
