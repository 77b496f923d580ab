/**
 * What devices are to have, said again until they report that they have it.
 *
 * A broker that is killed may lose what it took a moment ago, a label may change with messages waiting under the old
 * one: what Command wants is therefore a state that it holds, and a message about it is a reminder and no more.
 */
import type { DeviceReport, FleetMessage, OrderedState } from '#protos/gen/types';

export type Reminder = Pick<FleetMessage, 'announcement' | 'order'>;

export interface Reminders {
  /** From now on every device is to have this version; whoever was waited for is reminded soon. */
  want(kind: string, version: number): void;
  /** From now on this device is to be in this state, and the order says so. */
  order(handle: string, state: OrderedState, envelope: Uint8Array): void;
  /** What a member is to be told now, by what it reported last. */
  due(label: string, handle: string, report: DeviceReport | undefined): readonly Reminder[];
  forget(label: string): void;
}

/** Each reminder that changed nothing doubles the wait for the next. */
const firstMs = 2_000;
const longestMs = 5 * 60_000;

export const reminders = (bootMs: () => number): Reminders => {
  const wanted = new Map<string, number>();
  const orders = new Map<string, { readonly state: OrderedState; readonly envelope: Uint8Array }>();
  const waits = new Map<string, { readonly dueBootMs: number; readonly nextMs: number }>();
  const start = () => ({ dueBootMs: bootMs() + firstMs, nextMs: 2 * firstMs });

  const missing = (handle: string, report: DeviceReport): readonly Reminder[] => {
    const order = orders.get(handle);
    const isObeyed = order === undefined || order.state === report.lifecycle;
    const announcements = [...wanted]
      .filter(([kind, version]) => (report.managed.find((state) => state.kind === kind)?.version ?? 0) < version)
      .map(([kind, version]) => ({ announcement: { kind, version } }));
    return isObeyed ? announcements : [{ order: { envelope: order.envelope } }, ...announcements];
  };

  return {
    want(kind, version) {
      wanted.set(kind, version);
      waits.clear();
    },
    order(handle, state, envelope) {
      orders.set(handle, { state, envelope });
      waits.clear();
    },
    due(label, handle, report) {
      const reminder = report === undefined ? [] : missing(handle, report);
      if (reminder.length === 0) {
        waits.delete(label);
        return [];
      }
      const wait = waits.get(label) ?? start();
      const isDue = bootMs() >= wait.dueBootMs;
      waits.set(label, isDue ? { dueBootMs: bootMs() + wait.nextMs, nextMs: Math.min(2 * wait.nextMs, longestMs) } : wait);
      return isDue ? reminder : [];
    },
    forget: (label) => void waits.delete(label),
  };
};
