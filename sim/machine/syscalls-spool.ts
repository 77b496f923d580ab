/**
 * How recorded windows reach the hands of a simulated device: a folder of its machine, one file a recording. It takes
 * the place of a kernel that gives windows by itself.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { type CallWindow, type Signals, windowLimits } from '#hal/ports/signals';

const maxFileBytes = 64 * 1024;
const suffix = '.windows';

/** @param count the recordings of a folder are numbered by who offers them */
export const offerWindows = (directory: string, count: number, windows: readonly CallWindow[]): void => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, `${String(count).padStart(6, '0')}${suffix}`);
  // Whole at once: the hands may look at any moment.
  writeFileSync(`${path}.new`, encodeMessage('CallWindows', { windows: windows.slice(-windowLimits.held) }), { mode: 0o600 });
  renameSync(`${path}.new`, path);
};

export const spooledSignals = (directory: string): Signals => ({
  async take() {
    const windows: CallWindow[] = [];
    for (const name of namesIn(directory)) {
      const read = takeFile(join(directory, name));
      if (!read.ok) return read;
      windows.push(...read.value);
    }
    return ok(windows.slice(-windowLimits.held));
  },
});

const namesIn = (directory: string): readonly string[] => {
  const listed = attempt(
    () => readdirSync(directory),
    () => deny('unavailable', 'storage-failed'),
  );
  return listed.ok ? listed.value.filter((name) => name.endsWith(suffix)).sort() : [];
};

/** What cannot be read is gone with its file, so that one bad recording does not stop the next. */
const takeFile = (path: string): Result<readonly CallWindow[]> => {
  const bytes = attempt(
    () => {
      const read = readFileSync(path);
      rmSync(path);
      return new Uint8Array(read);
    },
    (cause) => deny('unavailable', 'storage-failed', cause),
  );
  if (!bytes.ok) return bytes;
  if (bytes.value.length > maxFileBytes) return deny('protocol', 'too-large', path);
  const decoded = decodeMessage('CallWindows', bytes.value);
  return decoded.ok ? ok(decoded.value.windows) : decoded;
};
