/**
 * Where a simulator that runs is told to keep its machine as it stands, or to go back (`enigm-sim snapshot`): a socket, one
 * order on it as JSON, one answer.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { within } from '#hal/core/deadline';
import { attempt, attemptAsync, deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';

export const snapshotOrders = ['save', 'restore'] as const;
export type SnapshotOrder = (typeof snapshotOrders)[number];

/** @returns nothing once it is done and the machine goes on */
export type TakeOrder = (order: SnapshotOrder, name: string) => Promise<Result<void>>;

/** Of an order, and of an answer. */
export const maxCharacters = 4096;

export const snapshotPath = (runDirectory: string): string => join(runDirectory, 'snapshot.sock');

export const serveSnapshots = async (runDirectory: string, take: TakeOrder): Promise<Server> => {
  const path = snapshotPath(runDirectory);
  rmSync(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.on('error', () => undefined);
    const heard = await textOf(socket);
    const order = heard.ok ? orderOf(heard.value) : heard;
    // What throws is told, too: the simulator lives on.
    const said = order.ok ? await attemptAsync(() => take(...order.value), broken) : order;
    socket.end(JSON.stringify(said.ok ? said.value : said));
  }).listen(path);
  await once(server, 'listening');
  return server;
};

/** @returns as the simulator does; `unavailable/link-down` where nobody takes orders, `resource/time-limit` */
export const orderSnapshot = (
  runDirectory: string,
  order: SnapshotOrder,
  name: string,
  { clock, withinMs }: { readonly clock: Clock; readonly withinMs: number },
): Promise<Result<void>> => {
  const socket = connect({ path: snapshotPath(runDirectory), allowHalfOpen: true });
  socket.on('error', () => undefined);
  socket.end(JSON.stringify([order, name]));
  return within(clock, withinMs, async () => {
    const heard = await textOf(socket);
    return heard.ok ? parsed<Result<void>>(heard.value) : heard;
  }).finally(() => socket.destroy());
};

const broken = (cause: string) => deny('unavailable', 'aborted', cause);

/** All that the other side says. */
const textOf = (socket: Socket): Promise<Result<string>> =>
  attemptAsync(
    async () => {
      let heard = '';
      for await (const piece of socket.setEncoding('utf8')) {
        heard += piece;
        if (heard.length > maxCharacters) throw new Error('too long');
      }
      return heard;
    },
    (cause) => deny('unavailable', 'link-down', cause),
  );

const parsed = <T>(text: string): T | ReturnType<typeof deny> => {
  const said = attempt(
    () => JSON.parse(text) as T,
    () => deny('unavailable', 'link-down', 'no answer'),
  );
  return said.ok ? said.value : said;
};

const orderOf = (text: string): Result<readonly [SnapshotOrder, string]> => {
  const said = parsed<unknown>(text);
  const [word, name] = Array.isArray(said) ? (said as readonly unknown[]) : [];
  const order = snapshotOrders.find((known) => known === word);
  return order === undefined || typeof name !== 'string'
    ? deny('protocol', 'malformed', text.slice(0, 80))
    : ok([order, name] as const);
};
