/** For tests: the command line as a function, and a device to talk to that answers what a test wants. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiMethods, apiMethods } from '#agents/api/methods';
import { socketPath } from '#agents/programs/layout';
import { deny, unwrap } from '#hal/core/result';
import { memoryLog } from '#hal/memory/log';
import { dispatcher } from '#hal/remote/dispatcher';
import { lateDoor } from '#hal/remote/late-door';
import type { Handlers } from '#hal/remote/methods';
import { serveSocket } from '#hal/remote/socket-server';
import { enigmctl } from './enigmctl.ts';

export interface Asked {
  readonly code: number;
  /** Data. */
  readonly out: string;
  /** Everything else. */
  readonly error: string;
}

export const ask = async (...words: readonly string[]): Promise<Asked> => {
  let out = '';
  let error = '';
  const code = await enigmctl(words, {
    out: (text) => {
      out += text;
    },
    error: (text) => {
      error += text;
    },
  });
  return { code, out, error };
};

/** The one JSON object that a command printed. */
export const askJson = async (...words: readonly string[]): Promise<{ readonly code: number; readonly json: unknown }> => {
  const { code, out } = await ask('--json', ...words);
  if (!out.endsWith('\n') || out.trimEnd().includes('\n')) throw new Error(`not one line: ${out}`);
  return { code, json: JSON.parse(out) };
};

export interface TestDevice extends AsyncDisposable {
  /** For `--run`, and for files of the test. */
  readonly directory: string;
}

/** A directory in which no device runs. */
export const noDevice = (): TestDevice => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-cli-'));
  return {
    directory,
    async [Symbol.asyncDispose]() {
      rmSync(directory, { recursive: true });
    },
  };
};

/** @param handlers what is answered; every other method refuses */
export const serveDevice = async (handlers: Partial<Handlers<ApiMethods>>): Promise<TestDevice> => {
  const device = noDevice();
  const nothing = lateDoor(apiMethods, () => deny('unavailable', 'not-supported'));
  const door = dispatcher(apiMethods, { ...nothing, ...handlers });
  const server = unwrap(await serveSocket(door, { path: socketPath(device.directory, 'api'), log: memoryLog() }));
  return {
    directory: device.directory,
    async [Symbol.asyncDispose]() {
      await server.close();
      await device[Symbol.asyncDispose]();
    },
  };
};
