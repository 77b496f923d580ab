/** One install on a machine of the fixture, and what was asked for and made on the way. */
import { codeOf, type Result } from '#hal/core/result';
import type { SlotDevice } from '#hal/ports/slots';
import type { FetchRange } from './fetch.ts';
import { type InstallProgress, install } from './install.ts';
import type { MemoryMachine } from './machine.fixture.ts';
import { clock, newRelease, oldRelease, type TestRelease } from './releases.fixture.ts';
import { runningImage } from './update.fixture.ts';

export const never = new AbortController().signal;
export const refusal = (result: Result<unknown>): string => (result.ok ? 'accepted' : codeOf(result.fault));

export interface RunOptions {
  readonly mirrors?: readonly FetchRange[];
  readonly release?: TestRelease;
  /** False: this device does not know what it runs. */
  readonly knowsBase?: boolean;
  readonly source?: (machine: MemoryMachine) => Pick<SlotDevice, 'sizeBytes' | 'read'>;
}

/** An install, with the last progress and the bytes asked for by path. */
export const run = async (
  machine: MemoryMachine,
  { mirrors, release = newRelease, knowsBase = true, source }: RunOptions = {},
) => {
  let last: InstallProgress | undefined;
  const asked: string[] = [];
  const image = { ...runningImage(machine, oldRelease), ...(source === undefined ? {} : { device: source(machine) }) };
  const parts = {
    mirrors: (mirrors ?? [release.fetch]).map<FetchRange>((mirror) => (path, offset, length, signal) => {
      asked.push(path.slice(path.indexOf('/') + 1));
      return mirror(path, offset, length, signal);
    }),
    installer: machine.hands.installer,
    clock,
    ...(knowsBase ? { running: image } : {}),
    onProgress: (progress: InstallProgress) => {
      last = progress;
    },
  };
  const result = await install(release.order, release.files, parts, never);
  return { result, code: refusal(result), made: last?.made, fetchedBytes: last?.fetchedBytes ?? 0, asked };
};
