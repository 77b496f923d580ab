/**
 * Obeys orders of an administration: suspend, and resume. They come by way of Command or in a file (SR-17), and are worth
 * the same. Each is newer than the one before, decided on like everything else, durable, and recorded.
 *
 * The emergency path asks none of this (SR-11).
 */
import { createHash } from 'node:crypto';
import type { Authorizer } from '#agents/mind/authorizer';
import type { MindParts } from '#agents/mind/parts';
import { toHex } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { codeOf, deny, type Fault, ok, type Result } from '#hal/core/result';
import type { OrderedState } from '#protos/gen/types';
import type { Lifecycle, LifecycleEvent } from './lifecycle.ts';
import { type OrderExpectation, openOrder } from './order.ts';
import { transition } from './transition.ts';

export interface OrderIntake {
  /**
   * The newest order may come again, and changes nothing then.
   * @returns the state that the device is in now; a fault of `openOrder`, `authorization/order-replayed`, that of a
   * denial, or of `transition`
   */
  obey(envelope: Uint8Array, source: string): Promise<Result<Lifecycle>>;
}

export type OrderParts = Pick<MindParts, 'clock' | 'crypto' | 'state' | 'audit' | 'watchers' | 'log'> &
  OrderExpectation & { readonly authorizer: Pick<Authorizer, 'authorize'> };

const eventOf: Readonly<Record<OrderedState, LifecycleEvent>> = { suspended: 'suspend', active: 'resume' };
/** A signature is as fresh as the moment it was verified in. */
const signatureAgeMs = 60_000;

export const orderIntake = (parts: OrderParts): OrderIntake => {
  const { clock, crypto, state, audit, watchers, log, authorizer } = parts;
  const turn = inTurn();

  const accept = (envelope: Uint8Array) => {
    const opened = openOrder(crypto, envelope, parts);
    if (!opened.ok) return opened;
    const { lifecycle, orderCounter = 0 } = state.current();
    const { counter, state: wanted } = opened.value;
    const isAgain = counter === orderCounter && wanted === lifecycle;
    return counter > orderCounter || isAgain
      ? opened
      : deny('authorization', 'order-replayed', `${counter} after ${orderCounter}`);
  };

  const mayChange = async (signer: Uint8Array, source: string): Promise<Fault | undefined> => {
    const { decision } = await authorizer.authorize({ action: 'change-lifecycle', resource: 'device' }, source, {
      value: { subject: toHex(signer), assurance: 'administrator' },
      source: 'order-signatures',
      measuredBootMs: clock.bootMs(),
      maxAgeMs: signatureAgeMs,
      isVerified: true,
    });
    return decision.isAllowed ? undefined : (decision.fault ?? { category: 'authorization', reason: 'not-permitted' });
  };

  const obey = async (envelope: Uint8Array, source: string): Promise<Result<Lifecycle>> => {
    const accepted = accept(envelope);
    const changeReference = createHash('sha256').update(envelope).digest();
    await write({
      ...{ event: 'verify.order', source, changeReference },
      ...(accepted.ok ? { outcome: 'done' } : { outcome: 'denied', fault: accepted.fault }),
    });
    if (!accepted.ok) return accepted;
    const { state: wanted, counter, signer } = accepted.value;
    const { lifecycle, orderCounter } = state.current();
    if (lifecycle === wanted) {
      const kept = counter === orderCounter ? ok(undefined) : state.update({ orderCounter: counter });
      return kept.ok ? ok(lifecycle) : kept;
    }
    const event = eventOf[wanted];
    const change = {
      event: 'admin.lifecycle',
      action: event,
      resource: 'device',
      actor: signer,
      changeReference,
      source,
    } as const;
    const fault = await mayChange(signer, source);
    if (fault !== undefined) {
      await write({ ...change, outcome: 'denied', fault });
      return { ok: false, fault };
    }
    const changed = await transition(parts, event, { orderCounter: counter });
    await write(changed.ok ? { ...change, outcome: 'done' } : { ...change, outcome: 'failed', fault: changed.fault });
    watchers.notify();
    return changed;
  };

  /** Losing the log degrades the device; suspending is never denied for that (SR-14). */
  const write = async (entry: Parameters<typeof audit.record>[0]): Promise<void> => {
    const recorded = await audit.record(entry);
    if (!recorded.ok) log.warn('audit.unwritten', { code: codeOf(recorded.fault) });
  };

  return { obey: (envelope, source) => turn(() => obey(envelope, source)) };
};
