import { type Logger, pino } from 'pino';
import type { Log } from '#hal/ports/log';

/** One JSON line an event on standard error; standard output belongs to data. */
export const pinoLog = (program: string): Log => {
  const logger: Logger = pino(
    { base: { program }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
  return {
    info: (event, fields = {}) => logger.info({ ...fields, event }),
    warn: (event, fields = {}) => logger.warn({ ...fields, event }),
    error: (event, fields = {}) => logger.error({ ...fields, event }),
  };
};
