/**
 * The supervisor of a machine: started by process 1, it starts the programs, keeps them running, and feeds the watchdog
 * as long as the mind answers. A machine whose mind is silent for too long is reset by the watchdog, and the firmware
 * then starts what was good before (SR-13).
 */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { apiMethods } from '#agents/api/methods';
import { clockAtStart } from '#agents/management/clock-at-start';
import { confined } from '#agents/package/confinement';
import { type HandsPlaces, launchInstalled } from '#agents/package/launch';
import { makeFolders } from '#agents/package/make-folders';
import { installed } from '#agents/package/places';
import { kernelLog } from '#agents/supervisor/kernel-log';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
import { type ProgramSpec, startPrograms } from '#agents/supervisor/programs';
import { silenceOfMind } from '#agents/supervisor/silence';
import { within } from '#hal/core/deadline';
import { codeOf, deny, type Fault } from '#hal/core/result';
import { endStart } from '#hal/linux/boot-guard';
import { linuxClock } from '#hal/linux/clock';
import { readClockMark } from '#hal/linux/clock-mark';
import { linuxCommands } from '#hal/linux/commands';
import { efiVariablesPath, linuxEfiVariables } from '#hal/linux/efi-variables';
import { interpretedStart } from '#hal/linux/interpreted-start';
import { pinoLog } from '#hal/linux/log';
import { machinePartitions } from '#hal/linux/machine-boot';
import { sysrqPower } from '#hal/linux/power';
import { setWallClock } from '#hal/linux/wall-clock';
import { socketClient } from '#hal/remote/socket-client';
import { clockMarkPath, floorApprovalsPath, releaseTrustPath, socketPath, startEndedPath } from './layout.ts';
import { exitCode } from './runtime.ts';

/** Opened by the first root and handed down; nothing ticks before somebody opens it. */
const watchdog = 9;
const feedEveryMs = 5_000;
const firstLookMs = 1_000;
const answerWithinMs = 4_000;
/** From the first start of this program, and from the last answer of the mind. */
const patienceMs = 90_000;
const notThere = deny('unavailable', 'program-down', 'no socket of the mind');
const startEnded = startEndedPath(installed.runDirectory);
/** Written by process 1, which the first root told: the slot, and what became of the data partition. */
const slotPath = '/run/slot';
const dataPath = '/run/data';
/** When the mind was heard last, for the next life of this program. */
const heardPath = '/run/heard';

const clock = linuxClock();
const log = pinoLog('enigm-supervisord');
const power = sysrqPower('/proc/sysrq-trigger');
const commands = linuxCommands();
const variables = linuxEfiVariables(commands);

/** Variables of the firmware are root's, and cannot be changed until somebody says so (efivarfs). */
const ofTheFirmware = ['FOWNER', 'LINUX_IMMUTABLE'] as const;
/** Group members may speak to what a program serves; nobody else may. */
const fileModeMask = 0o007;

const handsPlaces = (): HandsPlaces => ({
  data: readFileSync(dataPath, 'utf8').trim(),
  reads: [releaseTrustPath, floorApprovalsPath, startEnded],
  writes: ['/dev/tpmrm0', '/proc/sysrq-trigger', efiVariablesPath, ...slotNodes()],
});

const specOf = (name: ProgramName, places: HandsPlaces, output: Writable): ProgramSpec => {
  const { flags, script, words, ...how } = launchInstalled(name, places);
  const [command = '', ...before] = confined(name, name === 'hald' ? ofTheFirmware : []);
  return { name, command, arguments: [...before, process.execPath, ...flags, script, ...words], output, ...how };
};

/** The relay has nothing to relay where no Key is plugged in. */
const isThere = (name: ProgramName): boolean => name !== 'beacond' || existsSync(installed.keyLink);

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

/** Before the first program: by a clock that stands at its beginning no far end has a certificate. */
const startClock = async (): Promise<void> => {
  const mark = readClockMark(clockMarkPath(installed.directory));
  if (!mark.ok) log.warn('clock.mark-unread', { code: codeOf(mark.fault), cause: mark.fault.detail ?? '' });
  const shownMs = clock.nowMs();
  const wantedMs = clockAtStart(shownMs, mark.ok ? mark.value : undefined);
  if (wantedMs === undefined) return;
  const set = await setWallClock(commands, wantedMs);
  log.warn('clock.set', { shownMs, wantedMs, ...(set.ok ? {} : { code: codeOf(set.fault), cause: set.fault.detail ?? '' }) });
};

/** To the end of the machine, or until it is told to end. */
const main = async (): Promise<void> => {
  const ending = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => ending.abort());
  const compileAgain = interpretedStart();
  await startClock();
  makeFolders();
  process.umask(fileModeMask);
  const output = kernelLog();
  const places = handsPlaces();
  const specs = programNames.filter(isThere).map((name) => specOf(name, places, output));
  const programs = startPrograms(specs, {
    clock,
    log,
    requestCodes: [exitCode.reboot],
    restartCode: exitCode.restart,
    onRequest: (name) => void power.reboot(name),
  });

  const running = readFileSync(slotPath, 'utf8').startsWith('b') ? 'b' : 'a';
  const api = socketPath(installed.runDirectory, 'api');
  const mind = socketClient(apiMethods, api);
  const silence = silenceOfMind(heardPath, clock);
  let isHeard = false;
  while (!ending.signal.aborted) {
    const answer = existsSync(api)
      ? await within(clock, answerWithinMs, (signal) => mind.call('device.status', {}, { signal }))
      : notThere;
    if (answer.ok || isAnswer(answer.fault)) {
      if (!isHeard) compileAgain();
      isHeard = true;
      silence.heard();
      const ended = await endStart(variables, running, startEnded);
      if (!ended.ok) log.error('start.not-ended', { code: codeOf(ended.fault), cause: ended.fault.detail ?? '' });
    }
    const silentMs = silence.forMs();
    if (silentMs < patienceMs) writeSync(watchdog, '\n');
    else log.error('mind.silent', { silentMs });
    await clock.sleep(isHeard ? feedEveryMs : firstLookMs, ending.signal);
  }
  mind.close();
  await programs.stop();
};

void main();
