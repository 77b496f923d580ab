/** Which release a device says that it tried and left: it names none, only what it runs and why. */
import { equalBytes } from '#hal/core/bytes';
import type { ReleaseFacts } from '#ota-client/slots/ledger';
import type { DeviceReport, ManagedState } from '#protos/gen/types';

export interface OfferedRelease {
  readonly id: string;
  readonly facts: ReleaseFacts;
}

const failureCodes = new Set(['policy/release-failed', 'policy/health-missing']);
const maxRemembered = 4096;

/** @returns given a report and what was offered when it came: ids of the releases that the device left */
export const leftReleases = (): ((
  handle: string,
  report: DeviceReport,
  offered: readonly OfferedRelease[],
) => readonly string[]) => {
  const left = leftMemory();
  return (handle, { managed }, offered) => {
    const states = managed.filter(({ kind, code }) => kind === 'os' && failureCodes.has(code ?? ''));
    if (states.length === 0) left.delete(handle);
    return states.flatMap((state) => {
      const id = left.get(handle, state) ?? releaseLeft(offered, state);
      if (id === undefined) return [];
      left.set(handle, state, id);
      return [id];
    });
  };
};

/** Named by its digest where it does not hold; where the device speaks of what it runs, the newest one above that. */
const releaseLeft = (offered: readonly OfferedRelease[], { digest, holds, version }: ManagedState): string | undefined => {
  const newestFirst = offered.toSorted((a, b) => b.facts.counter - a.facts.counter);
  return newestFirst.find(({ facts }) => (holds ? facts.counter > version : equalBytes(facts.digest, digest)))?.id;
};

/**
 * Where a device only says that it left something: what that was is worked out once, and stays until it says nothing of
 * the kind any more or runs another release. Otherwise its next report would be held against a release that came since.
 */
const leftMemory = () => {
  const kept = new Map<string, { readonly version: number; readonly id: string }>();
  return {
    delete: (handle: string) => kept.delete(handle),
    get(handle: string, { holds, version }: ManagedState): string | undefined {
      const found = kept.get(handle);
      return holds && found?.version === version ? found.id : undefined;
    },
    set(handle: string, { holds, version }: ManagedState, id: string): void {
      if (!holds) return;
      kept.delete(handle);
      kept.set(handle, { version, id });
      const [oldest] = kept.keys();
      if (kept.size > maxRemembered && oldest !== undefined) kept.delete(oldest);
    },
  };
};
