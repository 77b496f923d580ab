/** What a machine knows of its own start: records of the kernel's log, and when each program began. */
import { deny, ok, type Result } from '#hal/core/result';
import type { RunningMachine } from '#sim/qemu/machine';

export interface LogRecord {
  /** Of the kernel's clock, as all seconds here. */
  readonly seconds: number;
  readonly text: string;
}

export interface ProgramUse {
  readonly name: string;
  readonly begunSeconds: number;
  /** As the guest counts them, user and system. */
  readonly cpuSeconds: number;
}

export interface StartStory {
  readonly log: readonly LogRecord[];
  readonly programs: readonly ProgramUse[];
  /** When every program served, and the supervisor had heard the mind. */
  readonly healthySeconds: number;
  /** When the machine was asked. */
  readonly askedSeconds: number;
}

const mark = 'enigm: asked';
const withinMs = 120_000;
const ticksPerSecond = 100;

/**
 * What each program makes when it serves, and the supervisor when it heard the mind. What they write to the log is no sign:
 * the kernel drops records of whoever writes more than ten in five seconds.
 */
const signs = [
  'hald/hands.sock',
  'linkd/link.sock',
  'inferd/inference.sock',
  'agentd/api.sock',
  'paged/page.url',
  'start-ended',
].map((name) => `/run/enigm/${name}`);
export const isHealthy = signs.map((path) => `[ -e ${path} ]`).join(' && ');

const questions = [
  `echo "${mark}" > /dev/kmsg; : > /run/asked`,
  `busybox stat -c "stamp %y" ${signs.join(' ')} /run/asked`,
  'for p in /proc/[0-9]*; do echo "process $(cat $p/stat) words $(tr "\\0" " " < $p/cmdline)"; done 2> /dev/null',
  'busybox dmesg',
] as const;

/** Asks a machine whose start has come to its end. @returns the story, or `protocol/malformed` with what was said */
export const storyOf = async (machine: RunningMachine): Promise<Result<StartStory>> => {
  const said = await machine.shell(questions.join('; '), withinMs);
  if (!said.ok) return said;
  const lines = said.value.split('\n');
  const log = lines.flatMap(recordIn);
  const asked = log.findLast(({ text }) => text.includes(mark));
  const stampsMs = lines.flatMap(stampIn);
  const askedMs = stampsMs.pop();
  if (asked === undefined || askedMs === undefined || stampsMs.length < signs.length)
    return deny('protocol', 'malformed', said.value.slice(0, 400));
  const healthySeconds = asked.seconds - (askedMs - Math.max(...stampsMs)) / 1000;
  return ok({ log, programs: lines.flatMap(programIn), healthySeconds, askedSeconds: asked.seconds });
};

const recordIn = (line: string): readonly LogRecord[] => {
  const [, seconds, text = ''] = /^\[ *(\d+\.\d+)\] (.*)$/.exec(line) ?? [];
  return seconds === undefined ? [] : [{ seconds: Number(seconds), text }];
};

/** Milliseconds of the guest's calendar, whatever that is. */
const stampIn = (line: string): readonly number[] => {
  const [, day, time] = /^stamp (\S+) (\S+) \+0000$/.exec(line) ?? [];
  return day === undefined ? [] : [Date.parse(`${day}T${time}Z`)];
};

/** proc(5), `/proc/PID/stat`: fields 14 and 15 are the time used, 22 is when it began. */
const programIn = (line: string): readonly ProgramUse[] => {
  const [, title = '', rest, words = ''] = /^process \d+ \((.+)\) [A-Z] (.*) words (.*)$/.exec(line) ?? [];
  if (rest === undefined) return [];
  const fields = rest.split(' ').map(Number);
  const cpuSeconds = ((fields[10] ?? 0) + (fields[11] ?? 0)) / ticksPerSecond;
  // Of Node only those that take a name have one.
  const name = /(\w+)\.cjs(?! \S+\.cjs)/.exec(words)?.[1];
  return [{ name: name === undefined ? title : `enigm-${name}`, begunSeconds: (fields[18] ?? 0) / ticksPerSecond, cpuSeconds }];
};
