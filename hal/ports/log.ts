/**
 * The local log: one event name `agent.event` and typed fields. Handles instead of identities; never payloads,
 * never protected content, never a key.
 */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | null>>;
