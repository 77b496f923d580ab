/** A static file server on the loopback address, as any object store or CDN is one: HTTPS and ranges, nothing else. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '#hal/ports/clock';
import { maxRangeBytes, repositoryPath } from '#hal/ports/http-range';
import { certifyServer } from './authority.ts';
import type { PeerSecrets } from './secrets.ts';

export interface FilesPeer {
  /** What is served, as it lies there. */
  readonly directory: string;
  /** `https://127.0.0.1:port` */
  readonly url: string;
  /** What it was asked for, oldest first: `path offset-end`. */
  readonly asked: readonly string[];
  /** From now on what is served passes through this: a hostile mirror, or none again. */
  takePath(change?: MirrorPath): void;
  close(): Promise<void>;
}

/** @returns what is sent in place of these bytes of the file */
export type MirrorPath = (path: string, offset: number, bytes: Uint8Array) => Uint8Array;

export interface FilesPeerOptions {
  /** Served as it lies there; files may come and go. */
  readonly directory: string;
  readonly secrets: Pick<PeerSecrets, 'tlsAuthority'>;
  readonly clock: Clock;
}

const host = '127.0.0.1';

export const startFiles = async ({ directory, secrets, clock }: FilesPeerOptions): Promise<FilesPeer> => {
  const { certificate, key } = await certifyServer(secrets.tlsAuthority, clock);
  const asked: string[] = [];
  let change: MirrorPath = (_path, _offset, bytes) => bytes;
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }, (request, response) => {
    const path = (request.url ?? '').slice(1);
    const range = rangeOf(request);
    if (request.method !== 'GET' || !repositoryPath.test(path)) return end(response, 400);
    if (range === undefined) return end(response, 416);
    asked.push(`${path} ${range.first}-${range.last}`);
    const found = readPart(join(directory, path), range);
    if (found === undefined) return end(response, 404);
    if (found.bytes.length === 0) return end(response, 416);
    const sent = change(path, range.first, found.bytes);
    const last = range.first + found.bytes.length - 1;
    response.writeHead(206, {
      'content-type': 'application/octet-stream',
      'content-length': sent.length,
      'content-range': `bytes ${range.first}-${last}/${found.size}`,
    });
    response.end(sent);
    return undefined;
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  return {
    directory,
    url: `https://${host}:${(server.address() as AddressInfo).port}`,
    asked,
    takePath: (next = (_path, _offset, bytes) => bytes) => {
      change = next;
    },
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
};

interface Range {
  readonly first: number;
  readonly last: number;
}

const end = (response: ServerResponse, status: number): void => {
  response.writeHead(status).end();
};

const rangeOf = (request: IncomingMessage): Range | undefined => {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(request.headers.range ?? '') ?? [];
  if (first === undefined || last === undefined) return undefined;
  const range = { first: Number(first), last: Number(last) };
  return range.last >= range.first && range.last - range.first < maxRangeBytes ? range : undefined;
};

/** @returns undefined where there is no file, or none that can be read */
const readPart = (path: string, { first, last }: Range): { readonly bytes: Uint8Array; readonly size: number } | undefined => {
  let file: number | undefined;
  try {
    // Looked at first: a pipe would wait for its writer as it is opened.
    const status = statSync(path);
    if (!status.isFile()) return undefined;
    const { size } = status;
    file = openSync(path, 'r');
    const bytes = Buffer.alloc(Math.max(0, Math.min(last + 1, size) - first));
    const readBytes = bytes.length === 0 ? 0 : readSync(file, bytes, 0, bytes.length, first);
    return { bytes: new Uint8Array(bytes.subarray(0, readBytes)), size };
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
};
