/** The kernel's own log as a place for what programs write: a ring, so it is bounded, and there before any disk. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';

export const kernelLogPath = '/dev/kmsg';
/** The kernel cuts records that are longer (`LOG_LINE_MAX`, printk_ringbuffer). */
const maxRecordBytes = 900;

/** @param path a device of which each write is a record */
export const kernelLog = (path = kernelLogPath): Writable => {
  const log = openSync(path, 'w');
  let rest = '';
  return new Writable({
    decodeStrings: false,
    write(chunk: Buffer | string, _, next) {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        try {
          // Without its end the kernel holds a record back until the next one comes: it might go on.
          writeSync(log, `${line.slice(0, maxRecordBytes)}\n`);
        } catch {
          // A log that takes no more ends nobody.
        }
      }
      next();
    },
    final(next) {
      closeSync(log);
      next();
    },
  });
};
