/**
 * What the mind remembers over restarts: its place in the life of the device, its enrolment, the newest signed time,
 * how far each session's statements and the orders of an administration have come.
 *
 * Limit: the store is durable and atomic, but not bound to the TPM; who writes the disk while the device is off can put
 * back an older one. The verifier, the audit anchor and expiry are what stands against that.
 */
import { fromHex, toHex, utf8 } from '#hal/core/bytes';
import { decodeJson, integer, list, object, oneOf, optional, text } from '#hal/core/config';
import { ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Lifecycle } from './lifecycle.ts';

export interface DeviceState {
  readonly lifecycle: Lifecycle;
  /** The name the verifier gave us: 16 bytes. */
  readonly device?: Uint8Array;
  /** Epoch of the attestation key that the verifier knows us by; the first where nothing is said. */
  readonly enrolledEpoch?: number;
  /** Epoch of the handles; a new one makes new pseudonyms everywhere. */
  readonly handleEpoch: number;
  /** Newest signed time that was believed. */
  readonly lastSignedMs?: number;
  /** Boot that the mind last ran in, in hex. */
  readonly lastBootId?: string;
  /** Counter of the newest order of an administration that was obeyed. */
  readonly orderCounter?: number;
  /** Highest sequence seen of each session. */
  readonly sessions: readonly SessionMark[];
}

/** What the state may be without. */
export type Forgettable = 'device' | 'lastSignedMs' | 'lastBootId';

export interface SessionMark {
  /** Session id in hex. */
  readonly session: string;
  readonly sequence: number;
}

/** Sessions remembered; the oldest is forgotten first, and is long expired by then. */
const maxSessions = 64;

export interface StateKeeper {
  current(): DeviceState;
  /**
   * Durable before it returns.
   * @param forget what is no longer known
   */
  update(change: Partial<DeviceState>, forget?: readonly Forgettable[]): Result<void>;
}

const key = 'state';
const initial: DeviceState = { lifecycle: 'unenrolled', handleEpoch: 1, sessions: [] };
const hex16 = text(/^[0-9a-f]{32}$/, '32 lower-case hexadecimal digits');
const number = integer(0, Number.MAX_SAFE_INTEGER);

const decodeState = object({
  lifecycle: oneOf('unenrolled', 'enrolling', 'active', 'suspended', 'replaced', 'revoked', 'retired', 'wiped'),
  device: optional(hex16),
  enrolledEpoch: optional(integer(1, 2 ** 31)),
  handleEpoch: integer(1, 2 ** 31),
  lastSignedMs: optional(number),
  lastBootId: optional(hex16),
  orderCounter: optional(number),
  sessions: list(object({ session: hex16, sequence: number }), maxSessions),
});

/** @returns the keeper, or why the stored state cannot be used: never a silent new start */
export const openState = (store: DurableStore): Result<StateKeeper> => {
  const read = store.get(key);
  if (!read.ok) return read;
  let state = initial;
  if (read.value !== undefined) {
    const decoded = decodeJson(Buffer.from(read.value).toString('utf8'), decodeState);
    if (!decoded.ok) return decoded;
    const { device, enrolledEpoch, lastSignedMs, lastBootId, orderCounter, ...rest } = decoded.value;
    state = {
      ...rest,
      ...(device === undefined ? {} : { device: fromHex(device) ?? new Uint8Array() }),
      ...(enrolledEpoch === undefined ? {} : { enrolledEpoch }),
      ...(lastSignedMs === undefined ? {} : { lastSignedMs }),
      ...(lastBootId === undefined ? {} : { lastBootId }),
      ...(orderCounter === undefined ? {} : { orderCounter }),
    };
  }
  return ok({
    current: () => state,
    update(change, forget = []) {
      const kept = Object.fromEntries(Object.entries(state).filter(([name]) => !(forget as readonly string[]).includes(name)));
      const next = {
        ...(kept as unknown as DeviceState),
        ...change,
        sessions: (change.sessions ?? state.sessions).slice(-maxSessions),
      };
      const { device, ...rest } = next;
      const written = store.put(key, utf8(JSON.stringify(device === undefined ? rest : { ...rest, device: toHex(device) })));
      if (written.ok) state = next;
      return written;
    },
  });
};
