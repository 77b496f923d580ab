/** A door on a unix socket. */
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { attemptAsync, codeOf, deny, type Result } from '#hal/core/result';
import type { Log } from '#hal/ports/log';
import type { Dispatcher } from '#hal/remote/dispatcher';
import { FrameSplitter, writeFrame } from '#hal/remote/frames';

export interface ServerOptions {
  readonly path: string;
  readonly log: Log;
  /** Who may stay connected; asked once a connection (SO_PEERCRED where the program has the addon). */
  readonly admits?: (socket: Socket) => boolean;
}

export interface SocketServer {
  /** Stops listening, ends every call and connection, removes the socket file. */
  close(): Promise<void>;
}

const maxConnections = 32;
const maxCallsPerConnection = 64;
/** A peer that does not read may hold this much; then its connection is closed. */
const maxUnsentBytes = 16 * 1024 * 1024;

/** @returns the listening server, or `unavailable/peer-unreachable` when the path cannot be bound */
export const serveSocket = async (dispatcher: Dispatcher, options: ServerOptions): Promise<Result<SocketServer>> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (sockets.size >= maxConnections || options.admits?.(socket) === false) {
      options.log.warn('socket.refused', {
        reason: sockets.size >= maxConnections ? 'resource/queue-full' : 'authorization/peer-refused',
      });
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, dispatcher, options.log);
  });
  rmSync(options.path, { force: true });
  const listening = await attemptAsync(
    () =>
      new Promise<SocketServer>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ path: options.path }, () =>
          resolve({
            close: () =>
              new Promise((closed) => {
                for (const socket of sockets) socket.destroy();
                server.close(() => closed());
              }),
          }),
        );
      }),
    (cause) => deny('unavailable', 'peer-unreachable', cause),
  );
  return listening;
};

const serveConnection = (socket: Socket, dispatcher: Dispatcher, log: Log): void => {
  const splitter = new FrameSplitter();
  const calls = new Map<number, AbortController>();
  const send = (bytes: Uint8Array) => {
    if (socket.destroyed) return;
    if (socket.writableLength > maxUnsentBytes) {
      log.warn('socket.unread', { unsentBytes: socket.writableLength });
      socket.destroy();
    } else writeFrame(socket, bytes);
  };
  const end = () => {
    for (const call of calls.values()) call.abort();
    calls.clear();
  };
  socket.on('error', (error) => log.warn('socket.error', { cause: error.message }));
  socket.on('close', end);
  socket.on('data', (chunk) => {
    const frames = splitter.push(chunk);
    if (!frames.ok) {
      log.warn('socket.malformed', { code: codeOf(frames.fault) });
      socket.destroy();
      return;
    }
    for (const bytes of frames.value) {
      const decoded = decodeMessage('Frame', bytes);
      if (!decoded.ok) {
        log.warn('socket.malformed', { code: codeOf(decoded.fault) });
        socket.destroy();
        return;
      }
      const { call, cancel } = decoded.value;
      if (cancel !== undefined) calls.get(cancel.id)?.abort();
      if (call === undefined) continue;
      if (calls.size >= maxCallsPerConnection || calls.has(call.id)) {
        send(encodeMessage('Frame', { refusal: { id: call.id, code: 'resource/queue-full' } }));
        continue;
      }
      const controller = new AbortController();
      calls.set(call.id, controller);
      void dispatcher.dispatch(call, send, controller.signal).then((result) => {
        calls.delete(call.id);
        if (!result.ok && result.fault.reason === 'program-failed')
          log.error('call.failed', { method: call.method, cause: result.fault.detail ?? '' });
      });
    }
  });
};
