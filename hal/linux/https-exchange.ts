/**
 * `Exchange` over HTTPS with `node:https`: one kept connection an endpoint, its certificate authority pinned.
 *
 * Not `fetch`: it needs WebAssembly, which a program under `--jitless` does not have.
 */
import { Agent, request } from 'node:https';
import { deny, ok, type Result } from '#hal/core/result';
import type { Exchange } from '#hal/ports/exchange';
import { kinds } from '#protos/kinds';
import { tlsClient, unreached } from './tls-client.ts';

export interface Endpoint {
  /** `https://host:port/path` */
  readonly url: string;
  /** PEM of the one authority that may vouch for it. */
  readonly authority: string;
}

export interface ExchangeLimits {
  /** From the call to the last byte of the answer. */
  readonly timeoutMs: number;
}

const limitsOfAll: ExchangeLimits = { timeoutMs: 15_000 };
/** Of a bytes field: the tag of one byte, then its length, seven bits a byte (protobuf.dev, "Encoding"). */
const fieldBytes = 1 + Math.ceil(Math.log2(kinds.message.most + 1) / 7);
/** The mouth hands an answer on as the one field of an `ExchangeReply`, which is a message itself. */
export const maxAnswerBytes = kinds.message.most - fieldBytes;

export const httpsExchange = (endpoints: Readonly<Record<string, Endpoint>>, limits: ExchangeLimits = limitsOfAll): Exchange => {
  const agents = new Map<string, Agent>();
  const agentOf = (name: string, authority: string): Agent => {
    const agent = agents.get(name) ?? new Agent({ keepAlive: true, maxSockets: 2, ca: authority, ...tlsClient });
    agents.set(name, agent);
    return agent;
  };
  return {
    post: (name, body, signal) => {
      const endpoint = Object.hasOwn(endpoints, name) ? endpoints[name] : undefined;
      if (endpoint === undefined) return Promise.resolve(deny('unavailable', 'peer-unreachable', `no endpoint ${name}`));
      return post(endpoint.url, agentOf(name, endpoint.authority), body, signal, AbortSignal.timeout(limits.timeoutMs));
    },
  };
};

const post = (url: string, agent: Agent, body: Uint8Array, given: AbortSignal, late: AbortSignal): Promise<Result<Uint8Array>> =>
  new Promise((resolve) => {
    const failed = ({ message }: Error) => {
      if (given.aborted) resolve(deny('unavailable', 'aborted', message));
      else resolve(late.aborted ? deny('resource', 'time-limit', 'far end') : unreached(message));
    };
    const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length };
    const signal = AbortSignal.any([given, late]);
    const outgoing = request(url, { method: 'POST', agent, headers, signal }, (incoming) => {
      const chunks: Buffer[] = [];
      let receivedBytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
        if (receivedBytes > maxAnswerBytes) {
          resolve(deny('protocol', 'too-large', 'answer'));
          incoming.destroy();
        } else chunks.push(chunk);
      });
      incoming.on('error', failed);
      incoming.on('end', () =>
        resolve(
          incoming.statusCode === 200
            ? ok(new Uint8Array(Buffer.concat(chunks)))
            : deny('unavailable', 'peer-refused-us', `status ${incoming.statusCode}`),
        ),
      );
    });
    outgoing.on('error', failed);
    outgoing.end(body);
  });
