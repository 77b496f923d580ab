/**
 * An update from the offer to the trial, and the trial to its end. What is trusted is the statement of the release and
 * its pins; who asked, the network and the director can only make it happen later or not at all.
 */
import { createHash } from 'node:crypto';
import type { AuditLog } from '#agents/audit/log';
import type { Actor, Fact } from '#agents/decision/facts';
import type { Authorizer } from '#agents/mind/authorizer';
import type { ReadRange } from '#agents/mind/far-ends';
import { concat, toHex } from '#hal/core/bytes';
import { codeOf, deny, done, type Fault, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import { otherSlot } from '#hal/ports/slots';
import type { PermittedCall, RemoteHands } from '#hal/remote/hands-client';
import { type HealthCheck, readHealth, runTrial, type TrialOutcome } from '#ota-client/apply/health';
import { type InstallProgress, install } from '#ota-client/apply/install';
import type { RunningImage } from '#ota-client/apply/tiers';
import { segmentBytes, segmentCount, segmentLength } from '#ota-client/payload/limits';
import { encodeIndex, sha256 } from '#ota-client/payload/segment-index';
import { planFloor } from '#ota-client/plan/floor';
import { planUpdate } from '#ota-client/plan/update';
import type { ReleaseFacts } from '#ota-client/slots/ledger';
import type { SlotsView } from '#ota-client/slots/view';
import type { Installed } from '#ota-client/trust/release';
import type { ManagedState } from '#protos/gen/types';
import { readGates } from './gates.ts';
import type { GrantUse } from './grant-uses.ts';
import type { LoggedOffer } from './logged.ts';
import type { Offers } from './offers.ts';
import {
  type Perform,
  readSituation,
  remoteInstaller,
  remoteRunningImage,
  remoteSwitch,
  type SlotsSituation,
} from './remote-installer.ts';

export interface Updater {
  /** @returns what the director offers now; undefined where there is nothing to do */
  check(signal: AbortSignal): Promise<Result<LoggedOffer | undefined>>;
  /**
   * Fetches, writes, proves and arms; goes on where an earlier call was cut.
   * @param wanted `repair` needs no verifier, no director and no clock (SR-12)
   * @param carried where its bytes come from, if not from the repository that the mouth reaches
   * @returns what came of it
   */
  install(
    wanted: 'update' | 'repair',
    isForced: boolean,
    signal: AbortSignal,
    carried?: ReadRange,
  ): Promise<Result<InstallOutcome>>;
  /** The health gate of a trial boot, to its end; nothing for a committed slot. */
  endTrial(signal: AbortSignal): Promise<Result<TrialOutcome>>;
  /**
   * A person keeps the release on trial now, without waiting for checks that may be done without. What must pass must pass.
   * @returns nothing, `policy/no-trial`, `policy/health-missing` naming the check in its detail, or why the person may not
   */
  confirm(signal: AbortSignal): Promise<Result<void>>;
  /**
   * A person goes back to what ran before: out of a trial at once, else on a trial of its own at the next start.
   * @returns which of the two; `policy/no-fallback`, `integrity/below-floor`, `unavailable/statement-missing`, or why the
   *   person may not
   */
  rollBack(): Promise<Result<RollBackOutcome>>;
  /**
   * To the floor of the release that runs committed, where both slots stand on it (SR-08); the hands see to the soak.
   * @returns whether it rose; or why not
   */
  raiseFloor(): Promise<Result<boolean>>;
  situation(): Promise<Result<SlotsSituation>>;
  progress(): InstallProgress | undefined;
  /** For the fleet: which release runs, and why a newer one does not. */
  state(): Promise<readonly ManagedState[]>;
}

/** `armed`: the next start is the trial. */
export type InstallOutcome = 'nothing-to-do' | 'armed' | 'fallback-renewed';

/** `trial-ended`: the next start is the committed slot. `armed`: the next start tries the release before. */
export type RollBackOutcome = 'trial-ended' | 'armed';

export interface UpdaterParts {
  readonly hands: Pick<RemoteHands, 'updates' | 'effectors' | 'supply'>;
  readonly offers: Offers;
  readonly authorizer: Authorizer;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly read: ReadRange;
  readonly hardware: string;
  /** Of the release custodians: who the audit log names. */
  readonly signer: Uint8Array;
  /** Of a trial: all that a device must be able to do by itself. */
  readonly checks: readonly HealthCheck[];
  readonly trialMs: number;
}

const owner = 'mind';
/** Between two rounds of the checks of a trial. */
const pauseMs = 1_000;
const evidenceAgeMs = 60_000;

export const updater = (parts: UpdaterParts): Updater => {
  const { hands, offers, authorizer, audit, clock, log, read, hardware, signer, checks, trialMs } = parts;
  let progress: InstallProgress | undefined;
  let refusal: Fault | undefined;
  let isInstalling = false;

  const actor = (subject: Uint8Array, assurance: Actor['assurance']): Fact<Actor> => ({
    value: { subject: toHex(subject.subarray(0, 16)), assurance },
    source: assurance === 'administrator' ? 'release-statement' : 'health-gate',
    measuredBootMs: clock.bootMs(),
    maxAgeMs: evidenceAgeMs,
    isVerified: true,
  });
  /** Undefined: the person at the device. */
  const actorOf = (action: string): Fact<Actor> | undefined =>
    ({ 'install-release': actor(signer, 'administrator'), 'end-trial': actor(localGate, 'health-gate') })[action];
  const performAs =
    (action: 'install-release' | 'end-trial' | 'confirm-release' | 'roll-back-release'): Perform =>
    async (call: PermittedCall) => {
      const by = actorOf(action);
      const performed = await authorizer.perform(
        { action, resource: 'device', event: 'admin.release', call, ...(by === undefined ? {} : { actor: by }) },
        by === undefined ? 'api' : 'update',
      );
      if (!performed.ok) return performed;
      const { decision } = performed.value;
      return decision.isAllowed ? done : { ok: false, fault: decision.fault ?? notPermitted };
    };
  const starter = remoteSwitch(hands, performAs('install-release'));
  const gate = remoteSwitch(hands, performAs('end-trial'));

  const installedNow = async (): Promise<Result<{ readonly situation: SlotsSituation; readonly installed: Installed }>> => {
    const situation = await readSituation(hands);
    if (!situation.ok) return situation;
    const { view, floorEpoch } = situation.value;
    if (!floorEpoch.ok) return floorEpoch;
    const releaseCounter = view.slots[view.running.slot].release?.counter ?? 0;
    const installed = { hardwareId: hardware, releaseCounter, floorEpoch: floorEpoch.value };
    return ok({ situation: situation.value, installed });
  };

  /** The image that runs, by the digest of its index: read whole, once for a boot; without it full recipes are used. */
  let running: Promise<RunningImage | undefined> | undefined;
  const runningImage = ({ view }: SlotsSituation): Promise<RunningImage | undefined> => {
    const imageBytes = view.slots[view.running.slot].release?.imageBytes;
    if (imageBytes === undefined) return Promise.resolve(undefined);
    running ??= indexOfRunning(hands, imageBytes).then((index) =>
      index === undefined ? undefined : remoteRunningImage(hands, index, imageBytes, owner),
    );
    return running;
  };

  const write = async (
    offer: LoggedOffer,
    situation: SlotsSituation,
    isForced: boolean,
    signal: AbortSignal,
    from: ReadRange,
  ): Promise<Result<void>> => {
    const { statement, manifest, proof } = offer;
    const image = await runningImage(situation);
    return install(
      { ...statement, owner, isForced },
      manifest.files,
      {
        mirrors: [from],
        installer: remoteInstaller(hands, performAs('install-release'), owner, manifest.statement, proof),
        clock,
        ...(image === undefined ? {} : { running: image }),
        onBegun: (begun) => log.info('update.begun', { ...begun }),
        onProgress: (now) => {
          progress = now;
        },
      },
      signal,
    );
  };

  const installOnce = async (
    wanted: 'update' | 'repair',
    isForced: boolean,
    signal: AbortSignal,
    carried: ReadRange | undefined,
  ): Promise<Result<InstallOutcome>> => {
    const now = await installedNow();
    if (!now.ok) return now;
    const { situation, installed } = now.value;
    const offered = await offers[wanted === 'repair' ? 'repair' : 'directed'](installed, signal, carried);
    if (!offered.ok) return offered;
    const offer = offered.value;
    if (offer === undefined) return ok('nothing-to-do');
    await audit.record({ event: 'release.offered', outcome: 'done', changeReference: offer.statement.release.digest });
    if (offer.standing.is === 'unproved') await tellUnlogged(offer.statement.release.digest, offer.standing.fault);
    const gates = await readGates(hands.supply, wanted);
    if (!gates.ok) return gates;
    const facts = { ...offer.statement.release, hardware: [hardware] };
    const { floorEpoch } = installed;
    const plan = planUpdate(facts, { ...situation, floorEpoch, hardware, gates: gates.value, isForced });
    if (!plan.ok) return plan;
    const granted = offer.grant === undefined ? done : await useGrant(offer.grant);
    if (!granted.ok) return granted;
    const written = await write(offer, situation, isForced, signal, carried ?? read);
    if (!written.ok) return written;
    await audit.record({ event: 'release.written', outcome: 'done', changeReference: offer.statement.release.digest });
    const armed = await starter.arm(offer.manifest.statement);
    if (!armed.ok) return armed;
    return ok(armed.value === 'trial' ? 'armed' : 'fallback-renewed');
  };

  /** Before a byte is written: what was counted and not done costs a use, what was done and not counted would be none. */
  const useGrant = async ({ digest, take }: GrantUse): Promise<Result<void>> => {
    const taken = take();
    if (taken.ok) await audit.record({ event: 'release.granted', outcome: 'done', changeReference: digest });
    return taken;
  };

  /** It is installed all the same: policy only warns, or it is a repair (SR-12). */
  const tellUnlogged = async (digest: Uint8Array, fault: Fault): Promise<void> => {
    log.warn('update.unlogged', { code: codeOf(fault), detail: fault.detail ?? '' });
    await audit.record({ event: 'release.unlogged', outcome: 'failed', fault, changeReference: digest });
  };

  const goBack = async ({ running, slots }: SlotsView): Promise<Result<RollBackOutcome>> => {
    const perform = performAs('roll-back-release');
    if (slots[running.slot].state === 'trial') {
      const ended = await perform(hands.effectors.giveUpTrial('rolled-back'));
      return ended.ok ? ok('trial-ended') : ended;
    }
    const other = otherSlot(running.slot);
    const { state, release } = slots[other];
    // Of a newer release that waits for its first start there is nothing to go back to.
    const isArmed = state === 'trial' && (release?.counter ?? 0) < (slots[running.slot].release?.counter ?? 0);
    if (state === 'revoked') return deny('integrity', 'below-floor', `slot ${other}`);
    if ((state !== 'superseded' && !isArmed) || release === undefined)
      return deny('policy', 'no-fallback', `slot ${other} is ${state}`);
    const armed = await perform(hands.effectors.rollBack(release.digest));
    if (!armed.ok) return armed;
    await audit.record({ event: 'release.rolled-back', outcome: 'done', changeReference: release.digest });
    return ok('armed');
  };

  /** Once for a trial: a start of what is committed already ends none. */
  const recordTrial = async ({ running, slots }: SlotsView, outcome: TrialOutcome): Promise<void> => {
    const { state, release } = slots[running.slot];
    if (state !== 'trial' || outcome === 'interrupted') return;
    await audit.record({
      event: 'release.trial',
      outcome: outcome === 'committed' ? 'done' : 'failed',
      ...(outcome === 'committed' ? {} : { fault: failedTrial }),
      ...(release === undefined ? {} : { changeReference: release.digest }),
    });
  };

  return {
    progress: () => progress,
    situation: () => readSituation(hands),
    async check(signal) {
      const now = await installedNow();
      return now.ok ? offers.directed(now.value.installed, signal) : now;
    },
    async install(wanted, isForced, signal, carried) {
      if (isInstalling) return deny('resource', 'update-busy', owner);
      isInstalling = true;
      progress = undefined;
      const installed = await installOnce(wanted, isForced, signal, carried).finally(() => {
        isInstalling = false;
      });
      refusal = installed.ok ? undefined : installed.fault;
      if (!installed.ok) {
        log.warn('update.refused', { code: codeOf(installed.fault), detail: installed.fault.detail ?? '' });
        await audit.record({ event: 'release.refused', outcome: 'denied', fault: installed.fault });
      }
      return installed;
    },
    async endTrial(signal) {
      const before = await gate.status();
      const ended = await runTrial({ clock, checks, slots: gate, deadlineMs: trialMs, pauseMs }, signal);
      if (before.ok && ended.ok) await recordTrial(before.value, ended.value);
      if (ended.ok && ended.value === 'given-up') {
        const restarted = await performAs('end-trial')(hands.effectors.reboot('trial-failed'));
        if (!restarted.ok) return restarted;
      }
      if (!ended.ok) log.error('trial.failed', { code: codeOf(ended.fault), detail: ended.fault.detail ?? '' });
      return ended;
    },
    async confirm(signal) {
      const status = await gate.status();
      if (!status.ok) return status;
      const { running, slots } = status.value;
      const { state, release } = slots[running.slot];
      if (state !== 'trial' && state !== 'superseded') return deny('policy', 'no-trial', `slot ${running.slot} is ${state}`);
      const readings = await readHealth(clock, checks, pauseMs, signal);
      const missing = readings.find(({ kind, hasPassed }) => kind === 'required' && !hasPassed);
      if (missing !== undefined) {
        const refused = deny('policy', 'health-missing', missing.name);
        await audit.record({ event: 'release.refused', outcome: 'denied', fault: refused.fault });
        return refused;
      }
      const kept = await performAs('confirm-release')(hands.effectors.commitUpdate());
      if (kept.ok && release !== undefined)
        await audit.record({ event: 'release.trial', outcome: 'done', changeReference: release.digest });
      return kept;
    },
    async rollBack() {
      const status = await gate.status();
      if (!status.ok) return status;
      const back = await goBack(status.value);
      if (!back.ok) await audit.record({ event: 'release.refused', outcome: 'denied', fault: back.fault });
      return back;
    },
    async raiseFloor() {
      const now = await readSituation(hands);
      if (!now.ok) return now;
      const { view, floorEpoch } = now.value;
      if (!floorEpoch.ok) return floorEpoch;
      const { release } = view.slots[view.running.slot];
      const { next } = planFloor(view, floorEpoch.value, soaked);
      if (next !== 'raise' || release === undefined) return ok(false);
      const raised = await starter.raiseFloor(release.digest);
      return raised.ok ? ok(true) : raised;
    },
    async state() {
      const situation = await readSituation(hands);
      if (!situation.ok) return [];
      const { running, slots } = situation.value.view;
      const { state, release } = slots[running.slot];
      const left = slots[otherSlot(running.slot)];
      const runs = release === undefined ? [] : [stateOf(release, state === 'committed', refusal)];
      // A release that failed its trial is news for whoever rolls it out, by its own digest.
      const failed = left.state === 'failed' && left.release !== undefined ? [stateOf(left.release, false, failedTrial)] : [];
      return [...runs, ...failed];
    },
  };
};

const stateOf = ({ counter, digest }: ReleaseFacts, holds: boolean, fault: Fault | undefined): ManagedState => ({
  kind: 'os',
  version: counter,
  digest,
  holds,
  ...(fault === undefined ? {} : { code: codeOf(fault) }),
});

/** How long it takes is for the hands to say: they refuse until then. */
const soaked = { soakedMs: 0, neededMs: 0 } as const;
const notPermitted: Fault = { category: 'authorization', reason: 'not-permitted' };
const failedTrial: Fault = { category: 'policy', reason: 'release-failed' };
/** The health gate is no person and has no key: a name of its own in the audit log. */
const localGate = createHash('sha256').update('enigm-health-gate').digest();

const indexOfRunning = async ({ updates }: Pick<RemoteHands, 'updates'>, imageBytes: number): Promise<Uint8Array | undefined> => {
  const digests: Uint8Array[] = [];
  for (let segment = 0; segment < segmentCount(imageBytes); segment += 1) {
    const bytes = await updates.readRunning(segment * segmentBytes, segmentLength(imageBytes, segment));
    if (!bytes.ok) return undefined;
    digests.push(sha256(bytes.value));
  }
  return sha256(encodeIndex({ imageBytes, digests: concat(...digests) }));
};
