import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { announce, findRunning, type Running, startedTicksOf, withdraw } from './running.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'enigm-running-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const here = (): Running => ({
  command: 'up',
  processId: process.pid,
  startedTicks: startedTicksOf(process.pid) ?? '',
  kind: 'embedded',
  directory: join(directory, 'device-1'),
  runDirectory: '/tmp/enigm-0',
  isReady: true,
});

describe('the record of a simulator that runs', () => {
  test('is found while its process lives, and not after it was withdrawn', () => {
    expect(findRunning(directory)).toEqual({ state: 'none' });
    announce(directory, here());
    expect(findRunning(directory)).toEqual({ state: 'running', running: here() });
    withdraw(directory);
    withdraw(directory);
    expect(findRunning(directory)).toEqual({ state: 'none' });
  });

  test('is for its owner alone, and no other file stays', () => {
    announce(directory, { ...here(), isReady: false });
    announce(directory, here());
    expect(readdirSync(directory)).toEqual(['simulator.json']);
    expect(statSync(join(directory, 'simulator.json')).mode & 0o777).toBe(0o600);
  });

  test('is what a killed simulator left, once its process is gone', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const running = { ...here(), processId: child.pid ?? 0, startedTicks: startedTicksOf(child.pid ?? 0) ?? '' };
    announce(directory, running);
    expect(findRunning(directory).state).toBe('running');
    child.kill('SIGKILL');
    await once(child, 'close');
    expect(findRunning(directory)).toEqual({ state: 'left', running });
  });

  test('is not that of another process that got the same number later', () => {
    announce(directory, { ...here(), startedTicks: '1' });
    expect(findRunning(directory).state).toBe('left');
  });

  test.each(['', '{', 'null', '[]', '{"processId":"1"}', '{"processId":1.5,"startedTicks":"1","runDirectory":"/"}'])(
    'is none where the file holds %j',
    (text) => {
      writeFileSync(join(directory, 'simulator.json'), text);
      expect(findRunning(directory)).toEqual({ state: 'none' });
    },
  );
});
