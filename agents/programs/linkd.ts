/**
 * enigm-linkd, the mouth: one way to the network, carrying bytes it does not read. No TPM, no decisions (SR-02).
 *
 * Its key for the broker is made at each start and stays here; what it is worth, Command decides by what the mind shows.
 */
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { carried } from '#agents/fleet/carried';
import { parseSite } from '#agents/management/site';
import { inTurn } from '#hal/core/in-turn';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { httpsExchange } from '#hal/linux/https-exchange';
import { httpsRange } from '#hal/linux/https-range';
import { mqttBroker } from '#hal/linux/mqtt-broker';
import { systemRandom } from '#hal/linux/random';
import type { Broker } from '#hal/ports/broker';
import { dispatcher } from '#hal/remote/dispatcher';
import { linkMethods } from '#hal/remote/link-methods';
import { serveSocket } from '#hal/remote/socket-server';
import type { FleetJoined } from '#protos/gen/types';
import { deviceLayout, socketPath } from './layout.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

/** The broker keeps a message for a device or for Command this long. */
const messageLifeSeconds = 7 * 86_400;

runProgram('enigm-linkd', ['directory', 'run'], async ({ options, log, signal }) => {
  const { verifier, fleet } = unwrap(parseSite(readFileSync(deviceLayout(options.directory).site, 'utf8')));
  const exchange = httpsExchange({
    verifier: verifier.endpoint,
    ...(fleet === undefined ? {} : { command: fleet.command.endpoint }),
    ...(fleet?.update === undefined ? {} : { director: fleet.update.director.endpoint }),
  });
  const files = httpsRange(fleet === undefined ? {} : { repository: fleet.repository.endpoint });
  const counts = { exchanges: 0, failures: 0 };
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const linkKey = new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
  let joined: { readonly broker: Broker; readonly label: string } | undefined;
  const turn = inTurn();
  const notJoined = deny('unavailable', 'broker-unreachable', 'not joined');

  const join = async ({ certificate, label }: FleetJoined): Promise<Result<Record<string, never>>> => {
    if (fleet === undefined) return deny('unavailable', 'not-supported', 'this device belongs to no fleet');
    await joined?.broker.close();
    joined = undefined;
    const opened = await mqttBroker({
      ...fleet.broker,
      certificate: pemOf(certificate),
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      clientId: label,
      topics: [`enigm/v1/${label}/down`],
      random: systemRandom,
    });
    if (!opened.ok) return opened;
    joined = { broker: opened.value, label };
    return ok({});
  };

  const door = dispatcher(linkMethods, {
    'link.post': async ({ endpoint, body }, callSignal) => {
      counts.exchanges += 1;
      const answered = await exchange.post(endpoint, body, callSignal);
      if (!answered.ok) counts.failures += 1;
      return answered.ok ? ok({ body: answered.value }) : answered;
    },
    'link.identity': async () => ok({ linkKey }),
    'link.join': (certificate) => turn(() => join(certificate)),
    'link.publish': async ({ sealed }) => {
      if (joined === undefined) return notJoined;
      const options = { isRetained: false, expiresAfterSeconds: messageLifeSeconds };
      const published = await joined.broker.publish(`enigm/v1/${joined.label}/up`, sealed, options);
      return published.ok ? ok({}) : published;
    },
    'link.messages': async function* (_, callSignal) {
      if (joined === undefined) {
        yield notJoined;
        return;
      }
      yield* carried(joined.broker, callSignal);
    },
    'link.range': async ({ endpoint, path, offset, mostBytes }, callSignal) => {
      const read = await files.read(endpoint, path, offset, mostBytes, callSignal);
      return read.ok ? ok({ part: read.value }) : read;
    },
    'link.status': async () => ok(counts),
  });
  const server = unwrap(await serveSocket(door, { path: socketPath(options.run, 'link'), log }));
  log.info('program.ready');
  await aborted(signal);
  await joined?.broker.close();
  await server.close();
  return exitCode.done;
});

const pemOf = (certificate: Uint8Array): string => {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
};
