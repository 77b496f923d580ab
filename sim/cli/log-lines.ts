/** What the programs of a device wrote, in the order in which they wrote it. */

export interface LogFile {
  readonly program: string;
  readonly text: string;
}

interface LogLine {
  readonly time: string;
  readonly program: string;
  readonly raw: string;
  /** undefined where a program wrote something else than its log, as when it crashes */
  readonly entry: Readonly<Record<string, unknown>> | undefined;
}

/** Lines of all files, oldest first; what is no log line keeps its place behind the line before it. */
export const mergeLogs = (files: readonly LogFile[]): readonly LogLine[] =>
  files
    .flatMap(({ program, text }) => {
      let time = '';
      return text
        .split('\n')
        .filter((raw) => raw !== '')
        .map((raw) => {
          const entry = entryOf(raw);
          if (typeof entry?.['time'] === 'string') time = entry['time'];
          return { time, program, raw, entry };
        });
    })
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));

/** `2026-11-21T05:00:40.777Z agentd  warn  socket.error cause="read ECONNRESET"` */
export const showLine = ({ time, program, raw, entry }: LogLine): string => {
  const start = `${time.padEnd(24)} ${program.padEnd(7)}`;
  if (entry === undefined) return `${start}       ${raw}`;
  const { level, time: _, program: __, event, ...fields } = entry;
  const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${showValue(value)}`);
  return `${start} ${(levels[Number(level)] ?? '').padEnd(5)} ${String(event ?? '')}${shown.join('')}`;
};

/** The line as one JSON object: as it was written, or what was written as `text`. */
export const jsonLine = ({ program, raw, entry }: LogLine): string =>
  entry === undefined ? JSON.stringify({ program, text: raw }) : raw;

const levels: Readonly<Record<number, string>> = { 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

const showValue = (value: unknown): string =>
  typeof value === 'string' && /^[\w.:/+-]+$/.test(value) ? value : JSON.stringify(value);

const entryOf = (raw: string): Readonly<Record<string, unknown>> | undefined => {
  if (!raw.startsWith('{')) return undefined;
  try {
    return JSON.parse(raw) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
};
