/**
 * enigm-inferd, a child beside the mind (SR-32): the tensor engine, without keys, network or devices.
 */
import { probeEngines } from '#agents/defense/engines';
import { inferenceDoor } from '#agents/defense/inference-door';
import { unwrap } from '#hal/core/result';
import { dispatcher } from '#hal/remote/dispatcher';
import { inferenceMethods } from '#hal/remote/inference-methods';
import { serveSocket } from '#hal/remote/socket-server';
import { socketPath } from './layout.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

runProgram('enigm-inferd', ['resources', 'run'], async ({ options, log, signal, ready }) => {
  const door = dispatcher(
    inferenceMethods,
    inferenceDoor(() => probeEngines(options.resources), process.arch),
  );
  const server = unwrap(await serveSocket(door, { path: socketPath(options.run, 'inference'), log }));
  ready();
  await aborted(signal);
  await server.close();
  return exitCode.done;
});
