/**
 * enigm-linkd, the mouth: one way to the network, carrying bytes it does not read. No TPM, no decisions (SR-02).
 *
 * Its key for the broker is in the TPM behind the filter of the hands, or, where that cannot be had, one that it makes at
 * each start; what it is worth, Command decides by what the mind shows.
 */
import { existsSync, readFileSync } from 'node:fs';
import { carried } from '#agents/fleet/carried';
import { parseSite } from '#agents/management/site';
import { tpmProvider } from '#agents/supervisor/tpm-provider';
import { inTurn } from '#hal/core/in-turn';
import { pemOf } from '#hal/core/pem';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { type ClientKey, clientKeys } from '#hal/linux/client-key';
import { linuxClock } from '#hal/linux/clock';
import { httpsExchange } from '#hal/linux/https-exchange';
import { httpsRange } from '#hal/linux/https-range';
import { mqttBroker } from '#hal/linux/mqtt-broker';
import { systemRandom } from '#hal/linux/random';
import { socketReplaced } from '#hal/linux/replaced-socket';
import type { Broker } from '#hal/ports/broker';
import { dispatcher } from '#hal/remote/dispatcher';
import { linkMethods } from '#hal/remote/link-methods';
import { serveSocket } from '#hal/remote/socket-server';
import type { FleetJoined } from '#protos/gen/types';
import { deviceLayout, socketPath } from './layout.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

/** The broker keeps a message for a device or for Command this long. */
const messageLifeSeconds = 7 * 86_400;
/** A mouth that is to find another TPM lets what is under way end, for so long. */
const quietTurnMs = 50;
const quietTurns = 100;

runProgram('enigm-linkd', ['directory', 'run'], async ({ options, log, signal, ready }) => {
  const { verifier, fleet } = unwrap(parseSite(readFileSync(deviceLayout(options.directory).site, 'utf8')));
  const exchange = httpsExchange({
    verifier: verifier.endpoint,
    ...(fleet === undefined ? {} : { command: fleet.command.endpoint }),
    ...(fleet?.update === undefined ? {} : { director: fleet.update.director.endpoint }),
  });
  const files = httpsRange(fleet === undefined ? {} : { repository: fleet.repository.endpoint });
  const clock = linuxClock();
  const counts = { exchanges: 0, failures: 0 };
  const keyNow = clientKeys(socketPath(options.run, 'tpmKey'));
  let shown: ClientKey | undefined;
  let underWay = 0;
  const counted = <T>(work: () => Promise<T>): Promise<T> => {
    underWay += 1;
    return work().finally(() => {
      underWay -= 1;
    });
  };
  let joined: { readonly broker: Broker; readonly label: string } | undefined;
  const turn = inTurn();
  const notJoined = deny('unavailable', 'broker-unreachable', 'not joined');

  const join = async ({ certificate, label }: FleetJoined): Promise<Result<Record<string, never>>> => {
    if (fleet === undefined) return deny('unavailable', 'not-supported', 'this device belongs to no fleet');
    await joined?.broker.close();
    joined = undefined;
    if (shown === undefined) return notJoined;
    const opened = await mqttBroker({
      ...fleet.broker,
      certificate: pemOf('CERTIFICATE', certificate),
      key: shown.pem,
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
      const answered = await counted(() => exchange.post(endpoint, body, callSignal));
      if (!answered.ok) counts.failures += 1;
      return answered.ok ? ok({ body: answered.value }) : answered;
    },
    'link.identity': async () => {
      shown = keyNow();
      const { publicKey, fault } = shown;
      log.info('link.key', {
        isInTpm: fault === undefined,
        ...(fault === undefined ? {} : { code: codeOf(fault), cause: fault.detail ?? '' }),
      });
      return ok({ linkKey: publicKey });
    },
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
      const read = await counted(() => files.read(endpoint, path, offset, mostBytes, callSignal));
      return read.ok ? ok({ part: read.value }) : read;
    },
    'link.status': async () =>
      ok({
        ...counts,
        ...(shown === undefined ? {} : { linkKey: shown.publicKey }),
        ...(shown?.fault === undefined ? {} : { keyFault: codeOf(shown.fault) }),
      }),
  });
  const server = unwrap(await serveSocket(door, { path: socketPath(options.run, 'link'), log }));
  ready();
  const ending = new AbortController();
  const ended = AbortSignal.any([signal, ending.signal]);
  if (existsSync(tpmProvider.module))
    void socketReplaced(socketPath(options.run, 'tpm'), clock, ended).then(async () => {
      for (let turn = 0; turn < quietTurns && underWay > 0; turn += 1) await clock.sleep(quietTurnMs, ended);
      ending.abort();
    });
  await aborted(ended);
  await joined?.broker.close();
  await server.close();
  return signal.aborted ? exitCode.done : exitCode.restart;
});
