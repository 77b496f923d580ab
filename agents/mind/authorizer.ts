/** Deciding, and what every decision leaves behind: an audit record, and for an effector a permit. */
import { createHash } from 'node:crypto';
import type { AuditEntry, AuditReceipt } from '#agents/audit/entry';
import type { AuditEvent } from '#agents/audit/events';
import { actions, resources } from '#agents/decision/actions';
import { type Decision, type DecisionRequest, decide } from '#agents/decision/decide';
import type { Actor, Fact, Facts } from '#agents/decision/facts';
import { fromHex } from '#hal/core/bytes';
import { codeOf, type Result } from '#hal/core/result';
import { leafHash } from '#hal/crypto/merkle';
import type { PermittedCall } from '#hal/remote/hands-client';
import type { MindParts } from './parts.ts';
import type { PostureKeeper } from './posture-keeper.ts';

export interface Authorizer {
  /** @param actor in place of the person at the device */
  authorize(
    request: { readonly action: string; readonly resource: string },
    source: string,
    actor?: Fact<Actor>,
  ): Promise<Authorized>;
  /** Decides, and on an allow lets the hands do it under a permit for exactly this call. */
  perform(effect: Effect, source: string): Promise<Result<Authorized>>;
}

export interface Effect {
  readonly action: string;
  readonly resource: string;
  /** How the administrative record is called. */
  readonly event: AuditEvent;
  readonly call: PermittedCall;
  /** Who wants it, where it is not the person at the device: whoever signed exactly this. */
  readonly actor?: Fact<Actor>;
}

export interface Authorized {
  readonly decision: Decision;
  readonly facts: Facts;
  readonly receipt: Result<AuditReceipt>;
}

/** A decision looks at a posture no older than this; an older one is measured anew first. */
const measureAfterMs = 5_000;

type Parts = Pick<MindParts, 'clock' | 'engine' | 'audit' | 'state' | 'trust' | 'time' | 'life' | 'log'>;

export const authorizer = (parts: Parts, posture: PostureKeeper): Authorizer => {
  const { clock, engine, audit, state, trust, time, life, log } = parts;

  const present = async (): Promise<Facts> => {
    const known = () => {
      const { lifecycle, device } = state.current();
      return trust.facts({
        audit: audit.status().state,
        lifecycle,
        isTimeKnown: time.nowMs() !== undefined,
        isEnrolled: device !== undefined,
      });
    };
    const measuredBootMs = known().posture?.measuredBootMs;
    if (measuredBootMs === undefined || trust.isPostureOutdated() || clock.bootMs() - measuredBootMs > measureAfterMs)
      await posture.refresh();
    return known();
  };

  /** A log that takes no record degrades the device; it does not stop what is not destructive (SR-14). */
  const write = async (entry: AuditEntry): Promise<void> => {
    const recorded = await audit.record(entry);
    if (!recorded.ok) log.warn('audit.unwritten', { code: codeOf(recorded.fault) });
  };

  const authorize: Authorizer['authorize'] = async (request, source, signer) => {
    const known = await present();
    const facts = signer === undefined ? known : { ...known, actor: signer };
    const decision = decide(engine, request, facts, clock.bootMs());
    const actor = facts.actor === undefined ? undefined : fromHex(facts.actor.value.subject);
    const handle = facts.handle === undefined ? undefined : fromHex(facts.handle.value.handle);
    const receipt = await audit.record({
      event: 'authz.decision',
      outcome: decision.isAllowed ? 'allowed' : 'denied',
      ...knownWords(request),
      source,
      ...(decision.fault === undefined ? {} : { fault: decision.fault }),
      ...(actor === undefined ? {} : { actor }),
      ...(handle === undefined ? {} : { handle }),
    });
    // What a person may do is written down first (SR-14): who asks for more than the log takes is refused, and not forgotten.
    const isFlood = decision.isAllowed && signer === undefined && !receipt.ok && receipt.fault.reason === 'rate-limited';
    return { decision: isFlood ? { ...decision, isAllowed: false, fault: receipt.fault } : decision, facts, receipt };
  };

  return {
    authorize,
    async perform({ action, resource, event, call, actor: signer }, source) {
      const authorized = await authorize({ action, resource }, source, signer);
      if (!authorized.decision.isAllowed) return { ok: true, value: authorized };
      // A log that is full or gone does not stop what is not destructive (SR-14); the permit then names no leaf.
      const leaf = authorized.receipt.ok ? authorized.receipt.value.leaf : leafHash(new Uint8Array());
      const actor = fromHex(authorized.facts.actor?.value.subject ?? '');
      const change = {
        event,
        action,
        resource,
        source,
        changeReference: createHash('sha256').update(call.arguments).digest(),
        ...(actor?.length === 16 ? { actor } : {}),
      };
      await write({ ...change, outcome: 'allowed' });
      const permit = await life.mint(call, leaf);
      const ran = permit.ok ? await call.run(permit.value) : permit;
      await write(ran.ok ? { ...change, outcome: 'done' } : { ...change, outcome: 'failed', fault: ran.fault });
      return ran.ok ? { ok: true, value: authorized } : ran;
    },
  };
};

/** Words that this device does not decide on are an app's own: they are denied, and never written down. */
const knownWords = ({ action, resource }: DecisionRequest): Pick<AuditEntry, 'action' | 'resource'> => ({
  ...(Object.hasOwn(actions, action) ? { action } : {}),
  ...((resources as readonly string[]).includes(resource) ? { resource } : {}),
});
