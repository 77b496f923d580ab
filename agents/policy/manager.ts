/** Brings every managed class up to the newest bundle that holds, one after the other, and keeps what came of each. */
import { unlessAborted, within } from '#hal/core/deadline';
import { codeOf, deny, type Fault, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { ManagedState } from '#protos/gen/types';
import { type ManagedClass, managedClasses } from './bundles.ts';
import type { CarriedFiles } from './carried.ts';
import type { Enforcer } from './enforcer.ts';
import type { BundleSource } from './source.ts';

export interface PolicyManager {
  /**
   * Calls that come meanwhile share the work, which ends by itself; the signal ends the caller's waiting alone, so that
   * nobody who leaves takes the update away from the others.
   * @returns whether anything changed
   */
  update(signal: AbortSignal): Promise<Result<boolean>>;
  /** The same out of files that were carried here, after whatever is being done: no network is asked (SR-17). */
  updateFrom(files: CarriedFiles, signal: AbortSignal): Promise<Result<boolean>>;
  /** What is in force by read-back, and why a newer bundle is not. */
  states(): Promise<readonly ManagedState[]>;
}

export interface ManagerParts {
  readonly enforcer: Enforcer;
  readonly source: BundleSource;
  readonly carried: (files: CarriedFiles) => BundleSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Metadata and bundles are small; a far end that is slower than this is tried again later. */
const limitMs = 5 * 60_000;

const noDigest = new Uint8Array(32);

export const policyManager = ({ enforcer, source, carried, clock, log }: ManagerParts): PolicyManager => {
  const refusals = new Map<ManagedClass, Fault>();
  let running: Promise<Result<boolean>> | undefined;

  const refuse = (kind: ManagedClass, fault: Fault) => {
    refusals.set(kind, fault);
    log.warn('bundle.refused', { kind, code: codeOf(fault), detail: fault.detail ?? '' });
  };

  const updateOnce = async (from: BundleSource, signal: AbortSignal): Promise<Result<boolean>> => {
    const shelf = await from.refresh(signal);
    if (!shelf.ok) {
      for (const kind of managedClasses) refuse(kind, shelf.fault);
      return shelf;
    }
    const present = await enforcer.status();
    let hasChanged = false;
    for (const kind of managedClasses) {
      const state = present.find((entry) => entry.kind === kind);
      // What does not hold any more is applied again, so it counts as not installed.
      const version = state === undefined ? 0 : state.holds ? state.version : Math.max(0, state.version - 1);
      const newest = await shelf.value.newest(kind, version, signal);
      const isNothing = !newest.ok && newest.fault.reason === 'target-missing';
      if (isNothing || (newest.ok && newest.value === undefined)) refusals.delete(kind);
      else if (!newest.ok) refuse(kind, newest.fault);
      else if (newest.value !== undefined) {
        const applied = await enforcer.apply(newest.value);
        if (applied.ok) refusals.delete(kind);
        else refuse(kind, applied.fault);
        hasChanged ||= applied.ok;
      }
    }
    return { ok: true, value: hasChanged };
  };

  const begin = (from: BundleSource): Promise<Result<boolean>> =>
    within(clock, limitMs, (signal) => updateOnce(from, signal)).finally(() => {
      running = undefined;
    });

  return {
    update(signal) {
      running ??= begin(source);
      return unlessAborted(running, signal);
    },
    async updateFrom(files, signal) {
      while (running !== undefined && !signal.aborted) await unlessAborted(running, signal);
      if (signal.aborted) return deny('unavailable', 'aborted');
      running = begin(carried(files));
      return unlessAborted(running, signal);
    },
    async states() {
      const inForce = await enforcer.status();
      return managedClasses.flatMap((kind): ManagedState[] => {
        const state = inForce.find((entry) => entry.kind === kind);
        const fault = refusals.get(kind);
        if (state === undefined && fault === undefined) return [];
        const code = fault === undefined ? {} : { code: codeOf(fault) };
        return [{ kind, version: 0, digest: noDigest, holds: false, ...state, ...code }];
      });
    },
  };
};
