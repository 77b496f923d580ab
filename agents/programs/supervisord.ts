/**
 * The supervisor of a machine: started by process 1, it starts the programs, keeps them running, and feeds the watchdog
 * as long as the mind answers. A machine whose mind is silent for too long is reset by the watchdog, and the firmware
 * then starts what was good before (SR-13).
 */
import { mkdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { apiMethods } from '#agents/api/methods';
import { installed } from '#agents/package/places';
import { kernelLog } from '#agents/supervisor/kernel-log';
import { launchHands, launchOf, type ProgramName, programNames } from '#agents/supervisor/launch';
import { type ProgramSpec, startPrograms } from '#agents/supervisor/programs';
import { within } from '#hal/core/deadline';
import { codeOf, type Fault } from '#hal/core/result';
import { endStart } from '#hal/linux/boot-guard';
import { linuxClock } from '#hal/linux/clock';
import { linuxCommands } from '#hal/linux/commands';
import { efiVariablesPath, linuxEfiVariables } from '#hal/linux/efi-variables';
import { pinoLog } from '#hal/linux/log';
import { machinePartitions } from '#hal/linux/machine-boot';
import { sysrqPower } from '#hal/linux/power';
import { socketClient } from '#hal/remote/socket-client';
import { deviceLayout, releaseTrustPath, socketPath, startEndedPath } from './layout.ts';
import { exitCode } from './runtime.ts';

/** Opened by the first root and handed down; nothing ticks before somebody opens it. */
const watchdog = 9;
const feedEveryMs = 5_000;
const firstLookMs = 500;
const answerWithinMs = 4_000;
/** From the start, and from the last answer of the mind. */
const patienceMs = 90_000;
const startEnded = startEndedPath(installed.runDirectory);
/** Written by process 1, which the first root told: the slot, and what became of the data partition. */
const slotPath = '/run/slot';
const dataPath = '/run/data';

const clock = linuxClock();
const log = pinoLog('enigm-supervisord');
const power = sysrqPower('/proc/sysrq-trigger');
const variables = linuxEfiVariables(linuxCommands());

const launchFor = (name: ProgramName) =>
  name === 'hald'
    ? launchHands(installed, {
        script: join(installed.programs, 'hald.cjs'),
        addon: installed.addon,
        reads: [releaseTrustPath],
        writes: ['/dev/tpmrm0', '/proc/sysrq-trigger', efiVariablesPath, ...slotNodes()],
        words: [
          ...['--data', readFileSync(dataPath, 'utf8').trim()],
          ...['--mind-user', '0', '--mouth-user', '0', '--relay-user', '0'],
        ],
      })
    : launchOf(name, installed);

/** A refusal is an answer too: a device that nobody provisioned is not broken. Silence is none. */
const isAnswer = ({ category, reason }: Fault): boolean =>
  reason === 'not-provisioned' || (category !== 'unavailable' && reason !== 'time-limit');

/** None where the machine has no slots of ours. */
const slotNodes = (): readonly string[] => {
  const found = machinePartitions();
  if (!found.ok) return [];
  const { a, b, ledger } = found.value;
  return [a.boot, a.root, b.boot, b.root, ledger];
};

/** To the end of the machine, or until it is told to end. */
const main = async (): Promise<void> => {
  const ending = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => ending.abort());
  const { site: _, ...folders } = deviceLayout(installed.directory);
  for (const folder of [installed.runDirectory, ...Object.values(folders)]) mkdirSync(folder, { recursive: true, mode: 0o700 });

  const output = kernelLog();
  const specs = programNames
    .filter((name) => name !== 'beacond')
    .map((name): ProgramSpec => {
      const { flags, script, words } = launchFor(name);
      return { name, command: process.execPath, arguments: [...flags, script, ...words], output };
    });
  const programs = startPrograms(specs, {
    clock,
    log,
    requestCodes: [exitCode.reboot],
    onRequest: (name) => void power.reboot(name),
  });

  const running = readFileSync(slotPath, 'utf8').startsWith('b') ? 'b' : 'a';
  const mind = socketClient(apiMethods, socketPath(installed.runDirectory, 'api'));
  let heardMs: number | undefined;
  const beganMs = clock.bootMs();
  while (!ending.signal.aborted) {
    const answer = await within(clock, answerWithinMs, (signal) => mind.call('device.status', {}, { signal }));
    if (answer.ok || isAnswer(answer.fault)) {
      heardMs = clock.bootMs();
      const ended = await endStart(variables, running, startEnded);
      if (!ended.ok) log.error('start.not-ended', { code: codeOf(ended.fault), cause: ended.fault.detail ?? '' });
    }
    const silentMs = clock.bootMs() - (heardMs ?? beganMs);
    if (silentMs < patienceMs) writeSync(watchdog, '\n');
    else log.error('mind.silent', { silentMs });
    await clock.sleep(heardMs === undefined ? firstLookMs : feedEveryMs, ending.signal);
  }
  mind.close();
  await programs.stop();
};

void main();
