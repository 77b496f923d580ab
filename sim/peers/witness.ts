/** A witness of the log of releases: its own key, its own memory, `add-checkpoint` of C2SP tlog-witness over HTTPS. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { askWitness, submission } from '#agents/release/witness-link';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridPublicKey, type HybridSecretKey, hybridPublicKey } from '#hal/crypto/suites';
import { openDurableStore } from '#hal/linux/durable-store';
import { bodyWithin } from '#hal/linux/http-body';
import type { Clock } from '#hal/ports/clock';
import type { AskedWitness } from '#ota-client/transparency/gather';
import { addCheckpoint } from '#ota-client/transparency/witness';
import { maxRequestBytes } from '#ota-client/transparency/witness-request';
import { certifyServer } from './authority.ts';
import type { PeerSecrets } from './secrets.ts';

export interface WitnessPeer {
  readonly asked: AskedWitness;
  close(): Promise<void>;
}

export interface WitnessOptions {
  /** Of the peers: what it cosigned lies in it under its name. */
  readonly directory: string;
  readonly name: string;
  readonly secret: HybridSecretKey;
  readonly logs: ReadonlyMap<string, HybridPublicKey>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** A witness in this process: for places without a network. */
export const openWitness = ({ directory, name, secret, logs, clock }: WitnessOptions): Result<WitnessPeer> => {
  const store = openDurableStore(join(directory, `${name}.db`));
  if (!store.ok) return store;
  const parts = { crypto: nodeCrypto, name, secret, logs, store: store.value, clock };
  return ok({
    asked: { name, key: hybridPublicKey(nodeCrypto, secret), ask: async (body) => ok(addCheckpoint(parts, body)) },
    close: async () => store.value.close(),
  });
};

const host = '127.0.0.1';

/** The same witness, asked through a socket. @returns it; or the faults of its store */
export const startWitness = async (
  options: WitnessOptions & { readonly clock: Clock; readonly secrets: Pick<PeerSecrets, 'tlsAuthority'> },
): Promise<Result<WitnessPeer>> => {
  const witness = openWitness(options);
  if (!witness.ok) return witness;
  const { tlsAuthority } = options.secrets;
  const { certificate, key } = await certifyServer(tlsAuthority, options.clock);
  const server = createServer({ cert: certificate, key, minVersion: 'TLSv1.3' }, async (request, response) => {
    const body = await bodyWithin(request, maxRequestBytes);
    if (request.method !== 'POST' || request.url !== submission || body === undefined) return response.writeHead(400).end();
    const answered = await witness.value.asked.ask(body);
    if (!answered.ok) return response.writeHead(500).end();
    const { status, body: said } = answered.value;
    response.writeHead(status, status === 409 ? { 'content-type': 'text/x.tlog.size' } : {});
    return response.end(said);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return ok({
    asked: { ...witness.value.asked, ask: askWitness({ url: `https://${host}:${port}`, authority: tlsAuthority.certificate }) },
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await witness.value.close();
    },
  });
};
