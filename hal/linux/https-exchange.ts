/**
 * `Exchange` over HTTPS with `node:https`: one kept connection an endpoint, its certificate authority pinned.
 *
 * Not `fetch`: it needs WebAssembly, which a program under `--jitless` does not have.
 */
import { Agent, request } from 'node:https';
import { deny, ok, type Result } from '#hal/core/result';
import type { Exchange } from '#hal/ports/exchange';

export interface Endpoint {
  /** `https://host:port/path` */
  readonly url: string;
  /** PEM of the one authority that may vouch for it. */
  readonly authority: string;
}

const timeoutMs = 15_000;
const maxAnswerBytes = 3 * 1024 * 1024;

export const httpsExchange = (endpoints: Readonly<Record<string, Endpoint>>): Exchange => {
  const agents = new Map<string, Agent>();
  const agentOf = (name: string, authority: string): Agent => {
    const agent = agents.get(name) ?? new Agent({ keepAlive: true, maxSockets: 2, ca: authority, minVersion: 'TLSv1.3' });
    agents.set(name, agent);
    return agent;
  };
  return {
    post: (name, body, signal) => {
      const endpoint = Object.hasOwn(endpoints, name) ? endpoints[name] : undefined;
      if (endpoint === undefined) return Promise.resolve(deny('unavailable', 'peer-unreachable', `no endpoint ${name}`));
      return post(endpoint.url, agentOf(name, endpoint.authority), body, signal);
    },
  };
};

const post = (url: string, agent: Agent, body: Uint8Array, signal: AbortSignal): Promise<Result<Uint8Array>> =>
  new Promise((resolve) => {
    const headers = { 'content-type': 'application/octet-stream', 'content-length': body.length };
    const outgoing = request(url, { method: 'POST', agent, headers, signal, timeout: timeoutMs }, (incoming) => {
      const chunks: Buffer[] = [];
      let receivedBytes = 0;
      incoming.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.length;
        if (receivedBytes > maxAnswerBytes) {
          resolve(deny('protocol', 'too-large', 'answer'));
          incoming.destroy();
        } else chunks.push(chunk);
      });
      incoming.on('error', (error) => resolve(deny('unavailable', 'peer-unreachable', error.message)));
      incoming.on('end', () =>
        resolve(
          incoming.statusCode === 200
            ? ok(new Uint8Array(Buffer.concat(chunks)))
            : deny('unavailable', 'peer-refused-us', `status ${incoming.statusCode}`),
        ),
      );
    });
    outgoing.on('timeout', () => {
      resolve(deny('resource', 'time-limit', 'far end'));
      outgoing.destroy();
    });
    outgoing.on('error', (error) => resolve(deny('unavailable', signal.aborted ? 'aborted' : 'peer-unreachable', error.message)));
    outgoing.end(body);
  });
