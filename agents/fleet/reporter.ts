/** What the device says of itself: the newest state, sent until exactly this state was acknowledged. */
import type { StateKeeper } from '#agents/management/state';
import type { Trust } from '#agents/mind/trust';
import type { PolicyManager } from '#agents/policy/manager';
import { equalBytes, toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { done, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import type { DeviceReport, FleetMessage, RiskTelemetry } from '#protos/gen/types';

export interface ReporterParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly manager: Pick<PolicyManager, 'states'>;
  readonly state: Pick<StateKeeper, 'current'>;
  readonly trust: Pick<Trust, 'posture'>;
  /** What was judged of programs, where it may leave. */
  readonly risk: () => RiskTelemetry | undefined;
  /** Sealed and on its way, or why not. */
  readonly publish: (message: FleetMessage, signal: AbortSignal) => Promise<Result<void>>;
}

export interface Reporter {
  /** Something may have changed: who waits looks again. */
  changed(): void;
  /** @returns whether it was the report that was sent last: then Command has exactly that */
  acknowledge(id: Uint8Array): boolean;
  /** Sends the present state unless exactly that was acknowledged. */
  send(signal: AbortSignal): Promise<Result<void>>;
  /** Returns early when something changed. */
  wait(durationMs: number, signal: AbortSignal): Promise<void>;
  /** Reports that the broker took since the last acknowledgement. */
  unanswered(): number;
}

export const newReporter = ({ clock, random, manager, state, trust, risk, publish }: ReporterParts): Reporter => {
  let wake = () => {};
  let sent: { readonly id: Uint8Array; readonly content: string } | undefined;
  let acknowledged: string | undefined;
  let unanswered = 0;
  let hasChanged = false;
  const present = async (): Promise<DeviceReport> => {
    const managed = await manager.states();
    const judged = risk();
    return {
      lifecycle: state.current().lifecycle,
      level: trust.posture()?.level ?? 'none',
      managed,
      ...(judged === undefined ? {} : { risk: judged }),
    };
  };
  return {
    changed() {
      hasChanged = true;
      wake();
    },
    acknowledge(id) {
      if (sent === undefined || !equalBytes(sent.id, id)) return false;
      acknowledged = sent.content;
      unanswered = 0;
      return true;
    },
    async send(signal) {
      hasChanged = false;
      const report = await present();
      const content = toHex(encodeMessage('DeviceReport', report));
      if (content === acknowledged) return done;
      // From here on Command may have read this one: what it acknowledged before is no longer what it knows.
      acknowledged = undefined;
      sent = { id: random.bytes(16), content };
      const published = await publish({ id: sent.id, report }, signal);
      if (published.ok) unanswered += 1;
      return published;
    },
    async wait(durationMs, signal) {
      const early = new AbortController();
      wake = () => early.abort();
      if (hasChanged) wake();
      await clock.sleep(Math.max(0, durationMs), AbortSignal.any([signal, early.signal]));
      wake = () => {};
    },
    unanswered: () => unanswered,
  };
};
