/** `HttpRange` over HTTPS (RFC 9110 §14) with `node:https`, one kept connection an endpoint, its authority pinned where it has one. */
import { Agent, request } from 'node:https';
import { concatAll } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';
import { type HttpRange, maxRangeBytes, repositoryPath } from '#hal/ports/http-range';
import { tlsClient, unreached } from './tls-client.ts';

export interface RangeEndpoint {
  /** `https://host:port/path` */
  readonly url: string;
  /**
   * PEM of the one authority that may vouch for it. Without it anybody may answer: for whoever verifies every byte and
   * may have no clock, by which a certificate is good or not (SR-16).
   */
  readonly authority?: string;
}

export interface RangeLimits {
  /** To connect, and then between any two pieces of a part. */
  readonly idleMs: number;
  /** What a part may take is `idleMs` and its length at this rate, or a byte now and then would hold its reader for ever (SR-12). */
  readonly lowestBytesPerSecond: number;
}

const limitsOfAll: RangeLimits = { idleMs: 15_000, lowestBytesPerSecond: 2_000 };
const maxPathCharacters = 256;

/**
 * By default each part comes at 2 kB/s or more, which four of them get at once on a mobile link of 64 kbit/s, as
 * throttled ones are: 1 MiB may take nine minutes.
 */
export const httpsRange = (
  endpoints: Readonly<Record<string, RangeEndpoint>>,
  { idleMs, lowestBytesPerSecond }: RangeLimits = limitsOfAll,
): HttpRange => {
  const agents = new Map<string, Agent>();
  const agentOf = (name: string, authority: string | undefined): Agent => {
    const believed = authority === undefined ? { rejectUnauthorized: false } : { ca: authority };
    const agent = agents.get(name) ?? new Agent({ keepAlive: true, maxSockets: 4, ...tlsClient, ...believed });
    agents.set(name, agent);
    return agent;
  };
  return {
    async read(name, path, offset, mostBytes, signal) {
      const endpoint = Object.hasOwn(endpoints, name) ? endpoints[name] : undefined;
      if (endpoint === undefined) return deny('unavailable', 'peer-unreachable', `no endpoint ${name}`);
      if (mostBytes < 1 || mostBytes > maxRangeBytes) return deny('protocol', 'too-large', 'range');
      if (path.length > maxPathCharacters || !repositoryPath.test(path)) return deny('protocol', 'malformed', 'path');
      const late = AbortSignal.timeout(idleMs + Math.ceil((mostBytes * 1000) / lowestBytesPerSecond));
      const options = { agent: agentOf(name, endpoint.authority), timeout: idleMs };
      return fetchRange(`${endpoint.url}/${path}`, options, { offset, mostBytes }, signal, late);
    },
  };
};

const fetchRange = (
  url: string,
  options: { readonly agent: Agent; readonly timeout: number },
  { offset, mostBytes }: { readonly offset: number; readonly mostBytes: number },
  given: AbortSignal,
  late: AbortSignal,
): Promise<Result<Uint8Array>> =>
  new Promise((resolve) => {
    const headers = { range: `bytes=${offset}-${offset + mostBytes - 1}`, 'accept-encoding': 'identity' };
    const tooSlow = deny('resource', 'time-limit', 'repository');
    const failed = ({ message }: Error) => {
      if (given.aborted) resolve(deny('unavailable', 'aborted', message));
      else resolve(late.aborted ? tooSlow : unreached(message));
    };
    const signal = AbortSignal.any([given, late]);
    const outgoing = request(url, { ...options, headers, signal }, (incoming) => {
      const refuse = (failure: Result<Uint8Array>) => {
        resolve(failure);
        incoming.destroy();
      };
      switch (incoming.statusCode) {
        case 206:
          break;
        case 404:
          return refuse(deny('unavailable', 'not-found'));
        // The file ends at or before the offset: no byte is no fault (RFC 9110 §15.5.17).
        case 416:
          return refuse(ok(new Uint8Array()));
        // A server that ignores the range sends everything from the start: never spliced in.
        case 200:
          return refuse(deny('protocol', 'range-ignored'));
        default:
          return refuse(deny('unavailable', 'peer-refused-us', `status ${incoming.statusCode}`));
      }
      if (!incoming.headers['content-range']?.startsWith(`bytes ${offset}-`))
        return refuse(deny('protocol', 'range-ignored', 'another range came'));
      const chunks: Buffer[] = [];
      let receivedBytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        passed(chunk.length);
        receivedBytes += chunk.length;
        if (receivedBytes > mostBytes) refuse(deny('protocol', 'too-large', 'more than was asked for'));
        else chunks.push(chunk);
      });
      incoming.on('error', failed);
      incoming.on('end', () => resolve(ok(concatAll(chunks))));
      return undefined;
    });
    outgoing.on('timeout', () => {
      resolve(tooSlow);
      outgoing.destroy();
    });
    outgoing.on('error', failed);
    outgoing.end();
  });
