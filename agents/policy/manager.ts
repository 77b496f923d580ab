/** Brings every managed class up to the newest bundle that holds, one after the other, and keeps what came of each. */
import { codeOf, type Fault, type Result } from '#hal/core/result';
import type { Log } from '#hal/ports/log';
import type { ManagedState } from '#protos/gen/types';
import { type ManagedClass, managedClasses } from './bundles.ts';
import type { Enforcer } from './enforcer.ts';
import type { BundleSource } from './source.ts';

export interface PolicyManager {
  /** @returns whether anything changed; calls that come meanwhile share the work */
  update(signal: AbortSignal): Promise<Result<boolean>>;
  /** What is in force by read-back, and why a newer bundle is not. */
  states(): Promise<readonly ManagedState[]>;
}

export interface ManagerParts {
  readonly enforcer: Enforcer;
  readonly source: BundleSource;
  readonly log: Log;
}

const noDigest = new Uint8Array(32);

export const policyManager = ({ enforcer, source, log }: ManagerParts): PolicyManager => {
  const refusals = new Map<ManagedClass, Fault>();
  let running: Promise<Result<boolean>> | undefined;

  const refuse = (kind: ManagedClass, fault: Fault) => {
    refusals.set(kind, fault);
    log.warn('bundle.refused', { kind, code: codeOf(fault), detail: fault.detail ?? '' });
  };

  const updateOnce = async (signal: AbortSignal): Promise<Result<boolean>> => {
    const shelf = await source.refresh(signal);
    if (!shelf.ok) {
      for (const kind of managedClasses) refuse(kind, shelf.fault);
      return shelf;
    }
    const present = await enforcer.status();
    let hasChanged = false;
    for (const kind of managedClasses) {
      const version = present.find((state) => state.kind === kind)?.version ?? 0;
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

  return {
    update(signal) {
      running ??= updateOnce(signal).finally(() => {
        running = undefined;
      });
      return running;
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
