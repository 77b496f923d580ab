import { describe, expect, test } from 'vitest';
import { jsonLine, mergeLogs, showLine } from './log-lines.ts';

const line = (seconds: number, program: string, more: object) =>
  JSON.stringify({ level: 30, time: `2026-01-01T00:00:0${seconds}.000Z`, program: `enigm-${program}`, ...more });

describe('the logs of the programs', () => {
  const files = [
    { program: 'hald', text: `${line(1, 'hald', { event: 'program.ready' })}\n${line(3, 'hald', { event: 'power.reboot' })}\n` },
    {
      program: 'linkd',
      text: `${line(2, 'linkd', { event: 'socket.error', level: 40, cause: 'read ECONNRESET', attempt: 2 })}\nError: out\n{"half\n`,
    },
  ];

  test('are told in the order in which they were written; what is no log line keeps its place', () => {
    expect(mergeLogs(files).map(showLine)).toEqual([
      '2026-01-01T00:00:01.000Z hald    info  program.ready',
      '2026-01-01T00:00:02.000Z linkd   warn  socket.error cause="read ECONNRESET" attempt=2',
      '2026-01-01T00:00:02.000Z linkd         Error: out',
      '2026-01-01T00:00:02.000Z linkd         {"half',
      '2026-01-01T00:00:03.000Z hald    info  power.reboot',
    ]);
  });

  test('are one JSON object a line, as they were written', () => {
    const told = mergeLogs(files).map(jsonLine);
    expect(told[0]).toBe(line(1, 'hald', { event: 'program.ready' }));
    expect(told.map((text) => JSON.parse(text) as unknown)).toHaveLength(5);
    expect(told[2]).toBe('{"program":"linkd","text":"Error: out"}');
  });

  test('that hold nothing tell nothing', () => {
    expect(mergeLogs([{ program: 'hald', text: '' }])).toEqual([]);
  });
});
