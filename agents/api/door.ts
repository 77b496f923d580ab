/** The mind's door: messages in, the mind's parts asked, messages out. No handler answers with more than its message. */

import { type Attestor, isForgotten, outcomeOf } from '#agents/attest/attestor';
import type { Decision as Decided } from '#agents/decision/decide';
import type { Facts } from '#agents/decision/facts';
import type { Defense } from '#agents/defense/defense';
import { outcomeEntry } from '#agents/defense/intake';
import type { KeyCustody } from '#agents/keys/custody';
import type { OrderIntake } from '#agents/management/order-intake';
import type { Authorizer, Effect } from '#agents/mind/authorizer';
import type { MindParts } from '#agents/mind/parts';
import type { PostureKeeper } from '#agents/mind/posture-keeper';
import { ownParty } from '#agents/mind/trust';
import type { PolicyManager } from '#agents/policy/manager';
import type { Presenter } from '#agents/session/presenter';
import { type CarriedReads, carriedReads } from '#agents/update/carried-reads';
import type { Updater } from '#agents/update/updater';
import { codeOf, deny, ok, type Result } from '#hal/core/result';
import { type Rate, tokenBucket } from '#hal/core/token-bucket';
import { otherSlot } from '#hal/ports/slots';
import type { Handlers } from '#hal/remote/methods';
import type { Decision, DeviceStatus, ManagedList } from '#protos/gen/types';
import type { ApiMethods, FeedMethods } from './methods.ts';

export interface DoorParts extends MindParts {
  readonly attestor: Attestor;
  readonly authorizer: Authorizer;
  readonly posture: PostureKeeper;
  readonly presenter: Presenter;
  readonly defense: Defense;
  readonly custody: KeyCustody;
  readonly orders: OrderIntake;
  /** Absent where the device belongs to no fleet. */
  readonly manager?: PolicyManager;
  readonly updater?: Updater;
}

/** Largest page of audit records in one answer. */
const maxListed = 256;
const source = 'api';
/** Each costs a quote, two records and a turn at the verifier: apps must not crowd out what the device itself asks for. */
const attestationRate: Rate = { burst: 32, perSecond: 0.2 };
/** Each asks a far end and may leave several records of the device itself. */
const errandRate: Rate = { burst: 32, perSecond: 1 / 60 };

export const feedDoor = (parts: MindParts & { readonly posture: PostureKeeper }): Handlers<FeedMethods> => ({
  'device.status': async () => ok(statusOf(parts)),
  'posture.read': async () => ok(await parts.posture.refresh()),
  'posture.watch': async function* (_, signal) {
    while (!signal.aborted) {
      yield ok(parts.trust.posture() ?? (await parts.posture.refresh()));
      await parts.watchers.changed(signal);
    }
  },
});

export const apiDoor = (parts: DoorParts): Handlers<ApiMethods> => {
  const { attestor, authorizer, presenter, defense, custody, orders, audit, clock, hands, state, trust } = parts;
  const attestations = tokenBucket(clock, attestationRate);
  const errands = tokenBucket(clock, errandRate);
  let carried: CarriedReads | undefined;
  const errand = async <T>(run: () => Promise<Result<T>>): Promise<Result<T>> =>
    errands.take() ? run() : deny('resource', 'rate-limited', 'errands asked for by apps');
  const performed = async (effect: Effect): Promise<Result<Decision>> => {
    const done = await authorizer.perform(effect, source);
    return done.ok ? decisionMessage(done.value.decision, done.value.facts, clock.bootMs()) : done;
  };
  return {
    ...feedDoor(parts),
    'device.enrol': async () => {
      const enrolled = await errand(() => attestor.enrol());
      return enrolled.ok ? outcomeOf(enrolled.value) : enrolled;
    },
    'device.attest': async ({ relyingParty }) => {
      if (!attestations.take()) return deny('resource', 'rate-limited', 'attestations asked for by apps');
      const attested = await attestor.attest(relyingParty, undefined, source);
      return attested.ok ? outcomeOf(attested.value) : attested;
    },
    'device.order': async ({ envelope }) => {
      const obeyed = await orders.obey(envelope, source);
      return obeyed.ok ? ok({ lifecycle: obeyed.value }) : obeyed;
    },
    'device.reboot': ({ cause }) => {
      const call = hands.effectors.reboot(cause);
      return performed({ action: 'reboot-device', resource: 'device', event: 'admin.reboot', call });
    },
    'decision.authorize': async (request) => {
      const { decision, facts } = await authorizer.authorize(request, source);
      return decisionMessage(decision, facts, clock.bootMs());
    },
    'session.present': async ({ payloadType, envelope }) => {
      const presented = await presenter.present(payloadType, envelope, source);
      return presented.ok ? ok({ kind: presented.value.kind, expiresMs: Math.floor(presented.value.expiresMs) }) : presented;
    },
    'handles.list': async () => {
      const epoch = state.current().handleEpoch;
      const entries = [...trust.results()].map(([relyingParty, { result }]) => ({
        relyingParty,
        epoch: result.epoch,
        handle: result.handle,
        isBound: result.epoch === epoch,
      }));
      return ok({ entries });
    },
    'audit.status': async () => {
      const { state: auditState, fault, size, root, checkpoint } = audit.status();
      if (checkpoint === undefined) return deny('integrity', 'audit-degraded', 'no checkpoint yet');
      return ok({
        state: auditState,
        size,
        root,
        checkpoint,
        key: audit.keys,
        ...(fault === undefined ? {} : { code: codeOf(fault) }),
      });
    },
    'audit.list': async ({ fromIndex, count }) => {
      return ok({ size: audit.status().size, entries: audit.list(fromIndex, Math.min(count, maxListed)) });
    },
    'audit.prove': async ({ index }) => {
      const proof = await audit.prove(index);
      return proof.ok ? ok({ ...proof.value, key: audit.keys }) : proof;
    },
    'keys.list': () => custody.list(),
    'keys.rotate': ({ keyClass }) => custody.rotate(keyClass, source),
    'keys.revoke': (request) => custody.revoke(request, source),
    'apps.start': (request) => {
      const call = hands.effectors.startApp(request);
      return performed({ action: 'start-app', resource: 'apps', event: 'authz.start', call });
    },
    'update.status': async () => {
      const slots = await hands.updates.status();
      if (!slots.ok) return slots;
      const progress = parts.updater?.progress();
      const { running } = slots.value;
      return ok({
        slots: slots.value,
        ...(progress === undefined
          ? {}
          : { progress: { slot: otherSlot(running), writtenSegments: progress.segment, segments: progress.segments } }),
      });
    },
    'update.check': async (_, signal) => {
      if (parts.updater === undefined) return noFleet;
      const { updater } = parts;
      const offered = await errand(() => updater.check(signal));
      if (!offered.ok) return offered;
      return ok(offered.value === undefined ? {} : { release: offered.value.statement.release });
    },
    'update.install': async ({ isRepair, isForced, isCarried = false }, signal) => {
      if (parts.updater === undefined) return noFleet;
      if (isCarried && carried !== undefined) return deny('resource', 'update-busy', 'something is being carried');
      const { updater } = parts;
      const from = isCarried ? carriedReads(clock) : undefined;
      carried = from ?? carried;
      const wanted = isRepair ? 'repair' : 'update';
      try {
        const installed = await errand(() => updater.install(wanted, isForced, signal, from?.read));
        return installed.ok ? ok({ outcome: installed.value }) : installed;
      } finally {
        if (from !== undefined) carried = undefined;
        from?.end();
      }
    },
    'update.carry': async ({ part }, signal) => {
      const want = await carried?.turn(part, signal);
      return ok(want === undefined ? {} : { want });
    },
    'update.confirm': async (_, signal) => {
      if (parts.updater === undefined) return noFleet;
      const { updater } = parts;
      const confirmed = await errand(() => updater.confirm(signal));
      return confirmed.ok ? ok({}) : confirmed;
    },
    'update.rollBack': async () => {
      if (parts.updater === undefined) return noFleet;
      const { updater } = parts;
      const back = await errand(() => updater.rollBack());
      return back.ok ? ok({ outcome: back.value }) : back;
    },
    'managed.status': () => managedOf(parts),
    'managed.update': async (_, signal) => {
      if (parts.manager === undefined) return noFleet;
      const { manager } = parts;
      const updated = await errand(() => manager.update(signal));
      return updated.ok ? managedOf(parts) : updated;
    },
    'managed.import': async ({ files }, signal) => {
      if (parts.manager === undefined) return noFleet;
      const { manager } = parts;
      const updated = await errand(() => manager.updateFrom(new Map(files.map(({ path, bytes }) => [path, bytes])), signal));
      return updated.ok ? managedOf(parts) : updated;
    },
    'defense.status': async () => ok(await defense.status()),
    'intelligence.present': async ({ envelope }) => {
      const presented = await defense.outcomes.present(envelope, source);
      return presented.ok ? ok(outcomeEntry(presented.value)) : presented;
    },
  };
};

const noFleet = deny('unavailable', 'not-supported', 'this device belongs to no fleet');

/** What is in force, read now. What the machine does not have is absent. */
const managedOf = async ({ manager, hands }: DoorParts): Promise<Result<ManagedList>> => {
  const [states, network, switches, apps] = await Promise.all([
    manager?.states() ?? [],
    hands.network.read(),
    hands.switches.read(),
    hands.apps.read(),
  ]);
  return ok({
    states,
    ...(network.ok && network.value !== undefined ? { network: network.value } : {}),
    switches: switches.ok ? [...switches.value].map(([name, isOn]) => ({ name, isOn })) : [],
    ...(apps.ok ? { apps: apps.value } : {}),
  });
};

const statusOf = ({ state, trust, audit, clock }: MindParts): DeviceStatus => {
  const { lifecycle } = state.current();
  const posture = trust.posture();
  const own = trust.result(ownParty);
  const { state: auditState, size } = audit.status();
  return {
    lifecycle,
    level: posture?.level ?? 'none',
    headline: posture?.headline ?? 'at-risk',
    nextStep: isForgotten({ state, trust }) ? 'enrol' : nextStepOf(lifecycle, posture?.headline, own !== undefined),
    auditSize: size,
    auditState,
    ...(own === undefined ? {} : { attestedAgeMs: Math.max(0, Math.floor(clock.bootMs() - own.atBootMs)) }),
  };
};

/** One slug of the catalogue: what a person would do next. */
const nextStepOf = (lifecycle: string, headline: string | undefined, isAttested: boolean): string => {
  if (lifecycle === 'unenrolled' || lifecycle === 'enrolling') return 'enrol';
  if (lifecycle !== 'active') return 'ask-administrator';
  if (!isAttested) return 'attest';
  return headline === 'as-expected' ? 'nothing' : 'read-posture';
};

/** A denial says its code and nothing more: which later check would have failed too is nobody's business outside. */
const decisionMessage = (decision: Decided, facts: Facts, nowBootMs: number): Result<Decision> =>
  decision.isAllowed
    ? ok({
        isAllowed: true,
        code: '',
        reasons: decision.rules,
        obligations: decision.obligations,
        facts: decision.established.map((name) => ({
          name: name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
          ageMs: Math.max(0, Math.floor(nowBootMs - (facts[name]?.measuredBootMs ?? 0))),
        })),
      })
    : ok({
        isAllowed: false,
        code: decision.fault === undefined ? 'authorization/not-permitted' : codeOf(decision.fault),
        reasons: [],
        obligations: [],
        facts: [],
      });
