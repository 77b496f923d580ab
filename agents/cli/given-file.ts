/** A file that somebody named on the command line. */
import { readFileSync } from 'node:fs';
import { attempt, deny, type Result } from '#hal/core/result';

/** @returns its bytes, or `protocol/file-unreadable` */
export const readGiven = (file: string): Result<Uint8Array> =>
  attempt(
    () => new Uint8Array(readFileSync(file)),
    (cause) => deny('protocol', 'file-unreadable', cause),
  );
