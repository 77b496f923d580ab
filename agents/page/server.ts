/** The page on a loopback port: sockets and their limits. What is answered is decided in `answer.ts`. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { attemptAsync, causeOf, deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import { answerTo, linkPath, type PageAnswer } from './answer.ts';
import type { Board } from './board.ts';
import { newDoorway } from './doorway.ts';
import { address, maxHeaderBytes, type PageRequest } from './rules.ts';
import { eventsOf } from './stream.ts';

export interface PageServerOptions {
  /** 0: any that is free. */
  readonly port: number;
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly renew: () => Promise<void>;
  /** Called with each new one-time link, the first before the server is returned. Never log it. */
  readonly onLink: (url: string) => void;
}

export interface PageServer {
  readonly port: number;
  /** Ends every stream and connection. */
  close(): Promise<void>;
}

export const maxConnections = 32;
export const maxReaders = 8;
/** A reader that does not read may hold this much; then its connection is closed. */
const maxUnsentBytes = 1024 * 1024;
const limits = {
  maxHeaderSize: maxHeaderBytes,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
} as const;

/** @returns the listening server, or `unavailable/peer-unreachable` when the port cannot be bound */
export const servePage = async (options: PageServerOptions): Promise<Result<PageServer>> => {
  const { board, clock, log, random, renew } = options;
  const server = createServer(limits);
  server.maxConnections = maxConnections;
  const listening = await attemptAsync(
    () => listen(server, options.port),
    (cause) => deny('unavailable', 'peer-unreachable', cause),
  );
  if (!listening.ok) return listening;
  const port = listening.value;

  const life = new AbortController();
  const doorway = newDoorway(random, port, (token) => options.onLink(`http://${address}:${port}${linkPath(token)}`));
  let readers = 0;

  const stream = async (request: IncomingMessage, response: ServerResponse, lastEventId: string | undefined): Promise<void> => {
    const gone = new AbortController();
    const leave = () => gone.abort();
    response.on('close', leave);
    life.signal.addEventListener('abort', leave, { once: true });
    readers += 1;
    request.socket.setNoDelay(true);
    try {
      for await (const event of eventsOf({ board, clock, renew }, lastEventId, gone.signal)) {
        if (response.writableLength > maxUnsentBytes) {
          log.warn('page.unread', { unsentBytes: response.writableLength });
          break;
        }
        response.write(event);
      }
    } finally {
      readers -= 1;
      life.signal.removeEventListener('abort', leave);
      response.destroy();
    }
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const asked = requestOf(request);
    const answer = await answerTo(asked, port, { board, doorway, random, renew });
    if (answer.isStream !== true || asked.method !== 'GET') return send(response, answer, asked.method);
    if (readers >= maxReaders) return send(response, { ...answer, status: 503 }, asked.method);
    response.writeHead(answer.status, answer.headers);
    await stream(request, response, asked.lastEventId);
  };

  server.on('request', (request, response) => {
    serve(request, response).catch((error: unknown) => {
      log.error('page.failed', { cause: causeOf(error) });
      response.destroy();
    });
  });

  return ok({
    port,
    close: async () => {
      life.abort();
      await new Promise<void>((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      });
    },
  });
};

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port }, () => resolve((server.address() as AddressInfo).port));
  });

const requestOf = ({ method = '', url = '', headers, headersDistinct }: IncomingMessage): PageRequest => ({
  method,
  target: url,
  hosts: headersDistinct['host'] ?? [],
  cookie: headers.cookie,
  fetchSite: headersDistinct['sec-fetch-site']?.join(','),
  lastEventId: headersDistinct['last-event-id']?.[0],
  hasBody: headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0',
});

/** A refused request may have a body under way, which nobody reads: then the connection ends with the answer. */
const send = (response: ServerResponse, { status, headers, body }: PageAnswer, method: string): void => {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    ...headers,
    'content-length': String(bytes.length),
    ...(status >= 400 ? { connection: 'close' } : {}),
  });
  response.end(method === 'HEAD' ? undefined : bytes);
};
