/** A door over HTTPS for far ends: POST with an encoded call, 200 with an encoded answer, refusals inside it. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Dispatcher } from '#hal/remote/dispatcher';
import { answerExchange } from '#hal/remote/exchange-server';

export interface HttpsDoor {
  readonly port: number;
  close(): Promise<void>;
}

export interface HttpsDoorOptions {
  readonly dispatcher: Dispatcher;
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

const maxBodyBytes = 3 * 1024 * 1024;
const requestTimeoutMs = 15_000;

export const serveHttps = ({ dispatcher, certificate, key, host, port }: HttpsDoorOptions): Promise<HttpsDoor> => {
  const server: Server = createServer(
    { cert: certificate, key, minVersion: 'TLSv1.3', requestTimeout: requestTimeoutMs },
    (request, response) => {
      const chunks: Buffer[] = [];
      let receivedBytes = 0;
      const refuse = (status: number) => {
        response.writeHead(status, { connection: 'close' }).end();
        request.destroy();
      };
      if (request.method !== 'POST') return refuse(405);
      request.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
        if (receivedBytes > maxBodyBytes) refuse(413);
        else chunks.push(chunk);
      });
      request.on('error', () => response.destroy());
      request.on('end', () => {
        const gone = new AbortController();
        response.on('close', () => gone.abort());
        void answerExchange(dispatcher, Buffer.concat(chunks), gone.signal).then((answer) => {
          if (!response.destroyed) response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(answer);
        });
      });
      return undefined;
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () =>
          new Promise((closed) => {
            server.closeAllConnections();
            server.close(() => closed());
          }),
      }),
    );
  });
};
