/**
 * enigm-linkd, the mouth: one way to the network, carrying bytes it does not read. No TPM, no decisions (SR-02).
 */
import { readFileSync } from 'node:fs';
import { parseSite } from '#agents/management/site';
import { ok, unwrap } from '#hal/core/result';
import { httpsExchange } from '#hal/linux/https-exchange';
import { dispatcher } from '#hal/remote/dispatcher';
import { linkMethods } from '#hal/remote/link-methods';
import { serveSocket } from '#hal/remote/socket-server';
import { deviceLayout, socketPath } from './layout.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

runProgram('enigm-linkd', ['directory', 'run'], async ({ options, log, signal }) => {
  const site = unwrap(parseSite(readFileSync(deviceLayout(options.directory).site, 'utf8')));
  const exchange = httpsExchange({ verifier: site.verifier.endpoint });
  const counts = { exchanges: 0, failures: 0 };
  const door = dispatcher(linkMethods, {
    'link.post': async ({ endpoint, body }, callSignal) => {
      counts.exchanges += 1;
      const answered = await exchange.post(endpoint, body, callSignal);
      if (!answered.ok) counts.failures += 1;
      return answered.ok ? ok({ body: answered.value }) : answered;
    },
    'link.status': async () => ok(counts),
  });
  const server = unwrap(await serveSocket(door, { path: socketPath(options.run, 'link'), log }));
  log.info('program.ready');
  await aborted(signal);
  await server.close();
  return exitCode.done;
});
