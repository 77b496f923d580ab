import type { Log, LogFields } from '#hal/ports/log';

export interface MemoryLog extends Log {
  readonly entries: readonly { readonly level: 'info' | 'warn' | 'error'; readonly event: string; readonly fields: LogFields }[];
}

/** Keeps what was logged, for tests. */
export const memoryLog = (): MemoryLog => {
  const entries: { level: 'info' | 'warn' | 'error'; event: string; fields: LogFields }[] = [];
  const at =
    (level: 'info' | 'warn' | 'error') =>
    (event: string, fields: LogFields = {}) =>
      void entries.push({ level, event, fields });
  return { entries, info: at('info'), warn: at('warn'), error: at('error') };
};
