/** The filtered TPM on two unix sockets, in the framing of tpm2-tss's mssim TCTI. */
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { concat, u32be } from '#hal/core/bytes';
import { attemptAsync, causeOf, deny, type Result } from '#hal/core/result';
import { type Rate, tokenBucket } from '#hal/core/token-bucket';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import { commandName, type FilterClient, type FilterParts, filterClient, maxCommandBytes, type Room } from './tcti-filter.ts';
import { FrameBuffer, mssim, type TctiMessage } from './tcti-frames.ts';

export interface TctiServerOptions extends Omit<FilterParts, 'takeToken' | 'room'> {
  /** The command socket; the control socket is `path.ctrl`. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly admits: (socket: Socket) => boolean;
}

export interface TctiServer {
  close(): Promise<void>;
}

const maxClients = 8;
/** A client that does not read its answers may hold this much; then its connection is closed. */
const maxUnsentBytes = 64 * 1024;
/** One key needs one object; a TPM without a resource manager has room for three, and the hands need two. */
const places = 1;
/** Signatures of all clients together. */
const signatureRate: Rate = { burst: 50, perSecond: 10 };

/** @returns the serving filter, or `unavailable/peer-unreachable` when a path cannot be bound */
export const serveTcti = async (options: TctiServerOptions): Promise<Result<TctiServer>> => {
  const { path, clock, log } = options;
  const signatures = tokenBucket(clock, signatureRate);
  const room = roomFor(places);
  const sockets = new Set<Socket>();
  const commands = createServer((socket) => {
    if (sockets.size >= maxClients || !options.admits(socket)) {
      log.warn('tcti.refused', { reason: 'authorization/peer-refused' });
      socket.destroy();
      return;
    }
    sockets.add(socket);
    serveClient(socket, filterClient({ ...options, takeToken: signatures.take, room }), () => sockets.delete(socket), log);
  });
  const controls = new Set<Socket>();
  const control = createServer((socket) => {
    if (!options.admits(socket)) return void socket.destroy();
    controls.add(socket);
    socket.once('close', () => controls.delete(socket));
    return serveControl(socket);
  });
  control.maxConnections = maxClients;
  const listening = await attemptAsync(
    () => Promise.all([listen(commands, path), listen(control, `${path}.ctrl`)]),
    (cause) => deny('unavailable', 'peer-unreachable', cause),
  );
  if (!listening.ok) return listening;
  return {
    ok: true,
    value: {
      close: async () => {
        for (const socket of [...sockets, ...controls]) socket.destroy();
        await Promise.all([commands, control].map((server) => new Promise<void>((closed) => server.close(() => closed()))));
      },
    },
  };
};

const roomFor = (count: number): Room => {
  let free = count;
  return {
    take() {
      if (free === 0) return false;
      free -= 1;
      return true;
    },
    give: () => {
      free += 1;
    },
  };
};

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    rmSync(path, { force: true });
    server.once('error', reject);
    server.listen({ path }, resolve);
  });

/**
 * Nothing more is read while commands wait for the TPM, and nothing is kept for a client that does not read: whoever
 * floods this socket fills buffers of its own.
 */
const serveClient = (socket: Socket, client: FilterClient, onEnd: () => void, log: Log): void => {
  const frames = new FrameBuffer(maxCommandBytes);
  const tally = new Map<string, number>();
  let busy = Promise.resolve();
  const failed = (error: unknown) => {
    log.warn('tcti.failed', { cause: causeOf(error) });
    socket.destroy();
  };
  const answer = async (messages: readonly TctiMessage[]): Promise<void> => {
    for (const { code, command } of messages) {
      if (socket.destroyed) return;
      if (code !== mssim.sendCommand || socket.writableLength > maxUnsentBytes) return void socket.destroy();
      tally.set(commandName(command), (tally.get(commandName(command)) ?? 0) + 1);
      const response = await client.handle(command);
      if (!socket.destroyed) socket.write(concat(u32be(response.length), response, u32be(0)));
    }
    socket.resume();
  };
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    onEnd();
    void busy
      .then(() => {
        log.info('tcti.left', Object.fromEntries(tally));
        return client.leave();
      })
      .catch(failed);
  });
  socket.on('data', (chunk: Uint8Array) => {
    socket.pause();
    const messages = frames.push(chunk) ?? [{ code: mssim.sessionEnd, command: new Uint8Array() }];
    busy = busy.then(() => answer(messages)).catch(failed);
  });
};

/** Power on, NV on and the like are answered and do nothing: the machine's power is not the client's. */
const serveControl = (socket: Socket): void => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Uint8Array) => {
    if (chunk.length !== 4 || chunk[3] === mssim.sessionEnd) socket.destroy();
    else socket.write(u32be(0));
  });
};
