import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linuxClock } from '#hal/linux/clock';
import { type Moment, positions } from './moments.ts';
import { watchMedia } from './watch.ts';
import type { LoggedWrite } from './write-log.ts';

/** Each of ten bytes. */
const log = (entries: number): readonly LoggedWrite[] =>
  Array.from({ length: entries }, (_, index) => ({
    ...{ sector: index, sectors: 1, isFlush: false, dataSector: index, endBytes: 10 * (index + 1) },
  }));
const logs = { disk: log(20), variables: log(20) };
const found = (...moments: readonly (readonly [number, number, number])[]) =>
  positions(
    moments.map(([disk, variables, tpm]) => ({ disk, variables, tpm })),
    logs,
  ).map(({ disk, variables, tpm }) => `${disk} ${variables} ${tpm}`);

describe('the states that were there', () => {
  test('are all between two looks, where one medium alone was written', () => {
    expect(found([10, 0, 0], [40, 0, 0])).toEqual(['2 0 0', '3 0 0', '4 0 0']);
    expect(found([10, 0, 0], [10, 30, 0])).toEqual(['1 1 0', '1 2 0', '1 3 0']);
  });

  test('are the looks alone, where nobody knows what came first', () => {
    expect(found([10, 0, 0], [40, 30, 0])).toEqual(['4 3 0']);
    expect(found([10, 0, 0], [40, 0, 1])).toEqual(['4 0 1']);
    expect(found([10, 0, 0])).toEqual([]);
  });

  test('have no entry that was being written', () => {
    expect(found([10, 0, 0], [39, 0, 0])).toEqual(['2 0 0', '3 0 0']);
  });

  test('come from looks as they are made of any history, and each of them was there', () => {
    const step = fc.constantFrom('disk' as const, 'variables' as const, 'tpm' as const, 'look' as const);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let now = { disk: 0, variables: 0, tpm: 0 };
        const there = new Set<string>();
        const moments: Moment[] = [];
        for (const one of steps) {
          if (one === 'look') moments.push({ ...now, disk: now.disk * 10, variables: now.variables * 10 });
          else now = { ...now, [one]: Math.min(20, now[one] + 1) };
          there.add(JSON.stringify(now));
        }
        for (const position of positions(moments, logs)) expect(there).toContain(JSON.stringify(position));
      }),
    );
  });
});

test('media are looked at until somebody ends it, and each state of the TPM is kept', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'enigm-watch-'));
  const place = (name: string) => join(folder, name);
  const clock = linuxClock();
  try {
    mkdirSync(place('tpm'));
    for (const name of ['disk.log', 'variables.log']) writeFileSync(place(name), '');
    writeFileSync(place('tpm/tpm2-00.permall'), 'first');
    const watch = watchMedia({
      ...{ logs: { disk: place('disk.log'), variables: place('variables.log') }, tpm: place('tpm'), kept: place('kept'), clock },
    });
    const until = async (count: number) => {
      while (watch.count() < count) await clock.sleep(1, new AbortController().signal);
    };
    await until(1);
    appendFileSync(place('disk.log'), 'ten bytes.');
    await until(2);
    writeFileSync(place('next'), 'second');
    renameSync(place('next'), place('tpm/tpm2-00.permall'));
    await until(3);
    appendFileSync(place('variables.log'), 'five.');
    expect(await watch.end()).toEqual([
      { disk: 0, variables: 0, tpm: 0 },
      { disk: 10, variables: 0, tpm: 0 },
      { disk: 10, variables: 0, tpm: 1 },
      { disk: 10, variables: 5, tpm: 1 },
    ]);
    expect([0, 1].map((state) => readFileSync(place(`kept/${state}/tpm2-00.permall`), 'utf8'))).toEqual(['first', 'second']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
